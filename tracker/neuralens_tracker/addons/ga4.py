"""The GA4 bridge: what a shop pushes to ``dataLayer`` for Google Analytics 4 becomes events.

Reads the entries of the data layer, those from before this script too: objects with an ``event``,
as Tag Manager takes them, and the arguments of ``gtag("event", name, fields)``; see docs/ga4.md.
Source: https://developers.google.com/analytics/devguides/collection/ga4/reference/events
"""

from typing import Any

from neuralens_tracker.addon_settings import GA4_INDEX_BASE
from neuralens_tracker.attributes import LANDING, PRODUCT
from neuralens_tracker.types import JSObject
from neuralens_tracker.value_types import COUNT, demand, is_digits
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
from neuralens_tracker.web.addon import find_one, find_setting, tell
from neuralens_tracker.web.console import warn
from neuralens_tracker.web.ffi import (
    call,
    callback,
    elements,
    get,
    intercept,
    invoke,
    on_caught,
    record,
    same,
    window,
)
from neuralens_tracker.web.platform import now, wait

# The event that each of GA4's stands for.
MAPPING = {
    "view_item_list": VIEW_PRODUCT,
    "select_item": CLICK_PRODUCT,
    "view_item": LAND_PRODUCT_PAGE,
    "add_to_cart": ADD_TO_CART,
    "add_to_wishlist": FAVORITE,
    "share": SHARE,
    "purchase": PURCHASE,
}
# A word in the name of a list, and the page that it stands for.
LIST_WORDS = {
    "search": SEARCH_RESULT_PAGE,
    "autocomplete": AUTOCOMPLETE,
    "categ": CATEGORY_PAGE,
    "collection": CATEGORY_PAGE,
}
# What else may be in the name of a kind of page; the first that is there counts.
TYPE_WORDS = {"wish": None, "list": CATEGORY_PAGE, "plp": CATEGORY_PAGE, "product": PRODUCT_PAGE}
# Seconds in which the same event on a product is the same act, unless the shopper acts again.
SAME_ACT_SECONDS = 2
# Milliseconds between looks at the data layer, for what a page puts there without its ``push``.
LOOK_MS = 1000


def find_page(name: Any, words: dict[str, Any]) -> Any:
    """Return the page that a name stands for by one of the words; None where it says none."""
    if isinstance(name, str):
        for word in list(words.keys()):
            if word in name.lower():
                return words[word]
    return None


def read_text(value: Any) -> Any:
    """Return a text, or the text of a number; None for anything else."""
    return str(value) if isinstance(value, str) or isinstance(value, (int, float)) else None


def read_id(item: JSObject) -> Any:
    """Return the id of an item of GA4; None where it has none."""
    return read_text(get(item, "item_id") or get(item, "id")) if item else None


def list_of(item: JSObject) -> Any:
    """Return the name of the list that an item, or a push, is about."""
    return get(item, "item_list_id") or get(item, "item_list_name")


