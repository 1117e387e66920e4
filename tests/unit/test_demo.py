"""The demo's pure modules: catalog, search, pictures, figures, narration, forms."""

from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from neuralens_demo.browsing import parse_number
from neuralens_demo.catalog import Catalog
from neuralens_demo.contract import check_body
from neuralens_demo.figures import Figures
from neuralens_demo.forms import go_back
from neuralens_demo.narration import explain, narrate
from neuralens_demo.pictures import draw_living_room
from neuralens_demo.search import clean, phrases, rank, suggest
from neuralens_demo.shoppers import Line, Shoppers, total
from neuralens_demo.transit import TransitLog
from neuralens_tracker.vocabulary import EVENTS, PAGES, PURCHASE

CATALOG = Catalog()
PRODUCTS = list(CATALOG.products.values())


def event(name, *ids, uid="u", **fields):
    body = {"uid": uid, "items": [{"id": each} for each in ids], "event": name, "timestamp": 1}
    body |= fields
    check_body(body)
    return body


# Catalog and pictures


def test_catalog_is_the_same_every_time():
    again = Catalog()
    assert list(again.products) == list(CATALOG.products)
    assert [product.picture for product in again.products.values()] == [
        product.picture for product in PRODUCTS
    ]


def test_catalog_has_a_hundred_distinct_products():
    assert 100 <= len(PRODUCTS) <= 150
    assert len({(product.name, product.finish) for product in PRODUCTS}) == len(PRODUCTS)
    assert CATALOG.products["AV768"].category.slug == "chairs"
    assert all(product.price > 0 for product in PRODUCTS)


def test_shelves_hold_every_product_once():
    shelved = [
        product.id
        for category in CATALOG.categories.values()
        for product in CATALOG.within(category)
    ]
    assert sorted(shelved) == sorted(CATALOG.products)


@pytest.mark.parametrize("product", PRODUCTS[::7], ids=lambda product: product.id)
def test_recommendations_are_four_other_designs(product):
    names = [other.design.name for other in CATALOG.recommendations(product)]
    assert len(set(names)) == 4
    assert product.design.name not in names


def test_pictures_have_neither_scripts_nor_inline_styles():
    drawn = {product.id: product.picture for product in PRODUCTS} | {"room": draw_living_room()}
    assert len(set(drawn.values())) == len(drawn)
    for picture in drawn.values():
        root = ElementTree.fromstring(picture)
        assert root.tag.endswith("svg")
        for element in root.iter():
            assert element.tag.rpartition("}")[2] not in ("script", "style", "image")
            assert not {"style", "href"} & set(element.attrib)
            assert not any(name.startswith("on") for name in element.attrib)


# Search


def test_search_prefers_matches_of_all_words():
    names = [product.name for product in rank("oak chair", PRODUCTS)]
    assert names
    assert all("chair" in name for name in names)
    assert len(rank("chair", PRODUCTS)) > 24
    assert rank("chairs", PRODUCTS) == rank("chair", PRODUCTS)


def test_search_falls_back_to_matches_of_some_words():
    assert rank("purple chair", PRODUCTS)
    assert rank("xyzzy", PRODUCTS) == []
    assert rank("", PRODUCTS) == []


@given(st.text())
def test_any_text_can_be_searched_for(text):
    query = clean(text)
    assert len(query) <= 200
    found = rank(query, PRODUCTS)
    assert len({product.id for product in found}) == len(found)


def test_suggestions_prefer_phrases_that_start_with_the_query():
    known = phrases(CATALOG)
    assert len(set(known)) == len(known)
    assert suggest("cha", known)[0] == "chairs"
    oak, any_start = suggest("oak", known), suggest("so", known)
    assert oak
    assert any_start
    assert all("oak" in text for text in oak)
    assert all(rank(text, PRODUCTS) for text in any_start)
    assert suggest("  ", known) == []


# Addresses and forms


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), (None, 1), ("", 1), ("-1", 1), ("x", 1), ("99", 9), ("9" * 5000, 1), ("²", 1)],
)
def test_numbers_in_query_parameters_are_clamped(text, number):
    assert parse_number(text, 1, 9) == number


@pytest.mark.parametrize("address", ["/", "/cart", "/search?q=oak%20chair&page=2"])
def test_going_back_within_the_shop(address):
    assert go_back(address).headers["location"] == address


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:1",
        "/\r\nX: y",
    ],
)
def test_going_back_to_another_site_leads_home(address):
    assert go_back(address).headers["location"] == "/"


# Shoppers


def test_sessions_are_bounded_and_the_oldest_is_removed():
    shoppers = Shoppers(capacity=2)
    (first, _), (second, _) = shoppers.create(), shoppers.create()
    assert shoppers.find(first)
    third, _ = shoppers.create()
    assert shoppers.find(second) is None
    assert shoppers.find(first)
    assert shoppers.find(third)
    assert shoppers.find(None) is None


