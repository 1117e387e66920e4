"""Which search a product was found by: kept from the activation to the cart and the purchase.

Activating a product or a suggestion after a search remembers its query, page and rank under its
id; activating it while browsing, without a query, forgets them. Later events on it that do not say
a query or a rank of their own carry the remembered ones. See docs/attribution.md.
"""

from typing import Any

from neuralens_tracker.value_types import COUNT, TEXT, read
from neuralens_tracker.vocabulary import (
    ADD_TO_CART,
    CLICK_PRODUCT,
    CLICK_SUGGESTION,
    FAVORITE,
    LAND_PRODUCT_PAGE,
    PREFIX,
    PURCHASE,
    SHARE,
)

ACTIVATIONS = (CLICK_PRODUCT, CLICK_SUGGESTION)
FILLED = (LAND_PRODUCT_PAGE, FAVORITE, SHARE, ADD_TO_CART, PURCHASE)
# Where storage keeps one origin: the JSON of {query, page, index, time}, under the product's id.
ORIGIN_KEY = "a:"
MOST_ORIGINS = 50


class Attribution:
    """Remembers the origin of products: in ``storage`` once there is consent, else in memory.

    ``parse`` and ``dump`` turn JSON into text and back. An origin that was neither set nor used
    for ``settings["attributionMs"]`` milliseconds is none; beyond MOST_ORIGINS the one unused for
    longest is forgotten. Times are Unix seconds.
    """

    def __init__(self, settings: dict[str, Any], storage: Any, parse: Any, dump: Any) -> None:
        self._settings = settings
        self._storage = storage
        self._parse = parse
        self._dump = dump
        self._stored = False
        # Origins by PREFIX and id, as JSON, until storage may keep them.
        self._held: dict[str, str] = {}

    def store(self) -> None:
        """Keep origins in storage from now on: the shopper has consented."""
        self._stored = True
        for key in list(self._held.keys()):
            self._write(key[len(PREFIX) :], self._held[key])
        self._held = {}

    def clear(self) -> None:
        """Forget every origin: the shopper has refused; storage is erased by who asked for it."""
        self._stored = False
        self._held = {}

    def apply(self, event: dict[str, Any], now: float) -> bool:
        """Remember where an activation came from; fill query and index of what follows one.

        Tells whether the query was filled.
        """
        name = event["event"]
        if name in ACTIVATIONS:
            self._remember(event, now)
        return name in FILLED and self._fill(event, now)

    def _remember(self, event: dict[str, Any], now: float) -> None:
        product = event["items"][0]["id"]
        if event.get("query"):
            origin = {
                "query": event["query"],
                "page": event.get("page"),
                "index": event.get("index"),
                "time": now,
            }
            self._write(product, self._dump(origin))
            self._trim()
        else:
            self._erase(product)

    def _fill(self, event: dict[str, Any], now: float) -> bool:
        """Fill query and index, of several items only where all agree."""
        origin: Any = None
        for item in event["items"]:
            found = self._find(item["id"], now)
            if found is None or (origin and origin["query"] != found["query"]):
                return False
            if origin is None:
                origin = found
            elif origin["index"] != found["index"]:
                origin["index"] = None
        says_query = event.get("query") is not None
        # A rank is one in the results of its query, not of another one that the page says.
        if event.get("index") is None and (not says_query or event["query"] == origin["query"]):
            event["index"] = origin["index"]
        if not says_query:
            event["query"] = origin["query"]
        return not says_query

    def _find(self, product: str, now: float) -> Any:
        """Return a product's origin, used just now; None when there is none, or no more."""
        origin = self._read(product)
        if origin is None or now - origin["time"] > self._settings["attributionMs"] / 1000:
            return None
        origin["time"] = now
        self._write(product, self._dump(origin))
        return origin

    def _trim(self) -> None:
        """Forget the origins that were unused for longest, beyond as many as are kept."""
        names = self._names()
        while len(names) > MOST_ORIGINS:
            oldest = names[0]
            for name in names:
                if self._time(name) < self._time(oldest):
                    oldest = name
            self._erase(oldest)
            names = self._names()

    def _time(self, product: str) -> float:
        origin = self._read(product)
        return origin["time"] if origin else 0

    def _names(self) -> list[str]:
        """Return the ids of the products whose origin is kept."""
        if self._stored:
            return [name[len(ORIGIN_KEY) :] for name in self._storage.names(ORIGIN_KEY)]
        return [key[len(PREFIX) :] for key in list(self._held.keys())]

    def _read(self, product: str) -> Any:
        """Return what is kept of a product; storage may hold anything."""
        text = self._held.get(PREFIX + product)
        if self._stored:
            text = self._storage.read(ORIGIN_KEY + product)
        origin = self._parse(text) if text else None
        if (
            isinstance(origin, dict)
            and read(TEXT, origin.get("query")) is not None
            and isinstance(origin.get("time"), (int, float))
        ):
            return {
                "query": origin["query"],
                "page": origin.get("page"),
                "index": read(COUNT, origin.get("index")),
                "time": origin["time"],
            }
        return None

    def _write(self, product: str, text: str) -> None:
        if self._stored:
            self._storage.write(ORIGIN_KEY + product, text)
        else:
            self._held[PREFIX + product] = text

    def _erase(self, product: str) -> None:
        if self._stored:
            self._storage.erase(ORIGIN_KEY + product)
        elif self._held.get(PREFIX + product) is not None:
            del self._held[PREFIX + product]
