"""The relay's forwarding rate with default settings.

A relay process starts with events queued in its outbox (SQLite); the API (``bench.slow_api``)
responds to each after 100 ms, or immediately. The baseline sends the same bodies from memory with
the same HTTP client and the same concurrency, without an outbox. Relay, baseline and API share the
machine.
"""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import closing
from statistics import median
from tempfile import TemporaryDirectory
from urllib.request import urlopen
from uuid import uuid4

import aiohttp
from neuralens_relay import Settings
from neuralens_relay.outbox_url import store_opener
from neuralens_relay.store import Event

from bench.relay import RELAY, make_batch, serve
from bench.report import Bound, Report

SAMPLES = 3
COUNT = 10_000
# The API's response time in seconds, and the required rate in events per second.
APIS = {0.1: 2_000, 0.0: 2_000}
IN_FLIGHT = Settings(api_key="none", application_id="none").concurrency


def measure() -> Report:
    """Measure relay and baseline with a slow and a fast API."""
    report = Report(
        f"Forwarding, events per second: median of {SAMPLES} samples of {COUNT:,}",
        ("API response time, s", "relay", "baseline", "relay / baseline"),
    )
    for seconds, least in APIS.items():
        relayed, bare = [], []
        for _ in range(SAMPLES):
            relayed.append(measure_once(seconds, forward))
            bare.append(measure_once(seconds, lambda url: asyncio.run(send_all(url))))
        rate, best = median(relayed), median(bare)
        row = (f"{seconds:g}", f"{rate:,.0f}", f"{best:,.0f}", f"{rate / best:.2f}")
        report.rows.append(row)
        what = f"milliseconds for {COUNT:,} events, API {seconds:g} s"
        report.bounds.append(Bound(what, 1000 * COUNT / rate, 1000 * COUNT / least))
    return report


def measure_once(seconds: float, send: Callable[[str], float]) -> float:
    """Return the rate of ``send`` to a new API process, in events per second."""
    with serve(("-m", "bench.slow_api", str(seconds))) as url:
        return COUNT / send(url)


def forward(url: str) -> float:
    """Return the seconds in which a relay forwards all queued events, from the first arrival."""
    with TemporaryDirectory() as folder:
        address = f"sqlite:///{folder}/outbox.db"
        fill(address)
        with serve(RELAY, {"NEURALENS_OUTBOX": address, "NEURALENS_API_URL": url}):
            while not count_received(url):
                time.sleep(0.01)
            began = time.perf_counter()
            while count_received(url) < COUNT:
                time.sleep(0.01)
            return time.perf_counter() - began


def fill(address: str) -> None:
    """Queue events in an outbox."""
    bodies = make_bodies()
    now = time.time()
    settings = Settings(api_key="none", application_id="none", outbox=address)
    with closing(store_opener(settings)()) as store, store.transaction():
        store.add([Event(str(uuid4()), body) for body in bodies], now)


def make_bodies() -> list[bytes]:
    """Return the bodies of requests to the API."""
    events = json.loads(make_batch(20))["events"]
    return [json.dumps(events[number % 20]).encode() for number in range(COUNT)]


def count_received(url: str) -> int:
    """Return how many events the API has received."""
    with urlopen(url) as response:
        return int(json.load(response)["received"])


async def send_all(url: str) -> float:
    """Return the seconds in which the baseline sends all events."""
    bodies = make_bodies()
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def work() -> None:
            while bodies:
                async with session.post(url, data=bodies.pop()) as response:
                    await response.read()

        began = time.perf_counter()
        async with asyncio.TaskGroup() as workers:
            for _ in range(IN_FLIGHT):
                workers.create_task(work())
        return time.perf_counter() - began
