"""Tiles that come, change, move and go after the tracker has started."""

import pytest

from tests.browser.clock import DISCOVERY_MS

LIST = '<main data-nl-list="results" data-nl-page="CATEGORY_PAGE"></main>'
# Draws the list again and again, as a shop does that filters while its shopper types.
REFRESH = """async (times) => {
    const list = document.querySelector("main");
    for (let time = 0; time < times; time++) {
        list.innerHTML = Array.from({ length: 20 }, (_, place) =>
            `<article data-nl-product="P${place}"><a href="#"><img alt="">Chair</a></article>`
        ).join("");
        // The tracker looks when the page is idle: now before the next list comes, now after.
        await new Promise((resolve) =>
            time % 4 === 0 ? requestIdleCallback(resolve) : setTimeout(resolve));
    }
    list.innerHTML = "";
}"""


def test_inserted(show, ledger):
    page = show(LIST)
    assert ledger.settle(page) == []
    page.evaluate(
        """() => {
            const tile = document.createElement("div");
            tile.dataset.nlProduct = "itself";
            tile.textContent = "Chair";
            const wrapper = document.createElement("section");
            wrapper.innerHTML = '<p><span data-nl-product="below">Table</span></p>';
            const later = document.createElement("div");
            later.id = "later";
            later.textContent = "Sofa";
            document.querySelector("main").append(tile, wrapper, later);
        }"""
    )
    assert len(ledger.settle(page)) == 2
    page.evaluate("later.dataset.nlProduct = 'attribute'")
    seen = ledger.settle(page)
    assert sorted((event.id, event["page"], event["index"]) for event in seen) == [
        ("attribute", "CATEGORY_PAGE", 2),
        ("below", "CATEGORY_PAGE", 1),
        ("itself", "CATEGORY_PAGE", 0),
    ]


def test_moved(show, ledger):
    page = show(
        '<div style="height: 2000px"><div data-nl-list="one"></div></div>'
        '<div data-nl-list="two"><p data-nl-product="A">A</p></div>'
    )
    assert ledger.settle(page) == []
    page.evaluate(
        "document.querySelector('[data-nl-list=one]')"
        ".append(document.querySelector('[data-nl-product]'))"
    )
    assert [event.id for event in ledger.settle(page)] == ["A"]


def test_recycled(show, ledger):
    page = show('<div data-nl-list="row"><p data-nl-product="A">A</p></div>')
    assert [event.id for event in ledger.settle(page)] == ["A"]
    page.evaluate("document.querySelector('p').dataset.nlProduct = 'B'")
    assert [event.id for event in ledger.settle(page)] == ["A", "B"]


def test_recycled_before_it_was_seen(stop_clock):
    clock = stop_clock(view_ms=1000)
    clock.insert('<p data-nl-product="A">A</p>')
    assert clock.is_shown()
    assert clock.tell(800) == []
    clock.page.evaluate("document.querySelector('p').dataset.nlProduct = 'B'")
    assert clock.tell(DISCOVERY_MS) == []
    assert clock.is_shown()
    assert clock.tell(999) == []
    assert clock.tell(1) == ["B"]


@pytest.mark.parametrize(
    "change", ["remove()", "removeAttribute('data-nl-product')", "style.display = 'none'"]
)
def test_gone_before_it_was_seen(stop_clock, change):
    clock = stop_clock(view_ms=1000)
    clock.insert('<p data-nl-product="A">A</p><i>Something else</i>')
    assert clock.is_shown()
    assert clock.tell(900) == []
    clock.page.evaluate(f"document.querySelector('p').{change}")
    # In the same frame, the tracker is told what has gone out of view.
    assert clock.is_shown("i")
    assert clock.tell(10_000) == []
    assert clock.page.said == []


def test_not_in_the_page(show, ledger):
    """A template's content, and what was made but not inserted, is no part of the page."""
    page = show('<template><p data-nl-product="A">A</p></template>')
    page.evaluate(
        "() => { window.kept = document.createElement('p'); kept.dataset.nlProduct = 'B';"
        " kept.textContent = 'B'; }"
    )
    assert ledger.settle(page) == []
    page.evaluate("document.body.append(document.querySelector('template').content, kept)")
    assert sorted(event.id for event in ledger.settle(page)) == ["A", "B"]


def test_before_the_document_was_read(show, ledger):
    """Tiles far down are taken in, whenever the script came."""
    page = show(
        '<p data-nl-product="A">A</p>' + "<i></i>" * 20_000 + '<p data-nl-product="B">B</p>'
    )
    assert sorted(event.id for event in ledger.settle(page)) == ["A", "B"]


def test_a_thousand_refreshes_leave_nothing(show, ledger, context):
    page = show(LIST)
    session = context.new_cdp_session(page)
    session.send("HeapProfiler.enable")

    def measure():
        session.send("HeapProfiler.collectGarbage")
        counters = session.send("Memory.getDOMCounters")
        heap = session.send("Runtime.getHeapUsage")["usedSize"]
        return counters["nodes"], counters["jsEventListeners"], heap

    page.evaluate(REFRESH, 200)
    ledger.settle(page)
    nodes, listeners, heap = measure()
    page.evaluate(REFRESH, 1000)
    ledger.settle(page)
    nodes_after, listeners_after, heap_after = measure()
    # 20,000 tiles have come and gone.
    assert nodes_after - nodes < 100
    assert listeners_after - listeners <= 2
    assert heap_after - heap < 20 * 20_000
    page.evaluate("document.querySelector('main').innerHTML = '<p data-nl-product=\"last\">!</p>'")
    assert "last" in [event.id for event in ledger.settle(page)]
