"""Nothing is stored or sent before consent, and Global Privacy Control counts as a refusal."""

import re
import time

import pytest

from tests.browser.ledger import JOURNAL
from tests.browser.page import round_trip, share
from tests.polling import eventually

pytestmark = pytest.mark.every_engine
TILE = '<div data-nl-product="A" style="height: 100px">A</div>'
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
SIGNAL = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { value: VALUE })"
BLOCKED = """Object.defineProperty(window, "localStorage", {
    get() { throw new DOMException("The user said no", "SecurityError"); }
})"""
FULL = """Storage.prototype.setItem = () => {
    throw new DOMException("Nothing more fits in", "QuotaExceededError");
}"""


def stored_keys(page):
    """Return the tracker's keys in storage."""
    return page.evaluate("Object.keys(localStorage)")


def stop_clock(page, seconds):
    """Fix a page's clock at a Unix time in seconds."""
    page.evaluate("(seconds) => { Date.now = () => seconds * 1000; }", seconds)


@pytest.fixture
def sent(shop, uid):
    """Return the ids that were sent for this test's shopper, or for an anonymous one."""

    def sent():
        return [
            event["items"][0]["id"]
            for batch in shop.batches
            for event in batch["events"]
            if event["uid"] in (uid, None)
        ]

    return sent


def test_pending_holds_everything_and_stores_nothing(show, ledger, context, sent, uid):
    page = show("", consent="pending")
    # Not so wrong that the relay would correct it.
    start = int(time.time()) - 60
    stop_clock(page, start)
    share(page, "early")
    stop_clock(page, start + 20)
    page.evaluate("(html) => { document.body.innerHTML = html; }", TILE)
    page.click("[data-nl-product]")
    round_trip(page)
    assert (stored_keys(page), context.cookies(), sent()) == ([], [], [])
    stop_clock(page, start + 40)
    page.evaluate("neuralens('consent', 'granted')")
    share(page, "late")
    common = {"uid": uid, "event": "SHARE"}
    # With the view of the tile.
    events = ledger.wait_for(4)
    assert common | {"items": [{"id": "early"}], "timestamp": start} in events
    assert common | {"items": [{"id": "late"}], "timestamp": start + 40} in events
    clicked = {"event": "CLICK_PRODUCT", "items": [{"id": "A"}], "timestamp": start + 20}
    assert common | clicked in events


@pytest.mark.one_case
@pytest.mark.parametrize("word", ["'declined'", "undefined", "true", "['granted']"])
def test_misspelled_call_is_pending(show, ledger, sent, word):
    """An unknown state holds all events until a valid one is given."""
    page = show("")
    share(page, "sent")
    ledger.wait_for(1)
    page.evaluate(f"neuralens('consent', {word})")
    page.evaluate(f"neuralens('consent', {word})")
    share(page, "held")
    round_trip(page)
    assert sent() == ["sent"]
    assert '"held"' not in page.evaluate("JSON.stringify(localStorage)")
    messages = [line for line in page.console_messages if line.startswith("neuralens: ")]
    assert messages == ["neuralens: consent must be one of granted, pending, denied"]
    page.evaluate("neuralens('consent', 'granted')")
    assert [event.id for event in ledger.wait_for(2)] == ["sent", "held"]


def test_queued_events_when_consent_becomes_pending(show, ledger, sent):
    page = show("")
    share(page, "A")
    page.evaluate("neuralens('consent', 'pending')")
    round_trip(page)
    assert sent() == []
    page.evaluate("neuralens('consent', 'granted')")
    assert [event.id for event in ledger.wait_for(1)] == ["A"]


def test_pending_until_the_end_leaves_nothing(show, shop, ledger, context, sent):
    page = show(TILE, consent="pending", uid=None)
    page.click("[data-nl-product]")
    shop.put("/elsewhere", "A page without a tracker")
    page.goto("/elsewhere")
    assert (stored_keys(page), context.cookies(), sent()) == ([], [], [])
    page = show("", tab=page, uid=None)
    assert ledger.wait_for_all(page) == []


