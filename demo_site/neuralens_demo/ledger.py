"""The sandbox's ledger of accepted events, in order, in bounded memory."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import msgspec

# The most refusals that are kept.
MAX_REFUSALS = 1_000


class Entry(msgspec.Struct, frozen=True):
    """An event that the sandbox has accepted.

    ``sequence`` counts from 1 and never restarts; ``received`` is a fractional Unix time in
    seconds; ``headers`` are the lowercase names of the request's headers, without their values,
    because one of them is the key; ``body`` is the event exactly as sent.
    """

    sequence: int
    received: float
    headers: list[str]
    body: dict[str, object]


class Refusal(msgspec.Struct, frozen=True):
    """A request that the sandbox has refused: status, reason, and the body if it is JSON.

    ``sequence`` counts from 1 and never restarts; ``received`` is a Unix time in seconds.
    """

    sequence: int
    received: float
    status: int
    reason: str
    body: dict[str, object] | None


class Ledger:
    """The newest ``capacity`` entries, which can be followed live."""

    def __init__(self, capacity: int = 20_000) -> None:
        self._entries: deque[Entry] = deque(maxlen=capacity)
        self._sequence = 0
        self._refusals: deque[Refusal] = deque(maxlen=MAX_REFUSALS)
        self._refused = 0
        self._clearings = 0
        self._changed = asyncio.Event()
        self.closed = asyncio.Event()

    def entries(self) -> list[Entry]:
        """Return the entries, oldest first."""
        return list(self._entries)

    def add(self, body: dict[str, object], received: float, headers: list[str]) -> Entry:
        """Add an event and wake the followers."""
        self._sequence += 1
        entry = Entry(self._sequence, received, headers, body)
        self._entries.append(entry)
        self._wake()
        return entry

    def refusals(self) -> list[Refusal]:
        """Return the newest refusals, oldest first."""
        return list(self._refusals)

    def refuse(
        self, received: float, status: int, reason: str, body: dict[str, object] | None
    ) -> None:
        """Add a refused request."""
        self._refused += 1
        self._refusals.append(Refusal(self._refused, received, status, reason, body))

    def clear(self) -> None:
        """Remove all entries and refusals."""
        self._entries.clear()
        self._refusals.clear()
        self._clearings += 1
        self._wake()

    def close(self) -> None:
        """End every ``follow``, so that a server can shut down."""
        self.closed.set()
        self._wake()

    async def follow(self, after: int = 0) -> AsyncIterator[list[Entry] | None]:
        """Yield lists of new entries, from sequence ``after`` + 1.

        The first list is yielded immediately and may be empty. ``None`` means that the ledger was
        cleared. Ends when the ledger is closed.
        """
        clearings = self._clearings
        fresh = [entry for entry in self._entries if entry.sequence > after]
        yield fresh
        after = self._sequence
        while not self.closed.is_set():
            # Get the event before checking for changes, so that none in between is missed.
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
