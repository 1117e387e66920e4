"""Requests to the API, and the handling of its responses."""

import asyncio
import itertools
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest
from neuralens_relay import Settings, api, create_app, forwarder
from neuralens_relay.answers import Fate
from neuralens_relay.relay import Relay
from neuralens_relay.sqlite_store import SqliteStore
from neuralens_relay.store import Event
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from tests.event_loop import run
from tests.polling import TIMEOUT, eventually
from tests.processes import KEY
from tests.relay.conftest import Client, make_batch, make_event, serving


@contextmanager
def serving_api(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve an API of the test's own; yield its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class SlowApi:
    """An API whose delay the test sets."""

    def __init__(self, url):
        self.url = url

    def set_delay(self, seconds):
        httpx.post(f"{self.url}/?seconds={seconds}", timeout=TIMEOUT).raise_for_status()


@pytest.fixture
def slow_api():
    command = [sys.executable, "-m", "bench.slow_api", "0.05"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield SlowApi(process.stdout.readline().split()[1])
        process.kill()


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
    relay.send({"eid": "one", **full})
    relay.send(
        make_event(query=None, page=None, geo={"lat": None, "region": "x"}, index=0.0, eid="two")
    )
    relay.send(
        {
            "eid": "three",
            "items": [{"id": "B"}, {"id": "C"}],
            "event": "PURCHASE",
            "timestamp": 1400000000,
        }
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
        "timestamp": 1400000000,
    }
    headers = sandbox.http.get("ledger").json()[0]["headers"]
    assert headers == [
        "content-length",
        "content-type",
        "host",
        "x-neuralens-api-key",
        "x-neuralens-application-id",
    ]
    eventually(lambda: relay.queued() == 0)
    assert relay.metric('neuralens_forwarded_total{fate="delivered"}') == 3


def test_a_duplicate_is_not_sent_again_once_delivered(relay, sandbox):
    event = make_event()
    relay.send(event)
    eventually(lambda: sandbox.bodies() and relay.queued() == 0)
    assert relay.send(event)["duplicates"] == 1
    assert relay.queued() == 0
    assert len(sandbox.bodies()) == 1


def test_many_events_arrive_once_each(relay, sandbox):
    names = [f"p{number}" for number in range(400)]
    for start in range(0, 400, 100):
        relay.send(*[make_event(items=[{"id": name}]) for name in names[start : start + 100]])
    eventually(lambda: relay.queued() == 0)
    sent = Counter(sandbox.ids())
    assert set(sent) == set(names)
    # On a busy machine, a request may time out.
    assert sent.total() - len(names) <= relay.metric("neuralens_forwarded_ambiguous_total")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_temporary_failures_are_retried(relay, sandbox, status):
    sandbox.fail(status=status, times=3)
    relay.send(make_event())
    eventually(lambda: relay.queued() == 0)
    assert len(sandbox.bodies()) == 1
    assert relay.metric('neuralens_forwarded_total{fate="retry"}') == 3
    # The API may have received the event, although its gateway timed out.
    assert relay.metric("neuralens_forwarded_ambiguous_total") == (3 if status in (502, 504) else 0)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 400}, "400: an injected fault"),
        ({"status": 422}, "422: an injected fault"),
        ({"failure": "no such product"}, "failure: no such product"),
    ],
)
def test_refused_events_become_dead_letters_and_do_not_block_others(relay, sandbox, fault, reason):
    sandbox.fail(item="bad", **fault)
    relay.send(make_event(items=[{"id": "bad"}]), make_event(items=[{"id": "good"}]))
    eventually(lambda: relay.queued() == 0)
    assert sandbox.ids() == ["good"]
    assert relay.metric("neuralens_outbox_dead") == 1
    assert relay.metric('neuralens_forwarded_total{fate="dead"}') == 1
    assert relay.health()["ready"]


