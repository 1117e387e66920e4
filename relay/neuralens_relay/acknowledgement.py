"""The cookie that acknowledges batches to the page that sent them, or to the next one."""

import re
from collections import OrderedDict

from starlette.requests import Request
from starlette.responses import Response

from neuralens_relay.batch import BATCH_ID, Batch

COOKIE = "nl_ack"
SEPARATOR = "."
# Bounded, because a cookie is part of every request to the shop.
MAX_BATCHES = 8
# Seconds. A page that comes later resends its batch, and the relay deduplicates it.
MAX_AGE = 600
# Browsers whose recent batches are remembered, see ``Acknowledgement``.
MAX_BROWSERS = 10_000


class Acknowledgement:
    """Adds batch ids to the cookie.

    Two concurrent requests of a browser, of one page or of one and the next, carry the same cookie,
    so the second response would overwrite the first one's acknowledgement. Hence a browser's recent
    batches are also remembered here: by its journal, or, without one, by the tab, whose id and a
    hyphen precede the number in a batch id.
    """

    def __init__(self) -> None:
        self._recent: OrderedDict[str, list[str]] = OrderedDict()

    def remember(self, batch: Batch) -> list[str]:
        """Remember a batch; return the ids of its browser's recent batches, with this one."""
        browser = batch.journal or batch.batch.rpartition("-")[0]
        known = [other for other in self._recent.pop(browser, []) if other != batch.batch]
        recent = [*known, batch.batch][-MAX_BATCHES:]
        if browser:
            self._recent[browser] = recent
        if len(self._recent) > MAX_BROWSERS:
            self._recent.popitem(last=False)
        return recent

    def set_cookie(self, request: Request, response: Response, recent: list[str]) -> None:
        """Add ids to the request's cookie, which scripts of the site can read."""
        sent = request.cookies.get(COOKIE, "").split(SEPARATOR)
        known = [other for other in sent if re.match(BATCH_ID, other)]
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
