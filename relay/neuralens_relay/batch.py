"""Parses and validates batches of events, and serializes valid events for the API."""

import json
import logging
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Annotated, Any

import msgspec
from neuralens_tracker import events
from neuralens_tracker.events import Fault
from neuralens_tracker.orders import ORDER_PREFIX
from neuralens_tracker.vocabulary import MAX_COUNT, MAX_TEXT, WIRE_VERSION

from neuralens_relay.balance import Report
from neuralens_relay.notices import Notices
from neuralens_relay.personal_data import remove_personal_data
from neuralens_relay.store import Event

NOTICES = Notices(logging.getLogger(__name__), monotonic)

# More than fit into a body, however small the events.
MAX_EVENTS = 500
# Restricted to what a cookie may contain.
BATCH_ID = r"^[A-Za-z0-9_-]{1,64}\Z"

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
# Seconds of clock skew that are not corrected, because delays of page and network look the same.
CLOCK_TOLERANCE = 120
# 2010-01-01 in Unix time. A clock that was reset is at 1970 or at a year of its device's software.
EARLIEST = 1_262_304_000

Lost = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
JournalName = Annotated[str, msgspec.Meta(max_length=64)]
Losses = dict[Annotated[str, msgspec.Meta(max_length=64)], Lost]

# The reason in the balance for an event that is rejected as a whole and not for a field.
NO_EVENT = "event"


class BatchError(ValueError):
    """The body is not a batch; the message says why."""


class Batch(msgspec.Struct):
    """The envelope of a batch; ``sent`` is Unix time by the device's clock.

    ``journal`` is the id of the browser's journal, in which ``seq`` numbers the events; ``losses``
    are its cumulative losses by reason, ``lost`` those not reported before. ``token``: see
    ``neuralens_embed.page_tokens``. Unknown fields, as a newer tracker may send, are ignored.
    """

    v: int
    app: Name
    batch: Annotated[str, msgspec.Meta(pattern=BATCH_ID)]
    sent: float
    events: Annotated[list[Any], msgspec.Meta(max_length=MAX_EVENTS)]
    lost: Lost = 0
    token: object = None
    journal: JournalName = ""
    losses: Losses | None = None


@dataclass(frozen=True)
class Rejection:
    """An event that is rejected, and why.

    ``eid`` is None if it has no usable one; ``kind`` is the reason in the balance; ``number`` is
    its number in the journal, or 0.
    """

    eid: str | None
    reason: str
    kind: str
    number: int = 0


def read_batch(body: bytes) -> Batch:
    """Parse the batch in a request's body, without validating its events.

    Raises BatchError for any other body. The tracker never sends such a body, so a proxy
    has changed it, or the tracker is newer. Every reason contains "unknown": with it the tracker
    keeps the events until the proxy is corrected or the relay upgraded.
    """
    try:
        # The standard parser accepts lone surrogates, which JSON.stringify emits for a text cut
        # within a character: one such event must not fail the whole batch.
        envelope = json.loads(body.decode("utf-8"))
    except RecursionError:
        # Of which a single event may be the cause.
        raise BatchError("unknown body: nested too deep") from None
    except ValueError as error:
        raise BatchError(f"unknown body: not JSON: {error}; a proxy may change it") from error
    if isinstance(envelope, dict) and envelope.get("v", WIRE_VERSION) != WIRE_VERSION:
        raise BatchError(f"unknown version: v must be {WIRE_VERSION}; a newer relay may accept it")
    if isinstance(envelope, dict):
        envelope = drop_invalid_accounts(select(envelope, Batch.__struct_fields__))
    try:
        return msgspec.convert(envelope, Batch)
    except (msgspec.ValidationError, UnicodeError) as error:
        raise BatchError(f"unknown body: not a batch: {error}; a proxy may change it") from error


def drop_invalid_accounts(envelope: dict[str, Any]) -> dict[str, Any]:
    """Remove invalid ``journal`` and ``losses``: events must not be lost for the balance."""
    for name, kind in (("journal", JournalName), ("losses", Losses)):
        try:
            # Encoded, because a lone surrogate could not be stored.
            msgspec.json.encode(msgspec.convert(envelope.get(name), kind))
        except (msgspec.ValidationError, UnicodeError):
            envelope.pop(name, None)
    return envelope


