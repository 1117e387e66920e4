"""Discovers the page's items, including added and changed ones, and dispatches them to captures."""

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
from neuralens_tracker.capture.far_products import FarProducts
from neuralens_tracker.capture.items import Items
from neuralens_tracker.capture.lifecycle import on_idle
from neuralens_tracker.capture.markup import SUBJECT_SELECTOR, SUGGESTION_SELECTOR
from neuralens_tracker.capture.page_items import PageItems
from neuralens_tracker.capture.popups import Popups
from neuralens_tracker.capture.routes import Routes
from neuralens_tracker.capture.views import Views
from neuralens_tracker.types import JSObject
from neuralens_tracker.web.dom import (
    DOCUMENT_NODE,
    ELEMENT_NODE,
    document,
    document_property,
    find_all,
    host_of,
    listen,
    node_type,
    parent_of,
    restore_listeners,
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

ITEM = SUBJECT_SELECTOR + ",[" + PURCHASE_ORDER + "]," + SUGGESTION_SELECTOR
# Attributes that show and hide existing elements, or tie lists to their widgets. A change of the
# MEANING ones may change what an element and its descendants are.
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
# Seconds of work per idle slice: a frame has 16 ms, and slow phones take four times as long.
SLICE_S = 0.006
# Elements between two looks at the clock, which takes longer than to look for a shadow tree.
BATCH = 32
# Elements that may have a shadow tree are most others, but on a page of products these are many:
# https://dom.spec.whatwg.org/#valid-shadow-host-name
HOSTS = ":not(a,b,button,i,img,li,ul,svg,path,option)"


class Discovery:
    """Processes elements in idle slices."""

    def __init__(
        self,
        items: Items,
        views: Views,
        popups: Popups,
        page_items: PageItems,
        routes: Routes,
    ) -> None:
        self._items = items
        self._views = views
        self._popups = popups
        self._page_items = page_items
        self._routes = routes
        self._observer: JSObject = None
        # Whether the document has changed, or is new, since routes were last checked.
        self._changed = False
        # Subtrees to process, and those whose shadow trees are found; the items in the current one,
        # and how many are processed; its elements, and how many are left to look at.
        self._roots: list[JSObject] = []
        self._entered: list[JSObject] = []
        self._found: list[JSObject] = []
        self._next = 0
        self._hosts: list[JSObject] = []
        self._left = 0
        self._scheduled = False
        self._far_products = FarProducts(self._schedule)
        # Guarded, so that an element that throws does not stop the others.
        self._guarded = callback(self._dispatch)

    def start(self, *_: JSObject) -> None:
        """Process the document and observe its changes."""
        self._far_products.start()
        listen("resize change hashchange", self._items.forget_ranks)
        self.scan()
        # Each of these throws where the page has removed what it needs.
        self._observer = construct("MutationObserver", callback(self._on_mutations))
        self._observe(document)
        intercept(get(get(window, "Element"), "prototype"), "attachShadow", self._add_shadow_root)

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

    def _add_shadow_root(self, root: JSObject, *_: JSObject) -> None:
        """Process an open shadow tree and observe its changes."""
        is_known = len([other for other in shadow_roots if same(other, root)]) > 0
        if get(root, "mode") == "open" and not is_known:
            shadow_roots.append(root)
            self._observe(root)
            self._roots.append(root)
            self._items.forget_ranks()
            self._schedule()

    def _enter(self, element: JSObject) -> None:
        """Process the open shadow tree of an element, if it has one."""
        shadow = shadow_of(element)
        if shadow:
            self._add_shadow_root(shadow)

    def scan(self) -> None:
        """Process every element again, for a new page view."""
        self._roots.append(document_property("documentElement"))
        self._roots.extend(shadow_roots)
        self._far_products.forget()
        self._changed = True
        self._schedule()

    def _on_mutations(self, records: JSObject, *_: JSObject) -> None:
        self._items.forget_ranks()
        has_appearance = False
        changed: list[JSObject] = []
        for change in elements(records):
            target = get(change, "target")
            name = get(change, "attributeName")
            if node_type(target) == DOCUMENT_NODE:
                restore_listeners()
            if name in APPEARANCE:
                has_appearance = True
            else:
                # Text nodes and shadow roots are represented by the element around them.
                is_element = node_type(target) == ELEMENT_NODE
                changed.append(target if is_element else parent_of(target) or host_of(target))
                if name is not None:
                    self._roots.append(target)
                for node in elements(get(change, "addedNodes")):
                    if node_type(node) == ELEMENT_NODE:
                        self._roots.append(node)
        self._popups.change(changed)
        if has_appearance:
            self._popups.schedule()
        self._changed = True
        self._far_products.schedule()
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            on_idle(self._process_slice)

    def _process(self, element: JSObject) -> None:
        """Dispatch an element now, or when it comes closer."""
        # Far ones are not even read, which takes longer.
        if not self._far_products.defer(element):
            self._guarded(element)

    def _dispatch(self, element: JSObject) -> None:
        """Pass an element to the capture for its kind of item."""
        item = self._items.read(element)
        if item and item.kind == PRODUCT:
            self._far_products.count_near()
            self._views.watch(element)
        elif item and item.kind == SUGGESTION:
            self._popups.restart()
        else:
            self._page_items.capture(element, item)
            self._views.watch_around(element)

    def catch_up(self) -> None:
        """Capture the page itself, which the shopper may leave before an idle slice."""
        if self._changed:
            self._changed = False
            self._routes.check()
            # Routers may keep a page and show it again.
            self._page_items.capture_all()

    def _process_slice(self, *_: JSObject) -> None:
        self._scheduled = False
        deadline = now() + SLICE_S
        while now() < deadline:
            # Shadow trees first: an item may have its box, and a list or order its items, in one.
            if self._left > 0:
                end = max(0, self._left - BATCH)
                while self._left > end:
                    self._left -= 1
                    self._enter(self._hosts[self._left])
            elif len(self._roots) > 0:
                # Each search of a large page takes long, and so may end a slice.
                root = self._roots.pop(0)
                self._entered.append(root)
                self._hosts = find_all(root, HOSTS)
                self._left = len(self._hosts)
                if node_type(root) == ELEMENT_NODE:
                    self._enter(root)
            elif self._changed:
                self.catch_up()
            elif self._next < len(self._found):
                element = self._found[self._next]
                self._next += 1
                self._process(element)
            elif len(self._entered) > 0:
                root = self._entered.pop(0)
                self._found = find_all(root, ITEM)
                self._next = 0
                if node_type(root) == ELEMENT_NODE:
                    self._guarded(root)
            elif self._far_products.has_due():
                self._process(self._far_products.pop_due())
            else:
                # Release the references to removed elements.
                self._hosts = []
                self._found = []
                self._next = 0
                return
        self._schedule()
