"""What the shopper types into a search box."""

from collections.abc import Callable

from neuralens_tracker.types import JSObject
from neuralens_tracker.visit import Visit
from neuralens_tracker.web.dom import listen
from neuralens_tracker.web.ffi import call, get

# Where a shopper types what to search for: no password, no address.
SEARCH_BOX = "[role=combobox],[type=search],[type=text],input:not([type])"


class SearchBox:
    """Tells the visit what is typed; ``changed()`` is called after each input and focus."""

    def __init__(self, visit: Visit, changed: Callable[[], None]) -> None:
        self._visit = visit
        self._changed = changed

    def start(self) -> None:
        """Listen from now on."""
        listen("input", self._read)
        listen("focusin", self._read)

    def _read(self, event: JSObject) -> None:
        target = get(event, "target")
        if call(target, "matches", SEARCH_BOX):
            self._visit.set_typed(get(target, "value"))
        self._changed()
