"""A product page lands once in each page view, on the page PRODUCT_PAGE by default."""

import pytest

from tests.browser.page import wait_until_loaded
from tests.browser.summaries import select

# The fields of events that matter here.
FIELDS = ("event", "id", "page", "query")

# Closed dialogs, and what opens them.
DIALOGS = {
    "dialog": ('<dialog id="d">{}</dialog>', "d.showModal()"),
    "role": ('<div id="d" role="dialog" class="closed">{}</div>', "d.className = ''"),
    "aria-hidden": (
        '<div id="d" aria-hidden="true" class="closed">{}</div>',
        "d.className = ''; d.removeAttribute('aria-hidden')",
    ),
    "alertdialog": ('<div id="d" role="alertdialog" class="closed">{}</div>', "d.className = ''"),
    "popover": (
        '<div id="d" popover>{}</div><button id="b" popovertarget="d">Look</button>',
        "b.click()",
    ),
    "popover by a script": ('<div id="d" popover="manual">{}</div>', "d.showPopover()"),
    "fading in": (
        '<div id="d" role="dialog" style="visibility: hidden; opacity: 0; transition: 1s">{}</div>',
        "d.style.visibility = 'visible'; d.style.opacity = 1",
    ),
    "off the right edge": (
        '<div id="d" role="dialog" style="position: fixed; inset: 0 0 0 auto; width: 300px;'
        ' translate: 100%">{}</div>',
        "d.style.translate = 0",
    ),
    "off the left edge": (
        '<div id="d" aria-hidden="true" style="position: fixed; left: -300px; width: 300px">{}'
        "</div>",
        "d.style.left = 0",
    ),
    "off the bottom edge": (
        '<div id="d" role="dialog" style="position: fixed; bottom: 0; translate: 0 100%;'
        ' transition: translate 0.1s">{}</div>',
        "d.style.translate = 0",
    ),
    "off the top edge": (
        '<div id="d" role="dialog" style="position: fixed; top: 0; translate: 0 -100%">{}</div>',
        "d.style.translate = 0",
    ),
    "scaled down": (
        '<div id="d" role="dialog" style="position: fixed; scale: 0.001">{}</div>',
        "d.style.scale = 1",
    ),
}
NEVER_IDLE = "() => { window.requestIdleCallback = () => 0; }"


def test_every_field(show, ledger, uid):
    page = show('<main data-nl-landing="AV768"><h1>Oak chair</h1></main>', page="CATEGORY_PAGE")
    (landing,) = ledger.wait_for_all(page)
    del landing["timestamp"]
    assert landing == {
        "uid": uid,
        "items": [{"id": "AV768"}],
        "event": "LAND_PRODUCT_PAGE",
        "page": "PRODUCT_PAGE",
    }


@pytest.mark.parametrize(
    "body",
    [
        '<main data-nl-landing="A" data-nl-page="CATEGORY_PAGE" data-nl-query="oak"></main>',
        '<body data-nl-page="CATEGORY_PAGE" data-nl-query="oak"><p data-nl-landing="A"></p>',
    ],
)
def test_context(show, ledger, body):
    page = show(body)
    assert select(ledger.wait_for_all(page), *FIELDS) == [
        ("LAND_PRODUCT_PAGE", "A", "CATEGORY_PAGE", "oak")
    ]


def test_declared_to_have_no_query(show, put, ledger):
    """An empty query is the page's word: none is attributed, either."""
    put(
        """<main data-nl-landing="A" data-nl-query="">
        <button data-nl-action="add-to-cart">Add</button></main>""",
        "/a",
    )
    page = show(
        """<main data-nl-query="oak" data-nl-list="l">
        <a data-nl-product="A" href="/a">A</a></main>"""
    )
    page.click("a")
    page.wait_for_url("**/a")
    page.wait_for_function("() => window.neuralens && neuralens.version")
    page.click("button")
    events = ledger.wait_for_all(page)
    queries = {event.name: (event.get("query"), event.get("index")) for event in events}
    assert queries["CLICK_PRODUCT"] == ("oak", 0)
    assert queries["LAND_PRODUCT_PAGE"] == queries["ADD_TO_CART"] == (None, None)


def test_once(show, ledger):
    page = show('<main data-nl-landing="A">Chair</main><div data-nl-landing="A"></div>')
    page.evaluate("document.body.innerHTML = document.body.innerHTML")
    landings = [("LAND_PRODUCT_PAGE", "A", "PRODUCT_PAGE", None)]
    assert select(ledger.wait_for_all(page), *FIELDS) == landings
    page.click("main")
    assert select(ledger.wait_for_all(page), *FIELDS) == landings


