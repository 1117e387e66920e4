"""The relay's pure modules: settings, origins, rate, backoff, breaker, answers, batches."""

import json
import logging
import os
import socket
import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from neuralens_relay import Settings, SettingsError
from neuralens_relay.answers import Fate, read_answer, read_retry_after
from neuralens_relay.api import MAX_REASON, ApiClient, key_pattern, sanitize
from neuralens_relay.backoff import Backoff
from neuralens_relay.batch import serialize
from neuralens_relay.breaker import FAILING_AFTER, HOLD_AFTER, Breaker, State
from neuralens_relay.clock import Clock as RelayClock
from neuralens_relay.forwarder import Forwarder
from neuralens_relay.limiter import Limiter
from neuralens_relay.metrics import Metrics
from neuralens_relay.origins import explain_refusal
from neuralens_relay.outbox_url import describe_place, sqlite_path
from neuralens_relay.output import Output
from neuralens_relay.rate import MAX_SENDERS, RateLimit, Shares, cost, name_sender
from neuralens_relay.serving import address, listen
from neuralens_relay.settings import read_origin

from tests.event_loop import run
from tests.relay.conftest import amid

REQUIRED = {"NEURALENS_API_KEY": "k", "NEURALENS_APPLICATION_ID": "a"}


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_settings_have_the_documented_defaults():
    settings = Settings.from_environment(REQUIRED)
    assert settings.api_url == "https://api.neuralens.ai/analytics/event"
    assert settings.outbox == "sqlite:///outbox.db"
    assert settings.allowed_origins == ()


def test_settings_do_not_show_secrets():
    shown = repr(
        Settings(
            api_key="s3cret",
            application_id="a",
            status_token="s3cret",
            outbox="redis://user:s3cret@host:1/0",
        )
    )
    assert "s3cret" not in shown
    assert "redis://***@host:1/0" in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_KEY", "a b"),
        ("API_KEY", "a\r\nX-Other: 1"),
        ("API_KEY", "schlüssel"),
        ("APPLICATION_ID", "a\nb"),
        ("API_URL", "ftp://x"),
        ("API_URL", "https://user:pass@x"),
        ("API_URL", "https://x:99999"),
        ("API_URL", "https://"),
        ("ALLOWED_ORIGINS", "https://a.example/path"),
        ("ALLOWED_ORIGINS", "https://a.example:x"),
        ("OUTBOX_LIMIT", "1.5"),
        ("OUTBOX_LIMIT", "0"),
        ("TIMEOUT", "nan"),
        ("TIMEOUT", "inf"),
        ("RATE_LIMIT", "-1"),
        ("PAGE_SECRET", "s" * 31),
    ],
)
def test_an_invalid_value_is_refused_with_the_name_of_its_variable(name, value):
    with pytest.raises(SettingsError, match=f"^NEURALENS_{name} "):
        Settings.from_environment(REQUIRED | {f"NEURALENS_{name}": value})


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://Shop.Example", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80/", "http://shop.example"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
        ("*", "*"),
    ],
)
def test_origins_are_normalized(text, origin):
    assert read_origin(text) == origin


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "taken"),
    [
        (None, "shop.example", (), True),
        ("https://shop.example", "shop.example", (), True),
        ("https://shop.example", "shop.example:443", (), True),
        ("https://shop.example", "Shop.Example", (), True),
        ("http://shop.example:8787", "shop.example:8787", (), True),
        ("https://shop.example", "shop.example:8787", (), False),
        ("https://shop.example.evil", "shop.example", (), False),
        ("https://other.example", "shop.example", ("https://other.example",), True),
        ("http://other.example", "shop.example", ("https://other.example",), False),
        ("https://any.example", "shop.example", ("*",), True),
        ("null", "shop.example", (), False),
        ("null", "null", (), False),
        ("", "", (), False),
        ("https://", "", (), False),
    ],
)
def test_own_and_allowed_origins(origin, host, allowed, taken):
    assert (explain_refusal(origin, host, allowed) == "") is taken


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("sqlite:///outbox.db", "outbox.db"),
        ("sqlite:////var/lib/out%20box.db", "/var/lib/out box.db"),
    ],
)
def test_an_outbox_address_names_a_file(address, path):
    assert str(sqlite_path(address)) == path


