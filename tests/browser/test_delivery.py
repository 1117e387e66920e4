"""Delivery to the relay: every event arrives exactly once, whatever happens to page and relay."""

import re
import signal
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from neuralens_relay.intake import OTHER_APPLICATION

from tests.browser.shop import DAMAGE, HANG, RESET, premature
from tests.polling import TIMEOUT, eventually
from tests.processes import APPLICATION, RELAY, Process

pytestmark = pytest.mark.every_engine
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
MAX_BATCH_BYTES = 48 * 1024
# Blocks all requests of the page, which observes the failures.
SHUT = """() => {
    navigator.sendBeacon = () => false;
    window.fetch = () => Promise.reject(new TypeError("shut"));
}"""


JOURNAL = """Object.entries(localStorage).filter(([key]) => key.startsWith("nl:e:"))
    .map(([, text]) => JSON.parse(text))"""


def share(page, *names):
    """Track a share of each product in one task, and return the journal right after it."""
    return page.evaluate(
        f"""(names) => {{
            for (const id of names) neuralens("track", "SHARE", {{ id }});
            return {JOURNAL};
        }}""",
        list(names),
    )


def flush(page):
    page.evaluate("neuralens('flush')")


def journal(page):
    """Return the journaled events, whose outcome is not known yet."""
    return page.evaluate(JOURNAL)


def ids(events):
    return [event["items"][0]["id"] for event in events]


@pytest.fixture
def posts(shop, uid):
    """Return the batches of this test's shopper, in order, once there are at least ``count``."""

    def posts(count=0):
        def own():
            batches = [(post, post.batch["events"]) for post in shop.posts]
            return [post for post, events in batches if uid in [each["uid"] for each in events]]

        eventually(lambda: len(own()) >= count)
        return own()

    return posts


@pytest.fixture
def await_empty_journal():
    """Wait until the journal is empty."""

    def await_empty_journal(page, timeout=TIMEOUT):
        eventually(lambda: journal(page) == [], timeout)

    return await_empty_journal


@pytest.mark.chromium_alone
def test_batch_on_the_wire(show, ledger, posts, uid):
    page = show(
        """<main data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="solid wood chair">
        <div data-nl-product="AV768" data-nl-index="3">é</div></main>""",
        view_ms=99999,
    )
    location = {"lat": 31.34956697190882, "long": 78.44615274878441, "region": "MG Road"}
    before = time.time()
    # In one task, so that they are one batch.
    page.evaluate(
        """(location) => {
            neuralens("geo", location);
            document.querySelector("[data-nl-product]").addEventListener("click", () => {
                neuralens("track", "SHARE", { id: "B" });
                neuralens("flush");
            });
        }""",
        location,
    )
    with page.expect_request("**/nl/events?**") as request:
        page.click("[data-nl-product]")
    (event,) = [each for each in ledger.wait_for(2) if each["event"] == "CLICK_PRODUCT"]
    (post,) = posts(1)
    check_request(request.value, post.batch)
    clicked, shared = check_envelope(post.batch, before)
    assert re.fullmatch(UUID, clicked.pop("eid"))
    assert re.fullmatch(UUID, shared.pop("eid"))
    assert (clicked.pop("seq"), shared.pop("seq")) == (1, 2)
    timestamp = clicked["timestamp"]
    assert int(before) <= timestamp <= time.time()
    assert clicked == event
    assert event == {
        "uid": uid,
        "items": [{"id": "AV768"}],
        "query": "solid wood chair",
        "page": "SEARCH_RESULT_PAGE",
        "event": "CLICK_PRODUCT",
        "index": 3,
        "geo": location,
        "timestamp": timestamp,
    }
    known = {"uid", "items", "query", "page", "event", "index", "geo", "timestamp"}
    assert set(shared) <= known


def check_request(request, batch):
    """Check method, type and address of the request for a batch."""
    assert (request.method, request.resource_type) == ("POST", "ping")
    assert request.headers["content-type"].lower() == "text/plain;charset=utf-8"
    parts = urlsplit(request.url)
    assert (parts.path, parse_qs(parts.query)) == ("/nl/events", {"b": [batch["batch"]]})


