"""The relay's intake: rate and latency of acknowledgements, with each event durable on disk.

A relay process with its default outbox (SQLite, WAL, synchronous FULL) and a baseline process (see
``bench.baseline``) are measured alternately. The load is a fixed number of prepared batches on 32
connections, each of which waits for a response before it sends the next batch; load generator and
server share the machine. The event API is unreachable, so events are stored but not forwarded.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import median, quantiles
from uuid import uuid4

import aiohttp
from neuralens_tracker.vocabulary import CLICK_PRODUCT, PAGES, WIRE_VERSION

from bench.report import Bound, Report
from bench.site import APPLICATION, NOWHERE

SAMPLES = 5
CONNECTIONS = 32
# Events per batch, and batches per sample.
LOADS = {1: 2_000, 10: 1_000, 20: 1_000}
# Seconds for which latency is measured, at half the measured rate, and the bound on its 99th
# percentile in milliseconds.
SECONDS = 5
MAX_MS = 50
# The shoppers whose pages send at a fixed rate, and the addresses of documentation that they have.
SHOPPERS = {str(number): f"198.51.100.{number}" for number in range(250)}
SETTINGS = {
    "NEURALENS_API_KEY": "none",
    "NEURALENS_APPLICATION_ID": APPLICATION,
    "NEURALENS_API_URL": NOWHERE,
    # All load comes from one address, whose share of the outbox is limited.
    "NEURALENS_RATE_LIMIT": "0",
    "NEURALENS_OUTBOX_LIMIT": "1000000000",
}
RELAY = ("-c", "from neuralens_relay.cli import relay; relay()", "--port", "0")
BASELINE = ("-m", "bench.baseline")
NONE: Mapping[str, str] = {}


def measure() -> Report:
    """Measure relay and baseline with single events and with full batches."""
    rates: dict[tuple[str, int], list[float]] = defaultdict(list)
    with serve(RELAY) as relay, serve(BASELINE) as baseline:
        for _ in range(SAMPLES):
            for size, count in LOADS.items():
                for name, url in (("relay", relay), ("baseline", baseline)):
                    batches = [make_batch(size) for _ in range(count)]
                    seconds = asyncio.run(send(url, batches, size))
                    rates[name, size].append(size * count / seconds)
        middle = {key: median(samples) for key, samples in rates.items()}
        report = Report(
            f"Relay, events acknowledged per second: median of {SAMPLES} samples; and latency in ms"
            " at half the relay's rate: median, 99th percentile",
            ("events per batch", "relay", "baseline", "relay / baseline", "relay", "baseline"),
        )
        for size in LOADS:
            rate = middle["relay", size]
            relayed = asyncio.run(send_at_rate(relay, size, rate / 2))
            bare = asyncio.run(send_at_rate(baseline, size, rate / 2))
            report.rows.append(
                (
                    str(size),
                    f"{rate:,.0f}",
                    f"{middle['baseline', size]:,.0f}",
                    f"{rate / middle['baseline', size]:.2f}",
                    f"{percentile(relayed, 50):.1f}, {percentile(relayed, 99):.1f}",
                    f"{percentile(bare, 50):.1f}, {percentile(bare, 99):.1f}",
                )
            )
            what = f"p99 latency in ms, batches of {size}"
            report.bounds.append(Bound(what, percentile(relayed, 99), MAX_MS))
    return report


@dataclass(frozen=True)
class Server:
    """A server process: the address that it has printed, and its process id."""

    url: str
    pid: int


@contextmanager
def serve(arguments: tuple[str, ...], changes: Mapping[str, str] = NONE) -> Iterator[str]:
    """Run a server as ``launch`` does; yield its address."""
    with launch(arguments, changes) as server:
        yield server.url


@contextmanager
def launch(arguments: tuple[str, ...], changes: Mapping[str, str] = NONE) -> Iterator[Server]:
    """Run Python with the arguments in an empty folder until it prints its address.

    ``changes`` override SETTINGS.
    """
    here = str(Path(__file__).parents[1])
    with (
        tempfile.TemporaryDirectory() as folder,
        (Path(folder) / "log").open("w+") as log,
        subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env={**os.environ, **SETTINGS, **changes, "PYTHONPATH": here, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            line = process.stdout.readline() if process.stdout else ""
            if "http" not in line:
                process.terminate()
                process.wait()
                log.seek(0)
                raise RuntimeError(f"{' '.join(arguments)} did not start: {line}{log.read()}")
            yield Server(line.split()[1], process.pid)
        finally:
            process.terminate()
            process.wait()


def make_batch(size: int, uid: str = "3845") -> bytes:
    """Return a batch of valid, new events of a shopper."""
    events = [
        {
            "eid": str(uuid4()),
            "uid": uid,
            "items": [{"id": f"AV{number}"}],
            "query": "solid wood chair",
            "page": PAGES[0],
            "event": CLICK_PRODUCT,
            "index": number,
            "timestamp": int(time.time()),
        }
        for number in range(size)
    ]
    envelope = {
        "v": WIRE_VERSION,
        "app": APPLICATION,
        "batch": str(uuid4()),
        "sent": time.time(),
        "lost": 0,
        "events": events,
    }
    return json.dumps(envelope).encode()


async def send(url: str, batches: list[bytes], size: int) -> float:
    """Send all batches; return the seconds until the last was acknowledged.

    Raises RuntimeError for any response except 202 for the whole batch.
    """
    headers = {"Content-Type": "text/plain"}
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def work() -> None:
            while batches:
                async with session.post(f"{url}/events", data=batches.pop()) as response:
                    receipt = await response.json()
                    if response.status != 202 or receipt["accepted"] != size:
                        raise RuntimeError(f"{url} answered {response.status} {receipt}")

        begin = time.perf_counter()
        async with asyncio.TaskGroup() as workers:
            for _ in range(CONNECTIONS):
                workers.create_task(work())
        return time.perf_counter() - begin


async def send_at_rate(url: str, size: int, rate: float, seconds: float = SECONDS) -> list[float]:
    """Send ``rate`` events per second; return each latency in milliseconds."""
    uids = list(islice(cycle(SHOPPERS), int(seconds * rate / size)))
    batches = [(make_batch(size, uid), SHOPPERS[uid]) for uid in uids]
    samples = []
    headers = {"Content-Type": "text/plain"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def send_one(batch: bytes, address: str) -> None:
            began = time.perf_counter()
            origin = {"X-Forwarded-For": address}
            async with session.post(f"{url}/events", data=batch, headers=origin) as response:
                text = await response.text()
                if response.status != 202:
                    raise RuntimeError(f"{url} answered {response.status} {text}")
            samples.append(1000 * (time.perf_counter() - began))

        begin = time.perf_counter()
        async with asyncio.TaskGroup() as senders:
            for number, (batch, address) in enumerate(batches):
                # At a fixed rate, regardless of responses: pages are independent.
                await asyncio.sleep(begin + number * size / rate - time.perf_counter())
                senders.create_task(send_one(batch, address))
    return samples


def percentile(values: list[float], part: int) -> float:
    """Return a percentile."""
    return quantiles(values, n=100)[part - 1]
