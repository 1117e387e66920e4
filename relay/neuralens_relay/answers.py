"""Classifies the event API's responses: delivered, dead letter, retry, or pause forwarding."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import msgspec

# Seconds. A longer Retry-After is assumed to be a mistake.
MAX_RETRY_AFTER = 86400
RETRIED = frozenset({408, 423, 425, 429})
# The event itself is invalid. Every 3xx, and every other 4xx, concerns the key, the URL or
# something in between, and so all events alike.
REFUSED = frozenset({400, 409, 413, 422})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# After a gateway error the API may have accepted the event; the last two are Cloudflare's.
# Source: https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
AMBIGUOUS = frozenset({502, 504, 520, 524})


class Fate(enum.Enum):
    """What to do with the event."""

    DELIVERED = "delivered"
    DEAD = "dead"
    RETRY = "retry"
    PAUSE = "pause"


@dataclass(frozen=True)
class Answer:
    """The fate of an event, with a reason that may quote the API.

    ``wait``: Retry-After in seconds, or 0. ``ambiguous``: the API may have accepted the event
    nevertheless. ``bounded``: the number of retries is limited while other events are delivered,
    because the API probably accepted it, or the event may be the cause after all.
    """

    fate: Fate
    reason: str = ""
    wait: float = 0
    ambiguous: bool = False
    bounded: bool = False


class Documented(msgspec.Struct):
    """The documented body of a response. The message is text, but nothing depends on it."""

    status: str
    message: object = ""

    @property
    def text(self) -> str:
        """The message; JSON if it is not text."""
        if self.message is None or isinstance(self.message, str):
            return self.message or ""
        return msgspec.json.encode(self.message).decode()


def read_answer(status: int, headers: Mapping[str, str], body: bytes, now: float) -> Answer:
    """Classify an HTTP response. Source: the event tracking API, "Response".

    ``now`` is Unix time, for a Retry-After in the form of a date.
    """
    documented = read_body(body)
    message = documented.text if documented is not None else ""
    reason = f"{status}: {message}" if message else f"{status}"
    if 200 <= status < 300:
        if documented is not None and documented.status == "success":
            return Answer(Fate.DELIVERED)
        if documented is not None and documented.status == "failure":
            return Answer(Fate.DEAD, f"failure: {message}")
        reason = f"{status} without the documented body"
        return Answer(Fate.RETRY, reason, ambiguous=True, bounded=True)
    if status in REFUSED:
        return Answer(Fate.DEAD, reason)
    if status in RETRIED or status >= 500 or status < 200:
        wait = read_retry_after(headers.get("Retry-After", ""), now)
        return Answer(Fate.RETRY, reason, wait, ambiguous=status in AMBIGUOUS)
    if status in REDIRECTS:
        reason = f"{status}: a redirect to {read_host(headers)}, which is not followed"
    return Answer(Fate.PAUSE, reason, bounded=True)


def read_host(headers: Mapping[str, str]) -> str:
    """Return where a redirect leads; only the host, because the rest may echo the key."""
    try:
        host = urlsplit(headers.get("Location", "")).hostname
    except ValueError:
        host = None
    return host or "another path"


def read_body(body: bytes) -> Documented | None:
    """Parse the documented body; None if it is anything else."""
    try:
        return msgspec.json.decode(body, type=Documented)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def read_retry_after(text: str, now: float) -> float:
    """Parse Retry-After, a number or an HTTP date, to seconds; 0 if it is neither.

    Source: RFC 9110, 10.2.3.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = moment.timestamp() - now
    except (ValueError, OverflowError):
        return 0
    return min(max(seconds, 0), MAX_RETRY_AFTER)