def check_envelope(batch, before):
    """Check all of the first batch of a journal but its events, and return these."""
    assert re.fullmatch(r"[0-9a-f]{8}-1", batch["batch"])
    day = int(before / 86400)
    assert re.fullmatch(rf"({day}|{day + 1})-[0-9a-f]{{8}}-[0-9a-f]{{4}}", batch["journal"])
    assert before - 0.01 <= batch["sent"] <= time.time()
    assert batch == {
        "v": 1,
        "app": APPLICATION,
        "batch": batch["batch"],
        "sent": batch["sent"],
        "token": None,
        "journal": batch["journal"],
        "lost": 0,
        "losses": {"overflow": 0, "refused": 0, "storage": 0},
        "events": batch["events"],
    }
    return batch["events"]


def test_journal_keeps_an_event_until_it_is_acknowledged(show, ledger, posts, await_empty_journal):
    page = show("")
    journaled = share(page, "A", "B")
    assert sorted(ids(journaled)) == ["A", "B"]
    kept = {event["eid"] for event in journaled}
    flush(page)
    assert ids(ledger.wait_for(2)) == ["A", "B"]
    await_empty_journal(page)
    assert all(post.eids == kept and post.status == 202 for post in posts(1))
    assert premature(posts()) == []


def test_concurrent_events_share_a_batch(show, ledger, posts):
    page = show("")
    share(page, *"ABCDE")
    assert ids(ledger.wait_for(5)) == list("ABCDE")
    assert {len(post.eids) for post in posts(1)} == {5}
    assert premature(posts()) == []


@pytest.mark.chromium_alone
def test_next_page_delivers_events_of_the_previous_one(
    show, ledger, posts, await_empty_journal, uid
):
    page = show("", uid=uid)
    page.evaluate(SHUT)
    # Not so wrong that the relay would correct it.
    now = int(time.time()) - 60
    page.clock.set_fixed_time(now)
    share(page, "A", "B")
    flush(page)
    kept = {event["eid"] for event in journal(page)}
    page = show("", path="/next", tab=page)
    events = ledger.wait_for(2)
    # Storage is unordered.
    assert sorted((event.id, event["timestamp"], event["uid"]) for event in events) == [
        ("A", now, uid),
        ("B", now, uid),
    ]
    eventually(lambda: {eid for post in posts() for eid in post.eids} == kept)
    await_empty_journal(page)


def test_event_that_is_sent_twice_is_stored_once(show, ledger, posts, await_empty_journal):
    """An unloaded page does not see the response to its last beacon; the next page resends it."""
    page = show("")
    share(page, "A")
    page = show("", path="/next", tab=page)
    share(page, "B")
    flush(page)
    await_empty_journal(page)
    assert ids(ledger.wait_for_all(page)) == ["A", "B"]
    assert {post.status for post in posts()} == {202}


def test_unavailable_relay(show, shop, ledger, posts, await_empty_journal, engine):
    """After a 503, the batch is retried by a request whose response can be read."""
    page = show("")
    shop.outage = 503
    share(page, "A")
    posts(1)
    assert ids(journal(page)) == ["A"]
    shop.outage = None
    assert ids(ledger.wait_for(1)) == ["A"]
    await_empty_journal(page)
    first, second = posts(2)
    assert (first.status, second.status) == (503, 202)
    assert first.batch["events"] == second.batch["events"]
    assert first.batch["batch"] != second.batch["batch"]
    assert second.batch["sent"] - first.batch["sent"] >= 1
    assert [post.headers["sec-fetch-mode"] for post in posts()] == ["no-cors", "cors"]
    share(page, "B")
    assert ids(ledger.wait_for(2)) == ["A", "B"]
    # WebKit does not report that a beacon was refused, so fetch is used from then on.
    mode = "cors" if engine == "webkit" else "no-cors"
    assert posts(3)[2].headers["sec-fetch-mode"] == mode
    assert [line for line in page.console_messages if "503" not in line] == []


@pytest.mark.one_case
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["ends", "dies"])
def test_relay_that_is_restarted(show, ledger, relay, posts, await_empty_journal, number):
    page = show("")
    share(page, "A")
    flush(page)
    ledger.wait_for(1)
    eventually(lambda: ledger.metric("neuralens_outbox_waiting") == 0)
    relay.end(number)
    share(page, "B")
    flush(page)
    eventually(lambda: 502 in [post.status for post in posts()])
    eventually(lambda: ids(journal(page)) == ["B"])
    relay.start()
    assert ids(ledger.wait_for(2)) == ["A", "B"]
    await_empty_journal(page)
    share(page, "C")
    assert ids(ledger.wait_for_all(page)) == ["A", "B", "C"]
    assert ledger.metric("neuralens_forwarded_ambiguous_total") == 0


