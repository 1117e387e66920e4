"""A shopper's journey through the demo, from the first scroll to a reloaded confirmation.

After every step the sandbox's ledger has to hold exactly what was expected so far: each event,
every field of it, and nothing else.
"""

import json
import re
import time

import httpx
import pytest
from neuralens_demo.browsing import RESULTS
from neuralens_demo.catalog import Catalog
from neuralens_demo.search import phrases, rank, suggest
from neuralens_tracker.vocabulary import EVENTS

from tests.clients import CERTIFICATES
from tests.polling import TIMEOUT, eventually

pytestmark = pytest.mark.every_engine
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
# The demo's own hooks add it to every event.
PLACE = {"region": "Europe"}
# [id, list] of the tiles of which at least half is in the viewport and in its scroll container.
IN_VIEW = """() => [...document.querySelectorAll("[data-nl-product]")].filter((tile) => {
    const box = tile.getBoundingClientRect();
    const around = tile.closest("[role=listbox]")?.getBoundingClientRect();
    const top = Math.max(box.top, 0, around?.top ?? 0);
    const bottom = Math.min(box.bottom, innerHeight, around?.bottom ?? innerHeight);
    return box.height > 0 && bottom - top >= box.height / 2 && !tile.closest("[data-nl-purchase]");
}).map((tile) => [tile.dataset.nlProduct, tile.closest("[data-nl-list]").dataset.nlList])"""

# Products in the list under the search box.
SUGGESTED = """() => [...document.querySelectorAll("[role=listbox] [data-nl-product]")]
    .map((tile) => tile.dataset.nlProduct)"""


class Shop:
    """The expected content of the shop, from its catalog instead of its pages."""

    def __init__(self):
        self.catalog = Catalog()
        departments = self.catalog.categories.values()
        self.assortment = [each for one in departments for each in self.catalog.within(one)]
        self.newest = [self.catalog.within(one)[1].id for one in departments][:4]

    def results(self, query):
        return [product.id for product in rank(query, self.assortment)]

    def suggestions(self, typed):
        return suggest(typed, phrases(self.catalog))

    def recommended(self, product):
        chosen = self.catalog.recommendations(self.catalog.products[product])
        return [other.id for other in chosen]


class Journey:
    """A shopper's tab, and the events that are expected so far."""

    def __init__(self, page, ledger, shop):
        self.page = page
        self.shop = shop
        self._ledger = ledger
        self._expected = []
        self._seen = set()
        self._lists = {}

    def arrive(self, **lists):
        """Look at a new page; ``lists`` are the ids of each list and their context."""
        self._seen, self._lists = set(), {}
        for name in lists:
            # The state alone may still be that of the page before.
            self.page.locator(f"[data-nl-list={name.replace('_', '-')}]").first.wait_for()
        self.page.wait_for_load_state()
        self.look(**lists)

    def look(self, **lists):
        """Stay until each product in the viewport was seen, once per page; ``lists`` are added."""
        self._lists |= lists
        for product, name in self.page.evaluate(IN_VIEW):
            ids, context = self._lists[name.replace("-", "_")]
            if (product, name) not in self._seen:
                self._seen.add((product, name))
                self.expect("VIEW_PRODUCT", product, index=ids.index(product), **context)
        self.check()

    def reach(self, target):
        """Scroll to an element, and look at the page there."""
        target.scroll_into_view_if_needed()
        self.look()
        return target

    def type(self, text):
        """Type into the search box, and wait until the suggestions were seen."""
        self.page.get_by_role("combobox").fill(text)
        products = self.shop.results(text)[:3]
        eventually(lambda: self.page.evaluate(SUGGESTED) == products)
        typed = {"page": "AUTOCOMPLETE", "query": text}
        for index, suggestion in enumerate(self.shop.suggestions(text)):
            self.expect("VIEW_SUGGESTION", suggestion, index=index, **typed)
        self.look(suggested_products=(products, typed))
        return typed

    def expect(self, event, *ids, **fields):
        items = [{"id": each} for each in ids]
        self._expected.append({"event": event, "items": items, "geo": PLACE, **fields})

    def events(self):
        return [
            entry["body"]
            for entry in httpx.get(self._ledger, timeout=TIMEOUT, verify=CERTIFICATES).json()
        ]

    def check(self):
        """Wait until the ledger contains exactly the expected events."""

        def in_order(events):
            return sorted(json.dumps(event, sort_keys=True) for event in events)

        def stripped(event):
            return {k: v for k, v in event.items() if k not in ("uid", "timestamp")}

        deadline = time.monotonic() + TIMEOUT
        expected = in_order(self._expected)
        while (taken := in_order(map(stripped, self.events()))) != expected:
            if time.monotonic() > deadline:
                assert taken == expected
            self.page.wait_for_timeout(50)