def test_reading_the_health_keeps_the_reason_of_a_new_dead_letter(
    environment, sandbox, monkeypatch
):
    read = Relay.depth

    async def read_early(self):
        depth = await read(self)
        await self.add([Event("e1", b'{"items": [{"id": "bad"}]}')])
        await asyncio.to_thread(eventually, lambda: self._forwarding.forwarder.refused)
        return depth

    sandbox.fail(status=400)
    relay = Relay(Settings.from_environment(environment))
    relay.start()
    with closing(relay):
        with monkeypatch.context() as patched:
            patched.setattr(Relay, "depth", read_early)
            run(relay.health())
        assert run(relay.health()).reasons == ["1 dead letter: 1 x 400: an injected fault"]


@pytest.mark.parametrize("fault", ["hang", "drop"])
def test_a_request_without_a_response_is_ambiguous_and_retried(start, environment, sandbox, fault):
    # Long enough for a busy machine to take the request, too, or it would be repeated once more.
    relay = start(environment | {"NEURALENS_TIMEOUT": "2"})
    sandbox.fail(**{fault: True}, accepted=True)
    relay.send(make_event())
    eventually(lambda: relay.queued() == 0)
    # The API cannot detect duplicates: there are as many as are counted.
    assert len(sandbox.bodies()) == 2
    assert relay.metric("neuralens_forwarded_ambiguous_total") == 1


def test_an_unreachable_api_is_not_ambiguous(start, api_down):
    relay = start(api_down)
    relay.send(make_event())
    eventually(lambda: relay.metric('neuralens_forwarded_total{fate="retry"}') >= 2)
    assert relay.metric("neuralens_forwarded_ambiguous_total") == 0
    assert relay.queued() == 1
    assert relay.metric("neuralens_outbox_oldest_seconds") > 0


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honored(relay, sandbox, form):
    if form == "seconds":
        retry_after = 1
    else:
        retry_after = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 2))
    sandbox.fail(status=429, retry_after=retry_after)
    began = time.monotonic()
    relay.send(make_event())
    eventually(lambda: relay.queued() == 0)
    assert time.monotonic() - began >= 0.9
    assert relay.health()["forwarding"] == "running"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_pauses_forwarding_and_is_reported(relay, sandbox, status, caplog):
    sandbox.fail(status=status, times=1000)
    relay.send(*[make_event() for _ in range(100)])
    eventually(lambda: relay.health()["forwarding"] == "paused")
    health = relay.health()
    assert health["ready"]
    assert str(status) in health["reasons"][0]
    assert relay.metric("neuralens_forwarding_paused") == 1
    assert "check NEURALENS_API_KEY, NEURALENS_APPLICATION_ID, NEURALENS_API_URL" in caplog.text
    # Single events probe whether the key is accepted again.
    eventually(lambda: relay.metric('neuralens_forwarded_total{fate="pause"}') >= 2)
    used = 1000 - sandbox.pending()[0]["times"]
    assert used < 50
    assert relay.queued() == 100
    sandbox.clear_faults()
    eventually(lambda: relay.queued() == 0)
    assert len(sandbox.bodies()) == 100
    assert relay.metric("neuralens_forwarding_paused") == 0


def test_the_key_is_not_disclosed(start, environment, sandbox, caplog):
    relay = start(environment)
    sandbox.fail(failure=f"you sent Bearer {KEY}\nand more")
    sandbox.fail(status=401)
    sandbox.fail(status=500)
    relay.send(make_event(), make_event(), make_event())
    eventually(lambda: relay.queued() == 0)
    seen = relay.http.get("health").text + relay.http.get("metrics").text + caplog.text
    outbox = environment["NEURALENS_OUTBOX"].removeprefix("sqlite:///")
    stored = b""
    for suffix in ("", "-wal"):
        with open(outbox + suffix, "rb") as file:
            stored += file.read()
    assert b"you sent Bearer [key] and more" in stored
    assert KEY.encode() not in stored
    assert KEY not in seen


