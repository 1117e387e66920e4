"""Events as a test names them: what happened to what, at which rank, after which search."""

from collections.abc import Iterable
from typing import Any

from tests.browser.ledger import Event

Brief = tuple[str, str, int | None, str | None]


def brief(events: Iterable[Event], *names: str) -> list[Brief]:
    """Return (event, id, index, query) of each event, or of those whose name begins with one."""
    return [
        (event.name, event.id, event.get("index"), event.get("query"))
        for event in events
        if event.name.startswith(names or ("",))
    ]


def count(events: Iterable[Event], *names: str) -> dict[Any, int]:
    """Return how often each (event, id) happened."""
    found: dict[Any, int] = {}
    for name, item, _, _ in brief(events, *names):
        found[name, item] = found.get((name, item), 0) + 1
    return found
