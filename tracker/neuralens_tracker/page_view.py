"""Deduplicates views, landings and purchases within a page view, and detects when the next begins.

When a single-page shop changes route, up to three signals follow in any order: the address changes,
the document changes, the shop calls ``page``. They are one navigation: a signal begins a page view
unless it is the first of its kind within SAME_CHANGE_SECONDS of another signal.
"""

from collections.abc import Callable

from neuralens_tracker.types import Fields, JSObject
from neuralens_tracker.vocabulary import PREFIX

# The signals of a navigation.
ROUTE = "route"
DOCUMENT = "document"
CALL = "call"
SAME_CHANGE_SECONDS = 10
# A first call within this many seconds of the start is about the page that was loaded.
SAME_START_SECONDS = 1
# An element that replaced another this long before a page view belongs to the previous page: it was
# re-rendered there, not rendered for the new page.
SETTLED_SECONDS = 2


def deduplication_key(event: str, key: str, fields: Fields) -> str:
    """Return the deduplication key of an event within a page view: event, item and context.

    It is handed from the early script to a runtime, so it contains no text that differs between
    engines, such as that of None.
    """
    return event + "\n" + key + "\n" + (fields["page"] or "") + "\n" + (fields["query"] or "")


class Reported:
    """A reported item and its element.

    ``view`` is the number of the page view, ``is_rendered`` whether the element was, ``moved`` when
    it replaced another (0: never), ``is_carried_over`` whether it was already on the page when the
    page view began.
    """

    def __init__(self, view: int, item_id: str, element: JSObject, is_rendered: bool) -> None:
        self.view = view
        self.item_id = item_id
        self.element = element
        self.is_rendered = is_rendered
        self.moved: float = 0
        self.is_carried_over = False


class PageView:
    """Remembers what was reported in this page view, by deduplication key.

    ``is_present(element, item_id)`` returns whether an element is on the page and still that item,
    ``is_rendered(element)`` whether it is rendered: routers may hide the previous page and keep it.
    """

    def __init__(
        self, stands: Callable[[JSObject, str], bool], renders: Callable[[JSObject], bool]
    ) -> None:
        self._is_present = stands
        self._is_rendered = renders
        self._number = 0
        # By PREFIX and key.
        self._reported: dict[str, Reported] = {}
        self._signals: list[str] = []
        self._began: float = 0

    def start(self, now: float) -> None:
        """Begin the first page view of a loaded page; ``now`` is in Unix seconds."""
        self._signals = [ROUTE, DOCUMENT]
        self._began = now - SAME_CHANGE_SECONDS + SAME_START_SECONDS

    def admit(self, key: str, item_id: str, element: JSObject, now: float) -> bool:
        """Record an item; return False if it was already reported in this page view."""
        known = self._reported.get(PREFIX + key)
        rendered = self._is_rendered(element)
        if known is not None and known.is_rendered and not rendered:
            # It is on a previous page, which is hidden now.
            return False
        if known is not None and known.view == self._number:
            if self._stands(known):
                return False
            if not known.is_carried_over:
                # It was re-rendered.
                known.element = element
                known.moved = now
                return False
        self._reported[PREFIX + key] = Reported(self._number, item_id, element, rendered)
        return True

    def _stands(self, known: Reported) -> bool:
        """Return whether an item is still on the page, and has not been hidden since."""
        return self._is_present(known.element, known.item_id) and (
            not known.is_rendered or self._is_rendered(known.element)
        )

    def keys(self) -> list[str]:
        """Return the deduplication keys of what was reported, for ``restore``."""
        return [key[len(PREFIX) :] for key in list(self._reported.keys())]

    def restore(self, keys: list[str]) -> None:
        """Mark keys as already reported in this page view."""
        for key in keys:
            self._reported[PREFIX + key] = Reported(self._number, "", None, False)

    def record_signal(self, signal: str, now: float) -> bool:
        """Record a signal of a navigation; return whether it begins a page view.

        Items that are still on the page are carried over: they are not reported again.
        """
        if signal not in self._signals and now - self._began < SAME_CHANGE_SECONDS:
            self._signals.append(signal)
            return False
        self._signals = [signal]
        self._began = now
        before = self._number
        self._number += 1
        for key in list(self._reported.keys()):
            known = self._reported[key]
            if known.view == before and now - known.moved > SETTLED_SECONDS and self._stands(known):
                known.view = self._number
                known.is_carried_over = True
        return True

    def release_carried_over(self) -> None:
        """Let carried-over items be reported again, if only a call signalled this page view."""
        if len(self._signals) == 1 and self._signals[0] == CALL:
            for key in list(self._reported.keys()):
                if self._reported[key].is_carried_over:
                    del self._reported[key]

    def restart(self) -> None:
        """Begin a page view in which everything is reported again."""
        self._reported = {}
        self._number += 1
