"""The GA4 bridge: tracks what a shop pushes to ``dataLayer`` for Google Analytics 4.

Reads the entries of the data layer, also earlier ones: objects with an ``event``, as for Tag
Manager, and the arguments of ``gtag("event", name, fields)``; see docs/ga4.md.
Source: https://developers.google.com/analytics/devguides/collection/ga4/reference/events
"""

from collections.abc import Callable, Mapping

from neuralens_tracker.acts import GA4
from neuralens_tracker.addon_settings import GA4_INDEX_BASE
from neuralens_tracker.attributes import LANDING, PRODUCT
from neuralens_tracker.types import Fields, JSObject
from neuralens_tracker.value_types import COUNT, is_digits, requirement
from neuralens_tracker.vocabulary import (
    ADD_TO_CART,
    AUTOCOMPLETE,
    CATEGORY_PAGE,
    CLICK_PRODUCT,
    FAVORITE,
    LAND_PRODUCT_PAGE,
    PREFIX,
    PRODUCT_PAGE,
    PURCHASE,
    SEARCH_RESULT_PAGE,
    SHARE,
    VIEW_PRODUCT,
)
from neuralens_tracker.web.addon import find_one, find_setting, follow_data_layer, tell
from neuralens_tracker.web.console import warn
from neuralens_tracker.web.ffi import (
    call,
    callback,
    elements,
    get,
    invoke,
    on_caught,
    record,
    same,
    window,
)
from neuralens_tracker.web.platform import now

# The event of each GA4 event.
MAPPING = {
    "view_item_list": VIEW_PRODUCT,
    "select_item": CLICK_PRODUCT,
    "view_item": LAND_PRODUCT_PAGE,
    "add_to_cart": ADD_TO_CART,
    "add_to_wishlist": FAVORITE,
    "share": SHARE,
    "purchase": PURCHASE,
}
# The page that a word in a list's name suggests.
LIST_WORDS = {
    "search": SEARCH_RESULT_PAGE,
    "autocomplete": AUTOCOMPLETE,
    "categ": CATEGORY_PAGE,
    "collection": CATEGORY_PAGE,
}
# The page that a word in a page type suggests; the first match counts.
TYPE_WORDS = {"wish": None, "list": CATEGORY_PAGE, "plp": CATEGORY_PAGE, "product": PRODUCT_PAGE}
# The same event on a product within this many seconds, and without another gesture, is one act.
SAME_ACT_SECONDS = 2
# Milliseconds between polls of the data layer, for entries added without ``push``.
POLL_MS = 1000


def find_page(name: JSObject, words: Mapping[str, str | None]) -> str | None:
    """Return the page that the first word found in a name suggests, or None."""
    if isinstance(name, str):
        for word in list(words.keys()):
            if word in name.lower():
                return words[word]
    return None


def read_text(value: JSObject) -> str | None:
    """Return a string or number as a string without spaces around it; None for anything else."""
    return str(value).strip() if isinstance(value, str) or isinstance(value, (int, float)) else None


def read_id(item: JSObject) -> str | None:
    """Return the id of a GA4 item, or None."""
    return (read_text(get(item, "item_id")) or read_text(get(item, "id"))) if item else None


def list_of(item: JSObject) -> JSObject:
    """Return the list's id or name in an item or an entry."""
    return get(item, "item_list_id") or get(item, "item_list_name")


