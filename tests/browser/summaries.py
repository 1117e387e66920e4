"""Summaries of events for assertions: event, id, rank and query."""

from collections.abc import Iterable
from typing import Any

from tests.browser.ledger import Event

Summary = tuple[str, str, int | None, str | None]


def summarize(events: Iterable[Event], *names: str) -> list[Summary]:
    """Return (event, id, index, query) of the events whose names start with any of ``names``."""
    return [
        (event.name, event.id, event.get("index"), event.get("query"))
        for event in events
        if event.name.startswith(names or ("",))
    ]


def count_events(events: Iterable[Event], *names: str) -> dict[Any, int]:
    """Return how often each (event, id) occurs."""
    found: dict[Any, int] = {}
    for name, item, _, _ in summarize(events, *names):
        found[name, item] = found.get((name, item), 0) + 1
    return found
