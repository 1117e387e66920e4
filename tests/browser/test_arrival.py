"""Tiles that are inserted, changed, moved and removed after the tracker has started."""

import pytest

from tests.browser.clock import DISCOVERY_MS

LIST = '<main data-nl-list="results" data-nl-page="CATEGORY_PAGE"></main>'
# Renders the list repeatedly, as a shop that filters while the shopper types.
REFRESH = """async (times) => {
    const list = document.querySelector("main");
    for (let time = 0; time < times; time++) {
        list.innerHTML = Array.from({ length: 20 }, (_, index) =>
            `<article data-nl-product="P${index}"><a href="#"><img alt="">Chair</a></article>`
        ).join("");
        // The tracker looks when the page is idle: now before the next list comes, now after.
        await new Promise((resolve) =>
            time % 4 === 0 ? requestIdleCallback(resolve) : setTimeout(resolve));
    }
    list.innerHTML = "";
}"""


def test_inserted(show, ledger):
    page = show(LIST)
    assert ledger.wait_for_all(page) == []
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
    assert len(ledger.wait_for_all(page)) == 2
    page.evaluate("later.dataset.nlProduct = 'attribute'")
    seen = ledger.wait_for_all(page)
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
    assert ledger.wait_for_all(page) == []
    page.evaluate(
        "document.querySelector('[data-nl-list=one]')"
        ".append(document.querySelector('[data-nl-product]'))"
    )
    assert [event.id for event in ledger.wait_for_all(page)] == ["A"]


def test_recycled(show, ledger):
    page = show('<div data-nl-list="row"><p data-nl-product="A">A</p></div>')
    assert [event.id for event in ledger.wait_for_all(page)] == ["A"]
    page.evaluate("document.querySelector('p').dataset.nlProduct = 'B'")
    assert [event.id for event in ledger.wait_for_all(page)] == ["A", "B"]


def test_recycled_before_seen(stop_clock):
    clock = stop_clock(view_ms=1000)
    clock.insert('<p data-nl-product="A">A</p>')
    assert clock.is_shown()
    assert clock.run_for(800) == []
    clock.page.evaluate("document.querySelector('p').dataset.nlProduct = 'B'")
    assert clock.run_for(DISCOVERY_MS) == []
    assert clock.is_shown()
    assert clock.run_for(999) == []
    assert clock.run_for(1) == ["B"]


@pytest.mark.parametrize(
    "change", ["remove()", "removeAttribute('data-nl-product')", "style.display = 'none'"]
)
def test_removed_before_seen(stop_clock, change):
    clock = stop_clock(view_ms=1000)
    clock.insert('<p data-nl-product="A">A</p><i>Something else</i>')
    assert clock.is_shown()
    assert clock.run_for(900) == []
    clock.page.evaluate(f"document.querySelector('p').{change}")
    # In the same frame, the tracker's observer reports that it left the viewport.
    assert clock.is_shown("i")
    assert clock.run_for(10_000) == []
    assert clock.page.console_messages == []


def test_template_and_detached_elements(show, ledger):
    """The content of a template, and elements that are not inserted, are not part of the page."""
    page = show('<template><p data-nl-product="A">A</p></template>')
    page.evaluate(
        "() => { window.kept = document.createElement('p'); kept.dataset.nlProduct = 'B';"
        " kept.textContent = 'B'; }"
    )
    assert ledger.wait_for_all(page) == []
    page.evaluate("document.body.append(document.querySelector('template').content, kept)")
    assert sorted(event.id for event in ledger.wait_for_all(page)) == ["A", "B"]


def test_started_before_the_document_is_parsed(show, ledger):
    """Tiles below are discovered whenever the script was loaded."""
    page = show(
        '<p data-nl-product="A">A</p>' + "<i></i>" * 20_000 + '<p data-nl-product="B">B</p>'
    )
    assert sorted(event.id for event in ledger.wait_for_all(page)) == ["A", "B"]


def test_a_thousand_refreshes_leak_nothing(show, ledger, context):
    page = show(LIST)
    session = context.new_cdp_session(page)
    session.send("HeapProfiler.enable")

    def measure():
        session.send("HeapProfiler.collectGarbage")
        counters = session.send("Memory.getDOMCounters")
        heap = session.send("Runtime.getHeapUsage")["usedSize"]
        return counters["nodes"], counters["jsEventListeners"], heap

    page.evaluate(REFRESH, 200)
    ledger.wait_for_all(page)
    nodes, listeners, heap = measure()
    page.evaluate(REFRESH, 1000)
    ledger.wait_for_all(page)
    nodes_after, listeners_after, heap_after = measure()
    # 20,000 tiles were inserted and removed.
    assert nodes_after - nodes < 100
    assert listeners_after - listeners <= 2
    assert heap_after - heap < 20 * 20_000
    page.evaluate("document.querySelector('main').innerHTML = '<p data-nl-product=\"last\">!</p>'")
    assert "last" in [event.id for event in ledger.wait_for_all(page)]