def select(record: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the fields of a record with these names; others may be a newer tracker's."""
    return {name: record[name] for name in names if name in record}


def validate_events(batch: Batch, received: float) -> tuple[list[Event], list[Rejection]]:
    """Return a batch's valid events, in the form to store, and its rejected ones.

    ``received`` is Unix time.
    """
    return divide([validate_event(given, batch.sent, received) for given in batch.events])


def divide(found: Iterable[Event | Rejection]) -> tuple[list[Event], list[Rejection]]:
    """Return the valid events and the rejected ones, each in order."""
    events: list[Event] = []
    rejected: list[Rejection] = []
    for each in found:
        if isinstance(each, Event):
            events.append(each)
        else:
            rejected.append(each)
    return events, rejected


def validate_event(given: object, sent: float, received: float) -> Event | Rejection:
    """Return an event in the form to store, or why it is rejected.

    ``sent`` is Unix time by the device's clock, ``received`` by this machine's.
    """
    event = drop_unknown_fields(given)
    number = read_number(given)
    fault = find_fault(event)
    if fault is not None:
        return Rejection(readable_eid(event), fault.sentence, fault.field or NO_EVENT, number)
    event["timestamp"] = correct_skew(event["timestamp"], sent, received)
    lasting = event["eid"].startswith(ORDER_PREFIX)
    return Event(event["eid"], serialize(event), lasting, number)


def reject_all(batch: Batch, kind: str, reason: str) -> list[Rejection]:
    """Reject every event of a batch, valid or not."""
    return [
        Rejection(readable_eid(event), reason, kind, read_number(event)) for event in batch.events
    ]


def read_number(given: object) -> int:
    """Return the number of an event in its browser's journal, or 0."""
    number = given.get("seq") if isinstance(given, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= MAX_COUNT:
        return 0
    return number


def make_report(batch: Batch, valid: list[Event], rejected: list[Rejection]) -> Report:
    """Return a batch's contribution to the balance."""
    return Report(
        batch.app,
        batch.journal,
        tuple(event.number for event in valid),
        tuple((each.number, each.kind) for each in rejected),
        batch.losses or {},
    )


def count_uids(batch: Batch) -> Counter[str]:
    """Count the events of each uid, without validating the events."""
    uids = [event.get("uid") for event in batch.events if isinstance(event, dict)]
    return Counter(uid for uid in uids if isinstance(uid, str) and uid.isprintable())


def drop_unknown_fields(given: object) -> Any:
    """Return an event without unknown fields, including those of its items and location."""
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


def correct_skew(timestamp: float, sent: float, received: float) -> float:
    """Convert an event's timestamp from the device's clock to the relay's.

    All are Unix time. The skew is ``received`` less ``sent``, which is by the device's clock. It is
    ignored within CLOCK_TOLERANCE, or if the result is not a plausible time, because the clock was
    set between event and batch. If the timestamp is not plausible either, the result is
    ``received``.
    """
    offset = received - sent
    if not math.isfinite(offset) or abs(offset) <= CLOCK_TOLERANCE:
        offset = 0
    corrected = timestamp + offset
    for each in (corrected, timestamp):
        if EARLIEST <= each <= received + CLOCK_TOLERANCE:
            return int(each)
    return int(received)


def find_fault(event: Any) -> Fault | None:
    """Return the first error of an event, or None if it is valid."""
    try:
        # Lone surrogates cannot be encoded in UTF-8, for SQLite or the API.
        msgspec.json.encode(event)
    except UnicodeError:
        return Fault("", "text has a lone surrogate")
    except RecursionError:
        return Fault("", "event is nested too deep")
    try:
        fault = events.find_fault(event)
        return find_control_characters(event) if fault is None else fault
    except Exception as error:
        # A bug in the validation must not fail the batch: the page would resend it forever.
        NOTICES.exception(type(error).__name__, "an event could not be checked")
        return Fault("", "event could not be checked")


def find_control_characters(event: dict[str, Any]) -> Fault | None:
    """Return an error if an id of a valid event has control characters."""
    ids = [item["id"] for item in event["items"]]
    named = {"eid": [event["eid"]], "uid": [event.get("uid") or ""], "items": ids}
    for name, texts in named.items():
        if any(CONTROL.search(text) for text in texts):
            return Fault(name, f"{name} has control characters")
    return None


def readable_eid(event: object) -> str | None:
    """Return the ``eid`` of an event, valid or not, for the response; None if it is unusable."""
    eid = event.get("eid") if isinstance(event, dict) else None
    if not isinstance(eid, str) or not eid.isprintable():
        return None
    return eid[:MAX_TEXT]


def serialize(event: dict[str, Any]) -> bytes:
    """Serialize a valid event for the API: the documented fields, in order, without ``eid``.

    ``uid`` is always present, null if unknown; other fields are omitted if they have no value.
    """
    body: dict[str, Any] = {}
    for name in events.FIELDS:
        value = event.get(name)
        if name == "uid" or (name != "eid" and value is not None):
            body[name] = value
    for name in ("index", "timestamp"):
        if name in body:
            # JavaScript has no integer type: 3.0 means 3.
            body[name] = int(body[name])
    if "query" in body:
        # Pasted text may contain tabs and line breaks.
        query = remove_personal_data(CONTROL.sub(" ", body.pop("query"))).strip()
        if query:
            body["query"] = query
    if "geo" in body:
        body["geo"] = {name: value for name, value in body["geo"].items() if value is not None}
    return msgspec.json.encode(body)