@pytest.fixture
def journey(new_profile, demo, runtime, engine):
    httpx.delete(demo.ledger, timeout=TIMEOUT, verify=CERTIFICATES).raise_for_status()
    with new_profile(demo.shop, {"width": 1280, "height": 900}) as context:
        context.add_cookies([{"name": "runtime", "value": runtime, "url": demo.shop}])
        page = context.new_page()
        wrong = []
        if engine == "chromium":
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("console", lambda line: line.type != "log" and wrong.append(line.text))
        yield Journey(page, demo.ledger, Shop())
        assert wrong == []


def test_journey(journey):
    start = int(time.time())
    consent(journey)
    search(journey)
    choose_suggestion(journey)
    first, second = journey.shop.results("chairs")[RESULTS:][:2]
    add_from_the_second_page(journey, first)
    open_product(journey, second)
    act_on_product(journey, second)
    order(journey, first, second)
    return_to_the_shop(journey, first)

    events = journey.events()
    assert {event["event"] for event in events} == set(EVENTS)
    (uid,) = {event["uid"] for event in events}
    assert UUID.fullmatch(uid)
    assert all(
        isinstance(event["timestamp"], int) and start <= event["timestamp"] <= time.time()
        for event in events
    )


CHAIRS = {"page": "SEARCH_RESULT_PAGE", "query": "chairs"}
PRODUCT = {"page": "PRODUCT_PAGE"}
# A product found by search keeps the query.
FOUND = {**PRODUCT, "index": RESULTS + 1, "query": "chairs"}


def home(journey):
    """Return the lists of the home page."""
    return {"new": (journey.shop.newest, {"page": "CATEGORY_PAGE"})}


def recommendations(journey, product):
    """Return the lists of a product's page."""
    return {"recommendations": (journey.shop.recommended(product), PRODUCT)}


def consent(journey):
    page = journey.page
    page.goto("/")
    page.evaluate("scrollBy({ top: 400, behavior: 'instant' })")
    journey.arrive(**home(journey))
    page.locator("[data-consent-banner]").get_by_role("button", name="Allow").click()
    page.locator("[data-consent-banner]").wait_for(state="detached")
    journey.look(**home(journey))


def search(journey):
    page = journey.page
    journey.type("oak")
    page.get_by_role("combobox").press("Enter")
    page.wait_for_url("**/search?q=oak")
    oak = {"page": "SEARCH_RESULT_PAGE", "query": "oak"}
    journey.arrive(results=(journey.shop.results("oak"), oak))


def choose_suggestion(journey):
    page = journey.page
    typed = journey.type("cha")
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "Enter"):
        page.get_by_role("combobox").press(key)
    journey.expect("CLICK_SUGGESTION", "chairs", index=0, **typed)
    page.wait_for_url("**/search?q=chairs")
    journey.arrive(results=(journey.shop.results("chairs"), CHAIRS))


def add_from_the_second_page(journey, product):
    page = journey.page
    journey.reach(page.get_by_role("link", name="Next")).click()
    page.wait_for_url("**/search?q=chairs&page=2")
    journey.arrive(results=(journey.shop.results("chairs"), CHAIRS))
    tile = page.locator(f"[data-nl-product={product}]")
    journey.reach(tile.get_by_role("button", name="Add to cart")).click()
    journey.expect("ADD_TO_CART", product, index=RESULTS, **CHAIRS)
    journey.check()


def open_product(journey, product):
    page = journey.page
    journey.reach(page.locator(f"[data-nl-product={product}] img")).click()
    journey.expect("CLICK_PRODUCT", product, index=RESULTS + 1, **CHAIRS)
    page.wait_for_url(f"**/product/{product}")
    journey.expect("LAND_PRODUCT_PAGE", product, **FOUND)
    journey.arrive(**recommendations(journey, product))


def act_on_product(journey, product):
    page = journey.page
    article = page.get_by_role("article")
    for control, event in (
        (article.get_by_role("button", name="Add to cart"), "ADD_TO_CART"),
        (article.get_by_role("button", name="Favorite"), "FAVORITE"),
        (article.get_by_role("link", name="Share"), "SHARE"),
    ):
        journey.reach(control).click()
        journey.expect(event, product, **FOUND)
        journey.check()
    favorite = article.get_by_role("button", name="Favorite")
    page.locator("article button[aria-pressed=true]").wait_for()
    # Neither removing the favorite nor changes in the cart are events.
    favorite.click()
    page.locator("article button[aria-pressed=false]").wait_for()


def order(journey, *products):
    page = journey.page
    page.get_by_role("link", name="Cart, 2 pieces").click()
    page.get_by_role("link", name="To the checkout").click()
    page.get_by_role("button", name="Place the order").click()
    page.wait_for_url("**/order/*")
    journey.expect("PURCHASE", *products)
    journey.check()


def return_to_the_shop(journey, product):
    """Reload the confirmation, and end with an event that would arrive after any of the reload."""
    page = journey.page
    page.reload()
    page.get_by_role("link", name="Back to the shop").click()
    journey.arrive(**home(journey))
    page.goto(f"/product/{product}")
    journey.expect("LAND_PRODUCT_PAGE", product, **PRODUCT)
    journey.arrive(**recommendations(journey, product))
