"""The page's own calls: with valid and invalid arguments, and before the script has loaded."""

import time

import pytest
from neuralens_tracker.vocabulary import EVENTS, PURCHASE

from tests.browser.page import wait_until_loaded
from tests.browser.summaries import without_time
from tests.polling import eventually

TILE = '<div data-nl-product="A" style="height: 100px">A</div>'


@pytest.fixture
def events(ledger):
    """Return the events of a page, without timestamps."""

    def events(page):
        return [without_time(event) for event in ledger.wait_for_all(page)]

    return events


def call(page, *values):
    page.evaluate("(values) => neuralens(...values)", list(values))


def listen(page, *names):
    """Register listeners that collect their calls as [name, detail]."""
    page.evaluate(
        """(names) => {
            window.calls = [];
            for (const name of names) neuralens("on", name, (detail) => calls.push([name, detail]));
        }""",
        list(names),
    )


def wait_for_calls(page, count):
    """Wait for at least ``count`` calls of listeners, and return them."""
    page.wait_for_function("(count) => calls.length >= count", arg=count)
    return page.evaluate("calls")


def test_track(show, ledger, uid):
    page = show("")
    before = int(time.time())
    for event in EVENTS:
        fields = {"id": "A", "index": 3, "query": "oak", "page": "CATEGORY_PAGE"}
        call(page, "track", event, fields)
    call(page, "track", PURCHASE, {"ids": ["A", "B", 7]})
    call(page, "track", "SHARE", {"id": 0})
    call(page, "track", "SHARE", {"ids": ["C"], "index": 0, "query": ""})
    events = ledger.wait_for_all(page)
    assert all(before <= event["timestamp"] <= time.time() for event in events)
    common = {"uid": uid, "items": [{"id": "A"}], "index": 3, "query": "oak"}
    assert [without_time(event) for event in events] == [
        *[common | {"event": event, "page": "CATEGORY_PAGE"} for event in EVENTS],
        {"uid": uid, "items": [{"id": "A"}, {"id": "B"}, {"id": "7"}], "event": PURCHASE},
        {"uid": uid, "items": [{"id": "0"}], "event": "SHARE"},
        {"uid": uid, "items": [{"id": "C"}], "event": "SHARE", "index": 0},
    ]
    assert page.console_messages == []


def test_track_without_required_fields(show, events):
    page = show("")
    listen(page, "suppressed")
    unknown = f"event must be one of {', '.join(EVENTS)}"
    no_item = "items must be a list of {id}, by id or ids"
    for values in (["BUY", {"id": "A"}], ["constructor", {"id": "A"}], [None, {"id": "A"}]):
        call(page, "track", *values)
    for fields in (None, "A", {}, {"id": ""}, {"id": {"id": "A"}}, {"ids": []}, {"ids": [None]}):
        call(page, "track", "PURCHASE", fields)
    call(page, "track", "SHARE", {"ids": ["A", "B"]})
    assert events(page) == []
    assert page.console_messages[:2] == [f"neuralens: {unknown}", f"neuralens: {no_item}"]
    (two,) = page.console_messages[2:]
    assert two.startswith("neuralens: items must be one")
    reasons = [detail["reason"] for _, detail in wait_for_calls(page, 11)]
    assert reasons == [unknown] * 3 + [no_item] * 7 + [two.removeprefix("neuralens: ")]


def test_track_with_an_invalid_field(show, events, uid):
    """The field is removed and reported; the event is sent."""
    page = show("")
    call(page, "track", "SHARE", {"id": "A", "index": -1, "query": "oak"})
    call(page, "track", "SHARE", {"id": "B", "index": 1.5, "page": "HOME"})
    call(page, "track", "SHARE", {"id": "C", "index": "first"})
    call(page, "track", "SHARE", {"id": "D", "query": ["oak"], "index": 4})
    common = {"uid": uid, "event": "SHARE"}
    assert events(page) == [
        common | {"items": [{"id": "A"}], "query": "oak"},
        common | {"items": [{"id": "B"}]},
        common | {"items": [{"id": "C"}]},
        common | {"items": [{"id": "D"}], "index": 4},
    ]
    assert sorted(line.partition(" must")[0] for line in page.console_messages) == [
        "neuralens: index",
        "neuralens: page",
        "neuralens: query",
    ]
    assert "neuralens: index must be a whole number from 0" in page.console_messages


