"""What the inspector's two charts show."""

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

# Two pages of results; further down a list there is too little to see anything in.
RANKS = 48
STAGES = {
    VIEW_PRODUCT: "Seen",
    CLICK_PRODUCT: "Clicked",
    LAND_PRODUCT_PAGE: "Looked at",
    ADD_TO_CART: "In the cart",
    PURCHASE: "Bought",
}


class Figures:
    """Counts over events, one after the other."""

    def __init__(self) -> None:
        self._views: Counter[int] = Counter()
        self._clicks: Counter[int] = Counter()
        self._reached: dict[str, set[tuple[str | None, str]]] = {stage: set() for stage in STAGES}

    def count(self, event: Mapping[str, Any]) -> None:
        """Take one event in; ``event`` is a right one."""
        name, rank = event["event"], event.get("index")
        if rank is not None and rank < RANKS:
            if name == VIEW_PRODUCT:
                self._views[rank] += 1
            elif name == CLICK_PRODUCT:
                self._clicks[rank] += 1
        if name in self._reached:
            self._reached[name].update((event["uid"], item["id"]) for item in event["items"])

    def summary(self) -> dict[str, Any]:
        """Return what the charts need.

        ``ranks``: views and clicks at each rank from 0 to the last that has any. ``funnel``: how
        many products got to each stage; a product counts once for each shopper.
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
