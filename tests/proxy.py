"""Forwards requests to a relay, as a shop's proxy does."""

from collections.abc import Mapping

import aiohttp
from starlette.requests import Request
from starlette.responses import Response

# Headers that a proxy must not forward. Source: RFC 9110, 7.6.1.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


async def forward(
    session: aiohttp.ClientSession,
    request: Request,
    url: str,
    body: bytes,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Send a request with a body to a URL, and return the response.

    ``headers`` override those of the request. Raises aiohttp.ClientError.
    """
    kept = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
    async with session.request(
        request.method,
        url,
        params=request.query_params,
        data=body,
        headers={**kept, **(headers or {})},
    ) as upstream:
        response = Response(await upstream.read(), upstream.status)
        for name, value in upstream.headers.items():
            if name.lower() not in HOP_BY_HOP:
                response.headers.append(name, value)
        return response