def test_relay_that_is_killed_between_sending_and_settling(
    show, ledger, relay, await_empty_journal
):
    """The API has no idempotency key: ambiguous events are sent again, and counted."""
    page = show("")
    ledger.fail(hang=True, accepted=True, item="A")
    share(page, "A")
    flush(page)
    ledger.wait_for(1)
    await_empty_journal(page)
    relay.end(signal.SIGKILL)
    relay.start()
    assert ids(ledger.wait_for(2)) == ["A", "A"]
    share(page, "B")
    assert ids(ledger.wait_for_all(page)) == ["A", "A", "B"]
    assert ledger.metric("neuralens_forwarded_ambiguous_total") == 1


@pytest.mark.one_case
@pytest.mark.parametrize("status", [400, 415])
def test_events_refused_by_the_relay_are_counted_as_lost(
    show, shop, ledger, posts, await_empty_journal, status
):
    page = show("")
    shop.outage, shop.error = status, "no batch"
    share(page, "A", "B")
    flush(page)
    await_empty_journal(page)
    assert any("no batch" in line and "neuralens" in line for line in page.console_messages)
    shop.outage = None
    share(page, "C")
    flush(page)
    assert ids(ledger.wait_for(1)) == ["C"]
    await_empty_journal(page)
    taken = [post.batch for post in posts() if post.status == 202]
    assert [batch["losses"] for batch in taken] == [{"overflow": 0, "refused": 2, "storage": 0}]
    assert [batch["lost"] for batch in taken] == [2]
    share(page, "D")
    flush(page)
    ledger.wait_for(2)
    eventually(lambda: posts()[-1].batch["lost"] == 0)


def test_events_of_an_unknown_application_are_kept(show, shop, ledger, posts, await_empty_journal):
    page = show("")
    shop.outage, shop.error = 400, OTHER_APPLICATION
    share(page, "A", "B")
    flush(page)
    # Reading the journal lets the console's messages in, too.
    eventually(
        lambda: (
            sorted(ids(journal(page))) == ["A", "B"]
            and f"neuralens: {OTHER_APPLICATION}" in page.console_messages
        )
    )
    # Only a fetch can read the reason, and the first batch is a beacon.
    assert not [line for line in page.console_messages if "answers 400" in line]
    shop.outage = None
    flush(page)
    await_empty_journal(page)
    assert sorted(ids(ledger.wait_for(2))) == ["A", "B"]
    assert {post.batch["lost"] for post in posts() if post.status == 202} == {0}


@pytest.mark.one_case
@pytest.mark.parametrize("status", [400, 403, 404, 413, 415])
def test_events_refused_by_a_proxy_are_kept(show, shop, ledger, posts, await_empty_journal, status):
    page = show("")
    shop.outage = status
    share(page, "A", "B", "C")
    flush(page)
    eventually(lambda: len(posts()) > 3)
    assert sorted(ids(journal(page))) == ["A", "B", "C"]
    shop.outage = None

    def has_arrived():
        # After so many refusals, the backoff would be minutes.
        flush(page)
        return len(ledger.entries()) == 3

    eventually(has_arrived)
    assert sorted(ids(ledger.entries())) == ["A", "B", "C"]
    await_empty_journal(page)
    assert sum(post.batch["lost"] for post in posts()) == 0


@pytest.mark.one_case
@pytest.mark.parametrize("status", [403, 404])
def test_an_endpoint_that_takes_nothing_is_reported_at_once(show, shop, posts, status):
    page = show("")
    answers = [status] * 3

    def refuse_at_first(request, body):
        """Refuse what a page without backoff sends, and leave the rest without a response."""
        return answers.pop() if answers else HANG

    shop.fault = refuse_at_first
    advice = "check its proxy and NEURALENS_ALLOWED_ORIGINS"
    line = f"neuralens: /nl/events answers {status}: {advice}"
    share(page, "A")
    flush(page)
    # Reading the journal lets the console's messages in, too.
    eventually(lambda: journal(page) and line in page.console_messages)
    shop.fault = lambda request, body: status

    def has_tried_again():
        flush(page)
        return len(posts()) >= 4

    eventually(has_tried_again)
    assert page.console_messages.count(line) == 1
    page.evaluate("neuralens('consent', 'denied')")


