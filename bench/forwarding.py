"""How many events a second the relay forwards at its default settings.

Events wait in an outbox (SQLite) when a relay process starts; the API (``bench.slow_api``) takes
each after 100 ms, or at once. The baseline sends the same bodies by the same HTTP client from
memory, as many at once as the relay may: no outbox, and nothing is written down. All of it shares
this machine.
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
from neuralens_relay.outbox import Event
from neuralens_relay.stores import store_opener

from bench.relay import RELAY, make_batch, serve
from bench.report import Bound, Report

SAMPLES = 3
COUNT = 10_000
# Seconds the API takes, and the least events a second that are aimed at.
APIS = {0.1: 2_000, 0.0: 2_000}
IN_FLIGHT = Settings(api_key="none", application_id="none").concurrency


def measure() -> Report:
    """Measure relay and baseline against a slow and a quick API."""
    report = Report(
        f"Forwarding, events a second: median of {SAMPLES} samples of {COUNT:,}",
        ("seconds the API takes", "relay", "baseline", "relay / baseline"),
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
    """Return the events a second that ``send`` brings to an API of its own."""
    with serve(("-m", "bench.slow_api", str(seconds))) as url:
        return COUNT / send(url)


def forward(url: str) -> float:
    """Return the seconds in which a relay forwards what waits, from the first arrival on."""
    with TemporaryDirectory() as folder:
        address = f"sqlite:///{folder}/outbox.db"
        fill(address)
        with serve(RELAY, {"NEURALENS_OUTBOX": address, "NEURALENS_API_URL": url}):
            while not count_taken(url):
                time.sleep(0.01)
            began = time.perf_counter()
            while count_taken(url) < COUNT:
                time.sleep(0.01)
            return time.perf_counter() - began


def fill(address: str) -> None:
    """Let events wait in an outbox."""
    bodies = make_bodies()
    now = time.time()
    settings = Settings(api_key="none", application_id="none", outbox=address)
    with closing(store_opener(settings)()) as store, store.transaction():
        store.add([Event(str(uuid4()), body) for body in bodies], now)


def make_bodies() -> list[bytes]:
    """Return bodies as the API gets them."""
    events = json.loads(make_batch(20))["events"]
    return [json.dumps(events[number % 20]).encode() for number in range(COUNT)]


def count_taken(url: str) -> int:
    """Return how many events the API has taken."""
    with urlopen(url) as answer:
        return int(json.load(answer)["taken"])


async def send_all(url: str) -> float:
    """Return the seconds in which a bare client sends as many events."""
    bodies = make_bodies()
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def work() -> None:
            while bodies:
                async with session.post(url, data=bodies.pop()) as answer:
                    await answer.read()

        began = time.perf_counter()
        async with asyncio.TaskGroup() as workers:
            for _ in range(IN_FLIGHT):
                workers.create_task(work())
        return time.perf_counter() - began
