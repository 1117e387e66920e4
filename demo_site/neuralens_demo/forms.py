"""Forms as the shop's pages post them."""

import re
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse

MAX_FORM_BYTES = 16_384
MAX_FIELDS = 32
# A path of this site: no second slash and no backslash, which browsers take for a host.
LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")


async def read_form(request: Request) -> dict[str, str]:
    """Return a form's fields, the last of each name.

    Raises HTTPException: 403 for a form that another site posted, 413 for one out of proportion,
    400 for one that cannot be read.
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
    """Refuse a form that was sent from a page of another site.

    The session cookie is SameSite=Lax, so such a form comes without it; this is the second lock.
    """
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
        raise HTTPException(403, "The form was sent from another site.")


def go_back(address: str | None) -> RedirectResponse:
    """Lead to an address of the shop itself, and anywhere else to the home page."""
    if address is None or not LOCAL.fullmatch(address):
        address = "/"
    return RedirectResponse(address, 303)


def wants_json(request: Request) -> bool:
    """Tell whether a script asks, which needs no page back."""
    return "application/json" in request.headers.get("Accept", "")
