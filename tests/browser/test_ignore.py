"""Nothing inside data-nl-ignore is captured, whatever its value."""

from tests.browser.summaries import select

# The fields of events that matter here.
FIELDS = ("event", "id", "index")


def test_nothing_inside_is_captured(show, ledger):
    page = show("ignore.html")
    assert select(ledger.wait_for_all(page), *FIELDS) == [("VIEW_PRODUCT", "A", 0)]
    names = ("Ignored", "Ignored suggestion", "Ignored action", "Ignored purchase")
    for name in (*names, "Ignored form", "Ignored option", "Quick look"):
        page.get_by_text(name, exact=True).click()
    page.get_by_text("Captured").click()
    assert select(ledger.wait_for_all(page), *FIELDS)[1:] == [("CLICK_PRODUCT", "A", 0)]
    assert page.console_messages == []


def test_inserted_later(show, ledger):
    page = show('<main data-nl-ignore></main><p data-nl-product="A">A</p>')
    page.evaluate("document.querySelector('main').innerHTML = '<p data-nl-product=\"B\">B</p>'")
    assert select(ledger.wait_for_all(page), *FIELDS) == [("VIEW_PRODUCT", "A", None)]


def test_ignored_during_the_view(stop_clock):
    """A product that is ignored before the threshold is not captured."""
    clock = stop_clock(view_ms=1000)
    clock.insert('<main><p data-nl-product="A">A</p></main>')
    assert clock.is_shown()
    assert clock.run_for(900) == []
    clock.page.evaluate("document.querySelector('main').dataset.nlIgnore = ''")
    assert clock.run_for(10_000) == []
