"""Attributes carts and purchases to the search that led to the product.

Activating a product or suggestion after a search remembers query, page and rank under its id (its
origin); activating it without a query forgets them. Later events on the same id that have no query
or rank of their own are given the remembered ones. See docs/attribution.md.
"""

from neuralens_tracker.types import Event, Fields, Settings, Store
from neuralens_tracker.value_types import is_number
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
# Storage key of the origins: {query, page, index, time} by PREFIX + product id.
ORIGINS_KEY = "a"
MAX_ORIGINS = 50


def time_of(origin: object) -> float:
    """Return when an origin was last used; far in the past if it is missing or corrupt."""
    if (
        isinstance(origin, dict)
        and isinstance(origin.get("query"), str)
        and is_number(origin.get("time"), 0, MAX_COUNT)
    ):
        time: float = origin["time"]
        return time
    return 0 - MAX_COUNT


class Attribution:
    """Remembers the origins of products: in ``storage`` with consent, otherwise in memory.

    An origin expires when it has not been set or used for ``settings["attributionMs"]``
    milliseconds; above MAX_ORIGINS the least recently used is evicted. Times are Unix seconds.
    """

    def __init__(self, settings: Settings, storage: Store) -> None:
        self._settings = settings
        self._storage = storage
        self._stored = False
        self._origins: dict[str, Fields] = {}

    def store(self) -> None:
        """Move origins to storage: the shopper has consented."""
        unsaved = self._origins
        # A page may repeat the decision, when other tabs have stored more.
        is_new = not self._stored
        self._stored = True
        if is_new and len(unsaved.keys()) > 0:
            self._load()
            self._origins.update(unsaved)
            self._save()

    def clear(self) -> None:
        """Forget all origins, because consent was withdrawn; the caller erases storage."""
        self._stored = False
        self._origins = {}

    def apply(self, event: Event, now: float, has_no_query: bool) -> bool:
        """Remember the origin of an activation, or fill query and index of a later event in place.

        ``has_no_query``: the page declares that there is no query, so nothing is filled. Returns
        whether the query was filled.
        """
        self._load()
        if event["event"] in ACTIVATIONS:
            self._remember(event, now)
        return event["event"] in FILLED and not has_no_query and self._fill(event, now)

    def _load(self) -> None:
        """Read the origins again, because other tabs may have changed them."""
        if self._stored and self._storage.read(ORIGINS_KEY):
            self._origins = self._storage.load(ORIGINS_KEY)

    def _save(self) -> None:
        # Also if there are none, which other tabs could not tell from a storage that is blocked.
        if self._stored:
            self._storage.save(ORIGINS_KEY, self._origins)

    def _remember(self, event: Event, now: float) -> None:
        key: str = PREFIX + event["items"][0]["id"]
        origins: dict[str, Fields] = self._origins
        origins[key] = {
            "query": event.get("query"),
            "page": event.get("page"),
            "index": event.get("index"),
            "time": now,
        }
        keys = list(origins.keys())
        evicted = key
        if event.get("query"):
            for other in keys:
                if time_of(origins[other]) < time_of(origins[evicted]):
                    evicted = other
        if not event.get("query") or len(keys) > MAX_ORIGINS:
            del origins[evicted]
        self._save()

    def _fill(self, event: Event, now: float) -> bool:
        """Fill query and index; with several items, only values on which all origins agree."""
        query: str | None = None
        index: int | None = None
        for item in event["items"]:
            key = PREFIX + item["id"]
            if now - time_of(self._origins.get(key)) > self._settings["attributionMs"] / 1000:
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
        has_query = event.get("query") is not None
        # A rank only makes sense with the query whose results it was in.
        if event.get("index") is None and (not has_query or event["query"] == query):
            event["index"] = index
        if not has_query:
            event["query"] = query
        return not has_query
