"""Pages and browsers that are closed, restored or killed: each event arrives once."""

import pytest
from starlette.requests import Request

from tests.browser.engines.fixtures import crash
from tests.browser.shop import HANG
from tests.polling import eventually

BACKLOG = [f"L{number}" for number in range(20)]
TABS = 10


@pytest.mark.every_engine
def test_page_closed_immediately(show, accounts, add_row):
    page = show("")
    accounts.share(page, "A", "B")
    page.close()
    add_row(accounts.reconcile(show("", path="/next")))


def test_page_offline_then_closed(show, context, accounts, add_row):
    page = show("")
    context.set_offline(True)
    accounts.share(page, "A", "B")
    page.evaluate("neuralens('flush')")
    page.close()
    context.set_offline(False)
    add_row(accounts.reconcile(show("", path="/next")))


def test_page_restored_five_times(show, put, caching, accounts, add_row):
    """While the page is in the back/forward cache, another tab may adopt its events."""
    put("<p>Next</p>", "/next")
    page = show("", tab=caching.new_page())
    page.evaluate("addEventListener('pageshow', (event) => { window.restored = event.persisted; })")
    session = caching.new_cdp_session(page)
    for turn in range(5):
        accounts.share(page, f"R{turn}")
        page.evaluate("window.restored = false")
        page.goto("/next")
        history = session.send("Page.getNavigationHistory")
        entry = history["entries"][history["currentIndex"] - 1]
        session.send("Page.navigateToHistoryEntry", {"entryId": entry["id"]})
        page.wait_for_function("() => window.restored")
    add_row(accounts.reconcile(page))


def test_killed_browser(put, shop, bare_browser, accounts, add_row):
    """The journal survives once the browser has written its storage to the disk."""
    shop.fault = lambda request, body: 503
    put("<script>neuralens('track', 'SHARE', { id: 'KILLED' })</script>", "/", stub=True)
    put("", "/next")
    bare_browser.open("/")
    accounts.tracked.append("KILLED")
    eventually(lambda: bare_browser.has_on_disk(b"KILLED"))
    bare_browser.kill()
    shop.fault = None
    bare_browser.start()
    bare_browser.open("/next")
    add_row(accounts.reconcile())


def test_killed_leading_tab_of_ten(show, shop, context, accounts, add_row):
    accounts.leave_behind(show, *BACKLOG)
    leaders = []

    def hang(request: Request, body: bytes) -> str:
        leaders.append(request.headers["referer"])
        return HANG

    shop.fault = hang
    tabs = [show("", path=f"/tab{number}") for number in range(TABS)]
    eventually(lambda: leaders)
    (leader,) = [tab for tab in tabs if tab.url == leaders[0]]
    crash(leader)
    shop.fault = None
    # The crash may have killed other tabs that shared the renderer.

    add_row(accounts.reconcile(show("", path="/next")))
