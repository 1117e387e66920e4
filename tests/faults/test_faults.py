"""Faults between page and API: no event is lost, and only ambiguous ones may be duplicated.

Each test adds a row to the table of ``docs/faults.md``.
"""

import json
from uuid import uuid4

import pytest
from starlette.requests import Request

from tests.browser.engines.fixtures import crash
from tests.browser.ledger import JOURNAL
from tests.browser.shop import CUT, HANG, NO_COOKIE, PLAIN_200, RESET, premature
from tests.polling import eventually

NO_BEACONS = "Navigator.prototype.sendBeacon = () => false;"
NEVER_SENT = "Navigator.prototype.sendBeacon = () => (window.isDropped = true);"
FULL = """const setItem = Storage.prototype.setItem;
Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };"""
BLOCKED = """Object.defineProperty(window, "localStorage", {
    get() { throw new DOMException("The user said no", "SecurityError"); }
});"""
REFUSED_ALONE = """() => Object.entries(localStorage).some(([key, text]) =>
    key.startsWith("nl:e:") && JSON.parse(text).refusals > 0)"""
MANY = [f"M{number}" for number in range(60)]
EVENT = {"event": "SHARE", "items": [{"id": "OLD"}], "timestamp": 1_795_000_000}


def refuse_type(request: Request, body: bytes) -> int | None:
    return 403 if "text/plain" in request.headers["content-type"].lower() else None


def refuse_size(limit: int, status: int):
    return lambda request, body: status if len(body) > limit else None


@pytest.mark.every_engine
def test_firewall_by_type(show, shop, accounts, add_row):
    shop.fault = refuse_type
    page = show("")
    accounts.share(page, "A", "B")
    add_row(accounts.reconcile(page))
    page = show("", path="/next", tab=page)
    accounts.share(page, "C")
    before = len(shop.posts)
    accounts.reconcile(page)
    assert {post.status for post in shop.posts[before:]} == {202}, "the next page remembers"


@pytest.mark.every_engine
def test_firewall_by_type_with_a_backlog(show, shop, accounts, add_row):
    """Each halving is one more failure, but the other type is tried without a backoff."""
    shop.fault = refuse_type
    page = show("")
    accounts.share(page, *(f"W{number}" for number in range(100)))
    add_row(accounts.reconcile(page))


@pytest.mark.every_engine
@pytest.mark.parametrize(
    ("limit", "answer"),
    [
        pytest.param(8192, 403, id="403"),
        pytest.param(4096, 413, id="413"),
        pytest.param(8192, RESET, id="cut", marks=pytest.mark.faults),
    ],
)
def test_firewall_by_size(show, shop, accounts, add_row, limit, answer):
    shop.fault = lambda request, body: 503
    page = show("")
    accounts.share(page, *MANY)
    eventually(lambda: accounts.posts())
    shop.fault = refuse_size(limit, answer)
    page = show("", path="/next", tab=page)
    add_row(accounts.reconcile(page))


@pytest.mark.every_engine
def test_beacons_that_are_never_sent(show, accounts, add_row):
    page = None
    for number in range(4):
        page = show("", path=f"/page{number}", tab=page, before=NEVER_SENT)
        accounts.share(page, name := f"V{number}")
        earlier = set(accounts.tracked) - {name}

        def is_sent(tab=page, name=name):
            """Once a beacon was dropped, the next page may send by ``fetch``."""
            return tab.evaluate("window.isDropped") or name in accounts.received()

        eventually(is_sent)
        eventually(lambda earlier=earlier: earlier <= set(accounts.received()))
    add_row(accounts.reconcile(page))


@pytest.mark.every_engine
@pytest.mark.parametrize("answer", [503, 413, RESET, HANG], ids=["503", "413", "reset", "nothing"])
def test_beacon_with_a_failure_response(show, shop, accounts, add_row, answer):
    page = show("")
    shop.fault = lambda request, body: answer
    accounts.share(page, "A", "B")
    page.evaluate("neuralens('flush')")
    eventually(lambda: shop.refused > 0)
    shop.fault = None
    add_row(accounts.reconcile(page))


