"""The same small shop with each framework: a journey in a browser, and its exact ledger."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from neuralens_testing import Events
from playwright.sync_api import Browser

from tests.integrations.serving import SHOPS
from tests.integrations.shops.catalog import CHAIRS, PER_PAGE

QUERY = "oak & chair"
SEARCH = {"page": "SEARCH_RESULT_PAGE", "query": QUERY}
LANDING = {"page": "PRODUCT_PAGE"}
OPENED = CHAIRS[PER_PAGE + 1]

# The expected events of the journey as (event, ids, index, page, query), in order of its pages.
EXPECTED = [
    *(("VIEW_PRODUCT", [c.key], i, "SEARCH_RESULT_PAGE", QUERY) for i, c in enumerate(CHAIRS[:3])),
    *(
        ("VIEW_PRODUCT", [c.key], i, "SEARCH_RESULT_PAGE", QUERY)
        for i, c in enumerate(CHAIRS[3:6], start=3)
    ),
    ("CLICK_PRODUCT", [OPENED.key], PER_PAGE + 1, "SEARCH_RESULT_PAGE", QUERY),
]


def summary(event: dict[str, Any]) -> tuple[Any, ...]:
    ids = tuple(item["id"] for item in event["items"])
    return event["event"], ids, event.get("index"), event.get("page"), event.get("query")


@pytest.mark.parametrize("name", SHOPS)
def test_a_journey(
    name: str, serve: Callable[..., str], neuralens_events: Events, chromium: Browser
) -> None:
    shop = serve(name)
    uid = f"shopper-{uuid4()}"
    of_shopper = neuralens_events.of(uid)
    with chromium.new_context(base_url=shop) as context:
        context.add_cookies([{"name": "shopper", "value": uid, "url": shop}])
        page = context.new_page()

        def until(events: int) -> None:
            assert of_shopper.wait_for_count(events), of_shopper.lines()

        page.goto(f"/search?q={QUERY.replace('&', '%26')}")
        until(3)
        page.goto(f"/search?q={QUERY.replace('&', '%26')}&page=2")
        until(6)
        page.get_by_text(OPENED.name).click()
        page.wait_for_url("**/chairs/**")
        until(8)
        page.get_by_role("button").click()
        page.wait_for_url("**/order/O-1")
        until(10)
        page.reload()
        page.wait_for_function("() => window.neuralens?.version")
        page.evaluate("neuralens('track', 'SHARE', {id: 'end'})")
        until(11)
    events = of_shopper.bodies()
    (end,) = [event for event in events if event["items"][0]["id"] == "end"]
    got = Counter(summary(event) for event in events if event is not end)
    expected = Counter((event, tuple(map(str, ids)), *rest) for event, ids, *rest in EXPECTED)
    # The attributed query of landing and cart is determined by the tracker, not by the shop.
    carried = {(event, ids, page) for event, ids, _, page, _ in got - expected}
    assert expected - got == Counter()
    opened = (str(OPENED.key),)
    bought = tuple(str(chair.key) for chair in CHAIRS[:2])
    assert carried == {
        ("LAND_PRODUCT_PAGE", opened, "PRODUCT_PAGE"),
        ("ADD_TO_CART", opened, "PRODUCT_PAGE"),
        ("PURCHASE", bought, None),
    }
    assert len(events) == len(EXPECTED) + 3 + 1
