"""Authorizes access to metrics and health details: volumes, API errors, the outbox's location."""

import hmac

from starlette.requests import Request

from neuralens_relay.addresses import read_address

# A request with one of these came through a proxy, so it is not local.
PROXY_HEADERS = (
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
)


def may_inspect(request: Request, token: str) -> bool:
    """Return whether a request is local, without a proxy, or carries the status token.

    ``token`` is that of the settings; "" matches no request.
    """
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    # As bytes, because compare_digest refuses non-ASCII strings.
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    address = read_address(request.client.host) if request.client else None
    proxied = any(name in request.headers for name in PROXY_HEADERS)
    return address is not None and address.is_loopback and not proxied
