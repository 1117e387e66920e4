"""Takes in the page's elements: those there are, those that arrive, those that change."""

from neuralens_tracker.attributes import (
    LANDING,
    PRODUCT,
    PURCHASE_ORDER,
    SUGGESTION,
    SUGGESTIONS,
)
from neuralens_tracker.capture.items import Items
from neuralens_tracker.capture.lifecycle import when_idle
from neuralens_tracker.capture.page_items import PageItems
from neuralens_tracker.capture.suggestions import Suggestions
from neuralens_tracker.capture.views import Views
from neuralens_tracker.types import JSObject
from neuralens_tracker.web.dom import document, find_all, listen
from neuralens_tracker.web.ffi import (
    call,
    callback,
    construct,
    elements,
    get,
    record,
)
from neuralens_tracker.web.platform import now

# The attributes that tell of items, and those by which widgets show a list that was there already.
OBSERVED = [
    LANDING,
    PURCHASE_ORDER,
    PRODUCT,
    SUGGESTION,
    SUGGESTIONS,
    "role",
    "aria-expanded",
    "hidden",
]
ELEMENT_NODE = 1
# Seconds of work in one go: a frame has 16 ms, and slow phones take four times as long.
SLICE_S = 0.006
# With every frame a browser looks at all elements that an observer watches. So after the first
# MANY products of a page, one that is FAR_PX below waits until something scrolls or changes.
MANY = 1000
FAR_PX = 10000


def is_far(element: JSObject) -> bool:
    """Tell whether an element is many windows below what is in the window now."""
    return get(call(element, "getBoundingClientRect"), "top") > FAR_PX


class Discovery:
    """Hands each element to the capture it belongs to, in slices while the browser is idle."""

    def __init__(
        self, items: Items, views: Views, suggestions: Suggestions, page_items: PageItems
    ) -> None:
        self._items = items
        self._views = views
        self._suggestions = suggestions
        self._page_items = page_items
        # Elements to take in with all that is in them, and for how many attributes the first has
        # been searched: one query for all of them takes longer than a frame on a large page. Then
        # what the last query found, and how much of that has been taken in.
        self._roots: list[JSObject] = []
        self._searched = 0
        self._found: list[JSObject] = []
        self._next = 0
        self._due = False
        # Products that wait to come near the window, whether they may have, and how many products
        # were taken in.
        self._awake = False
        self._far: list[JSObject] = []
        self._count = 0
        # One that fails stops no other.
        self._guarded = callback(self._dispatch)

    def start(self, *_: JSObject) -> None:
        """Take in the document and watch it from now on."""
        options = {
            "subtree": True,
            "childList": True,
            "characterData": True,
            "attributeFilter": OBSERVED,
        }
        observer = construct("MutationObserver", callback(self._notice))
        call(observer, "observe", document, record(options))
        listen("scroll", self._wake)
        self.scan()

    def scan(self) -> None:
        """Take in every element anew: a page view begins."""
        self._roots.append(get(document, "documentElement"))
        # What waits is found again.
        self._far = []
        self._wake()

    def _notice(self, records: JSObject, *_: JSObject) -> None:
        self._items.forget_ranks()
        for change in elements(records):
            target = get(change, "target")
            name = get(change, "attributeName")
            if name is not None:
                self._roots.append(target)
                self._suggestions.schedule()
            else:
                for node in elements(get(change, "addedNodes")):
                    if get(node, "nodeType") == ELEMENT_NODE:
                        self._roots.append(node)
                # Of a text that changes, the element around it.
                holder = target if get(target, "closest") else get(target, "parentElement")
                if holder:
                    self._suggestions.change(holder)
        self._wake()

    def _wake(self, *_: JSObject) -> None:
        self._awake = True
        self._plan()

    def _plan(self) -> None:
        if not self._due:
            self._due = True
            when_idle(self._work)

    def _work(self, *_: JSObject) -> None:
        self._due = False
        end = now() + SLICE_S
        while now() < end:
            if self._next < len(self._found):
                self._guarded(self._found[self._next])
                self._next += 1
            elif len(self._roots) > 0:
                self._next = 0
                if self._searched < len(OBSERVED):
                    self._found = find_all(self._roots[0], "[" + OBSERVED[self._searched] + "]")
                    self._searched += 1
                else:
                    self._found = [self._roots.pop(0)]
                    self._searched = 0
            else:
                # What leaves the page is let go.
                self._next = 0
                self._found = []
                if not self._awake:
                    return
                self._found = self._far
                self._far = []
                self._awake = False
        self._plan()

    def _dispatch(self, element: JSObject) -> None:
        item = self._items.read(element)
        if item and item.kind == PRODUCT:
            self._count += 1
            if self._count > MANY and is_far(element):
                self._far.append(element)
            else:
                self._views.watch(element)
        elif item and item.kind == SUGGESTION:
            self._suggestions.change(element)
        else:
            self._page_items.capture(element, item)
