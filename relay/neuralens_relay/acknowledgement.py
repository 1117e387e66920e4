"""The cookie that tells the next page which batches arrived."""

import re
from collections import OrderedDict

from starlette.requests import Request
from starlette.responses import Response

from neuralens_relay.batch import BATCH_ID

COOKIE = "nl_ack"
SEPARATOR = "."
# Batches named at once: a cookie goes with every request to the shop.
MAX_BATCHES = 8
# Seconds. A page that comes later sends again what it is not sure of; the relay drops it.
MAX_AGE = 600
# Tabs whose last batches are remembered, see ``Acknowledgement``.
MAX_TABS = 10_000


class Acknowledgement:
    """Names batches in the cookie.

    Two batches of a tab that are on their way at once carry the same cookie, and the second answer
    would take the place of the first: so a tab's last batches are remembered here, too. A batch's
    id is its tab's, a hyphen and a number.
    """

    def __init__(self) -> None:
        self._taken: OrderedDict[str, list[str]] = OrderedDict()

    def add(self, request: Request, response: Response, batch: str) -> None:
        """Add ``batch`` to the ids in the cookie, newest last, readable by scripts of the site."""
        named = request.cookies.get(COOKIE, "").split(SEPARATOR)
        known = [other for other in named if re.match(BATCH_ID, other)]
        tab = batch.rpartition("-")[0]
        recent = [*self._taken.pop(tab, []), batch][-MAX_BATCHES:]
        if tab:
            self._taken[tab] = recent
        if len(self._taken) > MAX_TABS:
            self._taken.popitem(last=False)
        ids = list(dict.fromkeys([*known, *recent][::-1]))[::-1]
        response.set_cookie(
            COOKIE,
            SEPARATOR.join(ids[-MAX_BATCHES:]),
            max_age=MAX_AGE,
            path="/",
            secure=request.url.scheme == "https",
            httponly=False,
            samesite="lax",
        )
