"""Isolation: acknowledgement latency during a flood from another address, and during a replay.

Pages send 200 batches of five events per second: without other load, while another address floods
the relay with twenty times its rate limit, and while ``relay --replay`` requeues 300,000 dead
letters. The first two alternate, and each round of a few seconds counts by itself, so that a busy
machine affects both, and a stalling disk one round. The relay has default settings except for the
rate limit, because all pages here share one address.

``python -m bench.neighbours URL`` is the flood.
"""

import asyncio
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median

import aiohttp
from neuralens_relay.outbox import Event, Outcome, Settlement
from neuralens_relay.sqlite_store import SqliteStore

from bench.relay import RELAY, SETTINGS, make_batch, percentile, send_at_rate, serve
from bench.report import Bound, Report

SIZE = 5
RATE = 1_000
ROUNDS = 5
DEAD = 300_000
PORTION = 10_000
# The most by which a flood may multiply the latency, and the most milliseconds during a replay.
MAX_RATIO = 2
MAX_MS = 100
# Events per second allowed per address; batch size and batches per second of the flood.
LIMIT = 1_000
FLOODED = 100
FLOOD_RATE = 200
REFUSED = 429
FLOOD = {"Content-Type": "text/plain", "X-Forwarded-For": "203.0.113.7"}


def measure() -> Report:
    """Measure the latency without other load, during a flood, and during a replay."""
    report = Report(
        "Acknowledgement latency of other pages in ms: percentiles, median of the rounds",
        ("load", "rounds", "p50", "p99"),
    )
    rounds: dict[str, list[list[float]]] = {"none": [], "flood": [], "replay": []}
    with outbox_of_dead_letters() as outbox:
        changes = {
            "NEURALENS_OUTBOX": outbox,
            "NEURALENS_RATE_LIMIT": str(LIMIT),
            # Higher than the default, which would drop two thirds of them.
            "NEURALENS_DEAD_LIMIT": str(DEAD),
        }
        with serve(RELAY, changes) as url:
            for _ in range(ROUNDS):
                rounds["none"].append(asyncio.run(send_at_rate(url, SIZE, RATE)))
                with flooding(url):
                    rounds["flood"].append(asyncio.run(send_at_rate(url, SIZE, RATE)))
            replay = start_replay(outbox)
            while replay.poll() is None:
                rounds["replay"].append(asyncio.run(send_at_rate(url, SIZE, RATE)))
            report.remarks.append((replay.stdout.read() if replay.stdout else "").strip())
    p99 = {}
    for name, samples in rounds.items():
        p99[name] = median(percentile(each, 99) for each in samples)
        middle = median(percentile(each, 50) for each in samples)
        report.rows.append((name, str(len(samples)), f"{middle:.1f}", f"{p99[name]:.1f}"))
    ratio = p99["flood"] / p99["none"]
    report.bounds.append(Bound("p99 during a flood / without", ratio, MAX_RATIO))
    report.bounds.append(Bound("p99 in ms during a replay", p99["replay"], MAX_MS))
    return report


@contextmanager
def flooding(url: str) -> Iterator[None]:
    """Flood a relay from another process, beginning once it is refused."""
    command = [sys.executable, "-m", "bench.neighbours", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if not process.stdout or not process.stdout.readline():
                raise RuntimeError("the flood has failed")
            yield
        finally:
            process.terminate()


async def flood(url: str) -> None:
    """Send batches at FLOOD_RATE until killed; print a line once they are refused."""
    # The rate is limited by uid, too.
    bodies = itertools.cycle([make_batch(FLOODED, "flood") for _ in range(FLOOD_RATE)])
    refused = False
    async with aiohttp.ClientSession(headers=FLOOD) as session:

        async def send_one() -> None:
            nonlocal refused
            async with session.post(f"{url}/events", data=next(bodies)) as response:
                await response.read()
                if response.status == REFUSED and not refused:
                    refused = True
                    print("refused", flush=True)

        begin = time.perf_counter()
        async with asyncio.TaskGroup() as senders:
            for number in itertools.count():
                await asyncio.sleep(begin + number / FLOOD_RATE - time.perf_counter())
                senders.create_task(send_one())


def start_replay(outbox: str) -> "subprocess.Popen[str]":
    """Start replaying all dead letters."""
    return subprocess.Popen(
        [sys.executable, *RELAY[:2], "--replay"],
        env={**os.environ, **SETTINGS, "NEURALENS_OUTBOX": outbox},
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def outbox_of_dead_letters() -> Iterator[str]:
    """Yield the address of an outbox with DEAD dead letters."""
    body = b'{"uid":"3845","items":[{"id":"AV768"}],"event":"SHARE","timestamp":1715644800}'
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "outbox.db"
        with closing(SqliteStore(path)) as store:
            for start in range(0, DEAD, PORTION):
                now = time.time()
                with store.transaction():
                    events = [Event(f"e{start + number}", body) for number in range(PORTION)]
                    store.add(events, now)
                    leases = store.lease(PORTION, now)
                    store.settle([Settlement(each.key, Outcome.DEAD, "400") for each in leases])
        yield f"sqlite:///{path}"


if __name__ == "__main__":
    asyncio.run(flood(sys.argv[1]))
