"""The GA4 bridge: what the sandbox takes of what a page pushes to its data layer."""

from collections.abc import Callable
from typing import Any

import pytest
from markupsafe import Markup
from playwright.sync_api import Page

from tests.browser.ledger import Event

LIST = """{event: "view_item_list", ecommerce: {item_list_id: "search_results", items: [
    {item_id: "A", index: 1}, {item_id: "B", index: 2}, {item_id: "C"}]}}"""


@pytest.fixture
def shop_page(show: Callable[..., Page]) -> Callable[..., Page]:
    """Show a page with the bridge: ``shop_page(before, body="", **settings)``."""

    def shop_page(before: str = "window.dataLayer = []", body: str = "", **given: Any) -> Page:
        return show(Markup(body), before=before, addons=["ga4"], **given)

    return shop_page


@pytest.fixture
def told(ledger: Any) -> Callable[[Page], list[tuple[Any, ...]]]:
    """Return what came of it: (event, ids, index, query, page), sorted."""

    def told(page: Page) -> list[tuple[Any, ...]]:
        page.wait_for_function("window['neuralens.ga4.js']")
        return sorted(map(brief, ledger.settle(page)), key=str)

    return told


def brief(event: Event) -> tuple[Any, ...]:
    ids = [item["id"] for item in event["items"]]
    return (event.name, ids, event.get("index"), event.get("query"), event.get("page"))


def push(page: Page, *entries: str) -> None:
    page.evaluate(f"void dataLayer.push({', '.join(entries)})")


def test_pushes_from_before_the_script_and_after_it(shop_page, told):
    page = shop_page(f"dataLayer = [{LIST}]", ga4_index_base=1)
    push(page, '{event: "select_item", ecommerce: {item_list_id: "search_results",'
               ' items: [{item_id: "B", index: 2}]}}')  # fmt: skip
    assert told(page) == [
        ("CLICK_PRODUCT", ["B"], 1, None, "SEARCH_RESULT_PAGE"),
        ("VIEW_PRODUCT", ["A"], 0, None, "SEARCH_RESULT_PAGE"),
        ("VIEW_PRODUCT", ["B"], 1, None, "SEARCH_RESULT_PAGE"),
        ("VIEW_PRODUCT", ["C"], None, None, "SEARCH_RESULT_PAGE"),
    ]
    assert page.said == []
