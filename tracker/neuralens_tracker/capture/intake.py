"""Takes in the page's elements: those there are, those that arrive, those that change."""

from typing import Any

from neuralens_tracker.attributes import (
    IGNORE,
    LANDING,
    PRODUCT,
    PURCHASE_ORDER,
    SUGGESTION,
    SUGGESTIONS,
)
from neuralens_tracker.capture.navigation import when_idle
from neuralens_tracker.vocabulary import LAND_PRODUCT_PAGE, PURCHASE
from neuralens_tracker.web.ffi import (
    call,
    callback,
    construct,
    elements,
    get,
    record,
    window,
)
from neuralens_tracker.web.page import attribute, closest, document, find_all

# The last two are what widgets change to show a list that was there all along.
OBSERVED = [PRODUCT, LANDING, PURCHASE_ORDER, SUGGESTION, SUGGESTIONS, "aria-expanded", "hidden"]
WATCHED = OBSERVED[:5]
SELECTOR = "[" + "],[".join(WATCHED) + "],[role=option]"
ELEMENT_NODE = 1
# Milliseconds of work in one go: a frame has 16, and slow phones take four times as long.
SLICE_MS = 6


class Intake:
    """Hands each element to the capture it belongs to, in slices while the browser is idle."""

    def __init__(self, items: Any, views: Any, suggestions: Any, emit: Any) -> None:
        self._items = items
        self._views = views
        self._suggestions = suggestions
        self._emit = emit
        self._pending: list[Any] = []
        self._observer = construct("MutationObserver", callback(self._notice))

    def start(self, *_: Any) -> None:
        """Take in the document and watch it from now on."""
        options = {
            "subtree": True,
            "childList": True,
            "characterData": True,
            "attributeFilter": OBSERVED,
        }
        call(self._observer, "observe", document, record(options))
        self.scan()

    def scan(self) -> None:
        """Take in every element anew: a page view begins."""
        self._add(find_all(document, SELECTOR))
        when_idle(self._work)

    def finish(self) -> None:
        """Take in the page's landing and purchase without delay: the page is being left."""
        for element in find_all(document, "[" + LANDING + "],[" + PURCHASE_ORDER + "]"):
            self._take_in(element)

    def _add(self, found: list[Any]) -> None:
        for element in found:
            self._pending.append(element)

    def _notice(self, records: Any, *_: Any) -> None:
        self._items.forget_ranks()
        for change in elements(records):
            target = get(change, "target")
            name = get(change, "attributeName")
            if name in WATCHED:
                self._pending.append(target)
            elif name is not None:
                self._suggestions.stir()
            else:
                for node in elements(get(change, "addedNodes")):
                    if get(node, "nodeType") == ELEMENT_NODE:
                        self._pending.append(node)
                        self._add(find_all(node, SELECTOR))
                # Of a text that changes, the element around it.
                holder = target if get(target, "closest") else get(target, "parentElement")
                if holder:
                    self._suggestions.change(holder)
        when_idle(self._work)

    def _work(self, *_: Any) -> None:
        end = call(get(window, "Date"), "now") + SLICE_MS
        place = 0
        while call(get(window, "Date"), "now") < end and place < len(self._pending):
            self._take_in(self._pending[place])
            place += 1
        self._pending = self._pending[place:]
        if len(self._pending) > 0:
            when_idle(self._work)

    def _take_in(self, element: Any) -> None:
        item = self._items.read(element)
        if not item:
            purchase = closest(element, PURCHASE_ORDER)
            if purchase and not closest(purchase, IGNORE):
                order = self._items.read_purchase(purchase)
                if order:
                    self._emit(PURCHASE, order, attribute(purchase, PURCHASE_ORDER))
        elif item[1] == PRODUCT:
            self._views.watch(element)
        elif item[1] == SUGGESTION:
            self._suggestions.change(element)
        else:
            self._emit(LAND_PRODUCT_PAGE, item, item[2])