def test_again_in_a_new_page_view(show, ledger):
    page = show('<main data-nl-landing="A"></main>')
    assert len(ledger.wait_for_all(page)) == 1
    page.reload()
    assert len(ledger.wait_for_all(page)) == 2
    wait_until_loaded(page)
    page.evaluate("neuralens('page', { query: 'oak' })")
    # Once the document can no longer be the one that follows the call.
    ledger.wait_for(3)
    assert select(ledger.wait_for_all(page), *FIELDS)[2:] == [
        ("LAND_PRODUCT_PAGE", "A", "PRODUCT_PAGE", "oak")
    ]


def test_in_a_single_page_shop(show, ledger):
    """A view that is inserted later, and one that reuses the previous element."""
    page = show("<main></main>")
    page.evaluate("document.querySelector('main').innerHTML = '<p data-nl-landing=\"A\"></p>'")
    ledger.wait_for_all(page)
    page.evaluate("document.querySelector('p').dataset.nlLanding = 'B'")
    assert [event.id for event in ledger.wait_for_all(page)] == ["A", "B"]


def test_product_page_with_recommendations(show, ledger):
    page = show(
        '<main data-nl-landing="A"><h1>Chair</h1>'
        '<p data-nl-list="similar"><a data-nl-product="B">Table</a></p></main>'
    )
    assert sorted(select(ledger.wait_for_all(page), *FIELDS)) == [
        ("LAND_PRODUCT_PAGE", "A", "PRODUCT_PAGE", None),
        ("VIEW_PRODUCT", "B", None, None),
    ]


@pytest.mark.every_engine
@pytest.mark.parametrize("name", list(DIALOGS))
def test_in_a_dialog_when_it_is_opened(show, put, ledger, name):
    """Quick views that a page holds ready land when they are opened, once."""
    markup, opening = DIALOGS[name]
    put("<p>Next</p>", "/next")
    page = show(
        "<style>.closed { display: none }</style>"
        '<dialog data-nl-landing="A"><p>Chair</p></dialog>'
        + markup.format('<p data-nl-landing="B">Table</p>')
    )
    assert ledger.wait_for_all(page) == []
    page.evaluate(f"() => {{ {opening} }}")
    landing = ("LAND_PRODUCT_PAGE", "B", "PRODUCT_PAGE", None)
    assert [(event.name, event.id) for event in ledger.wait_for(1)] == [landing[:2]]
    page.evaluate("() => { d.className = 'closed'; d.removeAttribute('open'); }")
    page.evaluate(f"() => {{ {opening} }}")
    page.goto("/next")
    page.wait_for_function("() => window.neuralens && neuralens.version")
    assert select(ledger.wait_for_all(page), *FIELDS) == [landing]


def test_hidden_markers(show, ledger, uid):
    """A landing is no less one where nothing of it is rendered; only a closed dialog is no page."""
    page = show(f"""<dialog open>Table<span data-nl-landing="A" aria-hidden="true"></span></dialog>
        <div data-nl-landing="B" aria-hidden="true" hidden></div>
        <dialog data-nl-purchase="{uid}"><p data-nl-product="C">Chair</p></dialog>""")
    assert sorted((event.name, event.id) for event in ledger.wait_for_all(page)) == [
        ("LAND_PRODUCT_PAGE", "A"),
        ("LAND_PRODUCT_PAGE", "B"),
        ("PURCHASE", "C"),
    ]


def test_behind_an_open_dialog(show, ledger):
    """Dialogs hide the rest of the page from assistive technology only."""
    page = show("""<main aria-hidden="true" data-nl-landing="A" style="display: contents">
        <h1>Chair</h1></main><dialog open>Cookies?</dialog>""")
    assert select(ledger.wait_for_all(page), *FIELDS) == [
        ("LAND_PRODUCT_PAGE", "A", "PRODUCT_PAGE", None)
    ]


def test_page_left_before_it_is_idle(show, put, ledger):
    put("<p>Next</p>", "/next")
    page = show("<main></main>")
    page.evaluate(NEVER_IDLE)
    page.evaluate("document.querySelector('main').innerHTML = '<p data-nl-landing=A>Chair</p>'")
    page.goto("/next")
    page.wait_for_function("() => window.neuralens && neuralens.version")
    landing = ("LAND_PRODUCT_PAGE", "A", "PRODUCT_PAGE", None)
    assert select(ledger.wait_for_all(page), *FIELDS) == [landing]


def test_route_left_before_the_page_is_idle(show, ledger):
    page = show("<main></main>")
    page.evaluate(NEVER_IDLE)
    page.evaluate(
        """() => {
            history.pushState(null, "", "/b");
            document.querySelector("main").innerHTML = "<p data-nl-landing=B>Chair</p>";
        }"""
    )
    page.evaluate(
        """() => {
            addEventListener("popstate", () => { document.querySelector("main").innerHTML = ""; });
            history.back();
        }"""
    )
    page.wait_for_function("location.pathname === '/'")
    page.evaluate("neuralens('flush')")
    assert [(event.name, event.id) for event in ledger.wait_for(1)] == [("LAND_PRODUCT_PAGE", "B")]
