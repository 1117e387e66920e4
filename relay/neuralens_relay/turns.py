"""Shares the event loop between senders: one batch of each at a time, in slices.

What a batch costs is known only while it is parsed and validated: queries made for it take a
thousand times as long as those of shoppers. So time is measured, and a sender waits several times
as long as it has taken. The same goes for the disk: many events touch many pages of the outbox, and
a flood of them has SQLite copy its log to the file all the time.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Hashable
from contextlib import asynccontextmanager
from typing import TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")

# Seconds of the processor after which others get their turn.
SLICE = 0.001
# Seconds that a sender waits for each second that it has used.
REST = 7.0


class Turn:
    """A sender's turn: measures the processor time of this thread between waits."""

    def __init__(self, rest: float) -> None:
        """Begin; ``rest``: seconds to wait for each that is used."""
        self._rest = rest
        self._began = time.thread_time()
        self._stopped: float | None = None

    async def yield_if_due(self) -> None:
        """Let others run, if a slice is used up."""
        used = time.thread_time() - self._began
        if used >= SLICE:
            await asyncio.sleep(used * self._rest)
            self._began = time.thread_time()

    def stop(self) -> float:
        """Stop measuring; return the seconds that the sender must still wait."""
        if self._stopped is None:
            self._stopped = (time.thread_time() - self._began) * self._rest
        return self._stopped

    async def wait_for(self, storing: Awaitable[T], longest: float) -> T:
        """Stop, and await what uses the disk, for which the sender waits, too.

        With this its wait is at most ``longest`` seconds, unless it has used the processor longer.
        """
        rest = self.stop()
        began = time.monotonic()
        try:
            return await storing
        finally:
            used = time.monotonic() - began
            self._stopped = max(rest, min(longest, rest + used * self._rest))


class Turns:
    """Gives every sender its turns."""

    def __init__(self) -> None:
        # By sender and event loop, as long as somebody holds or awaits them.
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def take(self, sender: str | None) -> AsyncIterator[Turn]:
        """Wait for a sender's turn; with None there is nothing to wait for."""
        if sender is None:
            yield Turn(0)
            return
        loop = asyncio.get_running_loop()
        lock = self._locks.setdefault((loop, sender), asyncio.Lock())
        await lock.acquire()
        turn = Turn(REST)
        try:
            yield turn
        finally:
            loop.call_later(turn.stop(), lock.release)
