"""Suggestion views: those of a list that has stood unchanged, with the text typed so far."""

from neuralens_tracker.attributes import SUGGESTION
from neuralens_tracker.capture.items import LISTS, SEEN, SUGGESTION_SELECTOR, Items
from neuralens_tracker.types import Emit, JSObject, Settings
from neuralens_tracker.web.dom import closest, find_everywhere, find_first, listen
from neuralens_tracker.web.platform import cancel, now, wait
from neuralens_tracker.web.visibility import is_shown

# A page that never comes to rest must not keep suggestions from being looked at.
MOST_WAITS = 4


class Suggestions:
    """Watches lists of suggestions; ``emit(event, item, key)`` is called for each seen."""

    def __init__(self, items: Items, settings: Settings, emit: Emit) -> None:
        self._items = items
        self._settings = settings
        self._emit = emit
        self._timer: JSObject = None
        # The Unix time in seconds from when on nothing delays the next look; 0 before one is due.
        self._due = 0.0

    def start(self) -> None:
        """Listen from now on."""
        listen("input compositionend focusin click scroll transitionend", self.schedule)

    def change(self, element: JSObject) -> None:
        """Begin the wait anew if an element, or None, is in a list of suggestions."""
        listing = closest(element, LISTS)
        if listing and find_first(listing, SUGGESTION_SELECTOR):
            self.restart()

    def restart(self) -> None:
        """Begin the wait anew: suggestions have changed."""
        self._due = 0
        self.schedule()

    def schedule(self, *_: JSObject) -> None:
        """Look once nothing has happened for the time, or much has for MOST_WAITS times."""
        milliseconds = self._settings["suggestionMs"]
        if self._due == 0:
            self._due = now() + milliseconds * MOST_WAITS / 1000
        if now() < self._due:
            cancel(self._timer)
            self._timer = wait(milliseconds, self._look)

    def _look(self) -> None:
        """Tell of the suggestions that can be seen now."""
        self._due = 0
        for element in find_everywhere(SUGGESTION_SELECTOR):
            item = self._items.read(element) if is_shown(element) else None
            if item and item.kind == SUGGESTION:
                self._emit(SEEN[SUGGESTION], item, self._items.deduplication_key(item))
