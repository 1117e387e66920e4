"""The GA4 bridge: what the sandbox takes of what a page pushes to its data layer."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page

from tests.browser.ledger import Event

EMPTY = "window.dataLayer = []; function gtag() { dataLayer.push(arguments) }"
LIST = """{event: "view_item_list", ecommerce: {item_list_id: "search_results", items: [
    {item_id: "A", index: 1}, {item_id: "B", index: "2"}, {item_id: "C"},
    {item_id: 4, index: 0}]}}"""
ADD = '{event: "add_to_cart", ecommerce: {items: [{item_id: "A"}]}}'
SEARCH = "SEARCH_RESULT_PAGE"
CATEGORY = "CATEGORY_PAGE"
PRODUCT = "PRODUCT_PAGE"


@pytest.fixture
def shop_page(show: Callable[..., Page]) -> Callable[..., Page]:
    """Show a page with the bridge: ``shop_page(before, body="", **settings)``."""

    def shop_page(before: str = EMPTY, body: str = "", **given: Any) -> Page:
        page = show(body, before=before, addons=["ga4"], **given)
        page.wait_for_function("window['neuralens.ga4.js']")
        return page

    return shop_page


@pytest.fixture
def told(ledger: Any) -> Callable[[Page], list[tuple[Any, ...]]]:
    """Return what came of it: (event, ids, index, query, page), in the order of the pushes."""

    def told(page: Page) -> list[tuple[Any, ...]]:
        return [brief(event) for event in ledger.settle(page)]

    return told


def brief(event: Event) -> tuple[Any, ...]:
    ids = " ".join(item["id"] for item in event["items"])
    return (event.name, ids, event.get("index"), event.get("query"), event.get("page"))


def push(page: Page, *entries: str) -> None:
    page.evaluate(f"void dataLayer.push({', '.join(entries)})")


def test_pushes_from_before_the_script_and_after_it(shop_page, told):
    page = shop_page(f"dataLayer = [{LIST}]", ga4_index_base=1)
    push(
        page,
        """{event: "select_item", ecommerce: {items: [
            {item_id: "B", index: 2, item_list_name: "Search results"}]}}""",
    )
    assert told(page) == [
        ("VIEW_PRODUCT", "A", 0, None, SEARCH),
        ("VIEW_PRODUCT", "B", 1, None, SEARCH),
        ("VIEW_PRODUCT", "C", None, None, SEARCH),
        ("VIEW_PRODUCT", "4", None, None, SEARCH),
        ("CLICK_PRODUCT", "B", 1, None, SEARCH),
    ]
    assert page.said == []


@pytest.fixture
def order():
    """The number of an order that no other test has: a relay takes each once."""
    return uuid4().int % 10**9


def test_every_event_of_the_mapping_by_both_forms(shop_page, told, order):
    page = shop_page()
    item = 'items: [{item_id: "A", index: 3}]'
    names = ["view_item", "add_to_cart", "add_to_wishlist", "view_cart", "share"]
    for name in names:
        push(page, f'{{event: "{name}", ecommerce: {{{item}}}}}')
    page.evaluate("gtag('event', 'share', {method: 'Mail', content_type: 'image', item_id: 'S'})")
    page.evaluate("gtag('event', 'view_item', {items: [{item_id: 'G'}]})")
    page.evaluate("gtag('event', 'add_to_cart', {items: [{id: 'G', index: 0}]})")
    page.evaluate(
        f"gtag('event', 'purchase', {{transaction_id: {order}, items: [{{item_id: 'G'}}]}})"
    )
    page.evaluate("gtag('event', 'page_view'); gtag('js', new Date())")
    assert told(page) == [
        ("LAND_PRODUCT_PAGE", "A", 3, None, PRODUCT),
        ("ADD_TO_CART", "A", 3, None, None),
        ("FAVORITE", "A", 3, None, None),
        ("SHARE", "A", 3, None, None),
        ("SHARE", "S", None, None, None),
        ("LAND_PRODUCT_PAGE", "G", None, None, PRODUCT),
        ("ADD_TO_CART", "G", 0, None, None),
        ("PURCHASE", "G", None, None, None),
    ]
    assert page.said == []


@pytest.mark.parametrize(
    ("pushed", "query", "page_type"),
    [
        ('{event: "view_search_results", search_term: "oak"}', "oak", SEARCH),
        ('{event: "search", search_term: "oak", page_type: "Category"}', "oak", CATEGORY),
        ('{pageType: "product_listing"}', None, CATEGORY),
        ('{ecomm_pagetype: "searchresults"}', None, SEARCH),
        ('{page_type: "product"}', None, PRODUCT),
        ('{page_type: "wishlist"}', None, None),
        ('{page_type: {product: 1}, search_term: ["oak"]}', None, None),
    ],
)
def test_page_and_query_of_what_follows(pushed, query, page_type, shop_page, told):
    page = shop_page(f"dataLayer = [{pushed}, {ADD}]")
    assert told(page) == [("ADD_TO_CART", "A", None, query, page_type)]


def test_another_path_is_another_page(shop_page, told):
    page = shop_page(
        f"{EMPTY}gtag('event', 'view_search_results', {{search_term: 'oak', page_type: 'search'}})"
    )
    view = '{event: "view_item_list", ecommerce: {items: [{item_id: "A"}]}}'
    push(page, view, view)
    page.evaluate("history.pushState(null, '', '/?page=2')")
    push(page, view)
    page.evaluate("history.pushState(null, '', '/chairs')")
    push(page, view, view)
    assert told(page) == [
        ("VIEW_PRODUCT", "A", None, "oak", SEARCH),
        ("VIEW_PRODUCT", "A", None, None, None),
    ]


def test_what_is_pushed_alone_is_about_the_next_event(shop_page, told):
    page = shop_page()
    push(page, '{ecommerce: {items: [{item_id: "A"}]}}', '{event: "add_to_cart"}')
    push(page, '{event: "add_to_wishlist"}', "{ecommerce: null}")
    assert told(page) == [("ADD_TO_CART", "A", None, None, None)]


def test_one_order_is_one_purchase(shop_page, told, show, order):
    purchase = f"""{{event: "purchase", ecommerce: {{transaction_id: "T-{order}", items: [
        {{item_id: "A", index: 1}}, {{item_id: "B"}}, {{item_name: "without an id"}}]}}}}"""
    page = shop_page(f"dataLayer = [{purchase}, {purchase}]")
    told(page)
    page.reload()
    page.wait_for_function("window['neuralens.ga4.js'] && neuralens.version")
    push(page, purchase)
    assert told(page) == [("PURCHASE", "A B", None, None, None)]


def test_an_act_that_is_pushed_twice_is_one_unless_the_shopper_acts_twice(shop_page, told):
    page = shop_page(body="<p>Chair</p>")
    push(page, ADD, ADD)
    page.evaluate("gtag('event', 'add_to_cart', {items: [{item_id: 'A'}]})")
    page.click("p")
    push(page, ADD)
    assert told(page) == [("ADD_TO_CART", "A", None, None, None)] * 2


def test_a_push_confirms_what_waits_for_the_shops_word(shop_page, told):
    page = shop_page(
        body="""<ol data-nl-list="l" data-nl-page="CATEGORY_PAGE"><li data-nl-product="A">
        <button data-nl-action="add-to-cart" data-nl-confirm>Add</button></ol>"""
    )
    page.click("button")
    push(page, ADD)
    adds = [event for event in told(page) if event[0] == "ADD_TO_CART"]
    assert adds == [("ADD_TO_CART", "A", 0, None, CATEGORY)]


def test_what_markup_tells_is_not_told_twice(shop_page, told):
    page = shop_page(
        f"dataLayer = [{LIST}, {{event: 'view_item', ecommerce: {{items: [{{item_id: 'A'}}]}}}}]",
        '<h1 data-nl-landing="A">A</h1><div data-nl-product="B">B</div>',
    )
    page.wait_for_load_state("networkidle")
    events = told(page)
    ids = sorted(event[:2] for event in events)
    assert ("LAND_PRODUCT_PAGE", "A") in ids
    assert len(ids) == len(set(ids)), events


# Each returns what ``push`` returned; ``seen`` holds what a replaced push was called with.
REPLACEMENTS = {
    "before": (
        """window.seen = []; dataLayer = []; const own = dataLayer.push;
        dataLayer.push = function (...values) {
            seen.push([this === dataLayer, ...values]); own.apply(this, values); return "own"; }""",
        "",
    ),
    "after": (
        "dataLayer = []",
        """window.seen = []; const own = dataLayer.push;
        dataLayer.push = function (...values) {
            seen.push([this === dataLayer, ...values]); own.apply(this, values); return "own"; }""",
    ),
    "without the one before": (
        "dataLayer = []",
        """window.seen = []; dataLayer.push = function (...values) {
            seen.push([this === dataLayer, ...values]);
            this[this.length] = values[0]; return "own"; }""",
    ),
}


@pytest.mark.parametrize("kind", REPLACEMENTS)
def test_a_push_that_somebody_replaces(kind, shop_page, told):
    before, after = REPLACEMENTS[kind]
    page = shop_page(before)
    page.evaluate(f"() => {{ {after} }}")
    assert page.evaluate(f"dataLayer.push({ADD})") == "own"
    assert page.evaluate("seen.map((call) => [call[0], call.length, call[1].event])") == [
        [True, 2, "add_to_cart"]
    ]
    page.evaluate(
        """new Promise((resolve) => {
            neuralens("on", "event", (event) => event.event === "SHARE" && resolve());
            dataLayer[dataLayer.length] = {event: "share", item_id: "S"};
        })"""
    )
    assert [event[:2] for event in told(page)] == [("ADD_TO_CART", "A"), ("SHARE", "S")]


def test_to_the_page_the_data_layer_is_what_it_was(shop_page, told):
    page = shop_page("dataLayer = [{a: 1}]; before = [...dataLayer]")
    assert page.evaluate(
        """[dataLayer.push({b: 2}, {c: 3}), Object.keys(dataLayer), dataLayer.length,
            dataLayer[0] === before[0], JSON.stringify(dataLayer), String(dataLayer.push.name)]"""
    ) == [3, ["0", "1", "2"], 3, True, '[{"a":1},{"b":2},{"c":3}]', "push"]
    # Tag Manager throws old entries away; a page may begin another list, or freeze it.
    page.evaluate(f"dataLayer.shift(); dataLayer.push({ADD})")
    other = ADD.replace('"A"', '"F"')
    page.evaluate(
        f"""new Promise((resolve) => {{
            neuralens("on", "event", (event) => event.items[0].id === "F" && resolve());
            dataLayer = Object.freeze([...dataLayer, {other}]);
        }})"""
    )
    assert [event[:2] for event in told(page)] == [("ADD_TO_CART", "A"), ("ADD_TO_CART", "F")]
    assert page.evaluate("Object.isFrozen(dataLayer)")


def test_hostile_entries_do_no_harm(shop_page, told, order):
    page = shop_page(
        f"const ORDER = {order};"
        """
        const cycle = {event: "add_to_cart", ecommerce: {items: [{item_id: "cycle"}]}};
        cycle.self = cycle.ecommerce.self = cycle.ecommerce.items[0].self = cycle;
        const throws = () => { throw new Error("mine"); };
        dataLayer = [null, undefined, 0, "event", NaN, Symbol("s"), () => {}, [], ["event"], true,
            Object.create(null), Object.defineProperty({}, "event", {get: throws}),
            new Proxy({}, {get: throws}),
            {event: "add_to_cart", get ecommerce() { throws(); }},
            {event: "constructor"}, {event: "__proto__"}, {event: {toString: throws}},
            {event: "add_to_cart", ecommerce: {items: "A"}},
            {event: "add_to_cart", ecommerce: {items: [
                null, 7, {}, {item_id: {toString: throws}}, {item_id: cycle}, {item_id: ""},
                Object.defineProperty({}, "item_id", {get: throws}),
                {item_id: "fine", index: {valueOf: throws}, item_list_id: {toString: throws}}]}},
            {event: "purchase", ecommerce: {transaction_id: ORDER, items: [
                Object.defineProperty({}, "item_id", {get: throws}), {item_id: "bought"}]}},
            cycle]"""
    )
    assert [event[:2] for event in told(page)] == [
        ("ADD_TO_CART", "fine"),
        ("PURCHASE", "bought"),
        ("ADD_TO_CART", "cycle"),
    ]
    assert [line for line in page.said if not line.startswith("neuralens: ")] == []


def test_a_wrong_base_is_said(shop_page, told):
    page = shop_page(f"neuralensConfig = {{ga4IndexBase: 'one'}}; dataLayer = [{LIST}]")
    assert [event[2] for event in told(page)] == [1, 2, None, 0]
    assert page.said == ["neuralens: ga4IndexBase must be a whole number from 0"]