class Bridge:
    """Follows a data layer, which the page may change, replace, or give another ``push``."""

    def __init__(self, tag: JSObject) -> None:
        self._base = GA4_INDEX_BASE
        base = read_text(find_setting("ga4IndexBase", tag))
        if base and is_digits(base):
            self._base = int(base)
        elif base is not None:
            warn(demand("ga4IndexBase", COUNT))
        self._layer: JSObject = None
        # How many entries were read, and the last of these with its place: Tag Manager removes
        # old ones.
        self._read = 0
        self._place = 0
        self._last: JSObject = None
        # What was pushed alone, to be about the next event.
        self._ecommerce: JSObject = None
        # Page and search as pushed, while the path is this one.
        self._path = ""
        self._page: Any = None
        self._query: Any = None
        # When each thing was told on this path, by PREFIX and a key.
        self._told: dict[str, float] = {}
        # How often the shopper has pressed something.
        self._gesture = 0
        self._said = ""

    def follow(self) -> None:
        """Read what is there, and what comes."""
        on_caught(self._say)
        self._listen("pointerdown", self._begin_gesture)
        self._listen("keydown", self._begin_gesture)
        self._listen("pagehide", self._look)
        self._watch()

    def _listen(self, name: str, handler: Any) -> None:
        call(window, "addEventListener", name, callback(handler), True)

    def _say(self, sentence: str) -> None:
        """Say what an entry throws when it is read; the same again only after another."""
        if self._said != sentence:
            self._said = sentence
            warn(sentence)

    def _begin_gesture(self, *_: Any) -> None:
        self._gesture += 1

    def _watch(self) -> None:
        self._look()
        wait(LOOK_MS, self._watch)

    def _look(self, *_: Any) -> None:
        """Take what was pushed since the last look."""
        path = str(get(get(window, "location"), "href").split("?")[0])
        if path != self._path:
            self._path = path
            self._page = None
            self._query = None
            self._told = {}
        layer = get(window, "dataLayer")
        if not isinstance(layer, list):
            return
        if not same(layer, self._layer):
            self._layer = layer
            invoke(self._intercept, None)
        if self._read > 0 and not same(layer[self._place], self._last):
            # Entries have gone, or it is another list: on from the last one, where it is there.
            self._read = call(layer, "lastIndexOf", self._last) + 1
        while self._read < len(layer):
            self._place = self._read
            self._last = layer[self._place]
            self._read += 1
            # One that throws when it is read stops no other.
            invoke(self._take, None, self._last)

    def _intercept(self) -> None:
        """Look after each push; to the page it is what it was."""
        intercept(self._layer, "push", self._look)
        hidden = record({"enumerable": False})
        call(get(window, "Object"), "defineProperty", self._layer, "push", hidden)

    def _take(self, entry: JSObject) -> None:
        """Take an entry of the data layer: an object, or the arguments of ``gtag``."""
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
            self._tell(MAPPING[name], fields, ecommerce or fields)
        elif ecommerce and not name:
            self._ecommerce = ecommerce

    def _tell(self, event: str, fields: JSObject, ecommerce: JSObject) -> None:
        """Tell of the items of a push; of one without a list of them, of the item that it is."""
        items = get(ecommerce, "items")
        if not isinstance(items, list):
            items = [fields]
        ids: list[str] = []
        for item in items:
            if event != PURCHASE:
                invoke(self._tell_item, None, event, item, ecommerce)
            else:
                item_id = invoke(read_id, None, item)
                if item_id:
                    ids.append(item_id)
        if event == PURCHASE:
            order = get(ecommerce, "transaction_id") or get(fields, "transaction_id")
            tell("track", event, record({"ids": ids, "order": order}))

    def _tell_item(self, event: str, item: JSObject, ecommerce: JSObject) -> None:
        """Tell of one item, unless it was told of before."""
        item_id = read_id(item)
        if not item_id:
            return
        listing = read_text(list_of(item) or list_of(ecommerce))
        fields: dict[str, Any] = {"id": item_id, "page": PRODUCT_PAGE}
        if event != LAND_PRODUCT_PAGE:
            page = find_page(listing, LIST_WORDS)
            if page != AUTOCOMPLETE:
                page = self._page or page or (SEARCH_RESULT_PAGE if self._query else None)
            fields["page"] = page
            fields["query"] = self._query
        index = read_text(get(item, "index"))
        if index and is_digits(index) and int(index) >= self._base:
            fields["index"] = int(index) - self._base
        if self._is_new(event, item_id, event + "\n" + item_id + "\n" + str(listing)):
            tell("track", event, record(fields))

    def _is_new(self, event: str, item_id: str, key: str) -> bool:
        """Tell whether an event was not told before, and note that it is now.

        A sight is told once on a path for each list and search, and not where markup tells of it;
        an act again when the shopper has pressed something since, or after a while.
        """
        key += "\n" + str(self._query)
        is_landing = event == LAND_PRODUCT_PAGE
        is_sight = is_landing or event == VIEW_PRODUCT
        if not is_sight:
            key += str(self._gesture)
        else:
            name = LANDING if is_landing else PRODUCT
            quoted = item_id.replace("\\", "\\\\").replace('"', '\\"')
            if find_one("[" + name + '="' + quoted + '"]'):
                return False
        before = self._told.get(PREFIX + key)
        self._told[PREFIX + key] = now()
        return before is None or (not is_sight and now() - before > SAME_ACT_SECONDS)


def start(tag: JSObject) -> None:
    """Start the bridge with the settings of a script tag."""
    bridge = Bridge(tag)
    bridge.follow()