def test_an_event_that_always_fails_does_not_block_others(relay, sandbox):
    sandbox.fail(status=500, item="poison", times=100_000)
    relay.send(make_event(items=[{"id": "poison"}]))
    eventually(lambda: relay.metric('neuralens_forwarded_total{fate="retry"}') >= 40)
    assert relay.health()["forwarding"] == "failing"
    relay.send(make_event(items=[{"id": "good"}]))
    eventually(lambda: sandbox.ids() == ["good"])


def test_an_outage_is_probed_by_single_events(start, environment, sandbox):
    relay = start(environment | {"NEURALENS_CONCURRENCY": "4", "NEURALENS_PROBE": "0.5"})
    sandbox.fail(status=503, times=100_000)
    relay.send(*[make_event() for _ in range(300)])
    eventually(lambda: relay.health()["forwarding"] == "holding")
    assert relay.metric("neuralens_forwarding_holding") == 1
    assert 100_000 - sandbox.pending()[0]["times"] < 100
    sandbox.clear_faults()
    eventually(lambda: relay.queued() == 0)
    assert len(sandbox.bodies()) == 300


def test_requests_are_concurrent(start, environment, sandbox):
    relay = start(environment | {"NEURALENS_CONCURRENCY": "20"})
    # None gets a response until the last one is sent.
    sandbox.fail(hang=True, times=20)
    relay.post(make_batch(*[make_event() for _ in range(20)]))
    eventually(lambda: not sandbox.pending())


@pytest.mark.parametrize("status", [404, 405, 410])
def test_a_wrong_url_holds_events_without_dead_letters(relay, sandbox, status, caplog):
    sandbox.fail(status=status, times=100_000)
    relay.send(*[make_event() for _ in range(100)])
    eventually(lambda: relay.health()["forwarding"] == "paused")
    assert "its URL is wrong" in caplog.text
    assert str(status) in relay.health()["reasons"][0]
    eventually(lambda: relay.metric('neuralens_forwarded_total{fate="pause"}') >= 40)
    assert relay.metric("neuralens_outbox_dead") == 0
    sandbox.clear_faults()
    eventually(lambda: relay.queued() == 0)
    assert len(sandbox.bodies()) == 100


def test_an_event_with_404_while_others_succeed_becomes_a_dead_letter(relay, sandbox):
    sandbox.fail(status=404, item="odd", times=100_000)
    relay.send(make_event(items=[{"id": "odd"}]))

    def dead():
        relay.send(make_event(items=[{"id": "good"}]))
        return relay.metric("neuralens_outbox_dead") == 1

    eventually(dead, 30)
    eventually(lambda: relay.queued() == 0)
    assert relay.health()["forwarding"] == "running"
    assert "404" in relay.health()["reasons"][0]
    assert set(sandbox.ids()) == {"good"}


def test_an_overflowing_retry_after_is_retried(relay, sandbox):
    sandbox.fail(status=429, retry_after="Wed, 21 Oct 2026 07:28:99999999999 GMT", times=40)
    relay.send(*[make_event() for _ in range(40)])
    eventually(lambda: relay.queued() == 0)
    assert len(sandbox.bodies()) == 40