def test_identify(show, events, uid):
    page = show("", uid=None)
    call(page, "identify", uid)
    call(page, "track", "SHARE", {"id": "A"})
    call(page, "identify", 3845)
    call(page, "track", "SHARE", {"id": "B"})
    call(page, "identify", {"name": uid})
    call(page, "identify", uid)
    call(page, "track", "SHARE", {"id": "C"})
    assert [event["uid"] for event in events(page)] == [uid, "3845", uid]
    assert len(page.console_messages) == 1
    assert page.console_messages[0].startswith("neuralens: uid must be text")


def test_geo(show, events, uid):
    page = show("")
    locations = [
        {"lat": 31.34956697190882, "long": 78.44615274878441, "region": "MG Road"},
        {"lat": -90, "long": 180},
        {"region": "Brandenburg"},
        None,
    ]
    for location in locations:
        call(page, "geo", location)
        call(page, "track", "SHARE", {"id": "A"})
    common = {"uid": uid, "event": "SHARE", "items": [{"id": "A"}]}
    assert events(page) == [
        common | ({} if location is None else {"geo": location}) for location in locations
    ]
    assert page.console_messages == []


def test_invalid_geo(show, events, uid):
    page = show("")
    wrong = [
        {"lat": 91, "long": 0},
        {"lat": 1},
        {"lat": "31.3", "long": "78.4"},
        {},
        {"region": ""},
        {"lat": 1, "long": 1, "altitude": 30},
        5,
    ]
    for location in wrong:
        call(page, "geo", {"region": "here"})
        call(page, "geo", location)
        call(page, "track", "SHARE", {"id": "A"})
    assert events(page) == [{"uid": uid, "event": "SHARE", "items": [{"id": "A"}]}] * len(wrong)
    assert len(page.console_messages) == 1
    assert page.console_messages[0].startswith("neuralens: geo must be ")


def test_page_starts_a_new_page_view(show, ledger, events, uid):
    """Impressions and the landing count again under the new page."""
    page = show(TILE + '<div data-nl-landing="L">L</div>', page="CATEGORY_PAGE", query="old")
    first = events(page)
    wait_until_loaded(page)
    call(page, "page", {"page": "SEARCH_RESULT_PAGE", "query": "oak"})
    # Existing items count again only if the document has not changed soon after the call.
    ledger.wait_for(2 * len(first))
    second = events(page)[len(first) :]
    tile = {"uid": uid, "event": "VIEW_PRODUCT", "items": [{"id": "A"}]}
    landing = {"uid": uid, "event": "LAND_PRODUCT_PAGE", "items": [{"id": "L"}]}
    for captured, where, query in (
        (first, "CATEGORY_PAGE", "old"),
        (second, "SEARCH_RESULT_PAGE", "oak"),
    ):
        assert sorted(captured, key=lambda event: event["event"]) == [
            landing | {"page": "PRODUCT_PAGE", "query": query},
            tile | {"page": where, "query": query},
        ]
    call(page, "page", {})
    call(page, "track", "SHARE", {"id": "A"})
    assert {"uid": uid, "event": "SHARE", "items": [{"id": "A"}]} in events(page)
    assert page.console_messages == []


def test_invalid_page(show, events, uid):
    page = show("")
    call(page, "page", {"page": "HOME", "query": "oak"})
    call(page, "track", "SHARE", {"id": "A"})
    assert events(page) == [{"uid": uid, "event": "SHARE", "items": [{"id": "A"}], "query": "oak"}]
    assert len(page.console_messages) == 1
    assert page.console_messages[0].startswith(
        "neuralens: page must be one of SEARCH_RESULT_PAGE, "
    )