@pytest.mark.parametrize("address", ["sqlite:///", "sqlite://x", "postgres://x", "x.db"])
def test_an_unsupported_outbox_address_is_refused(address):
    with pytest.raises(SettingsError, match="NEURALENS_OUTBOX"):
        sqlite_path(address)


def send(limit, sender, events=1):
    wait = limit.wait(sender)
    if wait == 0:
        limit.charge(sender, events)
    return wait


def test_a_sender_may_send_its_burst_and_then_its_rate():
    clock = Clock()
    limit = RateLimit(2, 3, clock)
    assert [send(limit, "a") for _ in range(5)] == [0, 0, 0, 0.5, 0.5]
    assert send(limit, "b") == 0
    clock.now += 0.5
    assert send(limit, "a") == 0
    assert send(limit, "a") == 0.5
    clock.now += 1000
    assert [send(limit, "a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_a_batch_may_exceed_the_remaining_rate():
    clock = Clock()
    limit = RateLimit(2, 10, clock)
    assert send(limit, "a", 30) == 0
    assert send(limit, "a") == 10.5
    clock.now += 10.5
    assert send(limit, "a") == 0


def test_a_rate_of_0_means_no_limit():
    limit = RateLimit(0, 0, Clock())
    assert [send(limit, "a", 1e9) for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("events", "size", "counted"), [(0, 0, 1), (1, 300, 1), (60, 16_000, 60), (1, 49_152, 48)]
)
def test_a_batch_costs_its_events_or_its_bytes(events, size, counted):
    assert cost(events, size) == counted


@pytest.mark.parametrize(
    ("host", "sender"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("", ""),
        ("x" * 100, "x" * 64),
    ],
)
def test_a_sender_is_an_address_or_its_ipv6_network(host, sender):
    assert name_sender(host) == sender


def test_remembered_senders_are_bounded():
    limit = RateLimit(1, 1, Clock())
    for number in range(MAX_SENDERS + 1):
        limit.charge(str(number), 1)
    assert limit.wait("1") > 0
    assert limit.wait("0") == 0


def test_a_sender_has_a_share_of_the_backlog():
    shares = Shares(100_000)
    shares.note_added("a", 90_000)
    shares.note_waiting(5000)
    assert shares.allows("a")
    shares.note_added("a", 6000)
    shares.note_waiting(6000)
    assert shares.allows("a")
    shares.note_added("a", 4000)
    assert not shares.allows("a")
    assert shares.allows("b")
    shares.note_waiting(5000)
    assert shares.allows("a")


@given(st.integers(1, 10_000), st.floats(0, 1e6))
def test_backoff_grows_to_its_cap_and_respects_its_floor(attempts, floor):
    longest = Backoff(1, 300, 1e9, lambda low, high: high).delay(attempts, floor)
    assert longest == floor + min(300, 2.0 ** min(attempts - 1, 64))
    assert Backoff(1, 300, 1e9, lambda low, high: low).delay(attempts, floor) == floor


def test_backoff_has_jitter():
    assert len({Backoff(1, 300, 300).delay(5) for _ in range(20)}) > 15


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(Backoff(1, 60, 300, lambda low, high: high), clock)


def fail_many(breaker, clock, count, **more):
    for number in range(count):
        breaker.fail(f"event {number}", clock(), "500", **more)


def test_a_breaker_opens_after_consecutive_failures(breaker, clock):
    fail_many(breaker, clock, HOLD_AFTER - 1)
    breaker.succeed(clock())
    fail_many(breaker, clock, HOLD_AFTER - 1)
    assert not breaker.state.open
    breaker.fail("another", clock(), "500")
    assert (breaker.status, breaker.wait()) == ((State.HOLDING, "500"), 1)
    clock.now += 1
    assert breaker.wait() == 0
    breaker.fail("probe", clock(), "502")
    assert breaker.wait() == 2
    for number in range(20):
        clock.now += 60
        breaker.fail(f"probe {number}", clock(), "502")
    assert breaker.wait() == 60
    breaker.succeed(clock())
    assert (breaker.status, breaker.wait()) == ((State.RUNNING, ""), 0)


def test_earlier_requests_do_not_extend_the_wait(breaker, clock):
    sent = clock()
    clock.now += 5
    fail_many(breaker, clock, HOLD_AFTER)
    for number in range(500):
        breaker.fail(f"late {number}", sent, "500")
    assert breaker.wait() == 1


def test_a_breaker_opens_on_retry_after_up_to_its_cap(breaker, clock):
    breaker.fail("event", clock(), "429", 30)
    assert breaker.state is State.HOLDING
    assert 30 <= breaker.wait() <= 31
    # The success is of an earlier request.
    breaker.succeed(clock() - 1)
    assert breaker.state is State.HOLDING
    clock.now += 31
    breaker.succeed(clock())
    assert breaker.state is State.RUNNING
    breaker.fail("event", clock(), "503", 86400)
    assert breaker.wait() <= 301


def test_no_other_thread_sees_an_open_breaker_without_its_wait(clock):
    """Another thread may read between any two steps; here, while the jitter is drawn."""
    seen = []

    def draw(low, high):
        seen.append((opening.state.open, opening.wait()))
        return high

    opening = Breaker(Backoff(1, 60, 300, draw), clock)
    opening.fail("event", clock(), "429", 30)
    assert seen == [(False, 0)]
    assert opening.state is State.HOLDING


@pytest.mark.parametrize("line", range(8))
def test_no_other_thread_sees_a_state_without_its_reason(breaker, clock, line):
    wall = RelayClock(clock, clock)
    forwarder = Forwarder(
        None, None, breaker, Limiter(9), Backoff(1, 60, 300), Metrics(), wall, grace=0
    )

    def read_amid(change):
        with amid(vars(Forwarder)["status"].fget.__code__, *[int] * line, change):
            return forwarder.status

    assert read_amid(lambda: fail_many(breaker, clock, FAILING_AFTER)) in [
        (State.RUNNING, ""),
        (State.FAILING, "500"),
    ]
    breaker.succeed(clock())
    forwarder._trouble = "the disk is full"
    assert read_amid(forwarder._recovered) in [
        (State.STOPPED, "the disk is full"),
        (State.RUNNING, ""),
    ]


def test_a_few_failing_events_do_not_open_the_breaker_but_are_reported(breaker, clock):
    for _ in range(100):
        breaker.fail("poison", clock(), "500", first=False)
    assert breaker.state is State.FAILING
    assert not breaker.state.open
    assert breaker.status.reason == "500"
    breaker.succeed(clock())
    # Nor if Retry-After is only for that event.
    breaker.fail("poison", clock(), "503", 60, first=False)
    assert not breaker.state.open


def test_repeated_failures_while_holding_do_not_extend_the_wait(breaker, clock):
    fail_many(breaker, clock, HOLD_AFTER)
    for _ in range(20):
        clock.now += 1
        breaker.fail("poison", clock(), "500", first=False)
    assert breaker.wait() == 1


def test_the_wait_grows_while_the_same_events_probe(breaker, clock):
    fail_many(breaker, clock, HOLD_AFTER)
    for number in range(HOLD_AFTER):
        clock.now += breaker.wait()
        breaker.fail(number, clock(), "500", first=False)
    assert breaker.wait() == 60


def test_the_wait_grows_while_a_refused_key_is_probed_by_one_event(breaker, clock):
    for _ in range(10):
        breaker.pause("event", clock(), "401")
        clock.now += breaker.wait()
    breaker.pause("event", clock(), "401")
    assert breaker.wait() == 60


def test_a_refused_key_pauses_until_it_is_accepted(breaker, clock):
    breaker.pause("event", clock(), "401")
    assert (breaker.state, breaker.wait()) == (State.PAUSED, 1)
    clock.now += 60
    breaker.fail("event", clock(), "500")
    assert breaker.state is State.PAUSED
    breaker.succeed(clock())
    assert breaker.state is State.RUNNING


def test_the_api_counts_as_available_after_a_success(breaker, clock):
    assert not breaker.trusted
    breaker.succeed(clock())
    assert breaker.trusted
    breaker.fail("event", clock(), "500")
    assert not breaker.trusted


SUCCESS = b'{"status": "success", "message": ""}'


@pytest.mark.parametrize(
    ("status", "body", "fate", "ambiguous"),
    [
        (200, SUCCESS, Fate.DELIVERED, False),
        (201, b'{"status": "success"}', Fate.DELIVERED, False),
        (200, b'{"status": "success", "message": null}', Fate.DELIVERED, False),
        (200, b'{"status": "success", "message": {"id": 1}, "more": []}', Fate.DELIVERED, False),
        (200, b'{"status": "failure", "message": "no"}', Fate.DEAD, False),
        (200, b'{"status": "failure", "message": ["no"]}', Fate.DEAD, False),
        (200, b"", Fate.RETRY, True),
        (200, b"<html>", Fate.RETRY, True),
        (200, b'{"status": "maybe"}', Fate.RETRY, True),
        (200, b"[" * 10_000 + b"]" * 10_000, Fate.RETRY, True),
        (204, b"", Fate.RETRY, True),
        (301, b"", Fate.PAUSE, False),
        (304, b"", Fate.PAUSE, False),
        (400, SUCCESS, Fate.DEAD, False),
        (401, b"", Fate.PAUSE, False),
        (403, b"", Fate.PAUSE, False),
        (404, b"", Fate.PAUSE, False),
        (405, b"", Fate.PAUSE, False),
        (410, b"", Fate.PAUSE, False),
        (407, b"", Fate.PAUSE, False),
        (413, b"", Fate.DEAD, False),
        (422, SUCCESS, Fate.DEAD, False),
        (408, b"", Fate.RETRY, False),
        (425, b"", Fate.RETRY, False),
        (429, b"", Fate.RETRY, False),
        (500, SUCCESS, Fate.RETRY, False),
        (502, b"", Fate.RETRY, True),
        (504, b"", Fate.RETRY, True),
        (520, b"", Fate.RETRY, True),
        (522, b"", Fate.RETRY, False),
        (524, b"", Fate.RETRY, True),
        (599, b"", Fate.RETRY, False),
    ],
)
def test_classification_of_responses(status, body, fate, ambiguous):
    answer = read_answer(status, {}, body, 0)
    assert (answer.fate, answer.ambiguous) == (fate, ambiguous)
    # Attempts are bounded for an event that the API has probably received, and for one with
    # such a response while others succeed.
    assert answer.bounded is (fate is Fate.PAUSE or (status < 300 and fate is Fate.RETRY))


def test_a_log_that_nobody_reads_stops_nobody(monkeypatch):
    monkeypatch.setattr("neuralens_relay.output.PATIENCE", 0.01)
    read, write = os.pipe()
    output = Output(os.fdopen(write, "w", closefd=False))

    def log(text):
        output.handle(logging.LogRecord("relay", logging.INFO, "", 0, text, None, None))

    try:
        log("first")
        assert os.read(read, 1 << 20) == b"first\n"
        for _ in range(40):
            log("x" * 4095)
        log("x" * 100_000)
        shown = os.read(read, 1 << 20)
        log("last")
        assert os.read(read, 1 << 20) == (
            b"\n%d messages were dropped, because nobody read the log\nlast\n"
            % (41 - shown.count(b"\n"))
        )
        os.close(read)
        log("to nobody")
    finally:
        os.close(write)


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("https://user:k3y@new.example/k3y?k3y", "new.example"),
        ("/login?k3y", "another path"),
        ("https://[::1", "another path"),
        (None, "another path"),
    ],
)
def test_a_redirect_is_named_without_what_may_echo_the_key(location, place):
    headers = {} if location is None else {"Location": location}
    reason = read_answer(308, headers, b"", 0).reason
    assert reason == f"308: a redirect to {place}, which is not followed"


