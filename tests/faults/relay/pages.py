"""Load from simulated pages, and the outcome of the events acknowledged to them."""

import json
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import httpx

from tests.clients import connect
from tests.polling import TIMEOUT, eventually
from tests.processes import Process
from tests.relay.conftest import Client, Sandbox, make_batch, make_event

SIZE = 3
# The most entries of the sandbox's ledger, see ``neuralens_demo.ledger``.
MAX_LEDGER = 20_000
# Seconds until a page retries a batch that was not acknowledged.
RETRY_INTERVAL = 0.05
AMBIGUOUS = "neuralens_forwarded_ambiguous_total"
RECOVERED = re.compile(r"(\d+) events may have been sent before")


@dataclass
class Outcome:
    """The outcome of the acknowledged events; ``reported``: as dead letters, or as unreadable."""

    acknowledged: int
    received: int
    reported: int
    duplicated: int
    ambiguous: int
    remarks: str = ""

    @property
    def lost(self) -> int:
        return self.acknowledged - self.received - self.reported

    def row(self) -> list[str]:
        """Return the columns of the table."""
        numbers = [self.acknowledged, self.received, self.reported, self.lost, self.duplicated]
        return [*map(str, [*numbers, self.ambiguous]), self.remarks]

    def check(self) -> None:
        assert self.acknowledged > 0
        assert self.lost <= 0, self
        assert self.duplicated <= self.ambiguous, self


@dataclass
class Relays:
    """Relay processes that are started and ended, and their total count of ambiguous requests."""

    start: Callable[[], tuple[Client, Process]]
    running: list[tuple[Client, Process]] = field(default_factory=list)
    counted: int = 0

    def add(self) -> None:
        self.running.append(self.start())

    def end(self, index: int, number: int) -> int:
        """End a relay by a signal; return its exit status."""
        client, process = self.running.pop(index)
        counted = self._read(client)
        status = process.end(number)
        # The metric can no longer be read, but the log may have a later count.
        logged = sum(map(int, RECOVERED.findall(process.errors())))
        self.counted += max(counted, logged)
        return status

    def ambiguous(self) -> int:
        return self.counted + sum(self._read(client) for client, _ in self.running)

    def _read(self, client: Client) -> int:
        try:
            return int(client.metric(AMBIGUOUS))
        except httpx.TransportError:
            return 0


class Pages:
    """Threads that post batches to the relays, and retry each until it is acknowledged."""

    def __init__(self, relays: Relays, count: int = 4, pause: float = 0.0) -> None:
        self.relays = relays
        self.acknowledged: list[str] = []
        self.refused: Counter[int] = Counter()
        self.seconds: list[float] = []
        self._pause = pause
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(number,)) for number in range(count)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _send(self, worker: int) -> None:
        """Send as one browser does: with a journal, retrying a batch until it is acknowledged."""
        journal = f"{int(time.time() // 86400)}-{worker}{time.monotonic_ns():x}"
        number = 0
        with connect() as http:
            while not self._stopping.is_set():
                names = [f"{journal}-{number + index}" for index in range(SIZE)]
                events = [
                    {"seq": number + index + 1, **make_event(items=[{"id": name}])}
                    for index, name in enumerate(names)
                ]

                number += SIZE
                batch = make_batch(*events, journal=journal, losses={})
                if self._post(http, batch, worker):
                    self.acknowledged += names
                self._stopping.wait(self._pause)

    def _post(self, http: httpx.Client, batch: dict[str, object], worker: int) -> bool:
        """Post a batch until it is acknowledged; give up if no relay responds when stopping."""
        deadline = None
        while True:
            if self._stopping.is_set():
                deadline = deadline or time.monotonic() + TIMEOUT
                if time.monotonic() > deadline:
                    return False
            running = self.relays.running
            try:
                url = running[worker % len(running)][0].url if running else None
                began = time.monotonic()
                response = http.post(f"{url}/events", json=batch) if url else None
            except (httpx.TransportError, IndexError):
                response = None
            if response is not None and response.status_code == 202:
                self.seconds.append(time.monotonic() - began)
                return True
            if response is not None:
                self.refused[response.status_code] += 1
                assert response.status_code in (429, 503), response.text
            time.sleep(RETRY_INTERVAL)

    def outcome(self, sandbox: Sandbox, reported: int = 0, timeout: float = 60) -> Outcome:
        """Wait until no event is queued, and return the outcome."""
        client = self.relays.running[0][0]
        eventually(lambda: client.queued() == 0, timeout)
        received = Counter(sandbox.ids())
        assert received.total() < MAX_LEDGER, "the ledger was truncated"
        names = set(self.acknowledged)
        return Outcome(
            acknowledged=len(names),
            received=len(names & set(received)),
            reported=reported,
            duplicated=sum(times - 1 for times in received.values()),
            ambiguous=self.relays.ambiguous(),
        )


def read_balance(environment: dict[str, str]) -> Counter[str]:
    """Return the totals of the balance over all days, as ``relay --balance`` prints it."""
    command = [sys.executable, "-c", "from neuralens_relay.cli import relay; relay()"]
    done = subprocess.run(
        [*command, "--balance", "--json"], env=environment, capture_output=True, check=True
    )
    sums: Counter[str] = Counter()
    for line in map(json.loads, done.stdout.splitlines()):
        for state, count in line.items():
            if isinstance(count, dict):
                sums[state] += sum(count.values())
            elif isinstance(count, int):
                sums[state] += count
    return sums
