"""No acknowledged event is lost: kills, restarts, shutdowns, several processes."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import apsw
import httpx
import pytest
from neuralens_relay.serving import address, listen

from tests.polling import TIMEOUT, eventually
from tests.relay.conftest import Client, make_batch, make_event


def outbox_path(environment) -> Path:
    return Path(environment["NEURALENS_OUTBOX"].removeprefix("sqlite:///"))


def test_a_killed_relay_loses_no_acknowledged_event(spawn, environment, api_down, sandbox):
    client, process = spawn(api_down)
    event = make_event(items=[{"id": "first"}])
    client.send(event, *[make_event(items=[{"id": f"p{number}"}]) for number in range(50)])
    process.end(signal.SIGKILL)
    client, process = spawn(environment)
    assert client.send(event)["duplicates"] == 1
    eventually(lambda: client.queued() == 0)
    assert Counter(sandbox.ids()) == Counter(["first", *(f"p{number}" for number in range(50))])


def test_duplicates_after_a_kill_while_sending_are_counted(spawn, environment, sandbox):
    # It is killed before its requests time out, which it would count itself.
    client, process = spawn(environment | {"NEURALENS_TIMEOUT": "60"})
    sandbox.fail(hang=True, accepted=True, times=5)
    names = [f"p{number}" for number in range(5)]
    client.send(*[make_event(items=[{"id": name}]) for name in names])
    eventually(lambda: len(sandbox.bodies()) == 5)
    process.end(signal.SIGKILL)
    client, process = spawn(environment)
    eventually(lambda: client.queued() == 0)
    assert Counter(sandbox.ids()) == Counter(names * 2)
    assert client.metric("neuralens_forwarded_ambiguous_total") == 5
    assert "may have been sent before" in process.errors()


def test_a_kill_under_load_loses_no_acknowledged_event(spawn, environment, sandbox):
    client, process = spawn(environment)
    acknowledged = []

    def send(worker: int) -> None:
        with Client(process.url) as page:
            for number in range(1000):
                name = f"{worker}-{number}"
                body = make_batch(make_event(items=[{"id": name}]))
                try:
                    response = page.post(body)
                except httpx.TransportError:
                    return
                assert response.status_code == 202
                acknowledged.append(name)

    with ThreadPoolExecutor(8) as pages:
        sending = [pages.submit(send, worker) for worker in range(8)]
        eventually(lambda: len(acknowledged) > 100)
        process.end(signal.SIGKILL)
        for page in sending:
            page.result()
    client, process = spawn(environment)
    eventually(lambda: client.queued() == 0)
    sent = Counter(sandbox.ids())
    assert set(acknowledged) <= set(sent)
    duplicates = sum(times - 1 for times in sent.values())
    assert duplicates <= client.metric("neuralens_forwarded_ambiguous_total")


@pytest.fixture
def hangup():
    """Start processes with SIGHUP's default, even if nohup has started the tests."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangup")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_shutdown_finishes_requests_in_flight(spawn, environment, sandbox, number):
    client, process = spawn(environment)
    sandbox.fail(delay=0.5)
    client.send(make_event(items=[{"id": "slow"}]))
    eventually(lambda: not sandbox.pending())
    assert process.end(number) == 0
    assert sandbox.ids() == ["slow"]
    client, process = spawn(environment)
    assert client.queued() == 0
    assert process.end(signal.SIGINT) == 0
    assert "Traceback" not in process.errors()
    assert "ERROR" not in process.errors()


def test_repeated_signals_do_not_interrupt_a_shutdown(spawn, environment, sandbox):
    client, process = spawn(environment | {"NEURALENS_GRACE": "0.5"})
    sandbox.fail(hang=True, times=3)
    client.send(*[make_event() for _ in range(3)])
    eventually(lambda: not sandbox.pending())
    client.http.close()

    def interrupt():
        process.popen.send_signal(signal.SIGINT)
        return not process.runs

    eventually(interrupt)
    assert process.popen.returncode == 0
    for word in ("Traceback", "Exception", "Warning"):
        assert word not in process.errors()