@pytest.mark.every_engine
def test_response_cut_off(show, shop, accounts, add_row):
    """Its status is known, which suffices."""
    shop.fault = lambda request, body: CUT
    page = show("", before=NO_BEACONS)
    accounts.share(page, "A")
    add_row(accounts.reconcile(page))
    assert {post.status for post in accounts.posts()} == {202}
    assert premature(accounts.posts()) == []


@pytest.mark.every_engine
@pytest.mark.parametrize("before", ["", NO_BEACONS], ids=["beacon", "fetch"])
def test_proxy_that_responds_200(show, shop, accounts, add_row, before):
    """The relay's cookie tells that it has accepted the batch."""
    shop.fault = lambda request, body: PLAIN_200
    page = show("", before=before)
    for name in ("A", "B", "C"):
        accounts.share(page, name)
        eventually(lambda: page.evaluate(JOURNAL) == [])
    add_row(accounts.reconcile(page))
    assert premature(accounts.posts()) == []
    assert page.console_messages == []


@pytest.mark.every_engine
def test_proxy_that_drops_cookies(show, shop, accounts, add_row):
    """A response that a page can read also acknowledges what earlier pages have sent."""
    shop.fault = lambda request, body: NO_COOKIE
    # Longer than the page is there.
    shop.delay = 0.3
    page = show("")
    accounts.share(page, "A")
    page = show("", path="/next", tab=page)
    # It is sent again: it may never have arrived.
    eventually(lambda: len(accounts.posts()) == 2 and page.evaluate(JOURNAL) == [])
    accounts.share(page, "B")
    page = show("", path="/last", tab=page)
    accounts.share(page, "C")
    add_row(accounts.reconcile(page))
    sent = [event["items"][0]["id"] for post in accounts.posts() for event in post.batch["events"]]
    assert sent == ["A", "A", "B", "C"]


BLIND = """localStorage.setItem("nl:w", JSON.stringify({
    day: Math.floor(Date.now() / 864e5), most: 16000, json: false, blind: true }));"""
SENT_EARLIER = """for (const [key, text] of Object.entries(localStorage))
    if (key.startsWith("nl:b:"))
        localStorage.setItem(key, text.replace(/"at":(\\d+)/, (_, at) => '"at":' + (at - 5)));"""


@pytest.mark.every_engine
def test_short_pages_without_cookies(show, shop, accounts):
    """What they have sent is acknowledged by the first response that one of them can read."""
    shop.fault = lambda request, body: NO_COOKIE
    page = show("", before=BLIND)
    accounts.share(page, "A")
    # Longer than until the first check for what earlier pages have left.
    shop.delay = 2
    # As if there had been other pages in between.
    page = show("", path="/next", tab=page, before=SENT_EARLIER)
    accounts.share(page, "B")
    accounts.reconcile(page)
    assert premature(accounts.posts()) == []


@pytest.mark.every_engine
@pytest.mark.parametrize(
    ("delay", "most"),
    [(3, 1.05), pytest.param(12, 2, marks=pytest.mark.faults)],
    ids=["after 3 s", "after 12 s"],
)
def test_late_response(show, shop, accounts, add_row, delay, most):
    """The next page waits for a while, and an acknowledgement counts however late it is."""
    shop.delay = delay
    page = None
    for number in range(3):
        page = show("", path=f"/page{number}", tab=page)
        accounts.share(page, f"D{number}")
        # The page is left while the response is due.
        eventually(lambda number=number: len(shop.batches) > number)
    row = accounts.reconcile(page)
    add_row(row)
    assert float(row[-1]) <= most


@pytest.mark.faults
@pytest.mark.every_engine
def test_fetch_without_end(show, shop, accounts, add_row):
    """A script has replaced it, and a beacon failed: beacons are sent again in the end."""
    never = "window.fetch = () => { window.isFetched = true; return new Promise(() => {}); };"
    shop.fault = lambda request, body: 503
    page = show("", before=never)
    accounts.share(page, "A")
    page.wait_for_function("window.isFetched")
    shop.fault = None
    page = show("", path="/next", tab=page, before=never)
    accounts.share(page, "B")
    add_row(accounts.reconcile(page))


