"""Attribution as a state machine: tabs that click, navigate, wait, grant and refuse consent."""

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from neuralens_tracker.attribution import Attribution

LIFE_S = 100
IDS = ["A", "B", "C"]
ids = st.sampled_from(IDS)
tabs = st.sampled_from([0, 1])
queries = st.sampled_from(["oak", "ash"])
ranks = st.sampled_from([None, 0, 7])
FOLLOWING = st.sampled_from(["LAND_PRODUCT_PAGE", "FAVORITE", "SHARE", "ADD_TO_CART"])
# A product's attribution in a tab: its query, its rank, and when it was last used.
Memory = dict[str, tuple[str, int | None, float]]


class Store:
    """The storage of a site, shared by its tabs."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def read(self, key: str) -> str | None:
        return json.dumps(self.kept[key]) if key in self.kept else None

    def load(self, key: str) -> Any:
        return self.kept.get(key, {})

    def erase(self, key: str) -> None:
        self.kept.pop(key, None)

    def save(self, key: str, value: Any) -> bool:
        self.kept[key] = {name: dict(origin) for name, origin in value.items()}
        return True


class Shopper(RuleBasedStateMachine):
    """Compares the events of tabs with a model: a dict per tab, and one for the storage."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        given: Any = {"attributionMs": LIFE_S * 1000}
        self.tabs = [Attribution(given, self.store) for _ in range(2)]  # type: ignore[arg-type]
        self.stored: Memory = {}
        self.memories: list[Memory] = [{}, {}]
        self.granted = [False, False]
        self.now = 1_000_000.0

    def known(self, tab: int) -> Memory:
        """Return the attributions that a tab can read: with consent, those in storage."""
        return self.stored if self.granted[tab] else self.memories[tab]

    def found_by(self, tab: int, item: str) -> tuple[str, int | None] | None:
        """Return the query and rank attributed to a product, and mark them as used."""
        origin = self.known(tab).get(item)
        if origin is None or self.now - origin[2] > LIFE_S:
            return None
        self.known(tab)[item] = (origin[0], origin[1], self.now)
        return origin[0], origin[1]

    def tell(self, tab: int, name: str, items: list[str], **fields: Any) -> dict[str, Any]:
        has_no_query = fields.pop("has_no_query", False)
        event: dict[str, Any] = {"event": name, "items": [{"id": item} for item in items], **fields}
        self.tabs[tab].apply(event, self.now, has_no_query)  # type: ignore[arg-type]
        return event

    @rule(tab=tabs, item=ids, query=queries, index=ranks)
    def activate(self, tab: int, item: str, query: str, index: int | None) -> None:
        self.tell(tab, "CLICK_PRODUCT", [item], query=query, page=None, index=index)
        self.known(tab)[item] = (query, index, self.now)

    @rule(tab=tabs, item=ids)
    def browse(self, tab: int, item: str) -> None:
        """A product found without a search has no attributed query."""
        self.tell(tab, "CLICK_PRODUCT", [item], query=None, page="CATEGORY_PAGE", index=3)
        self.known(tab).pop(item, None)

    @rule(tab=tabs, item=ids, name=FOLLOWING)
    def follow(self, tab: int, item: str, name: str) -> None:
        event = self.tell(tab, name, [item], query=None, page=None, index=None)
        assert (event["query"], event["index"]) == (self.found_by(tab, item) or (None, None))

    @rule(tab=tabs, item=ids, name=FOLLOWING)
    def follow_where_the_page_has_no_query(self, tab: int, item: str, name: str) -> None:
        event = self.tell(tab, name, [item], query=None, page=None, index=None, has_no_query=True)
        assert (event["query"], event["index"]) == (None, None)

    @rule(tab=tabs, item=ids, query=queries)
    def follow_with_a_query_of_its_own(self, tab: int, item: str, query: str) -> None:
        event = self.tell(tab, "ADD_TO_CART", [item], query=query, page=None, index=None)
        found = self.found_by(tab, item)
        rank = found[1] if found and found[0] == query else None
        assert (event["query"], event["index"]) == (query, rank)

    @rule(tab=tabs)
    def buy_everything(self, tab: int) -> None:
        """The query is filled only if all products agree."""
        event = self.tell(tab, "PURCHASE", IDS, query=None, page=None, index=None)
        origins = []
        for item in IDS:
            origins.append(self.found_by(tab, item))
            if origins[-1] is None or origins[-1][0] != origins[0][0]:
                assert (event["query"], event["index"]) == (None, None)
                return
        same_rank = len({origin[1] for origin in origins if origin}) == 1
        assert event["query"] == origins[0][0]
        assert event["index"] == (origins[0][1] if same_rank else None)

    @rule(seconds=st.sampled_from([1, LIFE_S / 2, LIFE_S + 1]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(tab=tabs)
    def consent(self, tab: int) -> None:
        """Pages may repeat the decision."""
        self.tabs[tab].store()
        self.stored.update(self.memories[tab])
        self.memories[tab] = {}
        self.granted[tab] = True

    @rule()
    def refuse(self) -> None:
        """The pipeline erases the storage."""
        self.store.kept.clear()
        for tab in self.tabs:
            tab.clear()
        self.stored = {}
        self.memories = [{}, {}]
        self.granted = [False, False]

    @invariant()
    def stores_nothing_before_consent(self) -> None:
        assert any(self.granted) or self.store.kept == {}


TestShopper = Shopper.TestCase
TestShopper.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_what_another_tab_has_forgotten() -> None:
    shopper = Shopper()
    shopper.consent(0)
    shopper.consent(1)
    shopper.activate(0, "A", "ash", 0)
    shopper.browse(1, "A")
    shopper.follow(0, "A", "SHARE")


def test_consent_repeated_when_another_tab_knows_more() -> None:
    shopper = Shopper()
    shopper.consent(0)
    shopper.activate(0, "A", "oak", None)
    shopper.consent(1)
    shopper.activate(1, "A", "ash", None)
    shopper.consent(0)
    shopper.follow(0, "A", "SHARE")
