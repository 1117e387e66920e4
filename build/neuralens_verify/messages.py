"""What pages, relays and other servers print or send, parsed into typed values.

Others print lines that begin like verify's own, post to URLs like the tracker's, and respond in the
relay's place: a parser returns None, or an empty value, for what does not have the expected form.
"""

import json
from dataclasses import dataclass
from typing import Any

from neuralens_verify.observations import Event, Health, Suppressed, Violation


@dataclass(frozen=True)
class Message:
    """What a script of verify has printed in a page.

    ``name`` says what it is about. ``document`` identifies the page's document, ``page`` is the
    URL.
    """

    name: str
    detail: dict[str, Any]
    document: str
    page: str


@dataclass(frozen=True)
class SentBatch:
    """A batch as the tracker sends it."""

    app: str
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Receipt:
    """The response to a batch. ``is_relay``: it has the form of the relay's receipt.

    ``duplicates`` is the number of events that the relay had received before, ``rejected`` are the
    reasons for rejecting others, ``error`` is the relay's reason for refusing the batch.
    """

    is_relay: bool = False
    duplicates: int = 0
    rejected: tuple[str, ...] = ()
    error: str = ""


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text, None if it is not one."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def parse_message(text: str) -> Message | None:
    """Return the message in a line on the console, without its prefix."""
    match parse_json(text):
        case {
            "name": str(name),
            "detail": dict(detail),
            "document": str(document),
            "page": str(page),
        }:
            return Message(name, detail, document, page)
    return None


def parse_event(value: Any, step: str) -> Event | None:
    """Return an event as the tracker sends it, and passes it to hooks."""
    match value:
        case {"eid": str(eid), "event": str(name), "items": list(items)}:
            ids = tuple(item["id"] for item in items if has_id(item))
            index, page, query = (value.get(each) for each in ("index", "page", "query"))
            if len(ids) == len(items) and is_rank(index) and is_text(page) and is_text(query):
                return Event(step, eid, name, ids, index, page, query, value)
    return None


def has_id(item: Any) -> bool:
    """Return whether an item of an event has an id."""
    return isinstance(item, dict) and isinstance(item.get("id"), str)


def is_rank(value: Any) -> bool:
    """Return whether a value is a rank, or None."""
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def is_text(value: Any) -> bool:
    """Return whether a value is a text, or None."""
    return value is None or isinstance(value, str)


def parse_suppressed(detail: dict[str, Any], step: str) -> Suppressed | None:
    """Return a suppressed event, as the tracker passes it to hooks."""
    match detail:
        case {"event": {"event": str(name)}, "reason": str(reason)}:
            return Suppressed(step, name, reason)
    return None


def parse_violation(detail: dict[str, Any]) -> Violation | None:
    """Return a violation of the content security policy, as observe.js reports it."""
    match detail:
        case {
            "directive": str(directive),
            "blocked": str(blocked),
            "policy": str(policy),
            "page": str(page),
        }:
            return Violation(directive, blocked, policy, page)
    return None


def parse_batch(body: bytes, step: str) -> SentBatch | None:
    """Return the batch in the body of a request."""
    match parse_json(body):
        case {"app": str(app), "events": list(values)}:
            events = [event for value in values if (event := parse_event(value, step))]
            if len(events) == len(values):
                return SentBatch(app, tuple(events))
    return None


def parse_receipt(body: bytes) -> Receipt:
    """Return the response to a batch; an empty one if it is not the relay's."""
    match parse_json(body):
        case {"accepted": int(), "duplicates": int(duplicates), "rejected": list(rejected)}:
            reasons = tuple(str(each.get("reason")) for each in rejected if isinstance(each, dict))
            return Receipt(is_relay=True, duplicates=duplicates, rejected=reasons)
        case {"error": str(error)}:
            return Receipt(error=error)
    return Receipt()


def is_live(body: bytes) -> bool:
    """Return whether a response is that of a running relay."""
    match parse_json(body):
        case {"live": True}:
            return True
    return False


def parse_health(body: bytes) -> Health | None:
    """Return the relay's health; None if the response does not disclose it."""
    match parse_json(body):
        case {"forwarding": str(forwarding), "reasons": list(reasons), **others}:
            # The numbers are null while they are unknown.
            waiting, dead = (
                value if isinstance(value := others.get(name), int) else 0
                for name in ("waiting", "dead")
            )
            return Health(forwarding, tuple(str(each) for each in reasons), waiting, dead)
    return None
