"""What a page feels of what others do: a flood from one address, and dead letters sent again.

Pages send 200 batches of five events a second, each acknowledgement is timed: alone; while another
address sends as fast as it can, many more events than it may; and while ``relay --replay`` lets
300,000 dead letters wait again. The relay has its default settings, but for its limit for one
address, which all pages here share.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import aiohttp
from neuralens_relay.outbox import Event, Outcome, Settlement
from neuralens_relay.sqlite_store import SqliteStore

from bench.relay import RELAY, SETTINGS, make_batch, percentile, send_calmly, serve
from bench.report import Bound, Report

SIZE = 5
RATE = 1_000
ROUNDS = 3
DEAD = 300_000
PORTION = 10_000
# How many times longer an acknowledgement may take in a flood, and milliseconds in a replay.
MOST_TIMES = 2
MOST = 100
# Events a second for one address, and connections of the one that floods.
LIMIT = 1_000
FLOODERS = 8
FLOODED = 100
FLOOD = {"Content-Type": "text/plain", "X-Forwarded-For": "203.0.113.7"}


def measure() -> Report:
    """Measure pages alone, in a flood and in a replay."""
    report = Report(
        "Acknowledgements of other pages, milliseconds: median, 99th percentile",
        ("meanwhile", "median", "99 in 100"),
    )
    with outbox_of_dead_letters() as outbox:
        changes = {
            "NEURALENS_OUTBOX": outbox,
            "NEURALENS_RATE_LIMIT": str(LIMIT),
            # Two thirds of them would be dropped otherwise.
            "NEURALENS_DEAD_LIMIT": str(DEAD),
        }
        with serve(RELAY, changes) as url:
            alone = asyncio.run(send_for_a_while(url))
            flooded = asyncio.run(send_in_a_flood(url))
            replay = start_replay(outbox)
            replayed = []
            while replay.poll() is None:
                replayed += asyncio.run(send_calmly(url, SIZE, RATE))
            report.remarks.append((replay.stdout.read() if replay.stdout else "").strip())
    for name, taken in (("nothing", alone), ("a flood", flooded), ("a replay", replayed)):
        row = (name, f"{percentile(taken, 50):.1f}", f"{percentile(taken, 99):.1f}")
        report.rows.append(row)
    calm, busy = percentile(alone, 99), percentile(flooded, 99)
    report.bounds.append(Bound("times as long, 99 in 100, in a flood", busy / calm, MOST_TIMES))
    late = percentile(replayed, 99)
    report.bounds.append(Bound("milliseconds, 99 in 100, in a replay", late, MOST))
    return report


async def send_for_a_while(url: str) -> list[float]:
    """Return the milliseconds of each acknowledgement over some rounds."""
    taken: list[float] = []
    for _ in range(ROUNDS):
        taken += await send_calmly(url, SIZE, RATE)
    return taken


async def send_in_a_flood(url: str) -> list[float]:
    """Return the same while another address floods."""
    async with aiohttp.ClientSession(headers=FLOOD) as session:

        async def flood() -> None:
            while True:
                async with session.post(f"{url}/events", data=make_batch(FLOODED)) as answer:
                    await answer.read()

        flooders = [asyncio.create_task(flood()) for _ in range(FLOODERS)]
        # What an address may send at once is over.
        await asyncio.sleep(5)
        taken = await send_for_a_while(url)
        for flooder in flooders:
            flooder.cancel()
        for flooder in flooders:
            with contextlib.suppress(asyncio.CancelledError):
                await flooder
    return taken


def start_replay(outbox: str) -> "subprocess.Popen[str]":
    """Start to send all dead letters again."""
    return subprocess.Popen(
        [sys.executable, *RELAY[:2], "--replay"],
        env={**os.environ, **SETTINGS, "NEURALENS_OUTBOX": outbox},
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def outbox_of_dead_letters() -> Iterator[str]:
    """Give the address of an outbox in which there are DEAD of them."""
    body = b'{"uid":"3845","items":[{"id":"AV768"}],"event":"SHARE","timestamp":1715644800}'
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "outbox.db"
        with closing(SqliteStore(path)) as store:
            for start in range(0, DEAD, PORTION):
                now = time.time()
                with store.transaction():
                    events = [Event(f"e{start + place}", body) for place in range(PORTION)]
                    store.add(events, now)
                    taken = store.lease(PORTION, now)
                    store.settle([Settlement(each.key, Outcome.DEAD, "400") for each in taken])
        yield f"sqlite:///{path}"
