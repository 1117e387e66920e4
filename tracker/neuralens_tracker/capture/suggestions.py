"""Suggestion views: those of a list that has stood unchanged, with the text typed so far."""

from neuralens_tracker.attributes import SUGGESTION
from neuralens_tracker.capture.items import LISTS, SEEN, SUGGESTION_SELECTOR, Items
from neuralens_tracker.types import Emit, JSObject, Settings
from neuralens_tracker.visit import Visit
from neuralens_tracker.web.dom import document, find_all, listen
from neuralens_tracker.web.ffi import call, construct, get, window
from neuralens_tracker.web.platform import cancel, wait


def is_shown(element: JSObject) -> bool:
    """Tell whether an element takes up room and is not made invisible."""
    return (
        get(call(element, "getClientRects"), "length") > 0
        and get(call(window, "getComputedStyle", element), "visibility") == "visible"
    )


class Suggestions:
    """Watches lists of suggestions; ``emit(event, item, key)`` is called for each seen."""

    def __init__(self, items: Items, settings: Settings, visit: Visit, emit: Emit) -> None:
        self._items = items
        self._settings = settings
        self._visit = visit
        self._emit = emit
        self._timer: JSObject = None
        # Lists that were seen as they stand.
        self._lists = construct("Set")

    def start(self) -> None:
        """Listen from now on."""
        listen("click", self.schedule)

    def forget(self) -> None:
        """Begin a new page view."""
        self._lists = construct("Set")

    def change(self, element: JSObject) -> None:
        """Begin the wait anew if element is in a list of suggestions, or is one of them."""
        listing = call(element, "closest", LISTS)
        if listing and call(listing, "querySelector", SUGGESTION_SELECTOR):
            call(self._lists, "delete", listing)
            cancel(self._timer)
            self._timer = None
            self.schedule()

    def schedule(self, *_: JSObject) -> None:
        """Look once the time has passed, unless that is about to happen."""
        if not self._timer:
            self._timer = wait(self._settings["suggestionMs"], self._look)

    def _look(self) -> None:
        self._timer = None
        stood = self._lists
        self._lists = construct("Set")
        for element in find_all(document, SUGGESTION_SELECTOR):
            item = self._items.read(element)
            if item and item.kind == SUGGESTION and is_shown(element):
                listing = self._items.list_of(item) or document
                call(self._lists, "add", listing)
                if not call(stood, "has", listing):
                    key = self._items.deduplication_key(item)
                    self._emit(SEEN[item.kind], item, key + "\n" + (self._visit.typed() or ""))
