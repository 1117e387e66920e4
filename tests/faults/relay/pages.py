"""Pages that send without a pause, and what became of what was acknowledged to them."""

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
from tests.polling import PATIENCE, eventually
from tests.processes import Process
from tests.relay.conftest import Client, Sandbox, make_batch, make_event

SIZE = 3
# Entries that the sandbox keeps, see ``neuralens_demo.ledger``.
LEDGER = 20_000
# Seconds until a page sends again what was not acknowledged.
PAUSE = 0.05
AMBIGUOUS = "neuralens_forwarded_ambiguous_total"
RECOVERED = re.compile(r"(\d+) events may have been sent before")


@dataclass
class Outcome:
    """What became of the acknowledged events; ``reported``: dead letters, or told to be unreadable."""

    acknowledged: int
    received: int
    reported: int
    duplicated: int
    ambiguous: int
    more: str = ""

    @property
    def lost(self) -> int:
        return self.acknowledged - self.received - self.reported

    def row(self) -> list[str]:
        """Return the columns of the table."""
        numbers = [self.acknowledged, self.received, self.reported, self.lost, self.duplicated]
        return [*map(str, [*numbers, self.ambiguous]), self.more]

    def check(self) -> None:
        assert self.acknowledged > 0
        assert self.lost <= 0, self
        assert self.duplicated <= self.ambiguous, self


@dataclass
class Relays:
    """Relay processes that come and go, and how many sends they counted as ambiguous."""

    start: Callable[[], tuple[Client, Process]]
    living: list[tuple[Client, Process]] = field(default_factory=list)
    counted: int = 0

    def add(self) -> None:
        self.living.append(self.start())

    def end(self, place: int, number: int) -> int:
        """End one by a signal; return its exit status."""
        client, process = self.living.pop(place)
        told = self._read(client)
        status = process.end(number)
        # What it counted at last, nobody could ask any more: its log has it.
        logged = sum(map(int, RECOVERED.findall(process.errors())))
        self.counted += max(told, logged)
        return status

    def ambiguous(self) -> int:
        return self.counted + sum(self._read(client) for client, _ in self.living)

    def _read(self, client: Client) -> int:
        try:
            return int(client.metric(AMBIGUOUS))
        except httpx.TransportError:
            return 0


class Pages:
    """Threads that post batches to any of the relays, each until it is acknowledged."""

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
        """Track as one browser does: with a journal, and the same batch again until it is received."""
        journal = f"{int(time.time() // 86400)}-{worker}{time.monotonic_ns():x}"
        number = 0
        with connect() as http:
            while not self._stopping.is_set():
                names = [f"{journal}-{number + place}" for place in range(SIZE)]
                events = [
                    {"seq": number + place + 1, **make_event(items=[{"id": name}])}
                    for place, name in enumerate(names)
                ]
                number += SIZE
                batch = make_batch(*events, journal=journal, losses={})
                if self._post(http, batch, worker):
                    self.acknowledged += names
                self._stopping.wait(self._pause)

    def _post(self, http: httpx.Client, batch: dict[str, object], worker: int) -> bool:
        """Post a batch until it is acknowledged; give up when nothing answers at the end."""
        deadline = None
        while True:
            if self._stopping.is_set():
                deadline = deadline or time.monotonic() + PATIENCE
                if time.monotonic() > deadline:
                    return False
            living = self.relays.living
            try:
                url = living[worker % len(living)][0].url if living else None
                began = time.monotonic()
                answer = http.post(f"{url}/events", json=batch) if url else None
            except (httpx.TransportError, IndexError):
                answer = None
            if answer is not None and answer.status_code == 202:
                self.seconds.append(time.monotonic() - began)
                return True
            if answer is not None:
                self.refused[answer.status_code] += 1
                assert answer.status_code in (429, 503), answer.text
            time.sleep(PAUSE)

    def outcome(self, sandbox: Sandbox, reported: int = 0, patience: float = 60) -> Outcome:
        """Wait until nothing waits any more; return what became of everything."""
        client = self.relays.living[0][0]
        eventually(lambda: client.waiting() == 0, patience)
        received = Counter(sandbox.ids())
        assert received.total() < LEDGER, "the sandbox has forgotten what came first"
        names = set(self.acknowledged)
        return Outcome(
            acknowledged=len(names),
            received=len(names & set(received)),
            reported=reported,
            duplicated=sum(times - 1 for times in received.values()),
            ambiguous=self.relays.ambiguous(),
        )


def read_balance(environment: dict[str, str]) -> Counter[str]:
    """Return the sums of the balance over all days, as ``relay --balance`` prints it."""
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