# Seconds for several backoffs.
SLOW = 3 * TIMEOUT


STORED = "() => Object.keys(localStorage).filter((name) => name.startsWith('nl:e:'))"
REFUSALS = f"""() => ({STORED})().map((name) => JSON.parse(localStorage[name]).refusals || 0)"""
ONCE_MORE = f"""() => {{
    const [name] = ({STORED})();
    localStorage[name] = JSON.stringify({{ ...JSON.parse(localStorage[name]), refusals: 7 }});
}}"""


@pytest.mark.one_case
@pytest.mark.parametrize("fault", [400, DAMAGE])
def test_poison_event_is_discarded_across_pages(
    show, shop, ledger, posts, await_empty_journal, fault
):
    """It is refused eight times, over several pages, and does not block other events.

    By a firewall, or by the relay because the firewall damages the body.
    """
    shop.fault = lambda request, body: fault if b'"poison"' in body else None
    page = show("")
    share(page, "good", "poison", "better")

    def is_refused_alone():
        flush(page)
        refusals = page.evaluate(REFUSALS)
        return len(refusals) == 1 and 0 < refusals[0] < 7

    # Where the outcome of beacons cannot be seen, each step takes ten seconds or a backoff.
    eventually(is_refused_alone, SLOW)
    assert sorted(ids(ledger.wait_for(2))) == ["better", "good"]
    page.evaluate(ONCE_MORE)
    show("", "/next", tab=page)
    share(page, "next")
    await_empty_journal(page, SLOW)
    assert sorted(ids(ledger.entries())) == ["better", "good", "next"]
    assert any("events were refused: it was answered 400" in line for line in page.console_messages)
    shop.fault = None
    share(page, "last")
    flush(page)
    ledger.wait_for(4)
    losses = {"overflow": 0, "refused": 1, "storage": 0}
    eventually(lambda: posts()[-1].batch["losses"] == losses)


def test_queue_is_bounded(show):
    page = show("")
    page.evaluate(SHUT)
    share(page, *[f"P{number}" for number in range(1003)])
    assert sorted(ids(journal(page))) == sorted(f"P{number}" for number in range(3, 1003))
    # Discards the events, so that they do not arrive in later tests.
    page.evaluate("neuralens('consent', 'denied')")
    assert journal(page) == []


def test_batches_stay_small(show, ledger, posts, await_empty_journal):
    """Many events with three bytes per character, which exceed one beacon, or two."""
    page = show("")
    count = 80
    page.evaluate(
        """(count) => {
            for (let number = 0; number < count; number += 1)
                neuralens("track", "SHARE", { id: "P" + number, query: "€".repeat(500) });
        }""",
        count,
    )
    flush(page)
    events = ledger.wait_for(count, timeout=30)
    assert sorted(ids(events)) == sorted(f"P{number}" for number in range(count))
    assert {event["query"] for event in events} == {"€" * 500}
    await_empty_journal(page)
    sizes = [int(post.headers["content-length"]) for post in posts()]
    assert len(sizes) > 2
    assert max(sizes) <= MAX_BATCH_BYTES
    assert {post.status for post in posts()} == {202}


SERVICE_WORKER = """
    addEventListener("install", () => skipWaiting());
    addEventListener("activate", (event) => event.waitUntil(clients.claim()));
    const offline = () => new Response("offline", { headers: { "Content-Type": "text/html" } });
    addEventListener("fetch", (event) => event.respondWith(fetch(event.request).catch(offline)));
"""
# Resolves when the page's requests go through its service worker.
REGISTER = """new Promise((resolve) => {
    navigator.serviceWorker.addEventListener("controllerchange", resolve);
    navigator.serviceWorker.register("/worker.js");
})"""


@pytest.mark.one_case
def test_service_worker_that_responds_with_its_offline_page(
    show, shop, ledger, posts, await_empty_journal
):
    shop.put("/worker.js", SERVICE_WORKER, {"Content-Type": "text/javascript"})
    page = show("")
    page.evaluate(REGISTER)
    shop.fault = lambda request, body: RESET
    share(page, "A")
    flush(page)
    posts(1)
    shop.fault = None
    share(page, "B")
    await_empty_journal(page)
    assert sorted(ids(ledger.wait_for(2))) == ["A", "B"]


