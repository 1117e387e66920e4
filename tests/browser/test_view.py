"""A product is seen, once, when half of it was visible for a continuous second."""

import time

import pytest

from tests.browser.clock import IS_SHOWN
from tests.browser.page import wait_until_loaded

TILE = '<div data-nl-product="A" style="height: 100px">A</div><div style="height: 3000px"></div>'
RESULTS = """<ol data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="{query}" data-nl-list="results">
    <li data-nl-product="A">A</li><li data-nl-product="{last}">{last}</li></ol>"""
# The tile is inserted when the page is hidden, or was there from the start.
HIDDEN_TILE = f"""<script>
const insert = () => {{
    if (document.hidden && !document.querySelector("[data-nl-product]"))
        document.body.innerHTML = '{TILE}';
}};
addEventListener("load", insert);
document.addEventListener("visibilitychange", insert);
</script>"""
CHANGE_VISIBILITY = """(state) => {
    Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_every_field(show, ledger, uid):
    began = int(time.time())
    page = show("view.html", page="CATEGORY_PAGE")
    (seen,) = ledger.wait_for_all(page)
    timestamp = seen.pop("timestamp")
    assert began <= timestamp <= time.time()
    assert isinstance(timestamp, int)
    assert seen == {
        "uid": uid,
        "items": [{"id": "A"}],
        "event": "VIEW_PRODUCT",
        "page": "SEARCH_RESULT_PAGE",
        "query": "oak chair",
        "index": 0,
    }
    assert page.console_messages == []


def test_half_in_view(show, ledger):
    page = show("half.html")
    assert sorted(event.id for event in ledger.wait_for_all(page)) == ["below", "beside", "inside"]


@pytest.mark.parametrize(("setting", "milliseconds"), [(None, 1000), (3000, 3000)])
def test_threshold(stop_clock, setting, milliseconds):
    clock = stop_clock(view_ms=setting)
    clock.insert('<div style="height: 2000px"></div>' + TILE)
    # The second starts with the frame in which it comes into view.
    assert clock.scroll(2000)
    assert clock.run_for(milliseconds - 1) == []
    assert clock.run_for(1) == ["A"]


def test_continuous_view(stop_clock):
    clock = stop_clock(view_ms=1000)
    clock.insert(TILE)
    assert clock.is_shown()
    for _ in range(3):
        assert clock.run_for(900) == []
        assert not clock.scroll(1000)
        assert clock.run_for(900) == []
        assert clock.scroll(0)
    assert clock.run_for(999) == []
    assert clock.run_for(1) == ["A"]


def test_interrupted_by_a_hidden_page(stop_clock):
    clock = stop_clock(view_ms=1000)
    clock.insert(TILE)
    assert clock.is_shown()
    assert clock.run_for(900) == []
    for state in ("hidden", "visible"):
        clock.page.evaluate(CHANGE_VISIBILITY, state)
        assert clock.run_for(900) == []
    assert clock.run_for(100) == ["A"]


def test_not_in_a_hidden_page(put, ledger, bare_browser):
    put(HIDDEN_TILE, "/first", view_ms=100)
    put(TILE.replace('"A"', '"B"'), "/second", view_ms=800)
    first = bare_browser.open("/first")
    # The new tab hides the old one.
    bare_browser.open("/second")
    assert [event.id for event in ledger.wait_for(1)] == ["B"]
    bare_browser.activate(first)
    assert [event.id for event in ledger.wait_for(2)] == ["B", "A"]


def test_taller_than_the_viewport(show, ledger):
    body = '<div style="height: 900px"></div><div data-nl-product="A" style="height: 3000px"></div>'
    page = show(body)
    # 390 of the viewport's 800 pixels, then 410: an eighth of the product.
    page.evaluate("scrollTo(0, 490 + document.querySelector('[data-nl-product]').offsetTop - 900)")
    assert ledger.wait_for_all(page) == []
    page.evaluate("scrollBy(0, 20)")
    assert [event.id for event in ledger.wait_for_all(page)] == ["A"]


def test_once(show, ledger):
    page = show(TILE)
    assert len(ledger.wait_for_all(page)) == 1
    for top in (1000, 0):
        page.evaluate("(top) => scrollTo(0, top)", top)
        assert page.evaluate(IS_SHOWN, "[data-nl-product]") is (top == 0)
    # A list that is rendered again has the same product in a new element.
    page.evaluate("document.body.innerHTML = document.body.innerHTML")
    assert len(ledger.wait_for_all(page)) == 1


def test_once_per_list(show, ledger):
    page = show("lists.html")
    seen = [(event.id, event.get("query")) for event in ledger.wait_for_all(page)]
    assert sorted(seen) == [("A", "alone"), ("A", "recent"), ("A", "results")]


def test_once_per_query_if_results_are_replaced_in_place(show, ledger):
    page = show(results := RESULTS.format(query="oak", last="B"))
    assert len(ledger.wait_for_all(page)) == 2
    page.evaluate("(body) => { document.body.innerHTML = body }", results)
    other = RESULTS.format(query="chair", last="C")
    page.evaluate("(body) => { document.body.innerHTML = body }", other)
    seen = [(event.id, event["index"], event["query"]) for event in ledger.wait_for_all(page)]
    assert sorted(seen) == [("A", 0, "chair"), ("A", 0, "oak"), ("B", 1, "oak"), ("C", 1, "chair")]


def test_once_per_page_view(show, ledger):
    page = show(TILE)
    assert len(ledger.wait_for_all(page)) == 1
    wait_until_loaded(page)
    page.evaluate("neuralens('page', { page: 'CATEGORY_PAGE', query: 'sofa' })")
    first, second = ledger.wait_for(2)
    assert (first.get("page"), first.get("query")) == (None, None)
    assert (second["page"], second["query"]) == ("CATEGORY_PAGE", "sofa")
    page.reload()
    page.wait_for_function("() => window.neuralens && neuralens.version")
    assert len(ledger.wait_for_all(page)) == 3