@pytest.mark.parametrize(
    "error",
    [
        OverflowError("date"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "y"),
        asyncio.CancelledError(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize(
    ("module", "name"),
    [(api, "read_answer"), (api, "sanitize"), (forwarder, "Settlement")],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_any_exception_in_a_send_is_a_retry(
    relay, sandbox, monkeypatch, error, module, name, caplog
):
    """Wherever it comes from, also after the response."""
    right = getattr(module, name)
    failing = [error] * 5

    def fail(*arguments, **named):
        if failing:
            raise failing.pop()
        return right(*arguments, **named)

    monkeypatch.setattr(module, name, fail)
    names = {f"p{number}" for number in range(20)}
    relay.send(*[make_event(items=[{"id": name}]) for name in names])
    eventually(lambda: relay.queued() == 0)
    assert not failing
    assert set(sandbox.ids()) == names
    assert len([line for line in caplog.messages if "unexpected" in line]) <= 2
    assert relay.health()["reasons"] == []


def test_a_second_response_does_not_answer_the_next_event():
    """An event that the API has not received would count as delivered."""
    success = b'{"status": "success", "message": ""}'
    response = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(success), success)
    received, writers = [], []

    async def serve(reader, writer):
        writers.append(writer)
        with closing(writer), suppress(asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                received.append(await reader.readexactly(2))
                writer.write(response)

    async def send_events():
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            url = f"http://127.0.0.1:{port}"
            settings = Settings(api_key="k", application_id="a", api_url=url)
            async with api.ApiClient(settings, time.time) as client:
                answers = []
                for name in (b"10", b"20", b"30"):
                    answers.append(await client.send(name))
                    if not writers[-1].is_closing():
                        writers[-1].write(response)
                    # It has arrived, and the event loop reads it.
                    for _ in range(5):
                        await asyncio.sleep(0)
                return answers

    answers = run(send_events())
    delivered = [answer.fate is Fate.DELIVERED for answer in answers]
    assert delivered == [True, False, True]
    assert received == [b"10", b"30"]
    assert not answers[1].ambiguous


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(start, environment, status):
    """It would take the key elsewhere."""
    paths = []

    async def redirect(request):
        paths.append(request.url.path)
        return Response(status_code=status, headers={"Location": "/elsewhere"})

    methods = ["GET", "POST"]
    with serving(Starlette(routes=[Route("/{path:path}", redirect, methods=methods)])) as url:
        relay = start(environment | {"NEURALENS_API_URL": f"{url}/analytics/event"})
        relay.send(make_event())
        eventually(lambda: relay.health()["forwarding"] == "paused")
        eventually(lambda: len(paths) > 1)
    assert set(paths) == {"/analytics/event"}


def test_an_unexpected_error_of_the_store_does_not_end_forwarding(relay, sandbox, monkeypatch):
    relay.send(make_event())
    eventually(lambda: len(sandbox.bodies()) == 1)
    right = SqliteStore.lease

    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(SqliteStore, "lease", fail)
    relay.send(make_event())
    eventually(lambda: relay.health()["forwarding"] == "stopped")
    assert "ZeroDivisionError" in relay.health()["reasons"][0]
    monkeypatch.setattr(SqliteStore, "lease", right)
    eventually(lambda: len(sandbox.bodies()) == 2)
    eventually(lambda: relay.health()["reasons"] == [])


def test_an_api_that_fails_now_and_then_is_not_logged_each_time(start, environment, caplog):
    """A state may change with every few requests."""
    count = itertools.count()

    class Flaky(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b'{"status": "success", "message": ""}'
            self.send_response(200 if next(count) % 8 == 0 else 500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with serving_api(Flaky) as url:
        relay = start(environment | {"NEURALENS_API_URL": url})
        relay.send(*[make_event() for _ in range(60)])
        eventually(lambda: relay.queued() == 0, 60)
    for text in ("accepts events again", "and are retried"):
        lines = [line for line in caplog.messages if text in line]
        # Once a minute for each change of state.
        assert 1 <= len(lines) <= 2


def test_dead_letters_of_earlier_runs_are_in_health_with_their_reasons(
    start, environment, sandbox, caplog
):
    with ExitStack() as running:
        app = create_app(Settings.from_environment(environment))
        client = running.enter_context(Client(running.enter_context(serving(app))))
        sandbox.fail(status=422, times=3)
        client.send(*[make_event() for _ in range(3)])
        eventually(lambda: client.metric("neuralens_outbox_dead") == 3)
    caplog.clear()
    relay = start(environment)
    eventually(lambda: relay.health()["reasons"])
    eventually(lambda: relay.health()["reasons"][0].startswith("3 dead letters: 3 x 422"))
    assert "3 x 422" in caplog.text


def test_a_long_retry_after_is_capped_and_reported(start, environment, sandbox, tmp_path):
    relay = start(environment | {"NEURALENS_RETRY_AFTER_CAP": "0.5"})
    sandbox.fail(status=503, retry_after=86400)
    relay.send(make_event())
    eventually(lambda: relay.health()["forwarding"] == "holding")
    eventually(lambda: relay.queued() == 0)
    other = {"NEURALENS_OUTBOX": f"sqlite:///{tmp_path}/other.db"}
    relay = start(environment | other | {"NEURALENS_RETRY_AFTER_CAP": "40"})
    sandbox.fail(status=503, retry_after=86400)
    relay.send(make_event())
    eventually(lambda: relay.health()["forwarding"] == "holding")
    reason = relay.health()["reasons"][0]
    assert re.search(r"next attempt in (39|40) s", reason), reason


@pytest.mark.parametrize("count", [4, 25])
def test_an_outage_is_reported_for_any_number_of_events(relay, sandbox, count, caplog):
    sandbox.fail(status=500, times=100_000)
    relay.send(*[make_event() for _ in range(count)])
    eventually(lambda: relay.health()["forwarding"] in ("failing", "holding"))
    if count > 20:
        eventually(lambda: relay.health()["forwarding"] == "holding")
    assert "500" in relay.health()["reasons"][0]
    assert "500" in caplog.text
    sandbox.clear_faults()
    eventually(lambda: relay.queued() == 0)
    assert relay.health()["reasons"] == []
    assert "accepts events again" in caplog.text


def test_undocumented_responses_cause_no_dead_letters_during_an_outage(start, environment):
    answers = {"body": b"<html>Please log in</html>"}

    class Portal(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answers["body"])

        def log_message(self, *_):
            pass

    with serving_api(Portal) as url:
        relay = start(environment | {"NEURALENS_API_URL": url})
        relay.send(*[make_event() for _ in range(5)])
        eventually(lambda: relay.metric('neuralens_forwarded_total{fate="retry"}') >= 60, 30)
        assert relay.metric("neuralens_outbox_dead") == 0
        assert relay.health()["forwarding"] != "running"
        answers["body"] = b'{"status": "success", "message": ""}'
        eventually(lambda: relay.queued() == 0)


def test_dead_letters_are_logged_once_per_reason_and_all_are_in_health(relay, sandbox, caplog):
    sandbox.fail(status=400, item="a", times=30)
    sandbox.fail(status=422, item="b", times=3)
    relay.send(*[make_event(items=[{"id": "a"}]) for _ in range(30)])
    relay.send(*[make_event(items=[{"id": "b"}]) for _ in range(3)])
    eventually(lambda: relay.metric("neuralens_outbox_dead") == 33)
    reason = relay.health()["reasons"][0]
    assert reason.startswith("33 dead letters: 30 x 400")
    assert "3 x 422" in reason
    assert len([line for line in caplog.messages if "refuses an event" in line]) == 2


def test_an_api_that_slows_down_has_fewer_requests_in_flight(start, environment, slow_api):
    relay = start(environment | {"NEURALENS_API_URL": slow_api.url})

    def fill():
        if relay.queued() < 3000:
            relay.send(*[make_event() for _ in range(200)])

    def quick():
        fill()
        return relay.metric("neuralens_forwarding_limit") > 200

    def slow():
        fill()
        return relay.metric("neuralens_forwarding_limit") < 20

    eventually(quick, 60)
    slow_api.set_delay(1.5)
    eventually(slow, 60)
    eventually(lambda: relay.metric("neuralens_forwarding_in_flight") < 20, 30)
    slow_api.set_delay(0.05)
    eventually(quick, 60)


def test_a_slow_response_does_not_block_others(start, environment, sandbox):
    relay = start(environment | {"NEURALENS_TIMEOUT": "600", "NEURALENS_GRACE": "0"})
    sandbox.fail(hang=True, item="slow")
    relay.send(make_event(items=[{"id": "slow"}]))
    eventually(lambda: not sandbox.pending())
    relay.send(*[make_event(items=[{"id": f"p{number}"}]) for number in range(200)])
    eventually(lambda: len(sandbox.bodies()) == 200)
    eventually(lambda: relay.metric("neuralens_forwarding_in_flight") == 1)
