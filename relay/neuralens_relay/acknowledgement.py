"""The cookie that tells the next page which batches arrived."""

import re

from starlette.requests import Request
from starlette.responses import Response

from neuralens_relay.batch import BATCH_ID

COOKIE = "nl_ack"
SEPARATOR = "."
# Batches named at once: a cookie goes with every request to the shop.
MAX_BATCHES = 8
# Seconds. A page that comes later sends again what it is not sure of; the relay drops it.
MAX_AGE = 600


def acknowledge(request: Request, response: Response, batch: str) -> None:
    """Add ``batch`` to the ids in the cookie, newest last, readable by scripts of the site."""
    named = request.cookies.get(COOKIE, "").split(SEPARATOR)
    known = [other for other in named if re.match(BATCH_ID, other) and other != batch]
    response.set_cookie(
        COOKIE,
        SEPARATOR.join([*known, batch][-MAX_BATCHES:]),
        max_age=MAX_AGE,
        path="/",
        secure=request.url.scheme == "https",
        httponly=False,
        samesite="lax",
    )
