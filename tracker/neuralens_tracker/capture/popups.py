"""Captures what opens on a page, debounced: views of suggestions, and landings.

Lists of suggestions change with each letter. Dialogs may fade in, and popovers open without a
change of the document.
"""

from neuralens_tracker.attributes import LANDING, PRODUCT
from neuralens_tracker.capture.items import Items
from neuralens_tracker.capture.markup import LISTS, SUGGESTION_SELECTOR
from neuralens_tracker.types import Emit, JSObject, Settings
from neuralens_tracker.web.dom import closest, find_below, find_everywhere, listen
from neuralens_tracker.web.ffi import same
from neuralens_tracker.web.platform import cancel, now, wait
from neuralens_tracker.web.visibility import is_shown

# The debounce is cut off after this many times its delay, for pages that never stop changing.
MAX_DELAYS = 4


class Popups:
    """Calls ``emit(item)`` for each suggestion, and each landing, that is visible."""

    def __init__(self, items: Items, settings: Settings, emit: Emit) -> None:
        self._items = items
        self._settings = settings
        self._emit = emit
        self._timer: JSObject = None
        # When the debounce is cut off, in Unix seconds; 0: it is not running.
        self._cutoff = 0.0

    def start(self) -> None:
        """Register the listeners."""
        listen("input compositionend focusin click scroll transitionend toggle", self.schedule)

    def change(self, changed: list[JSObject]) -> None:
        """Restart the debounce if one of these elements (or None) is in a list of suggestions."""
        known: JSObject = None
        for element in changed:
            listing = closest(element, LISTS)
            if listing and not same(listing, known):
                known = listing
                if len(find_below(listing, SUGGESTION_SELECTOR)) > 0:
                    self.restart()

    def restart(self) -> None:
        """Restart the debounce and its cut-off, because suggestions have changed."""
        self._cutoff = 0
        self.schedule()

    def schedule(self, *_: JSObject) -> None:
        """Capture after ``suggestionMs`` without another call, or at the cut-off."""
        milliseconds = self._settings["suggestionMs"]
        if self._cutoff == 0:
            self._cutoff = now() + milliseconds * MAX_DELAYS / 1000
        if now() < self._cutoff:
            cancel(self._timer)
            self._timer = wait(milliseconds, self._capture)

    def _capture(self) -> None:
        """Emit the suggestions and landings that are visible now."""
        self._cutoff = 0
        for element in find_everywhere(SUGGESTION_SELECTOR + ",[" + LANDING + "]"):
            item = self._items.read(element) if is_shown(element) else None
            if item and item.kind != PRODUCT:
                self._emit(item)
