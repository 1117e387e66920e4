"""JSON responses."""

from collections.abc import Mapping

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

# Otherwise the server would read and discard the rest of the body.
CLOSING = {"Connection": "close"}


def as_json(value: object, status: int = 200) -> Response:
    """Return a JSON response that is not cached."""
    response = Response(msgspec.json.encode(value), status, media_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def explain_error(error: HTTPException) -> Response:
    """Return the response ``{"error": reason}``."""
    response = as_json({"error": error.detail}, error.status_code)
    response.headers.update(error.headers or {})
    return response


def retry_later(
    status: int, reason: str, seconds: int, headers: Mapping[str, str] | None = None
) -> HTTPException:
    """Return a refusal with Retry-After."""
    return HTTPException(status, reason, {"Retry-After": str(seconds), **(headers or {})})
