"""Nothing inside data-nl-ignore is captured, whatever its value."""


def told(events):
    return [(event.name, event.id, event.get("index")) for event in events]


def test_nothing_inside(show, ledger):
    page = show("ignore.html")
    assert told(ledger.settle(page)) == [("VIEW_PRODUCT", "A", 0)]
    names = ("Ignored", "Ignored suggestion", "Ignored action", "Ignored purchase")
    for name in (*names, "Ignored form", "Ignored option", "Quick look"):
        page.get_by_text(name, exact=True).click()
    page.get_by_text("Captured").click()
    assert told(ledger.settle(page))[1:] == [("CLICK_PRODUCT", "A", 0)]
    assert page.said == []


def test_inserted_later(show, ledger):
    page = show('<main data-nl-ignore></main><p data-nl-product="A">A</p>')
    page.evaluate("document.querySelector('main').innerHTML = '<p data-nl-product=\"B\">B</p>'")
    assert told(ledger.settle(page)) == [("VIEW_PRODUCT", "A", None)]


def test_while_it_is_being_looked_at(stop_clock):
    """What is ignored when its time has come was not captured."""
    clock = stop_clock(view_ms=1000)
    clock.insert('<main><p data-nl-product="A">A</p></main>')
    assert clock.is_shown()
    assert clock.tell(900) == []
    clock.page.evaluate("document.querySelector('main').dataset.nlIgnore = ''")
    assert clock.tell(10_000) == []