@pytest.mark.every_engine
def test_proxy_that_refuses_for_a_while(show, shop, accounts, add_row):
    """However often the page tries again: what succeeded before does not condemn an event."""
    page = show("")
    accounts.share(page, "A")
    page.evaluate("neuralens('flush')")
    eventually(lambda: page.evaluate(JOURNAL) == [])
    shop.fault = lambda request, body: 404
    accounts.share(page, "B", "C")

    def flush_until(condition):
        """Do not wait for the backoff, which is minutes after so many refusals."""
        eventually(lambda: page.evaluate("neuralens('flush')") or condition())

    flush_until(lambda: shop.refused > 40)
    shop.fault = None
    flush_until(lambda: page.evaluate(JOURNAL) == [])
    add_row(accounts.reconcile(page))


@pytest.mark.every_engine
def test_page_unloaded_while_requests_fail(show, shop, accounts, add_row):
    page = show("")
    shop.fault = lambda request, body: RESET
    accounts.share(page, "A", "B")
    page.close()
    shop.fault = None
    page = show("", path="/next")
    add_row(accounts.reconcile(page))


@pytest.mark.every_engine
def test_backlog_of_200_kb_at_unload(show, accounts, add_row):
    page = show("")
    page.evaluate(
        """() => { for (let number = 0; number < 400; number += 1)
            neuralens("track", "SHARE", { id: "B" + number, query: "€".repeat(120) }); }"""
    )
    accounts.tracked += [f"B{number}" for number in range(400)]
    page = show("", path="/next", tab=page)
    add_row(accounts.reconcile(page))


@pytest.mark.every_engine
def test_keepalive_quota_used_by_another_script(show, shop, accounts, add_row):
    page = show("")
    page.evaluate(
        """() => { fetch("/hang", { method: "POST", keepalive: true, body: "x".repeat(64000) })
            .catch(() => {}); }"""
    )
    accounts.share(page, *MANY)
    add_row(accounts.reconcile(page))


@pytest.mark.every_engine
@pytest.mark.parametrize("script", [FULL, BLOCKED], ids=["full", "throwing"])
def test_storage_that_is_full_or_blocked(show, accounts, add_row, script):
    page = show("", before=script)
    accounts.share(page, "A", "B")
    page.evaluate("neuralens('flush')")
    eventually(lambda: set(accounts.tracked) <= set(accounts.received()))
    assert (
        len([line for line in page.console_messages if "storage is full or blocked" in line]) == 1
    )


@pytest.mark.every_engine
@pytest.mark.parametrize("answer", [RESET, HANG], ids=["reset", "nothing"])
@pytest.mark.parametrize("later", [[], ["C"]], ids=["", "and used again"])
def test_storage_cleared_while_a_beacon_fails(show, shop, accounts, add_row, answer, later):
    """That an event is no longer stored does not mean that another page has delivered it."""
    shop.fault = lambda request, body: answer
    page = show("")
    accounts.share(page, "A", "B")
    page.evaluate("neuralens('flush'); localStorage.clear()")
    accounts.share(page, *later)
    eventually(lambda: shop.refused > 0)
    shop.fault = None
    add_row(accounts.reconcile(page))


@pytest.mark.every_engine
def test_corrupt_storage(show, accounts, add_row):
    page = show("", consent="pending")
    page.evaluate(
        """() => {
            for (const key of ["j", "l", "w", "b:x-1", "e:1", "e:1~gone~x", "e:~~"])
                localStorage.setItem("nl:" + key, "{[");
            neuralens("consent", "granted");
        }"""
    )
    accounts.share(page, "A")
    add_row(accounts.reconcile(page))


@pytest.mark.every_engine
def test_journal_of_version_0_1_0(show, accounts, add_row, uid):
    page = show("", consent="pending")
    event = {"eid": str(uuid4()), "uid": uid, **EVENT}
    page.evaluate(
        "([key, text]) => localStorage.setItem(key, text)",
        [f"nl:e:{event['eid']}", json.dumps(event)],
    )
    page.evaluate("neuralens('consent', 'granted')")
    accounts.tracked.append("OLD")
    add_row(accounts.reconcile(page))


