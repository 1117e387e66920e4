"""Pages that are prerendered, unloaded, and restored from the back/forward cache."""

import pytest

from tests.browser.page import round_trip

# Prerendered immediately; the link is followed when the shop's server responds.
SHOP_WINDOW = """
<script type="speculationrules">
{"prerender": [{"urls": ["/product"], "eagerness": "immediate"}]}
</script>
<a href="/product">Chair</a>
<script>
const go = async () => {
    const response = await fetch("/go");
    if (response.ok) document.querySelector("a").click();
    else setTimeout(go, 20);
};
go();
</script>
"""
PRODUCT = """
<main data-nl-landing="AV768"><p data-nl-product="B">Table</p></main>
<script>
neuralens("track", "SHARE", { id: String(document.prerendering) });
if (document.prerendering) fetch("/rendered-ahead");
</script>
"""


def test_prerendered(put, ledger, shop, bare_browser):
    put(SHOP_WINDOW, "/")
    put(PRODUCT, "/product", stub=True, view_ms=100)
    put('<p data-nl-product="control">!</p>', "/control", view_ms=800)
    bare_browser.open("/")
    shop.wait_for_request("/rendered-ahead")
    # Showing the page takes longer than anything that the prerendered one must not do.
    control = bare_browser.open("/control")
    assert [event.id for event in ledger.wait_for(1)] == ["control"]
    bare_browser.close(control)
    shop.put("/go", "now")
    seen = ledger.wait_for(4)[1:]
    assert sorted((event.name, event.id) for event in seen) == [
        ("LAND_PRODUCT_PAGE", "AV768"),
        ("SHARE", "true"),
        ("VIEW_PRODUCT", "B"),
    ]


EARLY_CALLS = """
<main data-nl-landing="AV768"></main>
<script>
neuralens("page", { query: "oak" });
const call = () => {
    if (!neuralens.version) return setTimeout(call, 20);
    neuralens("consent", "granted");
    neuralens("track", "SHARE", { id: "S" });
    fetch("/rendered-ahead");
};
if (document.prerendering) call();
</script>
"""


def test_calls_of_a_prerendered_page(put, ledger, shop, bare_browser):
    """They wait until it is shown, also after the tracker has loaded, and keep their order."""
    put(SHOP_WINDOW, "/")
    put(EARLY_CALLS, "/product", stub=True, consent="pending")
    bare_browser.open("/")
    shop.wait_for_request("/rendered-ahead")
    put('<p data-nl-product="control">!</p>', "/control", view_ms=800)
    control = bare_browser.open("/control")
    assert [event.id for event in ledger.wait_for(1)] == ["control"]
    bare_browser.close(control)
    shop.put("/go", "now")
    assert sorted((event.name, event.get("query")) for event in ledger.wait_for(3)[1:]) == [
        ("LAND_PRODUCT_PAGE", "oak"),
        ("SHARE", "oak"),
    ]


def test_restored(show, put, ledger, caching):
    put('<p data-nl-product="C">Sofa</p>', "/next")
    page = show(PRODUCT, tab=caching.new_page(), stub=True)
    first = [("LAND_PRODUCT_PAGE", "AV768"), ("SHARE", "false"), ("VIEW_PRODUCT", "B")]
    assert sorted((event.name, event.id) for event in ledger.wait_for_all(page)) == first
    page.evaluate("addEventListener('pageshow', (event) => { window.restored = event.persisted; })")
    page.goto("/next")
    page.go_back(wait_until="commit")
    page.wait_for_function("() => window.restored")
    again = ledger.wait_for_all(page)[3:]
    assert sorted((event.name, event.id) for event in again if event.id != "C") == [
        ("LAND_PRODUCT_PAGE", "AV768"),
        ("VIEW_PRODUCT", "B"),
    ]
    # Events are captured once: the page's listeners were restored with it.
    page.click("text=Table")
    clicks = [event for event in ledger.wait_for_all(page) if event.name == "CLICK_PRODUCT"]
    assert len(clicks) == 1


@pytest.mark.every_engine
def test_restored_after_a_refusal(show, put, ledger, request, engine, runtime):
    """The shopper refuses on another page, and comes back."""
    if engine == "firefox" or runtime == "pyscript":
        pytest.skip("such pages are not restored from the cache, but loaded again")
    tab = request.getfixturevalue("caching").new_page() if engine == "chromium" else None
    page = show('<p data-nl-product="A">Chair</p>', tab=tab)
    assert [event.id for event in ledger.wait_for_all(page)] == ["A"]
    page.evaluate(
        "() => addEventListener('pageshow', (event) => { window.restored = event.persisted; })"
    )
    put("", "/privacy", consent="pending")
    page.goto("/privacy")
    page.wait_for_function("() => window.neuralens?.version")
    page.evaluate("() => neuralens('consent', 'denied')")
    page.evaluate("() => { setTimeout(() => history.back()); }")
    page.wait_for_function("() => window.restored")
    page.evaluate("() => neuralens('track', 'SHARE', { id: 'B' })")
    round_trip(page)
    assert page.evaluate("() => Object.keys(localStorage)") == []
    page.evaluate("() => neuralens('consent', 'granted')")
    page.evaluate("() => neuralens('track', 'SHARE', { id: 'C' })")
    assert {event.id for event in ledger.wait_for_all(page)} == {"A", "C"}


def test_unloaded_immediately(show, put, ledger):
    """Views and interactions just before the page is unloaded arrive."""
    put("<p>Next</p>", "/next")
    page = show('<a data-nl-product="A" href="/next">Chair</a>', view_ms=60_000)
    page.click("a")
    page.wait_for_url("**/next")
    assert [(event.name, event.id) for event in ledger.wait_for(1)] == [("CLICK_PRODUCT", "A")]


def test_closed_immediately(show, ledger):
    page = show('<p data-nl-product="A">Chair</p>', view_ms=60_000)
    page.evaluate("neuralens('track', 'FAVORITE', { id: 'A' })")
    page.close()
    assert [(event.name, event.id) for event in ledger.wait_for(1)] == [("FAVORITE", "A")]


def test_another_view_in_a_single_page_shop(show, ledger):
    page = show('<main data-nl-list="a"><p data-nl-product="A">Chair</p></main>')
    assert len(ledger.wait_for_all(page)) == 1
    page.evaluate(
        """() => {
            history.pushState(null, "", "/tables");
            document.querySelector("main").innerHTML =
                '<p data-nl-product="B">Table</p><p data-nl-product="A">Chair</p>';
            neuralens("page", { page: "CATEGORY_PAGE" });
        }"""
    )
    seen = ledger.wait_for_all(page)[1:]
    assert [(event.id, event["page"], event["index"]) for event in seen] == [
        ("B", "CATEGORY_PAGE", 0),
        ("A", "CATEGORY_PAGE", 1),
    ]
