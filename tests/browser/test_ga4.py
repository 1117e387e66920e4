"""The GA4 bridge: the events for what a page pushes to its data layer."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page

from tests.browser.summaries import select

# The fields of events that matter here.
FIELDS = ("event", "ids", "index", "query", "page")

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

    def shop_page(before: str = EMPTY, body: str = "", **settings: Any) -> Page:
        page = show(body, before=before, addons=["ga4"], **settings)
        page.wait_for_function("window['neuralens.ga4.js']")
        return page

    return shop_page


@pytest.fixture
def captured(ledger: Any) -> Callable[[Page], list[tuple[Any, ...]]]:
    """Return the events as (event, ids, index, query, page), in the order of the pushes."""

    def captured(page: Page) -> list[tuple[Any, ...]]:
        return select(ledger.wait_for_all(page), *FIELDS)

    return captured


def push(page: Page, *entries: str) -> None:
    page.evaluate(f"void dataLayer.push({', '.join(entries)})")


def test_pushes_before_and_after_the_script(shop_page, captured):
    page = shop_page(f"dataLayer = [{LIST}]", ga4_index_base=1)
    push(
        page,
        """{event: "select_item", ecommerce: {items: [
            {item_id: "B", index: 2, item_list_name: "Search results"}]}}""",
    )
    assert captured(page) == [
        ("VIEW_PRODUCT", "A", 0, None, SEARCH),
        ("VIEW_PRODUCT", "B", 1, None, SEARCH),
        ("VIEW_PRODUCT", "C", None, None, SEARCH),
        ("VIEW_PRODUCT", "4", None, None, SEARCH),
        ("CLICK_PRODUCT", "B", 1, None, SEARCH),
    ]
    assert page.console_messages == []


@pytest.fixture
def order():
    """A unique order number: a relay stores each order once."""
    return uuid4().int % 10**9


def test_every_event_by_push_and_gtag(shop_page, captured, order):
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
    assert captured(page) == [
        ("LAND_PRODUCT_PAGE", "A", 3, None, PRODUCT),
        ("ADD_TO_CART", "A", 3, None, None),
        ("FAVORITE", "A", 3, None, None),
        ("SHARE", "A", 3, None, None),
        ("SHARE", "S", None, None, None),
        ("LAND_PRODUCT_PAGE", "G", None, None, PRODUCT),
        ("ADD_TO_CART", "G", 0, None, None),
        ("PURCHASE", "G", None, None, None),
    ]
    assert page.console_messages == []


@pytest.mark.one_case
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
def test_page_and_query_of_later_events(pushed, query, page_type, shop_page, captured):
    page = shop_page(f"dataLayer = [{pushed}, {ADD}]")
    assert captured(page) == [("ADD_TO_CART", "A", None, query, page_type)]


def test_another_path_resets_the_context(shop_page, captured):
    page = shop_page(
        f"{EMPTY}gtag('event', 'view_search_results', {{search_term: 'oak', page_type: 'search'}})"
    )
    view = '{event: "view_item_list", ecommerce: {items: [{item_id: "A"}]}}'
    push(page, view, view)
    page.evaluate("history.pushState(null, '', '/?page=2')")
    push(page, view)
    page.evaluate("history.pushState(null, '', '/chairs')")
    push(page, view, view)
    assert captured(page) == [
        ("VIEW_PRODUCT", "A", None, "oak", SEARCH),
        ("VIEW_PRODUCT", "A", None, None, None),
    ]


def test_separate_ecommerce_belongs_to_the_next_event(shop_page, captured):
    page = shop_page()
    push(page, '{ecommerce: {items: [{item_id: "A"}]}}', '{event: "add_to_cart"}')
    push(page, '{event: "add_to_wishlist"}', "{ecommerce: null}")
    assert captured(page) == [("ADD_TO_CART", "A", None, None, None)]


def test_one_order_is_one_purchase(shop_page, captured, show, order):
    purchase = f"""{{event: "purchase", ecommerce: {{transaction_id: "T-{order}", items: [
        {{item_id: "A", index: 1}}, {{item_id: "B"}}, {{item_name: "without an id"}}]}}}}"""
    page = shop_page(f"dataLayer = [{purchase}, {purchase}]")
    captured(page)
    page.reload()
    page.wait_for_function("window['neuralens.ga4.js'] && neuralens.version")
    push(page, purchase)
    assert captured(page) == [("PURCHASE", "A B", None, None, None)]


@pytest.mark.one_case
@pytest.mark.parametrize(
    "items",
    [
        '{0: {item_id: "A", index: 0}, 2: {item_id: "B", index: "2"}}',
        '[{item_id: " A ", index: 0}, {item_id: "B\\n", index: " 2 "}, {item_id: "  "}]',
    ],
    ids=["an object, as PHP writes it", "with spaces around values"],
)
def test_items_of_templates(items, shop_page, captured):
    page = shop_page()
    push(page, f'{{event: "view_item_list", ecommerce: {{items: {items}}}}}')
    assert captured(page) == [
        ("VIEW_PRODUCT", "A", 0, None, None),
        ("VIEW_PRODUCT", "B", 2, None, None),
    ]
    assert page.console_messages == []


@pytest.mark.one_case
@pytest.mark.parametrize(
    ("entries", "events"),
    [
        (['{event: "share", items: [{item_id: 0}]}'], [("SHARE", "0", None, None, None)]),
        (['{event: "share", items: {item_id: "A"}}'], [("SHARE", "A", None, None, None)]),
        (['{ecommerce: {items: [{item_id: "A"}]}}', "{ecommerce: null}", '{event: "share"}'], []),
        (
            ['{ecommerce: {items: [{item_id: "A"}]}}', "{user: 1}", '{event: "share"}'],
            [("SHARE", "A", None, None, None)],
        ),
    ],
    ids=["id 0", "one item that is no list", "cleared", "not cleared"],
)
def test_unusual_entries(entries, events, shop_page, captured):
    page = shop_page()
    push(page, *entries)
    assert captured(page) == events


def test_two_lines_of_a_product_are_one_item(shop_page, captured, order):
    page = shop_page()
    push(
        page,
        f"""{{event: "purchase", ecommerce: {{transaction_id: {order}, items: [
            {{item_id: "A", item_variant: "red"}}, {{item_id: "B"}},
            {{item_id: "A", item_variant: "blue"}}]}}}}""",
    )
    assert captured(page) == [("PURCHASE", "A B", None, None, None)]


def test_an_interaction_pushed_twice_is_one_event_unless_repeated(shop_page, captured):
    page = shop_page(body="<p>Chair</p>")
    push(page, ADD, ADD)
    page.evaluate("gtag('event', 'add_to_cart', {items: [{item_id: 'A'}]})")
    page.click("p")
    push(page, ADD)
    assert captured(page) == [("ADD_TO_CART", "A", None, None, None)] * 2


CONFIRMED = """<ol data-nl-list="l" data-nl-page="CATEGORY_PAGE"><li data-nl-product="A">
    <button data-nl-action="add-to-cart" data-nl-confirm>Add</button></ol>"""
ADDED = ("ADD_TO_CART", "A", 0, None, CATEGORY)


def test_a_push_confirms_an_action(shop_page, captured):
    page = shop_page(body=CONFIRMED)
    page.click("button")
    push(page, ADD)
    assert [event for event in captured(page) if event[0] == "ADD_TO_CART"] == [ADDED]


@pytest.mark.parametrize("pushes", [2, 4])
def test_pushes_that_confirm_two_actions(shop_page, captured, pushes):
    """Both come after the second click; twice if Tag Manager and ``gtag`` push them."""
    page = shop_page(body=CONFIRMED)
    for _ in range(2):
        page.click("button")
    push(page, *[ADD] * pushes)
    assert [event for event in captured(page) if event[0] == "ADD_TO_CART"] == [ADDED] * 2


def test_an_interaction_that_the_page_tracks_and_pushes_is_one_event(shop_page, captured):
    page = shop_page(
        body="""<div data-nl-product="A"><button data-nl-action="add-to-cart">Add</button></div>
        <p>Chair</p>"""
    )
    reports = f"""() => {{
        neuralens("track", "ADD_TO_CART", {{ id: "A" }});
        dataLayer.push({ADD});
        neuralens("track", "FAVORITE", {{ id: "A" }});
        dataLayer.push({ADD.replace("cart", "wishlist")});
    }}"""
    for _ in range(2):
        page.click("button")
        page.evaluate(reports)
    events = [event[:2] for event in captured(page)]
    assert sorted(event for event in events if event[0] != "VIEW_PRODUCT") == [
        *[("ADD_TO_CART", "A")] * 2,
        *[("FAVORITE", "A")] * 2,
    ]


def test_markup_and_pushes_are_deduplicated(shop_page, captured):
    page = shop_page(
        f"dataLayer = [{LIST}, {{event: 'view_item', ecommerce: {{items: [{{item_id: 'A'}}]}}}}]",
        '<h1 data-nl-landing="A">A</h1><div data-nl-product="B">B</div>',
    )
    page.wait_for_load_state("networkidle")
    events = captured(page)
    ids = sorted(event[:2] for event in events)
    assert ("LAND_PRODUCT_PAGE", "A") in ids
    assert len(ids) == len(set(ids)), events


# Each returns the result of ``push``; ``seen`` are the arguments of a replaced push.
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


@pytest.mark.one_case
@pytest.mark.parametrize("kind", REPLACEMENTS)
def test_a_replaced_push(kind, shop_page, captured):
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
    assert [event[:2] for event in captured(page)] == [("ADD_TO_CART", "A"), ("SHARE", "S")]


def test_the_data_layer_is_unchanged(shop_page, captured):
    page = shop_page("dataLayer = [{a: 1}]; before = [...dataLayer]")
    assert page.evaluate(
        """[dataLayer.push({b: 2}, {c: 3}), Object.keys(dataLayer), dataLayer.length,
            dataLayer[0] === before[0], JSON.stringify(dataLayer)]"""
    ) == [3, ["0", "1", "2"], 3, True, '[{"a":1},{"b":2},{"c":3}]']
    # Tag Manager truncates the data layer; a page may replace or freeze it.
    page.evaluate(f"dataLayer.shift(); dataLayer.push({ADD})")
    other = ADD.replace('"A"', '"F"')
    page.evaluate(
        f"""new Promise((resolve) => {{
            neuralens("on", "event", (event) => event.items[0].id === "F" && resolve());
            dataLayer = Object.freeze([...dataLayer, {other}]);
        }})"""
    )
    assert [event[:2] for event in captured(page)] == [("ADD_TO_CART", "A"), ("ADD_TO_CART", "F")]
    assert page.evaluate("Object.isFrozen(dataLayer)")


def test_hostile_entries_are_harmless(shop_page, captured, order):
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
    assert [event[:2] for event in captured(page)] == [
        ("ADD_TO_CART", "fine"),
        ("PURCHASE", "bought"),
        ("ADD_TO_CART", "cycle"),
    ]
    assert [line for line in page.console_messages if not line.startswith("neuralens: ")] == []


def test_an_invalid_base_is_reported(shop_page, captured):
    page = shop_page(f"neuralensConfig = {{ga4IndexBase: 'one'}}; dataLayer = [{LIST}]")
    assert [event[2] for event in captured(page)] == [1, 2, None, 0]
    assert page.console_messages == ["neuralens: ga4IndexBase must be a whole number from 0"]
