"""What captures look for in a page's markup: items, the selectors of elements, and the events."""

from neuralens_tracker.attributes import LANDING, LIST, PRODUCT, PURCHASE_ORDER, SUGGESTION
from neuralens_tracker.types import JSObject
from neuralens_tracker.vocabulary import (
    CLICK_PRODUCT,
    CLICK_SUGGESTION,
    LAND_PRODUCT_PAGE,
    PURCHASE,
    VIEW_PRODUCT,
    VIEW_SUGGESTION,
)
from neuralens_tracker.web.dom import closest

OPTION = "[role=option]"
PRODUCT_SELECTOR = "[" + PRODUCT + "]"
# The items that an action can apply to.
SUBJECT_SELECTOR = PRODUCT_SELECTOR + ",[" + LANDING + "]"
# The items that a widget's option may contain.
DECLARED_ITEM = PRODUCT_SELECTOR + ",[" + SUGGESTION + "]"
SUGGESTION_SELECTOR = "[" + SUGGESTION + "]," + OPTION
WIDGET = "[role=combobox]"
# A listbox is a list even if it is not declared as one.
LISTS = "[" + LIST + "],[role=listbox]"
# Elements that do nothing when activated, and controls that do nothing now. A disabled fieldset
# disables what is in it, except in its legend.
INERT = "[disabled]:not(fieldset),[disabled]>:not(legend),[aria-disabled=true]"
BUSY = "[aria-busy=true]"
# Toggles that are on, so that activating them switches them off.
SWITCHED_ON = "[aria-pressed=true],[aria-checked=true]"
# By kind of item: the event when it is seen, and when it is activated.
SEEN = {
    PRODUCT: VIEW_PRODUCT,
    SUGGESTION: VIEW_SUGGESTION,
    LANDING: LAND_PRODUCT_PAGE,
    PURCHASE_ORDER: PURCHASE,
}
ACTIVATED = {
    PRODUCT: CLICK_PRODUCT,
    SUGGESTION: CLICK_SUGGESTION,
}


class Item:
    """A product, suggestion, landing or order on the page.

    ``kind`` is the name of its attribute and ``id`` the value; an order has the ``ids`` of its
    products.
    """

    def __init__(self, element: JSObject, kind: str, id: str, ids: list[str]) -> None:  # noqa: A002
        self.element = element
        self.kind = kind
        self.id = id
        self.ids = ids


def find_busy(control: JSObject) -> JSObject:
    """Return what makes a control do nothing now: itself, or what it is in; otherwise None.

    A busy part of the page around products, such as a list that loads more, is still usable.
    """
    return closest(control, INERT) or closest(closest(control, BUSY), SUBJECT_SELECTOR)
