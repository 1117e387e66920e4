"""Summaries of events for assertions."""

from collections.abc import Iterable
from typing import Any

from tests.browser.ledger import Event

Summary = tuple[str, str, int | None, str | None]


def select(events: Iterable[Event], *fields: str) -> list[tuple[Any, ...]]:
    """Return some fields of each event, None for an absent one.

    In addition to the API's fields there are ``id``, that of the first item, and ``ids``, those of
    all items, separated by spaces.
    """
    return [tuple(read(event, field) for field in fields) for event in events]


def read(event: Event, field: str) -> Any:
    """Return a field of an event, see ``select``."""
    if field == "id":
        return event.id
    if field == "ids":
        return " ".join(item["id"] for item in event["items"])
    return event.get(field)


def summarize(events: Iterable[Event], *names: str) -> list[Summary]:
    """Return (event, id, index, query) of the events whose names start with any of ``names``."""
    chosen = (event for event in events if event.name.startswith(names or ("",)))
    return [(event.name, event.id, event.get("index"), event.get("query")) for event in chosen]


def without_time(event: Event) -> dict[str, Any]:
    """Return an event without its timestamp."""
    return {name: value for name, value in event.items() if name != "timestamp"}
