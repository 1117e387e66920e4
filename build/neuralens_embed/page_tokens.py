"""Page tokens: what shows a relay that a page is the shop's own.

A token is the Unix time at which the page was made and a signature of it and the application
(HMAC-SHA256, cut to 128 bits), by a secret that the shop's server and its relay share. The secret
is never on a page; a token is, for whoever reads the page: it tells events that are forged
elsewhere apart, not those of somebody who visits the shop.
"""

import base64
import hashlib
import hmac
import os
import re
from enum import Enum

SECRET = "NEURALENS_PAGE_SECRET"  # noqa: S105 - the name of a variable
# Seconds for which a token is new, and may be used at all: a page may stand open, or in a cache.
FRESH = 3600
OLDEST = 7 * 86400
# Seconds by which the clocks of two servers may differ.
TOLERANCE = 300
FORM = re.compile(r"(\d{1,12})\.([A-Za-z0-9_-]{22})", re.ASCII)


class Verdict(Enum):
    """What a token is: FRESH; EXPIRED, and still the shop's own; OLD; FORGED; MISSING."""

    FRESH = "fresh"
    EXPIRED = "expired"
    OLD = "old"
    FORGED = "forged"
    MISSING = "missing"

    @property
    def shows_own_page(self) -> bool:
        """Whether events with such a token are taken."""
        return self in (Verdict.FRESH, Verdict.EXPIRED)


def make_token(secret: str, app_id: str, now: float) -> str:
    """Return the token of a page that is made at Unix time ``now``."""
    made = str(int(now))
    return f"{made}.{sign(secret, app_id, made)}"


def judge_token(secret: str, app_id: str, token: object, now: float) -> Verdict:
    """Return what a token, which may be anything, is at Unix time ``now``."""
    if token is None or token == "":
        return Verdict.MISSING
    parts = FORM.fullmatch(token) if isinstance(token, str) else None
    if parts is None:
        return Verdict.FORGED
    made, signature = parts.groups()
    age = now - int(made)
    if not hmac.compare_digest(signature, sign(secret, app_id, made)) or age < -TOLERANCE:
        return Verdict.FORGED
    if age > OLDEST:
        return Verdict.OLD
    return Verdict.FRESH if age <= FRESH else Verdict.EXPIRED


def sign(secret: str, app_id: str, made: str) -> str:
    """Return the signature of a page that was made at a Unix time."""
    digest = hmac.new(secret.encode(), f"{made} {app_id}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


def read_secret() -> str:
    """Return the secret in the environment, "" when there is none."""
    return os.environ.get(SECRET, "").strip()
