"""What an answer of the event API means for the event that was sent."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

import msgspec

# A wait longer than this is taken for a mistake.
MAX_RETRY_AFTER = 86400
RETRIED = frozenset({408, 423, 425, 429})
# What says that the event is wrong. Every other 4xx is about the key, the address, or something
# between here and the API: these are the same for all events.
REFUSED = frozenset({400, 409, 413, 422})
# A gateway that gave up on the API does not know whether the API took the event.
AMBIGUOUS = frozenset({502, 504})


class Fate(enum.Enum):
    """What becomes of the event."""

    DELIVERED = "delivered"
    DEAD = "dead"
    RETRY = "retry"
    PAUSE = "pause"


@dataclass(frozen=True)
class Answer:
    """The fate of an event, and why: a reason that may quote what the API said.

    ``wait``: the seconds that the API asked to wait, 0 if it did not. ``ambiguous``: the API may
    have taken the event all the same. ``bounded``: not to be repeated without end while others
    are delivered, because the API probably took it, or because it is the event's fault after all.
    """

    fate: Fate
    reason: str = ""
    wait: float = 0
    ambiguous: bool = False
    bounded: bool = False


class Documented(msgspec.Struct):
    """The documented body of an answer."""

    status: str
    message: str = ""


def read_answer(status: int, headers: Mapping[str, str], body: bytes, now: float) -> Answer:
    """Judge an HTTP answer. Source: the event tracking API, "Response".

    ``now`` is Unix time, for a Retry-After that is a date.
    """
    documented = read_body(body)
    message = documented.message if documented is not None else ""
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
    if status in RETRIED or status >= 500 or status < 400:
        wait = read_retry_after(headers.get("Retry-After", ""), now)
        return Answer(Fate.RETRY, reason, wait, ambiguous=status in AMBIGUOUS)
    return Answer(Fate.PAUSE, reason, bounded=True)


def read_body(body: bytes) -> Documented | None:
    """Return the documented body; None when it is something else."""
    try:
        return msgspec.json.decode(body, type=Documented)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def read_retry_after(text: str, now: float) -> float:
    """Return the seconds of a Retry-After header: a number or an HTTP date; 0 when it is neither.

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
