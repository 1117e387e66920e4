"""Takes in the page's elements: those there are, those that arrive, those that change."""

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
from neuralens_tracker.capture.items import SUBJECT_SELECTOR, SUGGESTION_SELECTOR, Items
from neuralens_tracker.capture.lifecycle import when_idle
from neuralens_tracker.capture.page_items import PageItems
from neuralens_tracker.capture.routes import Routes
from neuralens_tracker.capture.suggestions import Suggestions
from neuralens_tracker.capture.views import Views
from neuralens_tracker.types import JSObject
from neuralens_tracker.web.dom import (
    ELEMENT_NODE,
    around,
    bounds,
    document,
    find_all,
    listen,
    matches,
    node_type,
    of_document,
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

# What is an item, or part of one; any element may hold a shadow tree.
ITEM = SUBJECT_SELECTOR + ",[" + PURCHASE_ORDER + "]," + SUGGESTION_SELECTOR
# The attributes by which a page shows and hides what was there already, and widgets own lists; the
# others say what an element, and all that is in it, stands for.
APPEARANCE = "hidden class style open aria-hidden aria-expanded aria-controls aria-owns".split(" ")
MEANING = [
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


def is_far(element: JSObject) -> bool:
    """Tell whether an element is many windows below what is in the window now."""
    top: float = get(bounds(element), "top")
    return top > FAR_PX


class Discovery:
    """Hands each element to the capture it belongs to, in slices while the browser is idle."""

    def __init__(
        self,
        items: Items,
        views: Views,
        suggestions: Suggestions,
        page_items: PageItems,
        routes: Routes,
    ) -> None:
        self._items = items
        self._views = views
        self._suggestions = suggestions
        self._page_items = page_items
        self._routes = routes
        self._observer: JSObject = None
        # Whether the document has changed since the last look at its context.
        self._changed = False
        # What is to be taken in with all that is in it; the elements of one of those, and how many
        # of them have been taken in.
        self._roots: list[JSObject] = []
        self._found: list[JSObject] = []
        self._next = 0
        self._due = False
        # Products that wait to come near the window, whether they may have, and how many products
        # were taken in.
        self._far: list[JSObject] = []
        self._awake = False
        self._count = 0
        # One that fails stops no other.
        self._guarded = callback(self._dispatch)

    def start(self, *_: JSObject) -> None:
        """Take in the document and watch it from now on."""
        self._observer = construct("MutationObserver", callback(self._notice))
        self._observe(document)
        intercept(get(get(window, "Element"), "prototype"), "attachShadow", self._enter)
        listen("scroll", self._wake)
        self.scan()

    def _observe(self, root: JSObject) -> None:
        observed = list(APPEARANCE)
        observed.extend(MEANING)
        options = {
            "subtree": True,
            "childList": True,
            "characterData": True,
            "attributeFilter": observed,
        }
        call(self._observer, "observe", root, record(options))

    def _enter(self, root: JSObject) -> None:
        """Take in an open shadow tree, and watch it from now on."""
        is_known = len([other for other in shadow_roots if same(other, root)]) > 0
        if get(root, "mode") == "open" and not is_known:
            shadow_roots.append(root)
            self._observe(root)
            self._roots.append(root)
            self._items.forget_ranks()
            self._plan()

    def scan(self) -> None:
        """Take in every element anew: a page view begins."""
        self._roots.append(of_document("documentElement"))
        self._roots.extend(shadow_roots)
        # What waits is found again.
        self._far = []
        self._wake()

    def _notice(self, records: JSObject, *_: JSObject) -> None:
        self._items.forget_ranks()
        for change in elements(records):
            target = get(change, "target")
            name = get(change, "attributeName")
            if name is not None:
                self._suggestions.schedule()
            if name not in APPEARANCE:
                self._changed = True
                # Of a text that changes, and of a shadow tree, the element around it.
                is_element = node_type(target) == ELEMENT_NODE
                self._suggestions.change(target if is_element else around(target))
                if name is not None:
                    self._roots.append(target)
                for node in elements(get(change, "addedNodes")):
                    if node_type(node) == ELEMENT_NODE:
                        self._roots.append(node)
        if self._changed:
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
        if self._changed:
            self._changed = False
            self._routes.check()
        end = now() + SLICE_S
        while now() < end:
            if self._next < len(self._found):
                self._guarded(self._found[self._next])
                self._next += 1
                continue
            self._next = 0
            if len(self._roots) > 0:
                root = self._roots.pop(0)
                self._found = find_all(root, "*")
                self._guarded(root)
            else:
                # What leaves the page is let go.
                self._found = self._far if self._awake else []
                if not self._awake:
                    return
                self._far = []
                self._awake = False
        self._plan()

    def _dispatch(self, element: JSObject) -> None:
        """Take in an element, or the root of a shadow tree."""
        if node_type(element) != ELEMENT_NODE:
            return
        shadow = shadow_of(element)
        if shadow:
            self._enter(shadow)
        if not matches(element, ITEM):
            return
        item = self._items.read(element)
        if item and item.kind == PRODUCT:
            self._count += 1
            if self._count > MANY and is_far(element):
                self._far.append(element)
            else:
                self._views.watch(element)
        elif item and item.kind == SUGGESTION:
            self._suggestions.restart()
        else:
            self._page_items.capture(element, item)