def test_before_changes_and_drops_events(show, ledger, uid):
    page = show("")
    listen(page, "suppressed")
    page.evaluate(
        """() => {
            neuralens("before", (event) => {
                event.geo = { region: "Brandenburg" };
                return event.items[0].id === "staff" ? null : event;
            });
            neuralens("before", (event) => ({ ...event, query: event.query + " chair" }));
        }"""
    )
    call(page, "track", "SHARE", {"id": "A", "query": "oak"})
    call(page, "track", "SHARE", {"id": "staff", "query": "oak"})
    ((name, detail),) = wait_for_calls(page, 1)
    assert (name, detail["reason"]) == ("suppressed", "before")
    assert detail["event"]["items"] == [{"id": "staff"}]
    # The ledger's control tile passes through this hook, too.
    assert [without_time(event) for event in ledger.wait_for_all(page)] == [
        {
            "uid": uid,
            "event": "SHARE",
            "items": [{"id": "A"}],
            "query": "oak chair",
            "geo": {"region": "Brandenburg"},
        }
    ]


def test_before_that_throws(show, events, uid):
    page = show("")
    listen(page, "error")
    page.evaluate(
        """() => neuralens("before", (event) => {
            event.items = [{ id: "changed" }];
            throw new Error("no such thing");
        })"""
    )
    for _ in range(3):
        call(page, "track", "SHARE", {"id": "A"})
    assert events(page) == [{"uid": uid, "event": "SHARE", "items": [{"id": "A"}]}] * 3
    assert len(page.console_messages) == 1
    assert "no such thing" in page.console_messages[0]
    ((name, detail),) = wait_for_calls(page, 1)
    assert name == "error"
    assert "no such thing" in detail["message"]


def test_before_that_returns_an_invalid_event(show, events, uid):
    """The event that it returns is validated."""
    page = show("")
    page.evaluate(
        """() => neuralens("before", (event) =>
            event.items[0].id === "A" ? { ...event, event: "BUY" } : { ...event, index: "x" })"""
    )
    call(page, "track", "SHARE", {"id": "A"})
    call(page, "track", "SHARE", {"id": "B", "index": 2})
    assert events(page) == [{"uid": uid, "event": "SHARE", "items": [{"id": "B"}]}]
    assert page.console_messages == [
        f"neuralens: event must be one of {', '.join(EVENTS)}",
        "neuralens: index must be a whole number from 0",
    ]


def test_on(show, ledger, uid):
    page = show("")
    listen(page, "event", "delivered", "error", "suppressed")
    page.evaluate(
        """() => {
            neuralens("on", "event", (event) => { event.uid = "changed"; });
            neuralens("on", "event", () => { throw new Error("listener"); });
        }"""
    )
    call(page, "track", "SHARE", {"id": "A"})
    call(page, "track", "BUY", {"id": "A"})
    call(page, "flush")
    calls = wait_for_calls(page, 5)
    assert [name for name, _ in calls[:4]] == ["event", "error", "error", "suppressed"]
    event = calls[0][1]
    # Only listeners receive the source.
    assert event.pop("source") == "call"
    assert (event["event"], event["items"], event["uid"]) == ("SHARE", [{"id": "A"}], uid)
    assert "listener" in calls[1][1]["message"]
    assert calls[2][1]["message"].startswith("event must be one of")
    name, batch = calls[4]
    assert name == "delivered"
    assert batch["events"] == [event | {"seq": 1}]
    (taken,) = ledger.wait_for(1)
    assert taken == {
        name: value for name, value in event.items() if value is not None and name != "eid"
    }


def test_flush(context, put, ledger, shop):
    """The page's clock is paused, so without the call nothing would be sent."""
    put("")
    page = context.new_page()
    page.clock.install()
    page.goto("/")
    page.wait_for_function("() => window.neuralens && neuralens.version")
    page.clock.pause_at(time.time() + 60)
    call(page, "track", "SHARE", {"id": "A"})
    page.clock.run_for(900)
    page.evaluate("fetch('/elsewhere').then((answer) => answer.text())")
    assert shop.batches == []
    call(page, "flush")
    assert [event["items"] for event in ledger.wait_for(1)] == [[{"id": "A"}]]
    call(page, "track", "SHARE", {"id": "B"})
    page.clock.run_for(1000)
    assert [event["items"] for event in ledger.wait_for(2)] == [[{"id": "A"}], [{"id": "B"}]]


