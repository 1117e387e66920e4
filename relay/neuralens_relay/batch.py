"""What arrives from a page: a batch of events, read and checked."""

import json
import logging
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from neuralens_tracker import events
from neuralens_tracker.events import Fault
from neuralens_tracker.orders import ORDER_PREFIX
from neuralens_tracker.personal_data import scrub
from neuralens_tracker.vocabulary import MAX_COUNT, MAX_TEXT, WIRE_VERSION

from neuralens_relay.balance import Report
from neuralens_relay.outbox import Event

log = logging.getLogger(__name__)

# More than fit into a body of the smallest events there are.
MAX_EVENTS = 500
# Also the form of what a cookie may carry.
BATCH_ID = r"^[A-Za-z0-9_-]{1,64}\Z"

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
# Seconds by which a device's clock may be off: less than a page's own delays would be corrected.
CLOCK_TOLERANCE = 120

Lost = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
JournalName = Annotated[str, msgspec.Meta(max_length=64)]
Losses = dict[Annotated[str, msgspec.Meta(max_length=64)], Lost]

# Why an event is rejected, besides a field that is wrong, in the books.
NO_EVENT = "event"


class BatchError(ValueError):
    """The body is no batch; the text says why."""


class Batch(msgspec.Struct):
    """The envelope: see "From tracker to relay" in the documents. ``sent`` is Unix time.

    ``journal`` names the browser's journal, whose numbers the events have as ``seq``; ``losses``
    are those by reason since it was begun, ``lost`` those that no batch has told of before.
    ``token``: see ``neuralens_embed.page_tokens``. Fields
    that are not named here are those of a newer tracker, and are passed over.
    """

    v: int
    app: Name
    batch: Annotated[str, msgspec.Meta(pattern=BATCH_ID)]
    sent: float
    events: Annotated[list[Any], msgspec.Meta(max_length=MAX_EVENTS)]
    lost: Lost = 0
    token: Any = None
    journal: JournalName = ""
    losses: Losses | None = None


@dataclass(frozen=True)
class Rejection:
    """An event that is not taken, and why.

    ``eid`` is None where it has no usable one; ``kind`` is the reason in a word; ``number`` is that
    of its journal, 0 for none.
    """

    eid: str | None
    reason: str
    kind: str
    number: int = 0


def read_batch(body: bytes) -> Batch:
    """Return the batch in a request's body; its events are not checked yet.

    Raises BatchError, whatever the bytes are.
    """
    try:
        # The standard parser, because it takes a lone surrogate, as JSON.stringify writes one for
        # a text cut in the middle of a character: one such event must not take the batch with it.
        envelope = json.loads(body.decode("utf-8"))
    except RecursionError:
        raise BatchError("the body is nested too deep") from None
    except ValueError as error:
        raise BatchError(f"the body is not JSON: {error}") from error
    if isinstance(envelope, dict) and envelope.get("v", WIRE_VERSION) != WIRE_VERSION:
        raise BatchError(f"v must be {WIRE_VERSION}")
    if isinstance(envelope, dict):
        envelope = leave_wrong_books(select(envelope, Batch.__struct_fields__))
    try:
        return msgspec.convert(envelope, Batch)
    except UnicodeError:
        raise BatchError("the body has a lone surrogate") from None
    except msgspec.ValidationError as error:
        raise BatchError(f"the body is no batch: {error}") from error


def leave_wrong_books(envelope: dict[str, Any]) -> dict[str, Any]:
    """Return an envelope without what it says of its journal, if that is wrong.

    It is only for the books: events must not be lost for it.
    """
    for name, kind in (("journal", JournalName), ("losses", Losses)):
        try:
            msgspec.convert(envelope.get(name), kind)
        except (msgspec.ValidationError, UnicodeError):
            envelope.pop(name, None)
    return envelope


