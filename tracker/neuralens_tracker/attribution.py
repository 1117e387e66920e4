"""Which search a product was found by: kept from the activation to the cart and the purchase.

Activating a product or a suggestion after a search remembers its query, page and rank under its
id; activating it while browsing, without a query, forgets them. Later events on it that do not say
a query or a rank of their own carry the remembered ones. See docs/attribution.md.
"""

from typing import Any

from neuralens_tracker.types import Event, Settings, Store
from neuralens_tracker.value_types import TEXT, is_number, read
from neuralens_tracker.vocabulary import (
    ADD_TO_CART,
    CLICK_PRODUCT,
    CLICK_SUGGESTION,
    FAVORITE,
    LAND_PRODUCT_PAGE,
    MAX_COUNT,
    PREFIX,
    PURCHASE,
    SHARE,
)

ACTIVATIONS = (CLICK_PRODUCT, CLICK_SUGGESTION)
FILLED = (LAND_PRODUCT_PAGE, FAVORITE, SHARE, ADD_TO_CART, PURCHASE)
# Where storage keeps the origins: {query, page, index, time}, by PREFIX and the product's id.
ORIGINS_KEY = "a"
MOST_ORIGINS = 50


class Attribution:
    """Remembers the origin of products: in ``storage`` once there is consent, else in memory.

    An origin that was neither set nor used for ``settings["attributionMs"]`` milliseconds is none;
    beyond MOST_ORIGINS the one unused for longest is forgotten. Times are Unix seconds.
    """

    def __init__(self, settings: Settings, storage: Store) -> None:
        self._settings = settings
        self._storage = storage
        self._stored = False
        self._origins: dict[str, Any] = {}

    def store(self) -> None:
        """Keep origins in storage from now on: the shopper has consented."""
        held = self._origins
        self._stored = True
        self._load()
        self._origins.update(held)
        self._save()

    def clear(self) -> None:
        """Forget every origin: the shopper has refused; storage is erased by who asked for it."""
        self._stored = False
        self._origins = {}

    def apply(self, event: Event, now: float) -> bool:
        """Remember where an activation came from; fill query and index of what follows one.

        Tells whether the query was filled.
        """
        self._load()
        if event["event"] in ACTIVATIONS:
            self._remember(event, now)
        return event["event"] in FILLED and self._fill(event, now)

    def _load(self) -> None:
        """Take in what other tabs have stored."""
        kept = self._storage.load(ORIGINS_KEY) if self._stored else None
        if isinstance(kept, dict):
            self._origins = kept

    def _save(self) -> None:
        if self._stored and len(self._origins.keys()) > 0:
            self._storage.save(ORIGINS_KEY, self._origins)
        elif self._stored:
            self._storage.erase(ORIGINS_KEY)

    def _remember(self, event: Event, now: float) -> None:
        key: str = PREFIX + event["items"][0]["id"]
        origins: dict[str, Any] = self._origins
        origins[key] = {
            "query": event.get("query"),
            "page": event.get("page"),
            "index": event.get("index"),
            "time": now,
        }
        keys = list(origins.keys())
        forgotten = key
        if event.get("query"):
            for other in keys:
                if self._time(other) < self._time(forgotten):
                    forgotten = other
        if not event.get("query") or len(keys) > MOST_ORIGINS:
            del origins[forgotten]
        self._save()

    def _fill(self, event: Event, now: float) -> bool:
        """Fill query and index, of several items only where all agree."""
        query: Any = None
        index: Any = None
        for item in event["items"]:
            key = PREFIX + item["id"]
            if now - self._time(key) > self._settings["attributionMs"] / 1000:
                return False
            origin = self._origins[key]
            origin["time"] = now
            if query is None:
                query = origin["query"]
                index = origin.get("index")
            if query != origin["query"]:
                return False
            if index != origin.get("index"):
                index = None
        self._save()
        says_query = event.get("query") is not None
        # A rank is one in the results of its query, not of another one that the page says.
        if event.get("index") is None and (not says_query or event["query"] == query):
            event["index"] = index
        if not says_query:
            event["query"] = query
        return not says_query

    def _time(self, key: str) -> float:
        """Return when an origin was used last; long ago for none, for storage may hold anything."""
        origin: Any = self._origins.get(key)
        if (
            isinstance(origin, dict)
            and read(TEXT, origin.get("query")) == origin.get("query")
            and is_number(origin.get("time"), 0, MAX_COUNT)
        ):
            time: float = origin["time"]
            return time
        return 0 - MAX_COUNT