NAMES = {"track", "identify", "consent", "geo", "page", "confirm", "before", "on", "flush"}


def test_unknown_command(show, events, uid):
    page = show("")
    for values in (["trak", "SHARE"], [], [None], [7], ["constructor"], [{}]):
        call(page, *values)
    call(page, "on", "evnt")
    call(page, "consent", "yes")
    call(page, "track", "SHARE", {"id": "A"})
    # Misspelled consent counts as pending.
    call(page, "consent", "granted")
    assert events(page) == [{"uid": uid, "event": "SHARE", "items": [{"id": "A"}]}]
    unknown, *others = page.console_messages
    # MicroPython's dicts are unordered.
    start, names = unknown.split("one of ")
    assert (start, set(names.split(", "))) == ("neuralens: a call must be ", NAMES)
    assert others == [
        "neuralens: on must be one of event, suppressed, delivered, error",
        "neuralens: consent must be one of granted, pending, denied",
    ]


def test_unreadable_arguments(show, events, uid):
    """Circular, throwing and cross-realm objects break neither the page nor the tracker."""
    page = show("")
    page.evaluate(
        """() => {
            const circle = { id: "A" };
            circle.circle = circle;
            neuralens("track", "SHARE", circle);
            neuralens("track", "SHARE", { get id() { throw new Error("getter"); } });
            neuralens("track", "SHARE", document);
            neuralens("geo", circle);
            neuralens("page", circle);
            neuralens("before", "no function");
            neuralens("on", "event", "no function");
        }"""
    )
    call(page, "track", "SHARE", {"id": "B"})
    assert events(page) == [{"uid": uid, "event": "SHARE", "items": [{"id": "B"}]}]
    assert not any(line.startswith("thrown") for line in page.console_messages)


def test_calls_before_the_script_has_loaded(put, context, runtime, ledger, uid):
    """The inline stub queues them; the script executes them in order."""
    policy = (
        "default-src 'none'; img-src data:; connect-src 'self'; script-src 'self' 'nonce-c2VjcmV0'"
    )
    if runtime == "pyscript":
        policy += " 'unsafe-eval'"
    put(
        """<script nonce="c2VjcmV0">
        neuralens("identify", "early-bird");
        neuralens("track", "SHARE", { id: "A" });
        neuralens("geo", { region: "here" });
        neuralens("track", "FAVORITE", { id: "B" });
        </script>""",
        stub=True,
        nonce="c2VjcmV0",
        headers={"Content-Security-Policy": policy},
    )
    held = []
    released = False

    def hold(route):
        if released:
            route.continue_()
        else:
            held.append(route)

    context.route("**/nl/*.js?v=*", hold)
    page = context.new_page()
    messages = []
    page.on(
        "console", lambda line: line.type in ("warning", "error") and messages.append(line.text)
    )
    page.goto("/", wait_until="commit")
    # Without wait_for_function, whose eval the policy forbids.
    eventually(lambda: page.evaluate("!!window.neuralens && neuralens.q?.length === 4"))
    eventually(lambda: page.evaluate("true") and held)
    released = True
    for route in held:
        route.continue_()
    eventually(lambda: page.evaluate("!!neuralens.version"))
    events = [without_time(event) for event in ledger.wait_for(2)]
    here = {"uid": "early-bird", "items": [{"id": "B"}], "geo": {"region": "here"}}
    assert events == [
        {"uid": "early-bird", "items": [{"id": "A"}], "event": "SHARE"},
        here | {"event": "FAVORITE"},
    ]
    assert messages == []


def test_two_tags_are_one_tracker(show, tag, events, uid):
    page = show(f"{TILE}{tag()}{tag(stub=True)}")
    page.wait_for_load_state("networkidle")
    page.click("[data-nl-product]")
    call(page, "track", "SHARE", {"id": "B"})
    common = {"uid": uid, "items": [{"id": "A"}]}
    captured = events(page)
    assert sorted(event["event"] for event in captured) == [
        "CLICK_PRODUCT",
        "SHARE",
        "VIEW_PRODUCT",
    ]
    assert common | {"event": "CLICK_PRODUCT"} in captured
    assert page.console_messages == []
