"""The statistics of the inspector's two charts."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from neuralens_tracker.vocabulary import (
    ADD_TO_CART,
    CLICK_PRODUCT,
    LAND_PRODUCT_PAGE,
    PURCHASE,
    VIEW_PRODUCT,
)

# Two pages of results; beyond that there is too little data.
MAX_RANKS = 48
STAGES = {
    VIEW_PRODUCT: "Seen",
    CLICK_PRODUCT: "Clicked",
    LAND_PRODUCT_PAGE: "Landed on",
    ADD_TO_CART: "Added to cart",
    PURCHASE: "Bought",
}


class Figures:
    """Running counts over events."""

    def __init__(self) -> None:
        self._views: Counter[int] = Counter()
        self._clicks: Counter[int] = Counter()
        self._reached: dict[str, set[tuple[str | None, str]]] = {stage: set() for stage in STAGES}

    def count(self, event: Mapping[str, Any]) -> None:
        """Count a valid event."""
        name, rank = event["event"], event.get("index")
        if rank is not None and rank < MAX_RANKS:
            if name == VIEW_PRODUCT:
                self._views[rank] += 1
            elif name == CLICK_PRODUCT:
                self._clicks[rank] += 1
        if name in self._reached:
            self._reached[name].update((event["uid"], item["id"]) for item in event["items"])

    def summary(self) -> dict[str, Any]:
        """Return the data of the charts.

        ``ranks``: views and clicks at each rank, from 0 to the last with any. ``funnel``: how many
        products reached each stage; a product counts once per shopper.
        """
        last = max([*self._views, *self._clicks], default=-1)
        return {
            "ranks": [
                {"rank": rank, "views": self._views[rank], "clicks": self._clicks[rank]}
                for rank in range(last + 1)
            ],
            "funnel": [
                {"stage": label, "event": stage, "count": len(self._reached[stage])}
                for stage, label in STAGES.items()
            ],
        }
