"""Captures landings and purchases: items that count because the page shows them at all."""

from neuralens_tracker.attributes import LANDING, PURCHASE_ORDER
from neuralens_tracker.capture.items import Items
from neuralens_tracker.capture.markup import Item
from neuralens_tracker.types import Emit, JSObject
from neuralens_tracker.web.dom import closest, document, find_all
from neuralens_tracker.web.visibility import box_of, is_on_screen

# Quick views, which a page may hold ready for each of its products. While they are closed, they are
# not rendered, not visible, or off the screen. A landing that is hidden itself only marks the page.
DIALOGS = "dialog,[role$=dialog],[popover],[aria-hidden=true]:not([" + LANDING + "])"


class PageItems:
    """Calls ``emit(item)`` for each landing and purchase."""

    def __init__(self, items: Items, emit: Emit) -> None:
        self._items = items
        self._emit = emit

    def capture(self, element: JSObject, item: Item | None) -> None:
        """Emit the landing that an element is, or the order that it is or is in.

        A landing in a closed dialog waits until that is opened. If it fades in, or no attribute
        changes, ``Popups`` emits it.
        """
        if not item:
            purchase = closest(element, "[" + PURCHASE_ORDER + "]")
            item = self._items.read_purchase(purchase) if purchase else None
        if item and item.kind in (LANDING, PURCHASE_ORDER):
            dialog = closest(item.element, DIALOGS)
            if item.kind == PURCHASE_ORDER or not dialog or is_on_screen(box_of(dialog)):
                self._emit(item)

    def capture_all(self) -> None:
        """Emit everything in the document at once, because the page is being unloaded."""
        for element in find_all(document, "[" + LANDING + "],[" + PURCHASE_ORDER + "]"):
            self.capture(element, self._items.read(element))
