"""Suggestion views: those of a list that has stood unchanged, with the text typed so far."""

from typing import Any

from neuralens_tracker.attributes import SUGGESTION
from neuralens_tracker.capture.items import LISTS, SEEN, SUGGESTION_SELECTOR
from neuralens_tracker.web.dom import (
    around,
    closest,
    find_everywhere,
    find_first,
    listen,
)
from neuralens_tracker.web.ffi import same
from neuralens_tracker.web.platform import cancel, now, wait
from neuralens_tracker.web.visibility import box_of, clip_of, is_opaque, is_within

# A page that never comes to rest must not keep suggestions from being looked at.
MOST_WAITS = 4


class Suggestions:
    """Watches lists of suggestions; ``emit(event, item, key)`` is called for each seen."""

    def __init__(self, items: Any, settings: dict[str, Any], emit: Any) -> None:
        self._items = items
        self._settings = settings
        self._emit = emit
        self._timer: Any = None
        # The Unix time in seconds from when on nothing delays the next look; 0 before one is due.
        self._due = 0.0

    def start(self) -> None:
        """Listen from now on."""
        for name in ("input", "compositionend", "focusin", "click", "scroll", "transitionend"):
            listen(name, self.schedule)

    def change(self, element: Any) -> None:
        """Begin the wait anew if element is in a list of suggestions, or is one of them."""
        listing = closest(element, LISTS)
        if listing and find_first(listing, SUGGESTION_SELECTOR):
            self._due = 0
            self.schedule()

    def schedule(self, *_: Any) -> None:
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
        holder: Any = None
        clip: Any = None
        for element in find_everywhere(SUGGESTION_SELECTOR):
            box = box_of(element)
            if box and is_opaque(box):
                # Most suggestions are children of one list.
                if clip is None or not same(holder, around(box)):
                    holder = around(box)
                    clip = clip_of(holder)
                item = self._items.read(element) if is_within(box, clip) else None
                if item and item.kind == SUGGESTION:
                    self._emit(SEEN[SUGGESTION], item, self._items.deduplication_key(item))
