"""Product views: half of the product in a visible page for one unbroken second, once."""

from neuralens_tracker.capture.items import SEEN, Items
from neuralens_tracker.types import Emit, JSObject, Settings
from neuralens_tracker.web.dom import is_visible, listen
from neuralens_tracker.web.ffi import call, callback, construct, elements, get, record, window
from neuralens_tracker.web.platform import cancel, wait


class Views:
    """Watches products; ``emit(event, item, key)`` is called for each that was seen."""

    def __init__(self, items: Items, settings: Settings, emit: Emit) -> None:
        self._items = items
        self._settings = settings
        self._emit = emit
        # The timers of what is half in the window now, by element.
        self._timers = construct("Map")
        notice = callback(self._notice)
        self._half = construct("IntersectionObserver", notice, record({"threshold": 0.5}))
        # A product taller than the window fills half of it just when it crosses the middle line.
        self._middle = construct("IntersectionObserver", notice, record({"rootMargin": "-50% 0px"}))

    def start(self) -> None:
        """Listen from now on."""
        listen("visibilitychange", self._restart)

    def watch(self, element: JSObject) -> None:
        """Wait for a product to be seen; anew when it is watched already."""
        self._drop(element)
        call(self._half, "observe", element)

    def _drop(self, element: JSObject) -> None:
        self._hide(element)
        call(self._half, "unobserve", element)
        call(self._middle, "unobserve", element)

    def _notice(self, entries: JSObject, observer: JSObject) -> None:
        for entry in elements(entries):
            element = get(entry, "target")
            shown = get(entry, "isIntersecting")
            if get(get(entry, "boundingClientRect"), "height") > get(window, "innerHeight"):
                call(self._half, "unobserve", element)
                call(self._middle, "observe", element)
            if not shown:
                self._hide(element)
            elif not call(self._timers, "has", element):
                self._show(element)

    def _show(self, element: JSObject) -> None:
        def see() -> None:
            self._see(element)

        timer = wait(self._settings["viewMs"], see) if is_visible() else None
        call(self._timers, "set", element, timer)

    def _hide(self, element: JSObject) -> None:
        cancel(call(self._timers, "get", element))
        call(self._timers, "delete", element)

    def _restart(self, *_: JSObject) -> None:
        """Break off every second when the page is hidden; begin them anew when it is back."""
        for element in elements(call(self._timers, "keys")):
            cancel(call(self._timers, "get", element))
            self._show(element)

    def _see(self, element: JSObject) -> None:
        self._drop(element)
        item = self._items.read(element)
        if item:
            self._emit(SEEN[item.kind], item, self._items.deduplication_key(item))
