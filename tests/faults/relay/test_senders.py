"""Idle connections, a flood from one address, and wrong clocks."""

import threading
from contextlib import ExitStack
from statistics import quantiles

import pytest

from tests.clients import connect
from tests.faults.relay.pages import Pages, Relays
from tests.polling import eventually
from tests.processes import Process
from tests.relay.conftest import Client, make_batch, make_event
from tests.relay.test_connections import IDLE, open_socket

HOUR = 3600
DAY = 24 * HOUR
# The relay, in a process whose clock is wrong by the number of seconds in a file.
WRONG_CLOCK = """import time
from pathlib import Path
right = time.time
time.time = lambda: right() + float(Path("off").read_text() or 0)
from neuralens_relay.cli import relay
"""


@pytest.fixture
def settings(environment):
    return environment | {"NEURALENS_RATE_LIMIT": "0"}


def test_two_thousand_idle_connections(spawn, settings, sandbox, add_row):
    relays = Relays(lambda: spawn(settings, descriptors=1024))
    relays.add()
    with ExitStack() as opened:
        for number in range(IDLE):
            connection = opened.enter_context(open_socket(relays.running[0][0]))
            if number % 2:
                connection.sendall(b"POST /nl/events HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        with Pages(relays) as pages:
            eventually(lambda: len(pages.acknowledged) > 50)
    add_row(f"{IDLE} idle connections", pages.outcome(sandbox))


def test_a_flood_from_one_address(spawn, environment, sandbox, add_row):
    """Many small events at the highest possible rate; other clients have other addresses."""
    relays = Relays(lambda: spawn(environment | {"NEURALENS_RATE_LIMIT": "20"}))
    relays.add()
    client = relays.running[0][0]
    stopping = threading.Event()
    refused = 0

    def flood():
        nonlocal refused
        with connect() as http:
            while not stopping.is_set():
                body = make_batch(*[make_event() for _ in range(100)])
                headers = {"X-Forwarded-For": "203.0.113.7"}
                response = http.post(f"{client.url}/events", json=body, headers=headers)
                refused += response.status_code == 429

    flooding = threading.Thread(target=flood)
    flooding.start()
    try:
        eventually(lambda: refused > 0, 90)
        with Pages(relays, pause=0.02) as pages:
            eventually(lambda: len(pages.acknowledged) > 100)
    finally:
        stopping.set()
        flooding.join()
    outcome = pages.outcome(sandbox, timeout=120)
    p99 = quantiles(pages.seconds, n=100)[-1]
    # The events of the flood itself are not counted.
    outcome.duplicated = 0
    outcome.remarks = f"p99 of the others {p99 * 1000:.0f} ms; the flood got 429"
    add_row("flood from one address", outcome)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("a year ahead, then right", 365 * DAY, 0),
        ("an hour back", 0, -HOUR),
        ("40 days ahead for a moment", 40 * DAY, 0),
    ],
)
def test_wrong_clocks(settings, sandbox, add_row, tmp_path, name, before, after):
    sandbox.fail(status=503, times=1_000_000)
    off = tmp_path / "off"
    off.write_text(str(before))
    (tmp_path / "wrong_clock.py").write_text(WRONG_CLOCK)
    settings |= {"PYTHONPATH": str(tmp_path)}
    process = Process("wrong_clock:relay", environment=settings, cwd=tmp_path)
    with Client(process.url) as client:
        relays = Relays(lambda: (client, process))
        relays.add()
        with Pages(relays, 1) as pages:
            eventually(lambda: len(pages.acknowledged) > 20)
            # Some retries have been scheduled by the wrong clock.
            eventually(lambda: client.metric('neuralens_forwarded_total{fate="retry"}') > 3)
        whole = off.with_name("next")
        whole.write_text(str(after))
        whole.replace(off)
        sandbox.clear_faults()
        add_row(f"clock {name}", pages.outcome(sandbox))
        # Event ids are kept as long as usual.
        known = make_event(eid="first")
        client.send(known)
        assert client.send(known)["duplicates"] == 1
    process.end()