def test_denied_drops_and_erases(show, ledger, shop, uid):
    page = show("", uid=None)
    page.evaluate("localStorage.setItem('cart', 'two chairs')")
    share(page, "A")
    ledger.wait_for(1)
    eventually(lambda: page.evaluate(JOURNAL) == [])
    assert stored_keys(page) != ["cart"]
    page.evaluate("neuralens('track', 'SHARE', { id: 'B' }); neuralens('consent', 'denied')")
    share(page, "C")
    round_trip(page)
    assert stored_keys(page) == ["cart"]
    page.evaluate("neuralens('consent', 'granted')")
    share(page, "D")
    page.evaluate("neuralens('flush')")
    first, second = ledger.wait_for(2)
    assert [first["items"], second["items"]] == [[{"id": "A"}], [{"id": "D"}]]
    assert UUID.fullmatch(first["uid"])
    assert UUID.fullmatch(second["uid"])
    assert first["uid"] != second["uid"]


def test_denied_on_the_tag_erases_what_earlier_pages_stored(show, shop):
    page = show("", uid=None)
    shop.outage = 503
    share(page, "A")
    assert sorted(key.split(":")[1] for key in stored_keys(page)) == ["e", "j", "uid"]
    page.close()
    shop.outage = None
    page = show(TILE, consent="denied", uid=None)
    assert stored_keys(page) == []
    page.evaluate(
        "window.suppressed = []; neuralens('on', 'suppressed', (what) => suppressed.push(what))"
    )
    page.click("[data-nl-product]")
    suppressed = page.evaluate("suppressed")
    assert {what["reason"] for what in suppressed} == {"consent"}
    assert "CLICK_PRODUCT" in [what["event"]["event"] for what in suppressed]
    before = len(shop.batches)
    round_trip(page)
    assert (len(shop.batches), stored_keys(page)) == (before, [])


@pytest.fixture
def tabs(show, shop, ledger):
    """Two tabs of the shop; the second has an event that is still to be delivered."""
    tabs = [show(""), show("", path="/tab")]
    tabs[1].evaluate("""() => {
        window.removed = [];
        addEventListener("storage", ({ key, newValue }) => newValue ?? removed.push(key));
    }""")
    share(tabs[0], "A")
    share(tabs[1], "B")
    ledger.wait_for(2)
    eventually(lambda: tabs[0].evaluate(JOURNAL) == [])
    shop.outage = 503
    share(tabs[1], "C")
    tabs[1].evaluate("neuralens('flush')")
    return tabs


def test_denied_in_another_tab(tabs, shop, ledger):
    """Every open tab erases what waits, and stores and sends nothing more."""
    page, other = tabs
    page.evaluate("neuralens('consent', 'denied')")
    other.wait_for_function("removed.includes('nl:j')")
    shop.outage = None
    share(other, "D")
    round_trip(other)
    assert (stored_keys(page), stored_keys(other)) == ([], [])
    other.evaluate("neuralens('consent', 'granted')")
    share(other, "E")
    assert sorted(event.id for event in ledger.wait_for_all(other)) == ["A", "B", "E"]


def test_storage_cleared_in_another_tab(tabs, shop, ledger):
    """A shop does so when a shopper logs out, which is no refusal."""
    page, other = tabs
    page.evaluate("localStorage.clear()")
    other.wait_for_function("removed.includes(null)")
    shop.outage = None
    share(other, "D")
    assert {event.id for event in ledger.wait_for(4)} == {"A", "B", "C", "D"}


@pytest.mark.chromium_alone
@pytest.mark.parametrize("decisions", [("denied",), ("denied", "granted")])
def test_denied_while_a_batch_is_in_flight(show, shop, decisions):
    """A failed batch is not retried once the shopper has refused, whatever comes after that."""
    page = show("", uid=None)
    page.clock.install()
    shop.outage = 503
    with page.expect_response("**/nl/events*"):
        page.evaluate(
            """(decisions) => {
                neuralens("track", "SHARE", { id: "A" });
                neuralens("flush");
                for (const decision of decisions) neuralens("consent", decision);
            }""",
            decisions,
        )
    shop.outage = None
    page.clock.run_for(3_600_000)
    round_trip(page)
    assert (len(shop.batches), stored_keys(page)) == (1, [])