def select(record: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the named fields of a record; one that nobody knows here is a newer tracker's."""
    return {name: record[name] for name in names if name in record}


def sort_events(batch: Batch, received: float) -> tuple[list[Event], list[Rejection]]:
    """Part a batch's events, received at Unix time, into those to keep and those that are wrong."""
    kept = []
    rejected = []
    for given in batch.events:
        event = leave_behind(given)
        number = read_number(given)
        fault = explain(event)
        if fault is not None:
            kind = fault.field or NO_EVENT
            rejected.append(Rejection(readable_eid(event), fault.sentence, kind, number))
        else:
            event["timestamp"] = correct(event["timestamp"], batch.sent, received)
            lasting = event["eid"].startswith(ORDER_PREFIX)
            kept.append(Event(event["eid"], outgoing(event), lasting, number))
    return kept, rejected


def reject_all(batch: Batch, kind: str, reason: str) -> list[Rejection]:
    """Return that no event of a batch is taken, right or wrong."""
    return [
        Rejection(readable_eid(event), reason, kind, read_number(event)) for event in batch.events
    ]


def read_number(given: Any) -> int:
    """Return the number of an event in its browser's journal, 0 where it has none."""
    number = given.get("seq") if isinstance(given, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= MAX_COUNT:
        return 0
    return number


def make_report(batch: Batch, kept: list[Event], rejected: list[Rejection]) -> Report:
    """Return what the books are told of a batch."""
    return Report(
        batch.app,
        batch.journal,
        tuple(event.number for event in kept),
        tuple((each.number, each.kind) for each in rejected),
        batch.losses or {},
    )


def count_uids(batch: Batch) -> Counter[str]:
    """Count the events of each shopper, as far as they are named; nothing is checked yet."""
    uids = [event.get("uid") for event in batch.events if isinstance(event, dict)]
    return Counter(uid for uid in uids if isinstance(uid, str) and uid.isprintable())


def leave_behind(given: Any) -> Any:
    """Return an event without the fields that are not known, in its items and its place too."""
    if not isinstance(given, dict):
        return given
    event = select(given, events.FIELDS)
    if isinstance(event.get("geo"), dict):
        event["geo"] = select(event["geo"], events.GEO_FIELDS)
    if isinstance(event.get("items"), list):
        event["items"] = [
            select(item, events.ITEM_FIELDS) if isinstance(item, dict) else item
            for item in event["items"]
        ]
    return event


def correct(timestamp: float, sent: float, received: float) -> float:
    """Return when an event happened by the relay's clock instead of the device's.

    All are Unix time. ``sent`` is when the device, by its own clock, sent the batch: how far that
    is from ``received`` is how far the clock is off. A difference that a slow network explains is
    left alone, and so is one that would put the event before 1970: such a ``sent`` is no time.
    """
    offset = received - sent
    if not math.isfinite(offset) or abs(offset) <= CLOCK_TOLERANCE:
        offset = 0
    corrected = timestamp + offset
    # What was sent cannot have happened after it arrived: the clock was set back in between.
    if corrected > received + CLOCK_TOLERANCE:
        return int(received)
    return timestamp if corrected < 0 else int(corrected)


def explain(event: Any) -> Fault | None:
    """Return what is wrong with an event, None when it is right."""
    try:
        # UTF-8 has no lone surrogates, and neither SQLite nor the API would take one.
        msgspec.json.encode(event)
    except UnicodeError:
        return Fault("", "text has a lone surrogate")
    except RecursionError:
        return Fault("", "event is nested too deep")
    try:
        fault = events.find_fault(event)
        return explain_ids(event) if fault is None else fault
    except Exception:
        # A fault of the check must not cost the other events of the batch, which the page would
        # send again and again.
        log.exception("an event could not be checked")
        return Fault("", "event could not be checked")


def explain_ids(event: dict[str, Any]) -> Fault | None:
    """Return which id of a right event has control characters, which no id of a shop has."""
    ids = [item["id"] for item in event["items"]]
    named = {"eid": [event["eid"]], "uid": [event.get("uid") or ""], "items": ids}
    for name, texts in named.items():
        if any(CONTROL.search(text) for text in texts):
            return Fault(name, f"{name} has control characters")
    return None


def readable_eid(event: Any) -> str | None:
    """Return the id of an event that need not be right, if it can be sent back."""
    eid = event.get("eid") if isinstance(event, dict) else None
    if not isinstance(eid, str) or not eid.isprintable():
        return None
    return eid[:MAX_TEXT]


def outgoing(event: dict[str, Any]) -> bytes:
    """Return the body that the API gets: the documented fields of a right event, in order.

    ``uid`` is always there, null when unknown; other fields that do not apply are left out, and
    the relay's own ``eid`` stays behind.
    """
    body: dict[str, Any] = {}
    for name in events.FIELDS:
        value = event.get(name)
        if name == "uid" or (name != "eid" and value is not None):
            body[name] = value
    for name in ("index", "timestamp"):
        if name in body:
            # JavaScript, and so JSON, has no whole numbers of its own: 3.0 is meant as 3.
            body[name] = int(body[name])
    if "query" in body:
        # What is typed or pasted may have tabs and line breaks, and say who the shopper is. The
        # tracker takes that out as well; one of before, or something else that sends, may not.
        query = scrub(CONTROL.sub(" ", body.pop("query"))).strip()
        if query:
            body["query"] = query
    if "geo" in body:
        body["geo"] = {name: value for name, value in body["geo"].items() if value is not None}
    return msgspec.json.encode(body)