def test_an_order_empties_the_cart():
    _, shopper = Shoppers().create()
    shopper.set_quantity(PRODUCTS[0], 2)
    shopper.set_quantity(PRODUCTS[1], 500)
    shopper.set_quantity(PRODUCTS[2], 1)
    shopper.set_quantity(PRODUCTS[2], 0)
    assert shopper.cart == {PRODUCTS[0].id: 2, PRODUCTS[1].id: 20}
    lines = (Line(PRODUCTS[0], 2),)
    order = shopper.buy("R", lines)
    assert total(order.lines) == 2 * PRODUCTS[0].price
    assert shopper.orders[order.number] is order
    assert shopper.count == 0


# Figures and narration


def test_figures_count_ranks_and_stages():
    figures = Figures()
    for each in (
        event("VIEW_PRODUCT", "A", index=0),
        event("VIEW_PRODUCT", "A", index=0),
        event("VIEW_PRODUCT", "B", index=2),
        event("VIEW_PRODUCT", "A", index=0, uid=None),
        event("CLICK_PRODUCT", "A", index=0),
        event("CLICK_PRODUCT", "B", index=500),
        event("LAND_PRODUCT_PAGE", "A"),
        event("FAVORITE", "A", index=0),
        event("PURCHASE", "A", "B"),
    ):
        figures.count(each)
    summary = figures.summary()
    assert summary["ranks"] == [
        {"rank": 0, "views": 3, "clicks": 1},
        {"rank": 1, "views": 0, "clicks": 0},
        {"rank": 2, "views": 1, "clicks": 0},
    ]
    assert [stage["count"] for stage in summary["funnel"]] == [3, 2, 1, 0, 2]


def test_figures_without_events_are_empty():
    summary = Figures().summary()
    assert summary["ranks"] == []
    assert {stage["count"] for stage in summary["funnel"]} == {0}


def test_narration_has_action_page_query_and_rank():
    body = event("ADD_TO_CART", "A", page="SEARCH_RESULT_PAGE", query="oak", index=3)
    assert narrate(body, {"A": "the chair"}.get) == (
        "Added the chair to the cart in the search results for “oak” at rank 3"
    )
    assert narrate(event(PURCHASE, "A", "B", "C"), str.lower) == "Bought a, b and c"


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("page", PAGES)
def test_every_event_can_be_narrated(name, page):
    assert "Ann" in narrate(event(name, "Ann", page=page), str)


# Transit of an event


def batch(*events, sent=1.5):
    envelope = {"v": 1, "app": "a", "batch": "b", "sent": sent, "lost": 0, "events": list(events)}
    return msgspec.json.encode(envelope)


def test_an_event_is_matched_without_its_id():
    transits = TransitLog()
    body = event("VIEW_PRODUCT", "A", index=0)
    transits.record(batch(body | {"eid": "1", "query": None}, {"eid": "2"}, sent=2.5), 3.0)
    transits.record(batch(body | {"eid": "3"}, sent=4.5), 5.0)
    first = transits.find(1, body)
    assert (first.sent, first.arrived, first.batch_size) == (2.5, 3.0, 2)
    assert transits.find(2, body).arrived == 5.0
    assert transits.find(3, body) is None
    assert transits.find(1, body) == first


@given(st.binary() | st.builds(batch, st.dictionaries(st.text(), st.integers())))
def test_any_bytes_can_be_recorded(raw):
    transits = TransitLog(capacity=3)
    transits.record(raw, 1.0)
    assert transits.find(1, event("SHARE", "A")) is None


@pytest.mark.parametrize("raw", [b"[]", b"1", b"{}", b'{"events": 1}', b'{"events": [[]]}'])
def test_an_invalid_batch_is_ignored(raw):
    transits = TransitLog()
    transits.record(raw, 1.0)
    assert transits.find(1, event("SHARE", "A")) is None


def test_sources_of_an_event_are_matched_once():
    transits = TransitLog(capacity=2)
    body = event("VIEW_PRODUCT", "A", index=0)
    reported = body | {"eid": "1", "rankSource": "order", "querySource": None, "source": "view"}
    transits.record_sources(msgspec.json.encode(reported))
    transits.record_sources(b"[1]")
    transits.record_sources(b"\xff")
    assert transits.sources(1, body) == {"rankSource": "order"}
    assert transits.sources(2, body) == {}
    assert transits.sources(1, body) == {"rankSource": "order"}


def test_sources_are_explained():
    assert explain({"rankSource": "order", "querySource": "typed"}) == (
        "rank from the position in the list, query as typed"
    )
    assert explain({"querySource": "attribution"}) == "query of the attributed search"

    assert explain({"rankSource": "constructor"}) == ""
