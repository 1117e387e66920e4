"""Takes in the page's elements: those there are, those that arrive, those that change."""

from typing import Any

from neuralens_tracker.attributes import (
    IGNORE,
    LANDING,
    LIST,
    PAGE,
    PRODUCT,
    PURCHASE_ORDER,
    QUERY,
    SUGGESTION,
    SUGGESTIONS,
)
from neuralens_tracker.capture.lifecycle import when_idle
from neuralens_tracker.web.dom import (
    ELEMENT_NODE,
    around,
    bounds,
    document,
    find_all,
    listen,
    node_type,
    root_element_of,
    shadow_of,
    shadow_roots,
)
from neuralens_tracker.web.ffi import (
    call,
    callback,
    construct,
    elements,
    get,
    intercept,
    record,
    same,
    window,
)
from neuralens_tracker.web.platform import now

# What is searched for in the document, one after the other; last, every element that may hold a
# shadow tree.
SEARCHES = [
    "[" + LANDING + "]",
    "[" + PURCHASE_ORDER + "]",
    "[" + PRODUCT + "]",
    "[" + SUGGESTION + "]",
    "[" + SUGGESTIONS + "]",
    "[role=option]",
    "*",
]
# The attributes by which a page shows and hides what was there already, and widgets own lists. The
# others that are observed say what an element, and all that is in it, stands for.
APPEARANCE = [
    "hidden",
    "class",
    "style",
    "open",
    "aria-hidden",
    "aria-expanded",
    "aria-controls",
    "aria-owns",
]
OBSERVED = [
    "hidden",
    "class",
    "style",
    "open",
    "aria-hidden",
    "aria-expanded",
    "aria-controls",
    "aria-owns",
    LANDING,
    PURCHASE_ORDER,
    PRODUCT,
    SUGGESTION,
    SUGGESTIONS,
    QUERY,
    PAGE,
    LIST,
    IGNORE,
    "role",
]
# Seconds of work in one go: a frame has 16 ms, and slow phones take four times as long.
SLICE_S = 0.006
# With every frame a browser looks at all elements that an observer watches. So after the first
# MANY products of a page, one that is FAR_PX below waits until something scrolls or changes.
MANY = 1000
FAR_PX = 10000


def is_far(element: Any) -> bool:
    """Tell whether an element is many windows below what is in the window now."""
    return get(bounds(element), "top") > FAR_PX


def is_known(root: Any) -> bool:
    """Tell whether a shadow tree was found before."""
    for other in shadow_roots:
        if same(other, root):
            return True
    return False


class Discovery:
    """Hands each element to the capture it belongs to, in slices while the browser is idle."""

    def __init__(
        self, items: Any, views: Any, suggestions: Any, page_items: Any, routes: Any
    ) -> None:
        self._items = items
        self._views = views
        self._suggestions = suggestions
        self._page_items = page_items
        self._routes = routes
        self._observer: Any = None
        # Whether the document has changed since the last look at its context.
        self._changed = False
        # Elements to take in with all that is in them, and for how many attributes the first has
        # been searched: one query for all of them takes longer than a frame on a large page. Then
        # what the last query found, and how much of that has been taken in.
        self._roots: list[Any] = []
        self._searched = 0
        self._found: list[Any] = []
        self._next = 0
        self._due = False
        # Products that wait to come near the window, whether they may have, and how many products
        # were taken in.
        self._awake = False
        self._far: list[Any] = []
        self._count = 0
        # One that fails stops no other.
        self._guarded = callback(self._dispatch)

    def start(self, *_: Any) -> None:
        """Take in the document and watch it from now on."""
        self._observer = construct("MutationObserver", callback(self._notice))
        self._observe(document)
        intercept(get(get(window, "Element"), "prototype"), "attachShadow", self._enter)
        listen("scroll", self._wake)
        self.scan()

    def _observe(self, root: Any) -> None:
        options = {
            "subtree": True,
            "childList": True,
            "characterData": True,
            "attributeFilter": OBSERVED,
        }
        call(self._observer, "observe", root, record(options))

    def _enter(self, root: Any) -> None:
        """Take in an open shadow tree, and watch it from now on."""
        if get(root, "mode") == "open" and not is_known(root):
            shadow_roots.append(root)
            self._observe(root)
            self._roots.append(root)
            self._items.forget_ranks()
            self._plan()

    def scan(self) -> None:
        """Take in every element anew: a page view begins."""
        self._roots.append(root_element_of(document))
        for root in shadow_roots:
            self._roots.append(root)
        # What waits is found again.
        self._far = []
        self._wake()

    def _notice(self, records: Any, *_: Any) -> None:
        self._items.forget_ranks()
        for change in elements(records):
            target = get(change, "target")
            name = get(change, "attributeName")
            if name in APPEARANCE:
                self._suggestions.schedule()
                continue
            self._changed = True
            if name is not None:
                self._roots.append(target)
                self._suggestions.schedule()
            else:
                for node in elements(get(change, "addedNodes")):
                    if node_type(node) == ELEMENT_NODE:
                        self._roots.append(node)
                # Of a text that changes, the element around it.
                holder = target if node_type(target) == ELEMENT_NODE else around(target)
                if holder:
                    self._suggestions.change(holder)
        if self._changed:
            self._wake()

    def _wake(self, *_: Any) -> None:
        self._awake = True
        self._plan()

    def _plan(self) -> None:
        if not self._due:
            self._due = True
            when_idle(self._work)

    def _work(self, *_: Any) -> None:
        self._due = False
        if self._changed:
            self._changed = False
            self._routes.check()
        end = now() + SLICE_S
        while now() < end:
            if self._next < len(self._found):
                self._guarded(self._found[self._next], self._searched == len(SEARCHES))
                self._next += 1
            elif len(self._roots) > 0:
                self._next = 0
                if self._searched == 0 and node_type(self._roots[0]) == ELEMENT_NODE:
                    self._guarded(self._roots[0], False)
                    self._guarded(self._roots[0], True)
                if self._searched < len(SEARCHES):
                    self._found = find_all(self._roots[0], SEARCHES[self._searched])
                    self._searched += 1
                else:
                    self._roots.pop(0)
                    self._found = []
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

    def _dispatch(self, element: Any, is_host: bool) -> None:
        if is_host:
            shadow = shadow_of(element)
            if shadow:
                self._enter(shadow)
            return
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
