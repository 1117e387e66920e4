"""Page tokens: prove to the relay that a page was rendered by the shop's server.

A token is the Unix time of rendering and an HMAC-SHA256, truncated to 128 bits, of this and the
application id, with a secret that the shop's server and its relay share. The secret is never on a
page, but a token is: it stops forged events from elsewhere, not from somebody who visits the shop.
"""

import base64
import hashlib
import hmac
import os
import re
from enum import Enum

SECRET = "NEURALENS_PAGE_SECRET"  # noqa: S105 - the name of a variable
# Characters of a secret. Tokens are public, so that a shorter one could be found by trying.
MIN_SECRET = 32
WEAK = (
    f"must have at least {MIN_SECRET} characters, for example from openssl rand -hex 32: a shorter"
    " one could be found out from the tokens on the pages"
)
# Seconds for which a token is fresh, and for which it is valid: a page may be open for long, or
# cached.
FRESH = 3600
OLDEST = 7 * 86400
# Seconds by which the clocks of two servers may differ.
TOLERANCE = 300
FORM = re.compile(r"(\d{1,12})\.([A-Za-z0-9_-]{22})", re.ASCII)


class Verdict(Enum):
    """The validity of a token. FRESH and EXPIRED are accepted; OLD, FORGED and MISSING are not.

    A token from the future is as valid as one of the same age: it proves the same, and that one of
    the servers has a wrong clock.
    """

    FRESH = "fresh"
    EXPIRED = "expired"
    OLD = "old"
    FORGED = "forged"
    MISSING = "missing"

    @property
    def shows_own_page(self) -> bool:
        """Whether events with such a token are accepted."""
        return self in (Verdict.FRESH, Verdict.EXPIRED)


def make_token(secret: str, app_id: str, now: float) -> str:
    """Return a token for a page rendered at Unix time ``now``."""
    made = str(int(now))
    return f"{made}.{sign(secret, app_id, made)}"


def judge_token(secret: str, app_id: str, token: object, now: float) -> Verdict:
    """Verify a token, which may be any JSON value, at Unix time ``now``."""
    if token is None or token == "":
        return Verdict.MISSING
    parts = FORM.fullmatch(token) if isinstance(token, str) else None
    if parts is None:
        return Verdict.FORGED
    made, signature = parts.groups()
    age = now - int(made)
    if not hmac.compare_digest(signature, sign(secret, app_id, made)):
        return Verdict.FORGED
    if abs(age) > OLDEST:
        return Verdict.OLD
    return Verdict.FRESH if -TOLERANCE <= age <= FRESH else Verdict.EXPIRED


def sign(secret: str, app_id: str, made: str) -> str:
    """Return the signature of an application id and the Unix time of rendering."""
    digest = hmac.new(secret.encode(), f"{made} {app_id}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


def read_secret() -> str:
    """Return the secret from the environment, or ""."""
    return os.environ.get(SECRET, "").strip()
