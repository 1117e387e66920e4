"""What the relay sends to the API, and what it makes of the answers."""

import time

import pytest

from tests.relay.conftest import KEY, eventually, make_batch, make_event


def test_exactly_the_documented_fields_are_sent(relay, sandbox):
    full = {
        "uid": "u-1",
        "items": [{"id": "A"}],
        "query": "solid wood chair",
        "page": "SEARCH_RESULT_PAGE",
        "event": "ADD_TO_CART",
        "index": 3,
        "geo": {"lat": 31.5, "long": 78.25, "region": "MG Road"},
        "timestamp": 1715644800,
    }
    relay.take({"eid": "one", **full})
    relay.take(
        make_event(query=None, page=None, geo={"lat": None, "region": "x"}, index=0.0, eid="two")
    )
    relay.take(
        {"eid": "three", "items": [{"id": "B"}, {"id": "C"}], "event": "PURCHASE", "timestamp": 5}
    )
    eventually(lambda: len(sandbox.bodies()) == 3)
    bodies = {body["items"][0]["id"]: body for body in sandbox.bodies()}
    assert bodies["A"] == full
    assert bodies["AV768"] == {
        "uid": None,
        "items": [{"id": "AV768"}],
        "event": "CLICK_PRODUCT",
        "index": 0,
        "geo": {"region": "x"},
        "timestamp": 1715644800,
    }
    assert bodies["B"] == {
        "uid": None,
        "items": [{"id": "B"}, {"id": "C"}],
        "event": "PURCHASE",
        "timestamp": 5,
    }
    headers = sandbox.http.get("ledger").json()[0]["headers"]
    assert headers == [
        "content-length",
        "content-type",
        "host",
        "x-neuralens-api-key",
        "x-neuralens-application-id",
    ]
    eventually(lambda: relay.waiting() == 0)
    assert relay.metric('neuralens_forwarded_total{fate="delivered"}') == 3


def test_a_duplicate_is_not_sent_again_once_delivered(relay, sandbox):
    event = make_event()
    relay.take(event)
    eventually(lambda: sandbox.bodies() and relay.waiting() == 0)
    assert relay.take(event)["duplicates"] == 1
    assert relay.waiting() == 0
    assert len(sandbox.bodies()) == 1


def test_many_events_arrive_once_each(relay, sandbox):
    names = [f"p{number}" for number in range(400)]
    for start in range(0, 400, 100):
        relay.take(*[make_event(items=[{"id": name}]) for name in names[start : start + 100]])
    eventually(lambda: relay.waiting() == 0)
    assert sorted(sandbox.ids()) == sorted(names)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(relay, sandbox, status):
    sandbox.fail(status=status, times=3)
    relay.take(make_event())
    eventually(lambda: relay.waiting() == 0)
    assert len(sandbox.bodies()) == 1
    assert relay.metric('neuralens_forwarded_total{fate="retry"}') == 3
    # Behind a gateway that gave up, the API may have taken the event.
    assert relay.metric("neuralens_forwarded_ambiguous_total") == (3 if status in (502, 504) else 0)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 400}, "400: a fault that was asked for"),
        ({"status": 422}, "422: a fault that was asked for"),
        ({"failure": "no such product"}, "failure: no such product"),
    ],
)
def test_what_the_api_refuses_is_kept_and_holds_up_nothing(relay, sandbox, fault, reason):
    sandbox.fail(item="bad", **fault)
    relay.take(make_event(items=[{"id": "bad"}]), make_event(items=[{"id": "good"}]))
    eventually(lambda: relay.waiting() == 0)
    assert sandbox.ids() == ["good"]
    assert relay.metric("neuralens_outbox_dead") == 1
    assert relay.metric('neuralens_forwarded_total{fate="dead"}') == 1
    assert relay.health()["ready"]


@pytest.mark.parametrize("fault", [{"hang": True}, {"drop": True}])
def test_a_send_without_an_answer_is_ambiguous_and_repeated(start, environment, sandbox, fault):
    relay = start(environment | {"NEURALENS_TIMEOUT": "0.3"})
    sandbox.fail(**fault, taken=True)
    relay.take(make_event())
    eventually(lambda: relay.waiting() == 0)
    # The API has no way to tell duplicates: there are as many as are counted.
    assert len(sandbox.bodies()) == 2
    assert relay.metric("neuralens_forwarded_ambiguous_total") == 1


