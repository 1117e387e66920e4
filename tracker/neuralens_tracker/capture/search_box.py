"""Tracks the text that the shopper types into search boxes, apart from what widgets fill in."""

from neuralens_tracker.attributes import SUGGESTIONS
from neuralens_tracker.capture.items import lists_of_widget
from neuralens_tracker.capture.markup import WIDGET
from neuralens_tracker.types import JSObject
from neuralens_tracker.web.dom import (
    closest,
    contains,
    document_property,
    find_below,
    is_connected,
    listen,
    matches,
    target_of,
    text_of,
)
from neuralens_tracker.web.ffi import get, same

# Fields for plain text; no passwords, e-mail addresses or phone numbers.
FIELD = "input:not([type]),[type=''],[type=text],[type=search],textarea,[contenteditable]"
# Marks a field as a search box, or (AROUND) the field that it is around.
AROUND = "[role=combobox],[" + SUGGESTIONS + "]"
SEARCH = (
    "[type=search],[role=searchbox],[aria-haspopup=listbox],"
    "[aria-autocomplete=list],[aria-autocomplete=both]"
)
LISTBOX = "[role=listbox]"


def is_search_box(element: JSObject) -> bool:
    """Return whether a field is a search box; no other field is ever read."""
    if not matches(element, FIELD):
        return False
    lists = [
        owned
        for owned in lists_of_widget(element)
        if matches(owned, LISTBOX) or len(find_below(owned, LISTBOX)) > 0
    ]
    return len(lists) > 0 or matches(element, SEARCH) or closest(element, AROUND) is not None


def value_of(box: JSObject) -> str:
    """Return the text in a search box."""
    # Safe without a captured getter: unlike a form's, a field's properties cannot be shadowed.
    text: str = get(box, "value") if matches(box, "input,textarea") else text_of(box)
    return text


class Box:
    """A search box that had the focus, and the text typed into it, or None.

    Its element is None before any had the focus: then the text was typed before the tracker
    started.
    """

    def __init__(self, element: JSObject, typed: str | None) -> None:
        self.element = element
        self.typed = typed


class SearchBox:
    """The search boxes of a page. The current one is the last that had the focus."""

    def __init__(self) -> None:
        self._boxes: list[Box] = []
        self._is_composing = False
        self._current = Box(None, None)

    def start(self) -> None:
        """Register the listeners."""
        listen("input compositionend", self._on_input)
        listen("focusin", self._on_focus)
        self._make_current(document_property("activeElement"))

    def restore(self, typed: str | None) -> None:
        """Set the text typed before the tracker started, or None; call it before ``start``."""
        self._current.typed = typed

    def typed(self) -> str | None:
        """Return the text typed into the current box, or None."""
        return self._current.typed

    def is_current(self, element: JSObject) -> bool:
        """Return whether an element is the current box."""
        return same(self._current.element, element)

    def has_focus(self) -> bool:
        """Return whether the current box has the focus, or the combobox around it."""
        focused = document_property("activeElement")
        box = self._current.element
        return same(focused, box) or same(focused, closest(box, WIDGET))

    def is_gone(self) -> bool:
        """Return whether the current box is not on the page any more."""
        return not is_connected(self._current.element)

    def text(self) -> str:
        """Return the text in the current box."""
        element = self._current.element
        return value_of(element) if element else ""

    def filled_in(self) -> str:
        """Return the current box's text if a widget filled it in; "" if it was typed."""
        text = self.text()
        return "" if text == self.typed() else text

    def typed_for(self, listing: JSObject) -> str | None:
        """Return the text typed into the search box of a list, or None.

        That is the box that owns the list, otherwise the current one, unless it owns another list.
        """
        if listing:
            for box in self._boxes:
                for owned in lists_of_widget(box.element):
                    if contains(owned, listing) or contains(listing, owned):
                        return box.typed
            if len(lists_of_widget(self._current.element)) > 0:
                return None
        return self.typed()

    def _make_current(self, element: JSObject) -> Box | None:
        """Make a search box the current one and return it; None for any other element.

        Its initial text counts as typed: it is the search that led to this page.
        """
        if not element or not is_search_box(element):
            return None
        for box in self._boxes:
            if same(box.element, element):
                self._current = box
        if not self.is_current(element):
            restored = None if self._current.element else self._current.typed
            self._current = Box(element, restored or value_of(element) or None)
            self._boxes.append(self._current)
        return self._current

    def forget_emptied(self) -> None:
        """Forget the text typed into the current box if the page has emptied it since."""
        if self._current.element and self.text() == "":
            self._current.typed = None

    def _on_focus(self, event: JSObject) -> None:
        self._make_current(target_of(event))

    def _on_input(self, event: JSObject) -> None:
        # Input events of scripts are not typing. A composition counts when it is complete, though
        # isTrusted is false on Chromium's event when an input method commits.
        is_end = get(event, "type") == "compositionend" and self._is_composing
        if get(event, "isTrusted") or is_end:
            self._is_composing = get(event, "isComposing")
            box = None if self._is_composing else self._make_current(target_of(event))
            if box:
                box.typed = value_of(box.element)
