"""A shop of three pages with well-known routers from npm: each page view counts once."""

import pytest
from markupsafe import Markup

from tests.browser.bundling import bundle
from tests.browser.summaries import summarize

SERVED = {"turbo": "<main>{}</main>", "htmx": '<main hx-boost:inherited="true">{}</main>'}
X = ("VIEW_PRODUCT", "X", 0, None)


def product(name, *context):
    return sorted([("LAND_PRODUCT_PAGE", name, *(context or (None, None))), X], key=str)


@pytest.fixture
def served_pages(chromium):
    """The shop's pages by path, from the script that the routers import."""
    tab = chromium.new_page()
    tab.set_content(f"<script>{bundle('routers/served.js')}</script>")
    pages = tab.evaluate("pages")
    tab.close()
    return pages


@pytest.mark.one_case
@pytest.mark.parametrize(
    "router", ["turbo", "htmx", "react_router", "react_activity", "vue_router"]
)
def test_three_pages_and_back(show, put, ledger, served_pages, router):
    script = Markup(bundle(f"routers/{router}.js"))
    for path, markup in served_pages.items():
        body = Markup(SERVED.get(router, "").format(markup))
        put("router.html", path, values={"script": script, "markup": body})
    start = Markup(SERVED.get(router, "").format(served_pages["/"]))
    page = show("router.html", "/", values={"script": script, "markup": start})
    page.evaluate("window.first = true")
    count = 0

    def now():
        nonlocal count
        events = summarize(ledger.wait_for_all(page))
        found, count = events[count:], len(events)
        return sorted(found, key=str)

    assert now() == [("VIEW_PRODUCT", "A", 0, "chair"), ("VIEW_PRODUCT", "B", 1, "chair")]
    page.click("text=Chair B")
    page.wait_for_selector("[data-nl-landing=B]")
    assert now() == sorted([("CLICK_PRODUCT", "B", 1, "chair"), *product("B", 1, "chair")], key=str)
    page.click("text=On to C")
    page.wait_for_selector("[data-nl-landing=C]")
    assert now() == product("C")
    page.go_back()
    page.wait_for_selector("[data-nl-landing=B]")
    assert now() == product("B", 1, "chair")
    assert page.evaluate("first")