def test_an_api_that_cannot_be_reached_is_not_ambiguous(start, offline):
    relay = start(offline)
    relay.take(make_event())
    eventually(lambda: relay.metric('neuralens_forwarded_total{fate="retry"}') >= 2)
    assert relay.metric("neuralens_forwarded_ambiguous_total") == 0
    assert relay.waiting() == 1
    assert relay.metric("neuralens_outbox_oldest_seconds") > 0


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_heeded(relay, sandbox, form):
    if form == "seconds":
        retry_after = 1
    else:
        retry_after = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 2))
    sandbox.fail(status=429, retry_after=retry_after)
    began = time.monotonic()
    relay.take(make_event())
    eventually(lambda: relay.health()["forwarding"] == "holding")
    eventually(lambda: relay.waiting() == 0)
    assert time.monotonic() - began >= 0.9
    assert relay.health()["forwarding"] == "running"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_pauses_everything_and_says_so(relay, sandbox, status, caplog):
    sandbox.fail(status=status, times=1000)
    relay.take(*[make_event() for _ in range(100)])
    eventually(lambda: relay.health()["forwarding"] == "paused")
    health = relay.health()
    assert health["ready"]
    assert str(status) in health["reasons"][0]
    assert relay.metric("neuralens_forwarding_paused") == 1
    assert "refuses the key" in caplog.text
    # One at a time finds out whether the key is taken again.
    eventually(lambda: relay.metric('neuralens_forwarded_total{fate="pause"}') >= 2)
    used = 1000 - sandbox.pending()[0]["times"]
    assert used < 50
    assert relay.waiting() == 100
    sandbox.heal()
    eventually(lambda: relay.waiting() == 0)
    assert len(sandbox.bodies()) == 100
    assert relay.metric("neuralens_forwarding_paused") == 0


def test_the_key_goes_nowhere(start, environment, sandbox, caplog):
    relay = start(environment)
    sandbox.fail(failure=f"you sent Bearer {KEY}\nand more")
    sandbox.fail(status=401)
    sandbox.fail(status=500)
    relay.take(make_event(), make_event(), make_event())
    eventually(lambda: relay.waiting() == 0)
    seen = relay.http.get("health").text + relay.http.get("metrics").text + caplog.text
    outbox = environment["NEURALENS_OUTBOX"].removeprefix("sqlite:///")
    stored = b""
    for suffix in ("", "-wal"):
        with open(outbox + suffix, "rb") as file:
            stored += file.read()
    assert b"you sent Bearer [key] and more" in stored
    assert KEY.encode() not in stored
    assert KEY not in seen


def test_one_event_that_always_fails_does_not_hold_up_the_others(relay, sandbox):
    sandbox.fail(status=500, item="poison", times=100_000)
    relay.take(make_event(items=[{"id": "poison"}]))
    eventually(lambda: relay.metric('neuralens_forwarded_total{fate="retry"}') >= 40)
    assert relay.health()["forwarding"] == "running"
    relay.take(make_event(items=[{"id": "good"}]))
    eventually(lambda: sandbox.ids() == ["good"])


def test_an_outage_is_not_met_with_everything_that_waits(start, environment, sandbox):
    relay = start(environment | {"NEURALENS_CONCURRENCY": "4", "NEURALENS_PROBE": "0.5"})
    sandbox.fail(status=503, times=100_000)
    relay.take(*[make_event() for _ in range(300)])
    eventually(lambda: relay.health()["forwarding"] == "holding")
    assert relay.metric("neuralens_forwarding_holding") == 1
    assert 100_000 - sandbox.pending()[0]["times"] < 100
    sandbox.heal()
    eventually(lambda: relay.waiting() == 0)
    assert len(sandbox.bodies()) == 300


def test_requests_are_in_flight_together(start, environment, sandbox):
    relay = start(environment | {"NEURALENS_CONCURRENCY": "20"})
    sandbox.fail(delay=0.5, times=20)
    began = time.monotonic()
    relay.post(make_batch(*[make_event() for _ in range(20)]))
    eventually(lambda: len(sandbox.bodies()) == 20)
    assert time.monotonic() - began < 3
