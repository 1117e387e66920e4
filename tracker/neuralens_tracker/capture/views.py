"""Product views: half of the product visible in a visible page for one unbroken second, once."""

from typing import Any

from neuralens_tracker.capture.items import SEEN
from neuralens_tracker.web.dom import is_visible, listen
from neuralens_tracker.web.ffi import call, callback, construct, elements, get, record, same, window
from neuralens_tracker.web.platform import cancel, wait
from neuralens_tracker.web.visibility import box_of, is_opaque

# An observer speaks up when another thousandth of an element comes into view: for one that is
# larger than the window, half of the window may be any of them.
THRESHOLDS = [step / 1000 for step in range(1001)]
# How often in its time a product is looked at, for what makes it invisible tells nobody.
LOOKS = 4


def is_half(seen: float, whole: float, window_size: float) -> bool:
    """Tell whether half of a side is seen: of the element, or of the window if it is smaller."""
    return seen * 2 >= min(whole, window_size)


class Boxless:
    """A product without a box, and the element whose box stands for it."""

    def __init__(self, element: Any, box: Any) -> None:
        self.element = element
        self.box = box


class Shown:
    """A product of which half is in the window, and at how many looks it was visible."""

    def __init__(self, element: Any) -> None:
        self.element = element
        self.looks = 0
        self.timer: Any = None


class Views:
    """Watches products; ``emit(event, item, key)`` is called for each that was seen."""

    def __init__(self, items: Any, settings: dict[str, Any], emit: Any) -> None:
        self._items = items
        self._settings = settings
        self._emit = emit
        self._shown: list[Shown] = []
        self._boxless: list[Boxless] = []
        self._observer = construct(
            "IntersectionObserver", callback(self._notice), record({"threshold": THRESHOLDS})
        )

    def start(self) -> None:
        """Listen from now on."""
        listen("visibilitychange", self._restart)

    def watch(self, element: Any) -> None:
        """Wait for a product to be seen; anew when it is watched already."""
        self._drop(element)
        box = box_of(element) or element
        if not same(box, element):
            self._boxless.append(Boxless(element, box))
        call(self._observer, "observe", box)

    def _drop(self, element: Any) -> None:
        """Wait no longer for a product to be seen."""
        call(self._observer, "unobserve", element)
        self._hide(element)
        for entry in self._boxless:
            if same(entry.element, element):
                call(self._observer, "unobserve", entry.box)
        self._boxless = [other for other in self._boxless if not same(other.element, element)]

    def _notice(self, entries: Any, *_: Any) -> None:
        for entry in elements(entries):
            box = get(entry, "target")
            element = box
            for other in self._boxless:
                if same(other.box, box):
                    element = other.element
            seen = get(entry, "intersectionRect")
            whole = get(entry, "boundingClientRect")
            if (
                get(entry, "isIntersecting")
                and is_half(get(seen, "width"), get(whole, "width"), get(window, "innerWidth"))
                and is_half(get(seen, "height"), get(whole, "height"), get(window, "innerHeight"))
            ):
                self._show(element)
            else:
                self._hide(element)
                if get(whole, "width") * get(whole, "height") == 0:
                    content = box_of(element)
                    if content and not same(content, box):
                        # It has lost its box since, but not its content.
                        self.watch(element)

    def _show(self, element: Any) -> None:
        for shown in self._shown:
            if same(shown.element, element):
                return
        shown = Shown(element)
        self._shown.append(shown)
        self._look(shown)

    def _look(self, shown: Shown) -> None:
        """Count the looks at which a product was visible, until it has been for its time."""
        # A picture that has come meanwhile may be what it is seen by.
        box = box_of(shown.element)
        shown.looks = shown.looks + 1 if box and is_opaque(box) else 0

        def look() -> None:
            self._look(shown)

        if shown.looks > LOOKS:
            self._see(shown.element)
        elif is_visible():
            shown.timer = wait(self._settings["viewMs"] / LOOKS, look)

    def _hide(self, element: Any) -> None:
        for shown in self._shown:
            if same(shown.element, element):
                cancel(shown.timer)
        self._shown = [other for other in self._shown if not same(other.element, element)]

    def _restart(self, *_: Any) -> None:
        """Break off every second when the page is hidden; begin them anew when it is back."""
        for shown in self._shown:
            cancel(shown.timer)
            shown.looks = 0
            self._look(shown)

    def _see(self, element: Any) -> None:
        self._drop(element)
        item = self._items.read(element)
        if item:
            self._emit(SEEN[item.kind], item, self._items.deduplication_key(item))
