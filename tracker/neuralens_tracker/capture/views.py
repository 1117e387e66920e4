"""Product views: half of the product visible in a visible page for one unbroken second, once."""

from neuralens_tracker.capture.items import SEEN, Items
from neuralens_tracker.types import Emit, JSObject, Settings
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


class Tile:
    """A product of which half is in the window, and at how many looks its box was visible."""

    def __init__(self, element: JSObject, box: JSObject) -> None:
        self.element = element
        self.box = box
        self.looks = 0
        self.timer: JSObject = None


class Views:
    """Watches products; ``emit(event, item, key)`` is called for each that was seen."""

    def __init__(self, items: Items, settings: Settings, emit: Emit) -> None:
        self._items = items
        self._settings = settings
        self._emit = emit
        self._tiles: list[Tile] = []
        self._observer = construct(
            "IntersectionObserver", callback(self._notice), record({"threshold": THRESHOLDS})
        )

    def start(self) -> None:
        """Listen from now on."""
        listen("visibilitychange", self._restart)

    def watch(self, element: JSObject) -> None:
        """Wait for a product to be seen; anew when it is watched already."""
        box = box_of(element) or element
        self._drop(box)
        call(self._observer, "observe", box)

    def _drop(self, box: JSObject) -> None:
        """Wait no longer for what a box stands for to be seen."""
        self._hide(box)
        call(self._observer, "unobserve", box)

    def _notice(self, entries: JSObject, *_: JSObject) -> None:
        for entry in elements(entries):
            box = get(entry, "target")
            seen = get(entry, "intersectionRect")
            whole = get(entry, "boundingClientRect")
            if (
                get(entry, "isIntersecting")
                and is_half(get(seen, "width"), get(whole, "width"), get(window, "innerWidth"))
                and is_half(get(seen, "height"), get(whole, "height"), get(window, "innerHeight"))
            ):
                self._show(box)
            else:
                self._hide(box)
                content = box_of(box) if get(whole, "width") * get(whole, "height") == 0 else None
                if content and not same(content, box):
                    # It has lost its box since, but not its content.
                    self.watch(box)

    def _show(self, box: JSObject) -> None:
        # While a page scrolls this comes with every frame: nothing is read of what is known.
        if len([tile for tile in self._tiles if same(tile.box, box)]) > 0:
            return
        # A product without a box is one that its box is in.
        item = self._items.item_at(box)
        if item:
            tile = Tile(item.element, box)
            self._tiles.append(tile)
            self._look(tile)

    def _look(self, tile: Tile) -> None:
        """Count the looks at which a product was visible, until it has been for its time."""
        # A picture that has come meanwhile may be what it is seen by.
        box = box_of(tile.element)
        tile.looks = tile.looks + 1 if box and is_opaque(box) else 0

        def look() -> None:
            self._look(tile)

        if tile.looks > LOOKS:
            self._drop(tile.box)
            item = self._items.read(tile.element)
            if item:
                self._emit(SEEN[item.kind], item, self._items.deduplication_key(item))
        elif is_visible():
            tile.timer = wait(self._settings["viewMs"] / LOOKS, look)

    def _hide(self, box: JSObject) -> None:
        for tile in self._tiles:
            if same(tile.box, box):
                cancel(tile.timer)
        self._tiles = [tile for tile in self._tiles if not same(tile.box, box)]

    def _restart(self, *_: JSObject) -> None:
        """Break off every second when the page is hidden; begin them anew when it is back."""
        for tile in self._tiles:
            cancel(tile.timer)
            tile.looks = 0
            self._look(tile)
