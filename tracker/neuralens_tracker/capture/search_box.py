"""What the shopper types into a search box, and what a widget writes there."""

from neuralens_tracker.attributes import SUGGESTIONS
from neuralens_tracker.capture.items import lists_of_widget
from neuralens_tracker.types import JSObject
from neuralens_tracker.web.dom import (
    closest,
    contains,
    find_first,
    listen,
    matches,
    of_document,
    target_of,
    text_of,
)
from neuralens_tracker.web.ffi import get, same

# Where text is typed in one line or more, and that hides nothing.
FIELD = "input:not([type]),[type=''],[type=text],[type=search],textarea,[contenteditable]"
# What says of itself, or of what is in it, that it is a search box.
SEARCH = "[type=search],[role=searchbox]"
AROUND = "[role=combobox],[" + SUGGESTIONS + "]"
LISTBOX = "[role=listbox]"
POPUP = "[aria-haspopup=listbox],[aria-autocomplete=list],[aria-autocomplete=both]"


def is_search_box(element: JSObject) -> bool:
    """Tell whether an element is a search box: no other one is ever read."""
    if not matches(element, FIELD):
        return False
    if matches(element, SEARCH + "," + POPUP) or closest(element, AROUND):
        return True
    lists = [
        owned
        for owned in lists_of_widget(element)
        if matches(owned, LISTBOX) or find_first(owned, LISTBOX)
    ]
    return len(lists) > 0


def value_of(box: JSObject) -> str:
    """Return the text that is in a search box."""
    # An input field has no names that a page could give away.
    return str(get(box, "value") if matches(box, "input,textarea") else text_of(box))


class Box:
    """A search box that was used, and what was typed into it; None when nothing was."""

    def __init__(self, element: JSObject, typed: str | None) -> None:
        self.element = element
        self.typed = typed


class SearchBox:
    """Knows what was typed. The current box is the one that had the focus last."""

    def __init__(self) -> None:
        # What was typed before this tracker was there, into the box that is used first.
        self._recalled: str | None = None
        self._boxes: list[Box] = []
        self._is_composing = False
        self._current: Box | None = None

    def start(self) -> None:
        """Listen from now on."""
        listen("input", self._type)
        listen("compositionend", self._end_composition)
        listen("focusin", self._enter)
        self._use(of_document("activeElement"))

    def recall(self, typed: str | None) -> None:
        """Take over what was typed before this tracker was there; None when nothing was."""
        self._recalled = typed

    def typed(self) -> str | None:
        """Return what was typed into the current box; None when nothing was."""
        return self._recalled if self._current is None else self._current.typed

    def is_current(self, element: JSObject) -> bool:
        """Tell whether an element is the current box."""
        return self._current is not None and same(self._current.element, element)

    def has_focus(self) -> bool:
        """Tell whether the focus is in the current box."""
        return self.is_current(of_document("activeElement"))

    def text(self) -> str:
        """Return what is in the current box."""
        return "" if self._current is None else value_of(self._current.element)

    def written(self) -> str:
        """Return what a widget has written into the current box; empty when all was typed."""
        text = self.text()
        return "" if text == self.typed() else text

    def typed_for(self, listing: JSObject) -> str | None:
        """Return what was typed into the box that a list belongs to; None when nothing was.

        That is the box which owns the list, or the current one, unless it owns another list.
        """
        if listing:
            for box in self._boxes:
                for owned in lists_of_widget(box.element):
                    if contains(owned, listing) or contains(listing, owned):
                        return box.typed
            if self._current and len(lists_of_widget(self._current.element)) > 0:
                return None
        return self.typed()

    def _use(self, element: JSObject) -> Box | None:
        """Make a search box the current one, and return it; None for anything else.

        What is in it at first is the search that led to this page, as if it had been typed.
        """
        if not element or not is_search_box(element):
            return None
        for box in self._boxes:
            if same(box.element, element):
                self._current = box
        if not self.is_current(element):
            self._current = Box(element, self._recalled or value_of(element) or None)
            self._recalled = None
            self._boxes.append(self._current)
        return self._current

    def _enter(self, event: JSObject) -> None:
        self._use(target_of(event))

    def _type(self, event: JSObject) -> None:
        # What a script reports was not typed, and half a composition is not yet.
        if get(event, "isTrusted"):
            self._is_composing = get(event, "isComposing")
            if not self._is_composing:
                self._read(event)

    def _end_composition(self, event: JSObject) -> None:
        # Not by isTrusted: Chromium's own event of an input method's commit does not have it.
        if self._is_composing:
            self._is_composing = False
            self._read(event)

    def _read(self, event: JSObject) -> None:
        box = self._use(target_of(event))
        if box:
            box.typed = value_of(box.element)
