"""Isolation: acknowledgement latency during floods from another address, and during a replay.

Pages send 200 batches of five events per second: without other load, during each flood of
``bench.floods`` from its first request on, and while ``relay --replay`` requeues 300,000 dead
letters. All but the last alternate, and each round of a few seconds counts by itself, so that a
busy machine affects all, and a stalling disk one round. The relay has its default rate limit.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median

from neuralens_relay.settings import Settings
from neuralens_relay.sqlite_store import SqliteStore
from neuralens_relay.store import Event, Outcome, Settlement

from bench.floods import FLOODS
from bench.relay import RELAY, SETTINGS, percentile, send_at_rate, serve
from bench.report import Bound, Report

SIZE = 5
RATE = 1_000
ROUNDS = 3
DEAD = 300_000
PORTION = 10_000
# The most by which a flood may multiply the latency, and the most milliseconds during a replay.
MAX_RATIO = 2
MAX_MS = 100


def measure() -> Report:
    """Measure the latency without other load, during a flood, and during a replay."""
    report = Report(
        "Acknowledgement latency of other pages in ms: percentiles, median of the rounds",
        ("load", "rounds", "p50", "p99"),
    )
    rounds: dict[str, list[list[float]]] = {"none": [], **{name: [] for name in FLOODS}}
    rounds["replay"] = []
    with outbox_of_dead_letters() as outbox:
        changes = {
            "NEURALENS_OUTBOX": outbox,
            "NEURALENS_RATE_LIMIT": str(Settings.rate_limit),
            # Higher than the default, which would drop two thirds of them.
            "NEURALENS_DEAD_LIMIT": str(DEAD),
        }
        with serve(RELAY, changes) as url:
            for _ in range(ROUNDS):
                rounds["none"].append(asyncio.run(send_at_rate(url, SIZE, RATE)))
                for number, name in enumerate(FLOODS):
                    with flooding(url, name, f"203.0.113.{number}"):
                        rounds[name].append(asyncio.run(send_at_rate(url, SIZE, RATE)))
            replay = start_replay(outbox)
            while replay.poll() is None:
                rounds["replay"].append(asyncio.run(send_at_rate(url, SIZE, RATE)))
            report.remarks.append((replay.stdout.read() if replay.stdout else "").strip())
    p99 = {}
    for name, samples in rounds.items():
        p99[name] = median(percentile(each, 99) for each in samples)
        middle = median(percentile(each, 50) for each in samples)
        report.rows.append((name, str(len(samples)), f"{middle:.1f}", f"{p99[name]:.1f}"))
    for name in FLOODS:
        what = f"p99 during a flood of {name} / without"
        report.bounds.append(Bound(what, p99[name] / p99["none"], MAX_RATIO))
    report.bounds.append(Bound("p99 in ms during a replay", p99["replay"], MAX_MS))
    return report


@contextmanager
def flooding(url: str, name: str, address: str) -> Iterator[None]:
    """Flood a relay from another process, beginning with the first response."""
    command = [sys.executable, "-m", "bench.floods", url, name, address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if not process.stdout or not process.stdout.readline():
                raise RuntimeError("the flood has failed")
            yield
        finally:
            process.terminate()


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
