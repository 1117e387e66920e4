"""The sandbox's ledger: what it took, in order, in bounded memory."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import msgspec

# The newest refusals that are kept.
MAX_REFUSALS = 1_000


class Entry(msgspec.Struct, frozen=True):
    """One event as the sandbox took it.

    ``sequence`` counts from 1 and never starts again; ``received`` is Unix time in seconds, with
    fraction; ``headers`` are the names of the request's headers in lower case (never their
    values: one of them is the key); ``body`` is the event exactly as it was sent.
    """

    sequence: int
    received: float
    headers: list[str]
    body: dict[str, Any]


class Refusal(msgspec.Struct, frozen=True):
    """One request that the sandbox refused: the status, the reason, the body as far as it is JSON.

    ``sequence`` counts from 1 and never starts again; ``received`` is Unix time in seconds.
    """

    sequence: int
    received: float
    status: int
    reason: str
    body: dict[str, Any] | None


class Ledger:
    """The newest ``capacity`` entries, and a way to follow them as they come."""

    def __init__(self, capacity: int = 20_000) -> None:
        self._entries: deque[Entry] = deque(maxlen=capacity)
        self._sequence = 0
        self._refusals: deque[Refusal] = deque(maxlen=MAX_REFUSALS)
        self._refused = 0
        self._clearings = 0
        self._changed = asyncio.Event()
        self.closed = asyncio.Event()

    def entries(self) -> list[Entry]:
        """Return what is kept, oldest first."""
        return list(self._entries)

    def add(self, body: dict[str, Any], received: float, headers: list[str]) -> Entry:
        """Write down an event and wake who follows."""
        self._sequence += 1
        entry = Entry(self._sequence, received, headers, body)
        self._entries.append(entry)
        self._wake()
        return entry

    def refusals(self) -> list[Refusal]:
        """Return the newest refusals, oldest first."""
        return list(self._refusals)

    def refuse(
        self, received: float, status: int, reason: str, body: dict[str, Any] | None
    ) -> None:
        """Write down a request that was refused."""
        self._refused += 1
        self._refusals.append(Refusal(self._refused, received, status, reason, body))

    def clear(self) -> None:
        """Forget every entry, and every refusal."""
        self._entries.clear()
        self._refusals.clear()
        self._clearings += 1
        self._wake()

    def close(self) -> None:
        """End every ``follow``, so that a server can shut down."""
        self.closed.set()
        self._wake()

    async def follow(self, after: int = 0) -> AsyncIterator[list[Entry] | None]:
        """Yield the entries from sequence ``after`` + 1 on, in lists, as they come.

        The first list comes at once and may be empty. ``None`` says that the ledger was
        cleared. Ends when the ledger is closed.
        """
        clearings = self._clearings
        fresh = [entry for entry in self._entries if entry.sequence > after]
        yield fresh
        after = self._sequence
        while not self.closed.is_set():
            # The event is taken before looking, so that a change in between is not slept through.
            changed = self._changed
            if clearings != self._clearings:
                clearings = self._clearings
                yield None
            elif after != self._sequence:
                fresh = [entry for entry in self._entries if entry.sequence > after]
                after = self._sequence
                yield fresh
            else:
                await changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