@pytest.mark.chromium_alone
def test_denied_erases_the_cookie_of_a_late_response(show, shop, context):
    """The response to what the previous page has sent arrives once this one has refused."""
    page = context.new_page()
    page.clock.install()
    show("", tab=page, consent="denied", uid=None)
    shop.put("/late", "", {"Set-Cookie": "nl_ack=0123456789abcdef; path=/"})
    page.evaluate("fetch('/late').then((response) => response.text())")
    assert [cookie["name"] for cookie in context.cookies()] == ["nl_ack"]
    page.clock.run_for(5_000)
    eventually(lambda: context.cookies() == [])


def test_refusal_after_pending(show, ledger, sent):
    page = show(TILE, consent="pending")
    page.click("[data-nl-product]")
    page.evaluate(
        "window.suppressed = []; neuralens('on', 'suppressed', (what) => suppressed.push(what))"
    )
    page.evaluate("neuralens('consent', 'denied'); neuralens('consent', 'granted')")
    suppressed = page.evaluate("suppressed")
    assert ("CLICK_PRODUCT", "consent") in [
        (what["event"]["event"], what["reason"]) for what in suppressed
    ]
    share(page, "B")
    events = ledger.wait_for_all(page)
    assert [event["event"] for event in events if event["event"] != "VIEW_PRODUCT"] == ["SHARE"]


@pytest.mark.parametrize("consent", ["granted", "pending"])
def test_global_privacy_control(show, sent, consent):
    """It overrides the consent that the page gives, on the tag and later."""
    page = show(TILE, before=SIGNAL.replace("VALUE", "true"), consent=consent)
    page.click("[data-nl-product]")
    page.evaluate("neuralens('consent', 'granted')")
    share(page, "A")
    round_trip(page)
    assert (stored_keys(page), sent()) == ([], [])


@pytest.mark.parametrize(("signal", "respected"), [("true", False), ("false", True)])
def test_no_global_privacy_control(show, ledger, signal, respected, uid):
    page = show("", before=SIGNAL.replace("VALUE", signal), respect_gpc=respected)
    share(page, "A")
    assert [event["uid"] for event in ledger.wait_for_all(page)] == [uid]


def test_anonymous_uid_is_the_same_on_every_page(show, ledger):
    page = show("", uid=None)
    share(page, "A")
    page = show("", path="/next", tab=page, uid=None)
    share(page, "B")
    other = show("", path="/tab", uid=None)
    share(other, "C")
    page.evaluate("neuralens('flush')")
    other.evaluate("neuralens('flush')")
    events = ledger.wait_for(3)
    (uid,) = {event["uid"] for event in events}
    assert UUID.fullmatch(uid)
    assert page.evaluate("localStorage.getItem('nl:uid')") == uid


def test_no_anonymous_uid_for_a_known_shopper(show, ledger, uid):
    page = show("")
    share(page, "A")
    assert [event["uid"] for event in ledger.wait_for_all(page)] == [uid]
    # The journal's sequence number is unrelated to the shopper.
    page.wait_for_function("Object.keys(localStorage).join() === 'nl:j'")


@pytest.mark.parametrize("script", [BLOCKED, FULL], ids=["blocked", "full"])
def test_storage_that_is_full_or_blocked(show, ledger, script):
    """There is no anonymous uid, because one per page would count a shopper many times."""
    page = show("", before=script, uid=None)
    share(page, "A")
    page.evaluate("neuralens('flush')")
    (event,) = ledger.wait_for(1)
    assert (event["uid"], event["items"]) == (None, [{"id": "A"}])
    assert not any(line.startswith("thrown") for line in page.console_messages)


def test_corrupt_storage(show, ledger):
    page = show("", uid=None, consent="pending")
    page.evaluate(
        """() => {
            localStorage.setItem("nl:uid", "");
            localStorage.setItem("nl:e:1", "{");
            localStorage.setItem("nl:e:2", "[1, 2]");
            localStorage.setItem("nl:e:3", '{"eid": "3", "event": "BUY"}');
            neuralens("consent", "granted");
        }"""
    )
    share(page, "A")
    page.evaluate("neuralens('flush')")
    (event,) = ledger.wait_for(1)
    assert UUID.fullmatch(event["uid"])
    page.wait_for_function("Object.keys(localStorage).sort().join() === 'nl:j,nl:uid'")
    # The journal counts unreadable events.
    assert page.evaluate("JSON.parse(localStorage['nl:j']).storage") == 3