def test_a_relay_whose_output_nobody_reads_serves(tmp_path, environment, sandbox):
    reading, writing = os.pipe()
    os.close(reading)
    with listen("127.0.0.1", 0) as free:
        url = f"{address(free)}/nl"
    command = "from neuralens_relay.cli import relay; relay()"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "--port", str(urlsplit(url).port)],
        cwd=tmp_path,
        env=environment,
        stdout=writing,
        stderr=writing,
        # As by nohup.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    os.close(writing)
    try:
        with Client(url) as client:
            eventually(lambda: is_live(url))
            process.send_signal(signal.SIGHUP)
            client.send(make_event(items=[{"id": "unread"}]))
            eventually(lambda: sandbox.ids() == ["unread"])
    finally:
        process.terminate()
        process.wait(TIMEOUT)


def is_live(url):
    try:
        return httpx.get(f"{url}/health?live").is_success
    except httpx.TransportError:
        return False


def test_a_shutdown_leaves_hanging_events_in_the_outbox(spawn, environment, sandbox):
    client, process = spawn(environment | {"NEURALENS_GRACE": "0.2"})
    sandbox.fail(hang=True)
    client.send(make_event(items=[{"id": "hung"}]))
    eventually(lambda: not sandbox.pending())
    assert process.end(signal.SIGTERM) == 0
    assert sandbox.ids() == []
    spawn(environment)
    eventually(lambda: sandbox.ids() == ["hung"])


def test_of_two_relays_on_one_file_one_forwards_and_the_other_takes_over(
    spawn, environment, sandbox
):
    first, leader = spawn(environment)
    first.send(make_event(items=[{"id": "a"}]))
    eventually(lambda: sandbox.ids() == ["a"])
    second, _ = spawn(environment)
    names = [f"p{number}" for number in range(100)]
    for index, name in enumerate(names):
        (first, second)[index % 2].send(make_event(items=[{"id": name}]))
    eventually(lambda: second.queued() == 0)
    assert Counter(sandbox.ids()) == Counter(["a", *names])
    leader.end(signal.SIGKILL)
    second.send(make_event(items=[{"id": "z"}]))
    eventually(lambda: "z" in sandbox.ids())


def test_an_unwritable_outbox_answers_503(start, api_down):
    relay = start(api_down)
    relay.send(make_event())
    event = make_event()
    other = apsw.Connection(str(outbox_path(api_down)))
    other.set_busy_timeout(5000)
    # Simulates a file that is damaged or replaced while the relay runs.
    other.execute("ALTER TABLE events RENAME TO elsewhere")
    response = relay.post(make_batch(event))
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "Set-Cookie" not in response.headers
    health = relay.http.get("health")
    assert health.status_code == 503
    assert not health.json()["ready"]
    assert health.json()["live"]
    assert relay.http.get("health?live").status_code == 200
    assert relay.http.get("metrics").status_code == 200
    other.execute("ALTER TABLE elsewhere RENAME TO events")
    other.close()
    assert relay.send(event)["accepted"] == 1


def test_stored_events_are_acknowledged_even_if_the_outbox_is_slow_to_read(
    start, api_down, monkeypatch
):
    monkeypatch.setattr("neuralens_relay.relay.READ_TIMEOUT", 0.0)
    relay = start(api_down)
    assert relay.send(make_event())["accepted"] == 1
    assert relay.http.get("health").status_code == 503


def test_an_outbox_that_cannot_be_opened_answers_503_until_it_can(start_lazily, api_down, tmp_path):
    folder = tmp_path / "later"
    relay = start_lazily(api_down | {"NEURALENS_OUTBOX": f"sqlite:///{folder}/outbox.db"})
    assert relay.post(make_batch(make_event())).status_code == 503
    folder.mkdir()
    assert relay.send(make_event())["accepted"] == 1
    assert json.loads(relay.http.get("health").content)["ready"]


def test_a_process_that_exits_without_closing_loses_nothing(api_down, bundles):
    program = f"""
import asyncio, httpx, sys
from pathlib import Path
from neuralens_relay import create_app

async def post():
    transport = httpx.ASGITransport(create_app(folder=Path({str(bundles)!r})))
    headers = {{"Content-Type": "text/plain"}}
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        print((await client.post("/events", content=sys.argv[1], headers=headers)).status_code)

asyncio.run(post())
"""
    batch = json.dumps(make_batch(make_event()))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, batch],
        env=api_down,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "202\n"), done.stderr
    rows = apsw.Connection(str(outbox_path(api_down))).execute("SELECT count(*) FROM events").get
    assert rows == 1
