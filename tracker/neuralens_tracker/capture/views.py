"""Captures views of products: half of one visible, in a visible page, for an unbroken second."""

from neuralens_tracker.capture.items import Items
from neuralens_tracker.capture.markup import PRODUCT_SELECTOR
from neuralens_tracker.types import Emit, JSObject, Settings
from neuralens_tracker.web.dom import (
    closest,
    contains,
    is_visible,
    listen,
    parent_or_host,
)
from neuralens_tracker.web.ffi import call, callback, construct, elements, get, record, same, window
from neuralens_tracker.web.platform import cancel, wait
from neuralens_tracker.web.visibility import box_of, display_of, is_opaque

# Steps of intersection that are observed: many, because for an element larger than the viewport
# half of the viewport may be any fraction of it.
STEPS = 1000
# Visibility is sampled at the start and this many times more: no event reports a change of it.
SAMPLES = 4


def is_half_seen(seen: JSObject, whole: JSObject) -> bool:
    """Return whether half of each side is in view: of the element's, or the window's if smaller."""
    width = min(get(whole, "width"), get(window, "innerWidth"))
    height = min(get(whole, "height"), get(window, "innerHeight"))
    found: bool = get(seen, "width") * 2 >= width and get(seen, "height") * 2 >= height
    return found


class Tile:
    """A product with half of it in view, and in how many consecutive samples it was visible."""

    def __init__(self, element: JSObject, box: JSObject) -> None:
        self.element = element
        self.box = box
        self.samples = 0
        self.timer: JSObject = None


class Views:
    """Watches products and calls ``emit(item)`` for each that was seen."""

    def __init__(self, items: Items, settings: Settings, emit: Emit) -> None:
        self._items = items
        self._settings = settings
        self._emit = emit
        self._tiles: list[Tile] = []
        self._observer: JSObject = None

    def start(self) -> None:
        """Register the listeners, and observe; throws where there is no IntersectionObserver."""
        thresholds: list[float] = []
        while len(thresholds) <= STEPS:
            thresholds.append(len(thresholds) / STEPS)
        self._observer = construct(
            "IntersectionObserver",
            callback(self._on_intersections),
            record({"threshold": thresholds}),
        )
        listen("visibilitychange", self._restart)

    def watch(self, element: JSObject) -> None:
        """Watch a product until it is seen, starting over if it is already watched."""
        self._unwatch(element)
        call(self._observer, "observe", element)

    def watch_around(self, content: JSObject) -> None:
        """Watch the product around this element, if it has no box, and this is its content.

        It may have replaced the content that was watched.
        """
        product = closest(parent_or_host(content), PRODUCT_SELECTOR)
        if product and contains(content, box_of(product)):
            self.watch(product)

    def _unwatch(self, box: JSObject) -> None:
        """Stop watching the product with this box."""
        self._stop_timer(box)
        call(self._observer, "unobserve", box)

    def _on_intersections(self, entries: JSObject, *_: JSObject) -> None:
        for entry in elements(entries):
            box = get(entry, "target")
            whole = get(entry, "boundingClientRect")
            is_empty = get(whole, "width") * get(whole, "height") == 0
            content = box_of(box) if is_empty else None
            if content and not same(content, box):
                # It has no box of its own, but its content does.
                self._unwatch(box)
                self.watch(content)
            elif get(entry, "isIntersecting") and is_half_seen(
                get(entry, "intersectionRect"), whole
            ):
                self._start_timer(box)
            else:
                self._stop_timer(box)
                if is_empty and display_of(box) == "contents":
                    # Nothing reports that its content comes or shows.
                    wait(self._settings["viewMs"], self.watch, box)

    def _start_timer(self, box: JSObject) -> None:
        # Called in every frame of a scroll, so a known product must not be read again.
        if len([tile for tile in self._tiles if same(tile.box, box)]) > 0:
            return
        # The box may be content of a product that has none itself.
        item = self._items.closest_item(box)
        if item:
            tile = Tile(item.element, box)
            self._tiles.append(tile)
            self._sample(tile)

    def _sample(self, tile: Tile) -> None:
        """Sample a product's visibility; emit its view after enough consecutive samples."""
        # Read again, because an image may have loaded in the meantime.
        box = box_of(tile.element)
        tile.samples = tile.samples + 1 if is_opaque(box) else 0

        def sample() -> None:
            self._sample(tile)

        if tile.samples > SAMPLES:
            self._unwatch(tile.box)
            item = self._items.read(tile.element)
            if item:
                self._emit(item)
        elif is_visible():
            tile.timer = wait(self._settings["viewMs"] / SAMPLES, sample)

    def _stop_timer(self, box: JSObject) -> None:
        others: list[Tile] = []
        for tile in self._tiles:
            if same(tile.box, box):
                cancel(tile.timer)
            else:
                others.append(tile)
        self._tiles = others

    def _restart(self, *_: JSObject) -> None:
        """Restart all timers when the page is hidden or shown again."""
        for tile in self._tiles:
            cancel(tile.timer)
            tile.samples = 0
            self._sample(tile)
