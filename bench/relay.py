"""How many events a second the relay acknowledges, each of them on disk, and how soon.

A relay process with its default outbox (SQLite, WAL, synchronous FULL), and a baseline process
(see ``bench.baseline``), in turn. The load is a fixed number of batches, ready made, from 32
connections that wait for each answer before they send the next batch; generator and server share
this machine. The event API cannot be reached, so events are taken and not forwarded meanwhile.
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
from pathlib import Path
from statistics import median, quantiles
from uuid import uuid4

import aiohttp
from neuralens_tracker.vocabulary import CLICK_PRODUCT, PAGES, WIRE_VERSION

from bench.report import Bound, Report
from bench.site import APPLICATION, NOWHERE

SAMPLES = 5
CONNECTIONS = 32
# Events in a batch, and the batches of one sample.
LOADS = {1: 2_000, 10: 1_000, 20: 1_000}
# Seconds at half the rate that was measured, for the time of an acknowledgement, and the most
# milliseconds that its 99th percentile is to have.
CALM = 5
MOST = 50
SETTINGS = {
    "NEURALENS_API_KEY": "none",
    "NEURALENS_APPLICATION_ID": APPLICATION,
    "NEURALENS_API_URL": NOWHERE,
    # All the load comes from one address, which gets a part of this at most.
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
            f"Relay, events acknowledged a second: median of {SAMPLES} samples; and milliseconds of"
            " an acknowledgement at half the relay's rate: median, 99th percentile",
            ("events in a batch", "relay", "baseline", "relay / baseline", "relay", "baseline"),
        )
        for size in LOADS:
            rate = middle["relay", size]
            relayed = asyncio.run(send_calmly(relay, size, rate / 2))
            bare = asyncio.run(send_calmly(baseline, size, rate / 2))
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
            what = f"milliseconds of 99 in 100 acknowledgements, batches of {size}"
            report.bounds.append(Bound(what, percentile(relayed, 99), MOST))
    return report


@contextmanager
def serve(arguments: tuple[str, ...], changes: Mapping[str, str] = NONE) -> Iterator[str]:
    """Run Python with the arguments in an empty folder; give the address that it prints.

    ``changes`` are made to SETTINGS.
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
            yield line.split()[1]
        finally:
            process.terminate()
            process.wait()


def make_batch(size: int) -> bytes:
    """Return a batch of right events that no relay has seen."""
    events = [
        {
            "eid": str(uuid4()),
            "uid": "3845",
            "items": [{"id": f"AV{place}"}],
            "query": "solid wood chair",
            "page": PAGES[0],
            "event": CLICK_PRODUCT,
            "index": place,
            "timestamp": int(time.time()),
        }
        for place in range(size)
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

    Raises RuntimeError for an answer that is not 202 for the whole batch.
    """
    headers = {"Content-Type": "text/plain"}
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def work() -> None:
            while batches:
                async with session.post(f"{url}/events", data=batches.pop()) as answer:
                    receipt = await answer.json()
                    if answer.status != 202 or receipt["accepted"] != size:
                        raise RuntimeError(f"{url} answered {answer.status} {receipt}")

        begin = time.perf_counter()
        async with asyncio.TaskGroup() as workers:
            for _ in range(CONNECTIONS):
                workers.create_task(work())
        return time.perf_counter() - begin


async def send_calmly(url: str, size: int, rate: float) -> list[float]:
    """Send ``rate`` events a second for CALM seconds; return the milliseconds of each answer."""
    batches = [make_batch(size) for _ in range(int(CALM * rate / size))]
    taken = []
    headers = {"Content-Type": "text/plain"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def send_one(batch: bytes) -> None:
            began = time.perf_counter()
            async with session.post(f"{url}/events", data=batch) as answer:
                await answer.read()
                if answer.status != 202:
                    raise RuntimeError(f"{url} answered {answer.status}")
            taken.append(1000 * (time.perf_counter() - began))

        begin = time.perf_counter()
        async with asyncio.TaskGroup() as senders:
            for number, batch in enumerate(batches):
                # By the clock, however late the answers are: pages do not wait for one another.
                await asyncio.sleep(begin + number * size / rate - time.perf_counter())
                senders.create_task(send_one(batch))
    return taken


def percentile(values: list[float], part: int) -> float:
    """Return the value under which so many in a hundred are."""
    return quantiles(values, n=100)[part - 1]