@pytest.mark.parametrize("status", [300, 304, 399])
def test_a_status_that_is_no_redirect_is_not_called_one(status):
    answer = read_answer(status, {}, b"", 0)
    assert (answer.fate, answer.reason) == (Fate.PAUSE, f"{status}")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("", 0),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("9" * 400, 86400),
        (formatdate(1_000_060, usegmt=True), 60),
        (formatdate(999_000, usegmt=True), 0),
        ("Mon, 99 Foo 2026 00:00:00 GMT", 0),
        ("Wed, 21 Oct 2026 07:28:99999999999 GMT", 0),
        ("Wed, 21 Oct 2026 07:28:00 +99999999", 0),
        ("Wed, 21 Oct 99999999999 07:28:00 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, seconds):
    assert read_retry_after(text, 1_000_000) == seconds


@given(st.text())
def test_any_retry_after_is_parsed(text):
    assert 0 <= read_retry_after(text, time.time()) <= 86400


@given(st.text(), st.text(), st.sampled_from(["k3y", "s/ecret+=="]))
def test_reasons_do_not_contain_the_key(before, after, key):
    reason = sanitize(before + key + after, key_pattern(key))
    assert key not in reason
    assert len(reason) <= MAX_REASON
    assert reason.isprintable()


@pytest.mark.parametrize("echo", ['a\\"B+/==', "a%22B%2B%2F%3D%3D", "a&quot;B+/==", 'A"b+/=='])
def test_reasons_do_not_contain_the_escaped_key(echo):
    assert sanitize(f"400: {echo}.", key_pattern('a"B+/==')) == "400: [key]."


def test_a_truncated_reason_does_not_contain_a_part_of_the_key():
    key = key_pattern("s3cret-key")
    assert "s3cret" not in sanitize("x" * (MAX_REASON - 8) + "s3cret-key", key)


def test_a_deleted_current_folder_is_named(tmp_path, monkeypatch):
    folder = tmp_path / "release"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert describe_place("sqlite:///outbox.db") == f"{folder}/outbox.db"
    folder.rmdir()
    with pytest.raises(SettingsError, match="the current folder has been deleted"):
        describe_place("sqlite:///outbox.db")
    assert describe_place("sqlite:////var/outbox.db") == "/var/outbox.db"


def test_a_name_may_have_addresses_of_ipv6_only(monkeypatch):
    resolve = socket.getaddrinfo

    def resolve_name(host, *arguments, **more):
        names = {"six.example": ["::1"], "both.example": ["::1", "127.0.0.1"]}
        found = [resolve(each, *arguments, **more) for each in names[host]]
        return [address for each in found for address in each]

    monkeypatch.setattr(socket, "getaddrinfo", resolve_name)
    for name, start in (("six.example", "http://[::1]:"), ("both.example", "http://127.0.0.1:")):
        with listen(name, 0) as listener:
            assert address(listener).startswith(start)


def test_the_printed_address_can_be_opened():
    for host, shown in [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]")]:
        with listen(host, 0) as listener:
            assert address(listener) == f"http://{shown}:{listener.getsockname()[1]}"


def test_an_unencrypted_api_url_is_warned_about(caplog):
    async def open_session(url):
        settings = Settings(api_key="k", application_id="a", api_url=url)
        async with ApiClient(settings, time.time):
            return caplog.text

    assert "NEURALENS_API_URL is not https" in run(open_session("http://api.example/"))
    caplog.clear()
    assert run(open_session("https://api.example/")) == ""
    assert run(open_session("http://127.0.0.1:1/")) == ""


def test_integral_floats_are_sent_as_integers():
    event = {"eid": "e", "items": [{"id": "1"}], "event": "SHARE", "timestamp": 5.0, "index": 2.0}
    body = serialize(event)
    assert b"5.0" not in body
    assert b"2.0" not in body
    assert json.loads(body) == {
        "uid": None,
        "items": [{"id": "1"}],
        "event": "SHARE",
        "index": 2,
        "timestamp": 5,
    }
    assert json.loads(serialize(event | {"geo": {"lat": 1.5, "long": 2, "region": None}}))[
        "geo"
    ] == {
        "lat": 1.5,
        "long": 2,
    }
