"""What the page itself stands for: the product whose page it is, and the order it confirms."""

from neuralens_tracker.attributes import LANDING, PURCHASE_ORDER
from neuralens_tracker.capture.items import SEEN, Item, Items
from neuralens_tracker.types import Emit, JSObject
from neuralens_tracker.web.dom import closest, document, find_all


class PageItems:
    """Captures landings and purchases; ``emit(event, item, key)`` is called for each."""

    def __init__(self, items: Items, emit: Emit) -> None:
        self._items = items
        self._emit = emit

    def capture(self, element: JSObject, item: Item | None) -> None:
        """Tell of the landing that an element is, or of the order that it is or is in."""
        if not item:
            purchase = closest(element, "[" + PURCHASE_ORDER + "]")
            item = self._items.read_purchase(purchase) if purchase else None
        if item and item.kind in (LANDING, PURCHASE_ORDER):
            self._emit(SEEN[item.kind], item, self._items.deduplication_key(item))

    def capture_all(self) -> None:
        """Tell of all that the document holds, without delay: the page is being left."""
        for element in find_all(document, "[" + LANDING + "],[" + PURCHASE_ORDER + "]"):
            self.capture(element, self._items.read(element))
