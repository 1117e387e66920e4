"""Single-page shops: a new page view exactly when the page's context has changed."""

import pytest

from tests.browser.summaries import summarize

LANDING = '<article data-nl-landing="{0}"><h1>{0}</h1></article>'
LIST = (
    '<div data-nl-list="results" data-nl-page="SEARCH_RESULT_PAGE" {}>'
    '<p data-nl-product="X">X</p></div>'
)
CALL = "neuralens('page', { page: 'PRODUCT_PAGE' });"


@pytest.fixture
def captured(ledger):
    """Return summaries of the views on a page."""

    def captured(page):
        return [
            (name, item, query) for name, item, _, query in summarize(ledger.wait_for_all(page))
        ]

    return captured


@pytest.fixture
def shop_page(show_timed):
    """Show a page with the markup in its main element, whose clock the test can advance."""

    def shop_page(markup):
        page = show_timed(f"<main>{markup}</main>")
        page.evaluate(
            """() => {
                window.later = (time) => new Promise((resolve) => setTimeout(resolve, time));
                window.main = document.querySelector("main");
            }"""
        )
        return page

    return shop_page


def go(page, *steps):
    """Run steps at intervals of 300 ms."""
    for step in steps:
        page.evaluate(f"() => {{ {step} }}")
        page.clock.run_for(300)


def put(markup):
    return f"main.innerHTML = `{markup}`;"


def test_change_of_the_url_alone(shop_page, captured):
    page = shop_page(LIST.format('data-nl-query="chair"'))
    assert captured(page) == [("VIEW_PRODUCT", "X", "chair")]
    go(page, "history.pushState(null, '', '/table');" + put(LIST.format('data-nl-query="table"')))
    assert captured(page)[1:] == [("VIEW_PRODUCT", "X", "table")]


@pytest.mark.parametrize("order", ["route first", "document first"])
def test_another_list_without_a_query(shop_page, captured, order):
    page = shop_page(LIST.format(""))
    assert captured(page) == [("VIEW_PRODUCT", "X", None)]
    page.clock.run_for(2000)
    steps = ["history.pushState(null, '', '/tables');", put(LIST.format(""))]
    go(page, *(steps if order == "route first" else steps[::-1]))
    assert captured(page) == [("VIEW_PRODUCT", "X", None)] * 2


@pytest.mark.one_case
@pytest.mark.parametrize(
    "change",
    [
        "history.replaceState(null, '', '?utm_source=mail');",
        "history.pushState(null, '', '#reviews');",
        "history.replaceState(null, '', '?page=2');main.insertAdjacentHTML('beforeend', '<hr>');",
        "history.replaceState(null, '', '?utm_source=mail'); main.innerHTML = main.innerHTML;",
        "history.replaceState(null, '', '/page/2');main.insertAdjacentHTML('beforeend', '<hr>');",
        "history.replaceState(null, '', '/oak-chairs'); main.innerHTML = main.innerHTML;",
        "history.replaceState(null, '', '/oak'); later(200).then(() => {"
        " main.innerHTML = main.innerHTML; });",
    ],
)
def test_same_page(shop_page, captured, change):
    page = shop_page(LIST.format('data-nl-query="chair"') + LANDING.format("A"))
    first = sorted(captured(page), key=str)
    assert first == [("LAND_PRODUCT_PAGE", "A", None), ("VIEW_PRODUCT", "X", "chair")]
    go(page, change)
    assert sorted(captured(page), key=str) == first


ONCE = [("LAND_PRODUCT_PAGE", "A", None), ("LAND_PRODUCT_PAGE", "B", None)]


@pytest.mark.one_case
@pytest.mark.parametrize(
    "steps",
    [
        (put(LANDING.format("B")), CALL),
        (CALL, put(LANDING.format("B"))),
        (put(LANDING.format("B")), put(LANDING.format("B")), CALL),
        ("history.pushState(null, '', '/b');", put(LANDING.format("B")), CALL),
        (put(LANDING.format("B")), "history.pushState(null, '', '/b');", CALL),
        (CALL, "history.pushState(null, '', '/b');", put(LANDING.format("B"))),
        ("history.pushState(null, '', '/b');" + put(LANDING.format("B")),),
        ("document.querySelector('[data-nl-landing]').dataset.nlLanding = 'B'; " + CALL,),
    ],
    ids=[
        "captured late",
        "captured early",
        "preview",
        "route first",
        "document first",
        "call, route, document",
        "at once",
        "one element",
    ],
)
def test_one_landing_after_another(shop_page, captured, steps):
    page = shop_page(LANDING.format("A"))
    assert captured(page) == ONCE[:1]
    go(page, *steps)
    page.clock.run_for(1200)
    assert captured(page) == ONCE


@pytest.mark.parametrize("call", ["", CALL])
def test_back_to_the_first(shop_page, captured, call):
    page = shop_page(LANDING.format("A"))
    captured(page)
    for name in "BA":
        go(page, f"history.pushState(null, '', '/{name}'); {put(LANDING.format(name))} {call}")
        page.clock.run_for(700)
    assert captured(page) == [*ONCE, ONCE[0]]


def test_back_by_the_browser(shop_page, captured):
    page = shop_page(LANDING.format("A"))
    page.evaluate(
        """(landing) => addEventListener("popstate", () => { main.innerHTML = landing; })""",
        LANDING.format("A"),
    )
    captured(page)
    go(page, "history.pushState(null, '', '/b'); " + put(LANDING.format("B")))
    assert captured(page) == ONCE
    page.go_back()
    assert captured(page) == [*ONCE, ONCE[0]]