@pytest.mark.chromium_alone
def test_offline_and_online_again(show, context, ledger, posts, await_empty_journal):
    page = show("")
    context.set_offline(True)
    share(page, "A")
    with page.expect_event("requestfailed"):
        flush(page)
    share(page, "B")
    assert (sorted(ids(journal(page))), posts()) == (["A", "B"], [])
    context.set_offline(False)
    assert sorted(ids(ledger.wait_for(2, timeout=20))) == ["A", "B"]
    await_empty_journal(page)


def test_browser_without_beacons(show, ledger, posts, await_empty_journal):
    page = show("", before="Navigator.prototype.sendBeacon = () => false;")
    share(page, "A")
    assert ids(ledger.wait_for(1)) == ["A"]
    await_empty_journal(page)
    assert premature(posts()) == []
    for post in posts(1):
        assert (post.status, post.headers["sec-fetch-mode"]) == (202, "cors")
        assert post.headers["content-type"].lower() == "text/plain;charset=utf-8"


@pytest.mark.chromium_alone
def test_fetch_in_place_of_a_beacon_is_waited_for_as_a_fetch(
    stop_clock, shop, ledger, posts, await_empty_journal
):
    """Its response comes later than a beacon's outcome would be awaited: no second request."""
    clock = stop_clock(before="Navigator.prototype.sendBeacon = () => false;")
    shop.delay = 3
    share(clock.page, "A")
    clock.run_for(16_000)
    assert ids(ledger.wait_for(1)) == ["A"]
    await_empty_journal(clock.page)
    assert len(posts(1)) == 1


def test_fetch_that_is_blocked_after_a_failed_beacon(show, shop, ledger, await_empty_journal):
    page = show("")
    # Now, because PyScript fetches its interpreter.
    page.evaluate(
        """() => {
            fetch = () => { window.isFetched = true; return Promise.reject(new Error("no")); };
        }"""
    )
    shop.outage = 503
    share(page, "A")
    page.wait_for_function("window.isFetched")
    shop.outage = None
    assert ids(ledger.wait_for(1)) == ["A"]
    await_empty_journal(page)


def test_browser_without_resource_timing(show, ledger, await_empty_journal):
    page = show("", before="delete window.PerformanceObserver;")
    share(page, "A")
    assert ids(ledger.wait_for(1)) == ["A"]
    await_empty_journal(page)


@pytest.fixture
def remote_relay(relay, sandbox, shop, credentials, tmp_path):
    """A relay on another origin, which allows the shop's."""
    environment = {
        "NEURALENS_API_URL": f"{sandbox.url}/analytics/event",
        "NEURALENS_ALLOWED_ORIGINS": shop.url,
    }
    process = Process(RELAY, environment=credentials | environment, cwd=tmp_path)
    yield process
    process.end()


@pytest.mark.chromium_alone
def test_relay_on_another_origin(show, remote_relay, ledger, await_empty_journal):
    """The outcome of beacons cannot be read there."""
    # A host of its own, whose cookie the page cannot read.
    host = remote_relay.url.replace("127.0.0.1", "localhost")
    page = show("", endpoint=f"{host}/events")
    ways = []
    page.on("request", lambda request: ways.append(request.resource_type))
    share(page, "A")
    flush(page)
    ledger.wait_for(1)
    await_empty_journal(page)
    share(page, "B")
    flush(page)
    await_empty_journal(page)
    assert ids(ledger.wait_for(2)) == ["A", "B"]
    assert ways == ["fetch", "fetch"]
    assert page.console_messages == []


@pytest.mark.chromium_alone
def test_relay_on_another_origin_without_keepalive(show, remote_relay, ledger, await_empty_journal):
    """Only a beacon outlives its page, although its outcome has to be found out by fetch."""
    host = remote_relay.url.replace("127.0.0.1", "localhost")
    page = show("", endpoint=f"{host}/events", before="delete Request.prototype.keepalive;")
    ways = []
    page.on("request", lambda request: ways.append(request.resource_type))
    share(page, "A")
    flush(page)
    assert ids(ledger.wait_for(1)) == ["A"]
    await_empty_journal(page)
    assert ways == ["ping", "fetch"]


@pytest.mark.chromium_alone
def test_origin_that_is_not_allowed(show, relay, posts):
    page = show("", endpoint=f"{relay.url}/events")
    with page.expect_response("**/events?**") as answer:
        share(page, "A")
        flush(page)
    assert answer.value.status == 403
    assert ids(journal(page)) == ["A"]
    assert posts() == []
    page.evaluate("neuralens('consent', 'denied')")
