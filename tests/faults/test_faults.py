"""Faults between page and API: nothing that was tracked is lost, and nothing doubled in silence."""

import json
from uuid import uuid4

import pytest
from starlette.requests import Request

from tests.browser.engines.fixtures import crash
from tests.browser.shop import HANG, RESET
from tests.faults.accounts import JOURNAL
from tests.polling import eventually

VANISH = "Navigator.prototype.sendBeacon = () => true;"
FULL = """const setItem = Storage.prototype.setItem;
Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };"""
BLOCKED = """Object.defineProperty(window, "localStorage", {
    get() { throw new DOMException("The user said no", "SecurityError"); }
});"""
MANY = [f"M{place}" for place in range(60)]
EVENT = {"event": "SHARE", "items": [{"id": "OLD"}], "timestamp": 1_795_000_000}


def refuse_type(request: Request, body: bytes) -> int | None:
    return 403 if "text/plain" in request.headers["content-type"].lower() else None


def refuse_size(limit: int, status: int):
    return lambda request, body: status if len(body) > limit else None


@pytest.mark.every_engine
def test_firewall_by_type(show, shop, accounts, note):
    shop.fault = refuse_type
    page = show("")
    accounts.share(page, "A", "B")
    note(accounts.settle(page))
    page = show("", path="/next", tab=page)
    accounts.share(page, "C")
    before = len(shop.posts)
    accounts.settle(page)
    assert [post.status for post in shop.posts[before:]] == [202], "the next page knows"


@pytest.mark.every_engine
@pytest.mark.parametrize(
    ("limit", "answer"), [(8192, 403), (4096, 413), (8192, RESET)], ids=["403", "413", "cut"]
)
def test_firewall_by_size(show, shop, accounts, note, limit, answer):
    shop.fault = lambda request, body: 503
    page = show("")
    accounts.share(page, *MANY)
    eventually(lambda: accounts.posts())
    shop.fault = refuse_size(limit, answer)
    page = show("", path="/next", tab=page)
    note(accounts.settle(page))


@pytest.mark.every_engine
def test_beacons_that_vanish(show, accounts, note):
    page = None
    for place in range(4):
        page = show("", path=f"/page{place}", tab=page, before=VANISH)
        accounts.share(page, f"V{place}")
        page.wait_for_timeout(2000)
    note(accounts.settle(page))


@pytest.mark.every_engine
@pytest.mark.parametrize("answer", [503, 413, RESET, HANG], ids=["503", "413", "reset", "nothing"])
def test_beacon_that_is_answered_so(show, shop, accounts, note, answer):
    page = show("")
    shop.fault = lambda request, body: answer
    accounts.share(page, "A", "B")
    page.evaluate("neuralens('flush')")
    eventually(lambda: shop.refused > 0)
    shop.fault = None
    note(accounts.settle(page))


@pytest.mark.every_engine
def test_page_that_is_left_while_nothing_gets_through(show, shop, accounts, note):
    page = show("")
    shop.fault = lambda request, body: RESET
    accounts.share(page, "A", "B")
    page.close()
    shop.fault = None
    page = show("", path="/next")
    note(accounts.settle(page))


@pytest.mark.every_engine
def test_backlog_of_200_kb_when_the_page_is_left(show, accounts, note):
    page = show("")
    page.evaluate(
        """() => { for (let place = 0; place < 400; place += 1)
            neuralens("track", "SHARE", { id: "B" + place, query: "€".repeat(120) }); }"""
    )
    accounts.tracked += [f"B{place}" for place in range(400)]
    page = show("", path="/next", tab=page)
    note(accounts.settle(page))


@pytest.mark.every_engine
def test_another_script_fills_the_quota(show, shop, accounts, note):
    page = show("")
    page.evaluate(
        """() => { fetch("/hang", { method: "POST", keepalive: true, body: "x".repeat(64000) })
            .catch(() => {}); }"""
    )
    accounts.share(page, *MANY)
    note(accounts.settle(page))


@pytest.mark.every_engine
@pytest.mark.parametrize("script", [FULL, BLOCKED], ids=["full", "throwing"])
def test_storage_that_keeps_nothing(show, accounts, note, script):
    page = show("", before=script)
    accounts.share(page, "A", "B")
    page.evaluate("neuralens('flush')")
    eventually(lambda: set(accounts.tracked) <= set(accounts.taken()))
    assert len([line for line in page.said if "storage is full or blocked" in line]) == 1


@pytest.mark.every_engine
def test_storage_that_is_corrupt(show, accounts, note):
    page = show("", consent="pending")
    page.evaluate(
        """() => {
            for (const key of ["j", "l", "w", "b:x-1", "e:1", "e:1~gone~x", "e:~~"])
                localStorage.setItem("nl:" + key, "{[");
            neuralens("consent", "granted");
        }"""
    )
    accounts.share(page, "A")
    note(accounts.settle(page))


@pytest.mark.every_engine
def test_journal_of_version_0_1_0(show, accounts, note, uid):
    page = show("", consent="pending")
    event = {"eid": str(uuid4()), "uid": uid, **EVENT}
    page.evaluate(
        "([key, text]) => localStorage.setItem(key, text)",
        [f"nl:e:{event['eid']}", json.dumps(event)],
    )
    page.evaluate("neuralens('consent', 'granted')")
    accounts.tracked.append("OLD")
    note(accounts.settle(page))


@pytest.mark.every_engine
def test_poison_event_holds_up_no_other(show, shop, accounts, note):
    shop.fault = lambda request, body: 403 if b"POISON" in body else None
    page = show("")
    accounts.share(page, "A", "B")
    page.evaluate("neuralens('track', 'SHARE', { id: 'POISON' })")
    accounts.share(page, "C", "D")
    eventually(lambda: set(accounts.tracked) <= set(accounts.taken()), 60)
    eventually(lambda: len(page.evaluate(JOURNAL)) == 1)


def test_hidden_and_shown_twenty_times(show, accounts, note):
    page = show("")
    for place in range(20):
        accounts.share(page, f"H{place}")
        page.evaluate(
            """() => {
                for (const state of ["hidden", "visible"]) {
                    Object.defineProperty(document, "visibilityState",
                        { value: state, configurable: true });
                    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
                }
            }"""
        )
    note(accounts.settle(page))


@pytest.mark.every_engine
def test_ten_tabs_with_one_backlog(show, shop, context, accounts, note):
    accounts.leave_behind(show, *MANY)
    shop.fault = None
    before = len(shop.posts)
    tabs = [show("", path=f"/tab{place}") for place in range(10)]
    note(accounts.settle(tabs[0]))
    sent = [event["eid"] for post in shop.posts[before:] for event in post.batch["events"]]
    assert len(sent) == len(set(sent)), "each event is posted by one of them"


@pytest.mark.every_engine
@pytest.mark.parametrize("days", [1, -365], ids=["day ahead", "year back"])
def test_clock(show, accounts, note, days):
    page = show("", before=f"const now = Date.now; Date.now = () => now() + {days} * 864e5;")
    accounts.share(page, "A")
    note(accounts.settle(page))


def test_renderer_that_is_killed(show, shop, context, accounts, note):
    shop.fault = lambda request, body: 503
    page = show("")
    accounts.share(page, "A", "B")
    eventually(lambda: accounts.posts())
    crash(page)
    shop.fault = None
    page = show("", path="/next", tab=context.new_page())
    note(accounts.settle(page))
