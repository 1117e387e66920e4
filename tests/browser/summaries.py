"""Summaries of events for assertions: event, id, rank and query."""

from collections.abc import Iterable

from tests.browser.ledger import Event

Summary = tuple[str, str, int | None, str | None]


def summarize(events: Iterable[Event], *names: str) -> list[Summary]:
    """Return (event, id, index, query) of the events whose names start with any of ``names``."""
    return [
        (event.name, event.id, event.get("index"), event.get("query"))
        for event in events
        if event.name.startswith(names or ("",))
    ]