class Bridge:
    """Reads a data layer, which the page may truncate, replace, or give another ``push``."""

    def __init__(self, tag: JSObject) -> None:
        self._base = GA4_INDEX_BASE
        base = read_text(find_setting("ga4IndexBase", tag))
        if base and is_digits(base):
            self._base = int(base)
        elif base is not None:
            warn(requirement("ga4IndexBase", COUNT))
        # How many entries were read, and the last of them with its index: Tag Manager truncates the
        # data layer.
        self._read = 0
        self._index = 0
        self._last: JSObject = None
        # Pushed without an event, for the next one.
        self._ecommerce: JSObject = None
        # The path, and the page and query pushed while on it.
        self._path = ""
        self._page: str | None = None
        self._query: str | None = None
        # When each event on this path was last reported, by PREFIX + key.
        self._reported: dict[str, float] = {}
        # How often the shopper has pressed a pointer or key.
        self._gesture = 0
        self._last_warning = ""

    def start(self) -> None:
        """Read the data layer, now and when it changes."""
        on_caught(self._warn)
        self._listen("pointerdown", self._begin_gesture)
        self._listen("keydown", self._begin_gesture)
        self._listen("pagehide", self._read_new)
        call(window, "setInterval", callback(self._read_new), POLL_MS)
        follow_data_layer(self._read_new)

    def _listen(self, name: str, handler: Callable[..., object]) -> None:
        call(window, "addEventListener", name, callback(handler), True)

    def _warn(self, message: str) -> None:
        """Warn of an entry that throws when it is read, but not repeatedly of the same."""
        if self._last_warning != message:
            self._last_warning = message
            warn(message)

    def _begin_gesture(self, *_: JSObject) -> None:
        self._gesture += 1

    def _read_new(self, *_: JSObject) -> None:
        """Read the entries that are new."""
        path = str(get(get(window, "location"), "href").split("?")[0])
        if path != self._path:
            self._path = path
            self._page = None
            self._query = None
            self._reported = {}
        layer = get(window, "dataLayer")
        if not isinstance(layer, list):
            return
        if self._read > 0 and not same(layer[self._index], self._last):
            # Truncated or replaced: continue after the last entry, if it is still there.
            self._read = call(layer, "lastIndexOf", self._last) + 1
        while self._read < len(layer):
            self._index = self._read
            self._last = layer[self._index]
            self._read += 1
            # Guarded, so that an entry that throws does not stop the others.
            invoke(self._handle, None, self._last)

    def _handle(self, entry: JSObject) -> None:
        """Handle an entry of the data layer: an object, or the arguments of ``gtag``."""
        if not entry:
            return
        values = elements(entry)
        name = get(entry, "event")
        fields = entry
        if values[0] == "event":
            name = values[1]
            fields = values[2]
        elif values[0] == "set" or values[0] == "config":
            fields = values[2] or values[1]
        if not fields:
            return
        kind = (
            get(fields, "page_type")
            or get(fields, "pageType")
            or get(fields, "ecomm_pagetype")
            or get(fields, "content_group")
        )
        if kind:
            self._page = find_page(kind, LIST_WORDS) or find_page(kind, TYPE_WORDS)
        ecommerce = get(fields, "ecommerce")
        query = get(fields, "search_term") or get(ecommerce or fields, "search_term")
        self._query = read_text(query) or self._query
        if name in list(MAPPING.keys()):
            if not ecommerce and not get(fields, "items"):
                ecommerce = self._ecommerce
            self._ecommerce = None
            self._track(MAPPING[name], fields, ecommerce or fields)
        elif not name and (ecommerce or same(ecommerce, None)):
            # None clears what was pushed before.
            self._ecommerce = ecommerce

    def _track(self, event: str, fields: JSObject, ecommerce: JSObject) -> None:
        """Track the items of an entry, or its one item; without ``items`` it is one itself."""
        items = get(ecommerce, "items")
        if items is None:
            items = [fields]
        elif read_id(items):
            items = [items]
        elif not isinstance(items, list):
            # PHP encodes a list whose keys have gaps as an object.
            items = elements(call(get(window, "Object"), "values", items))
        ids: list[str] = []
        for item in items:
            if event != PURCHASE:
                invoke(self._track_item, None, event, item, ecommerce)
            else:
                item_id = invoke(read_id, None, item)
                if item_id and item_id not in ids:
                    ids.append(item_id)
        if event == PURCHASE:
            order = get(ecommerce, "transaction_id") or get(fields, "transaction_id")
            tell("track", event, record({"ids": ids, "order": order}))

    def _track_item(self, event: str, item: JSObject, ecommerce: JSObject) -> None:
        """Track an event on one item, unless it is a duplicate."""
        item_id = read_id(item)
        if not item_id:
            return
        listing = read_text(list_of(item) or list_of(ecommerce))
        fields: Fields = {"id": item_id, "page": PRODUCT_PAGE, "source": GA4}
        if event != LAND_PRODUCT_PAGE:
            page = find_page(listing, LIST_WORDS)
            if page != AUTOCOMPLETE:
                page = self._page or page or (SEARCH_RESULT_PAGE if self._query else None)
            fields["page"] = page
            fields["query"] = self._query
        index = read_text(get(item, "index"))
        if index and is_digits(index) and int(index) >= self._base:
            fields["index"] = int(index) - self._base
        key = event + "\n" + item_id + "\n" + str(listing) + "\n" + str(self._query)
        if self._admit(event, item_id, key):
            tell("track", event, record(fields))
        else:
            # It may be about another action that waits to be confirmed.
            tell("confirm", event, item_id)

    def _admit(self, event: str, item_id: str, key: str) -> bool:
        """Record an event; return False if it is a duplicate.

        A view or landing counts once per path, list and query, and not if the page has markup for
        it. An act counts again after another gesture, or after SAME_ACT_SECONDS.
        """
        name = LANDING if event == LAND_PRODUCT_PAGE else PRODUCT if event == VIEW_PRODUCT else ""
        key = PREFIX + key + (name or str(self._gesture))
        before = self._reported.get(key)
        time = now()
        self._reported[key] = time
        if not name:
            return before is None or time - before > SAME_ACT_SECONDS
        quoted = item_id.replace("\\", "\\\\").replace('"', '\\"')
        return before is None and not find_one("[" + name + '="' + quoted + '"]')


def start(tag: JSObject) -> None:
    """Start the bridge with the settings of a script tag."""
    bridge = Bridge(tag)
    bridge.start()
