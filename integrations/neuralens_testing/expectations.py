"""Assertions on events: ``expect(events).to_have("CLICK_PRODUCT", id="AV768", index=3)``."""

from collections.abc import Mapping, Sequence
from typing import Any

from neuralens_embed.notation import parse
from neuralens_tracker.vocabulary import EVENTS, PAGES

from neuralens_testing.differences import compare
from neuralens_testing.events import Events

FIELDS = ("index", "query", "page", "uid", "geo")


def expect(events: Events) -> "Expectation":
    """Return assertions about events; each waits until it holds, or fails."""
    return Expectation(events)


class Expectation:
    """The assertions; each raises AssertionError with the actual events.

    ``__tracebackhide__`` has pytest leave them out of tracebacks.
    """

    def __init__(self, events: Events) -> None:
        self._events = events

    def to_have(self, event: str, *, id: object = None, ids: object = None, **fields: Any) -> None:  # noqa: A002
        """Expect an event on an item, or on several, with at least these fields."""
        __tracebackhide__ = True
        wanted = check(event, id, ids, fields)
        if not self._events.wait_for(lambda: self._find(wanted)):
            raise AssertionError(f"no {event} with {name(wanted)}; there were:\n{self._listed()}")

    def not_to_have(
        self,
        event: str,
        *,
        id: object = None,  # noqa: A002
        ids: object = None,
        **fields: Any,
    ) -> None:
        """Expect no such event, once nothing more arrives."""
        __tracebackhide__ = True
        wanted = check(event, id, ids, fields)
        self._events.settle()
        if self._find(wanted):
            raise AssertionError(f"there is a {event} with {name(wanted)}:\n{self._listed()}")

    def to_be(self, lines: Sequence[str]) -> None:
        """Expect exactly these events, in any order, each on one line as in a tracking plan."""
        __tracebackhide__ = True
        if isinstance(lines, str):
            raise TypeError("to_be takes a list of lines, one for each event")
        wanted = [parse(line) for line in lines]
        self._events.wait_for_count(len(wanted))
        difference = compare(wanted, self._events.settle())
        if difference:
            raise AssertionError(
                f"the events differ from what was expected:\n{difference}{self._explained()}"
            )

    def to_have_nothing_refused(self) -> None:
        """Expect that the API has refused no event, once nothing more arrives."""
        __tracebackhide__ = True
        self._events.settle()
        refusals = self._events.refusals()
        if refusals:
            raise AssertionError("events were refused:\n" + "\n".join(refusals))

    def _find(self, wanted: Mapping[str, object]) -> bool:
        return any(matches(body, wanted) for body in self._events.bodies())

    def _listed(self) -> str:
        listed = "\n".join(f"  {line}" for line in self._events.lines()) or "  none"
        return listed + self._explained()

    def _explained(self) -> str:
        reason = self._events.explain_absence()
        return f"\n{reason}" if reason else ""


def check(event: str, item: Any, items: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the expected fields by the API's names; raises TypeError for invalid ones."""
    if event not in EVENTS:
        raise TypeError(f"there is no event {event}: there are {', '.join(EVENTS)}")
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise TypeError(f"events have no {min(unknown)}: there are id, ids, {', '.join(FIELDS)}")
    page, index = fields.get("page"), fields.get("index")
    if page is not None and page not in PAGES:
        raise TypeError(f"there is no page {page}: there are {', '.join(PAGES)}")
    if index is not None and not isinstance(index, int):
        raise TypeError(f"index must be a whole number, not {index!r}")
    if isinstance(items, str):
        raise TypeError(f"ids must be a list, not {items!r}: for one item, write id")
    wanted = {"event": event, **fields}
    if item is not None:
        items = [item]
    if items is not None:
        wanted["items"] = [{"id": str(each)} for each in items]
    return wanted


def matches(body: Mapping[str, object], wanted: Mapping[str, object]) -> bool:
    """Return whether an event has the expected fields; None means that the field is absent."""
    return all(body.get(field) == value for field, value in wanted.items())


def name(wanted: Mapping[str, Any]) -> str:
    """Format the expected fields."""
    parts = {field: value for field, value in wanted.items() if field != "event"}
    if "items" in parts:
        parts["ids"] = [item["id"] for item in parts.pop("items")]
    return ", ".join(f"{field} {value!r}" for field, value in parts.items()) or "anything"