@pytest.mark.every_engine
def test_poison_event_does_not_block_others(show, shop, accounts, add_row):
    shop.fault = lambda request, body: 403 if b"POISON" in body else None
    page = show("")
    accounts.share(page, "A", "B", "C", "D")
    page.evaluate("neuralens('track', 'SHARE', { id: 'POISON' })")
    eventually(lambda: set(accounts.tracked) <= set(accounts.received()), 60)
    eventually(lambda: page.evaluate(REFUSED_ALONE), 60)
    assert_one_batch(show, shop, accounts, page)


def assert_one_batch(show, shop, accounts, page):
    """The next page sends its new events in one batch, whatever happened on the one before."""
    names = [f"N{number}" for number in range(6)]
    page = show("", path="/next", tab=page)
    accounts.share(page, *names)
    eventually(lambda: set(names) <= set(accounts.received()), 60)
    posted = [[event["items"][0]["id"] for event in batch["events"]] for batch in shop.batches]
    assert next(ids for ids in posted if names[0] in ids) == names


def flush_until_received(page, accounts):
    """Wait until all events were received, without the pauses of a backoff."""
    eventually(
        lambda: (
            page.evaluate("neuralens('flush')") or set(accounts.tracked) <= set(accounts.received())
        ),
        60,
    )


@pytest.mark.every_engine
def test_outage_is_no_constraint(show, shop, accounts):
    """It ends when the tracker has begun to try smaller batches."""

    def end_before_a_single_event(request: Request, body: bytes) -> str | None:
        if len(json.loads(body)["events"]) == 1:
            shop.fault = None
        return RESET if shop.fault else None

    shop.fault = end_before_a_single_event
    page = show("")
    accounts.share(page, "A", "B")
    flush_until_received(page, accounts)
    assert_one_batch(show, shop, accounts, page)


@pytest.mark.every_engine
def test_size_limit_without_responses_is_remembered(show, shop, accounts):
    """The first page may have seen an outage, but not the second one as well."""
    shop.fault = refuse_size(2_000, RESET)
    page = None
    for number in range(3):
        earlier = len(shop.posts)
        page = show("", path=f"/page{number}", tab=page)
        accounts.share(page, *(f"P{number}-{index}" for index in range(8)))
        flush_until_received(page, accounts)
    assert max(post.size for post in shop.posts[earlier:]) <= 2_000


def test_page_hidden_and_shown_twenty_times(show, accounts, add_row):
    page = show("")
    for number in range(20):
        accounts.share(page, f"H{number}")
        page.evaluate(
            """() => {
                for (const state of ["hidden", "visible"]) {
                    Object.defineProperty(document, "visibilityState",
                        { value: state, configurable: true });
                    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
                }
            }"""
        )
    add_row(accounts.reconcile(page))


@pytest.mark.every_engine
def test_ten_tabs_with_one_backlog(show, shop, context, accounts, add_row):
    accounts.leave_behind(show, *MANY)
    shop.fault = None
    before = len(shop.posts)
    tabs = [show("", path=f"/tab{number}") for number in range(10)]
    add_row(accounts.reconcile(tabs[0]))
    assert premature(shop.posts[before:]) == [], "each event is sent by only one of the tabs"


@pytest.mark.every_engine
@pytest.mark.parametrize("days", [1, -365], ids=["day ahead", "year back"])
def test_wrong_clock(show, accounts, add_row, days):
    page = show("", before=f"const now = Date.now; Date.now = () => now() + {days} * 864e5;")
    accounts.share(page, "A")
    add_row(accounts.reconcile(page))


def test_killed_renderer(show, shop, context, accounts, add_row):
    shop.fault = lambda request, body: 503
    page = show("")
    accounts.share(page, "A", "B")
    eventually(lambda: accounts.posts())
    crash(page)
    shop.fault = None
    page = show("", path="/next", tab=context.new_page())
    add_row(accounts.reconcile(page))
