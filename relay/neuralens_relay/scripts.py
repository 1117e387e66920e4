"""``GET neuralens.js`` and the other bundles."""

from starlette.requests import Request
from starlette.responses import Response

from neuralens_relay.bundles import Bundle

# An address that names the content never changes its meaning. The plain one does with the next
# release, and a page with a new integrity must not meet an old script for long.
VERSIONED = "public, max-age=31536000, immutable"
PLAIN = "public, max-age=300, immutable"
# A version that is not this one: an old page, or a typing error.
OTHER = "no-cache"


async def serve_bundle(bundle: Bundle, request: Request) -> Response:
    """Serve one bundle, in the best encoding that the browser takes.

    ``?v=`` with the start of the file's sha384 (base64, 8 characters or more), as in its
    integrity attribute, lets browsers keep it for a year.
    """
    encoding, content = bundle.encode(request.headers.get("Accept-Encoding", ""))
    headers = {
        "Cache-Control": cache_control(bundle, request.query_params.get("v")),
        "ETag": f'"{bundle.version[:16]}{encoding and "-"}{encoding}"',
        "Vary": "Accept-Encoding",
        # A script with integrity from another host is fetched with CORS.
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }
    if matches(request.headers.get("If-None-Match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if encoding:
        headers["Content-Encoding"] = encoding
    # Given as a header: the media_type argument would add a charset to types without one.
    headers["Content-Type"] = bundle.media_type
    return Response(content, headers=headers)


def cache_control(bundle: Bundle, version: str | None) -> str:
    """Say how long an answer may be kept."""
    if version is None:
        return PLAIN
    return VERSIONED if bundle.is_version(version) else OTHER


def matches(condition: str, tag: str) -> bool:
    """Tell whether an If-None-Match header names the tag, by weak comparison."""
    named = [part.strip().removeprefix("W/") for part in condition.split(",")]
    return tag in named or named == ["*"]
