"""The tracker's reading of elements on CPython, over a parsed page."""

from collections.abc import Callable
from typing import Any

import pytest
from neuralens_embed.dom import Element
from neuralens_embed.ffi import window
from neuralens_tracker.settings import resolve
from neuralens_tracker.visit import Visit

# After ffi, which it imports.
from neuralens_tracker.capture.items import Items  # isort: skip
from neuralens_tracker.capture.markup import Item  # isort: skip


class Reader:
    """A page, the items that the tracker reads, and its warnings."""

    def __init__(self, html: str, typed: str | None, settings: dict[str, Any]) -> None:
        window.document.open(html)
        self.complaints: list[tuple[str, str]] = []
        visit = Visit(resolve(settings, self._say), None, lambda: False, self._say)
        self.items = Items(visit, lambda listing: typed, self._report_invalid)

    def _say(self, sentence: str) -> None:
        raise AssertionError(sentence)

    def _report_invalid(self, element: Element, name: str, value_type: Any) -> None:
        self.complaints.append((element.localName, name))

    def find(self, selector: str) -> Element:
        found = window.document.querySelector(selector)
        assert found is not None, selector
        return found

    def read(self, selector: str) -> Item | None:
        found: Item | None = self.items.read(self.find(selector))
        return found

    def context(self, selector: str) -> dict[str, Any]:
        item = self.read(selector)
        assert item is not None, selector
        context: dict[str, Any] = self.items.context(item)
        return context

    def ranks(self) -> list[tuple[str, int | None]]:
        """The id and the rank of each item of the page, in document order."""
        items = [self.items.read(element) for element in window.document.all]
        return [(it.id, self.items.context(it)["index"]) for it in items if it is not None]


@pytest.fixture
def reader() -> Callable[..., Reader]:
    """Return a function that parses a page: ``reader(html, typed=..., page=...)``."""

    def open_page(html: str, typed: str | None = None, **settings: Any) -> Reader:
        return Reader(html, typed, settings)

    return open_page
