"""Forms that the shop's pages post."""

import re
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse

MAX_FORM_BYTES = 16_384
MAX_FIELDS = 32
# A path on this site. Browsers interpret a second slash or a backslash as the start of a host.
LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")


async def read_form(request: Request) -> dict[str, str]:
    """Return a form's fields; of several with the same name, the last.

    Raises HTTPException: 403 for a form from another origin, 413 if it is too large, 400 if it is
    malformed.
    """
    check_origin(request)
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_FORM_BYTES:
            raise HTTPException(413, "The form is too large.")
    try:
        fields = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise HTTPException(400, "The form cannot be read.") from error
    return dict(fields)


def check_origin(request: Request) -> None:
    """Refuse a form that was posted from another origin.

    This is a second defense against CSRF: the session cookie is SameSite=Lax.
    """
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
        raise HTTPException(403, "The form was sent from another site.")


def go_back(address: str | None) -> RedirectResponse:
    """Redirect to a path of the shop; for any other address, to the home page."""
    if address is None or not LOCAL.fullmatch(address):
        address = "/"
    return RedirectResponse(address, 303)


def wants_json(request: Request) -> bool:
    """Return whether the client is a script that expects JSON instead of a page."""
    return "application/json" in request.headers.get("Accept", "")
