"""The outbox: stores events durably from their acknowledgement until the API has accepted them.

A ``Store`` is synchronous. ``Outbox`` runs its operations in threads, with group commit: operations
submitted while one commit is being written share the next one, so that concurrent requests cost one
write to the disk.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import blake2b
from math import inf
from queue import Empty, SimpleQueue
from time import monotonic, time
from typing import Any, Protocol, TypeVar

import msgspec

from neuralens_relay.asides import run_aside
from neuralens_relay.balance import Report, Tally

T = TypeVar("T")

# Operations that may be queued.
MAX_BACKLOG = 10_000
# Seconds to finish them on close.
CLOSING = 5.0
# Seconds for which a caller waits until an event is stored.
WRITE_TIMEOUT = 10.0

log = logging.getLogger(__name__)


class OutboxError(Exception):
    """The outbox cannot be read or written now; the message says why."""


class OutboxFullError(OutboxError):
    """The outbox accepts no more events now; the message says why. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event to store: its id, and its body for the API (JSON).

    ``lasting``: its id is remembered as long as those of orders. ``number``: its number in the
    browser's journal, or 0.
    """

    eid: str
    body: bytes
    lasting: bool = False
    number: int = 0


@dataclass(frozen=True)
class Lease:
    """An event leased for sending. ``attempts`` includes this one."""

    key: Any
    body: bytes
    attempts: int


class Outcome(Enum):
    """The outcome of a lease."""

    DELIVERED = "delivered"
    DEAD = "dead"
    AGAIN = "again"
    UNSENT = "unsent"


@dataclass(frozen=True)
class Settlement:
    """The settlement of a lease.

    ``DELIVERED``: the event is deleted, and its id stays known. ``DEAD``: it becomes a dead letter,
    with the reason. ``AGAIN``: it is leased again at ``due`` (Unix time). ``UNSENT``: the same, but
    this was not an attempt.
    """

    key: Any
    outcome: Outcome
    reason: str = ""
    due: float = 0.0


@dataclass(frozen=True)
class Dead:
    """A dead letter: an event that is not retried. ``received`` is Unix time."""

    eid: str
    body: bytes
    attempts: int
    received: float
    reason: str


@dataclass(frozen=True)
class Bounds:
    """The limits of an outbox: numbers, and retention in seconds.

    ``waiting``: number of queued events; ``known`` and ``orders``: retention of the ids of events
    and of orders; ``dead`` and ``dead_age``: number and retention of dead letters.
    """

    waiting: float = inf
    known: float = inf
    orders: float = inf
    dead: float = inf
    dead_age: float = inf


UNBOUNDED = Bounds()


@dataclass(frozen=True)
class Depth:
    """The contents of the outbox.

    ``waiting``: queued events, including leased ones; ``dead``: dead letters; ``oldest``: when the
    oldest queued event was received (Unix time), or None. ``refusal``: why no events are accepted,
    or "". ``unreadable``: events lost to damage, or to another program; ``dropped``: dead letters
    deleted for their age or number since the start.
    """

    waiting: int
    dead: int
    oldest: float | None
    refusal: str = ""
    unreadable: int = 0
    dropped: int = 0


def digest(eid: str) -> bytes:
    """Return the 16-byte digest by which an event's id is remembered."""
    return blake2b(eid.encode(), digest_size=16).digest()


def belongs_to(body: bytes, uid: str) -> bool:
    """Return whether an event's body has a uid; for a damaged one, whether it contains it."""
    try:
        event = msgspec.json.decode(body)
    except ValueError:
        return msgspec.json.encode(uid) in body
    return isinstance(event, dict) and event.get("uid") == uid


class Store(Protocol):
    """Durable storage of events. Every method raises OutboxError if it fails.

    All but ``close`` and ``shred`` are called within ``transaction``. Times are Unix time in
    seconds. ``threads``: how many may use it concurrently; ``group``: the most operations per
    transaction; ``idle``: seconds between calls of ``check``.
    """

    threads: int
    group: int
    idle: float

    def transaction(self) -> AbstractContextManager[None]:
        """Make the operations inside durable on exit.

        After an exception they are rolled back, or safe to repeat.
        """

    def add(self, events: Sequence[Event], now: float, report: Report | None = None) -> list[bool]:
        """Store events, dropping those with a known id; return for each whether it was new.

        ``report``: their batch's contribution to the balance, which is recorded with them. Raises
        OutboxFullError, before anything is written, if it is full.
        """

    def lead(self) -> bool:
        """Become or stay the leader, the process that forwards; return whether it is.

        Another process may have become the leader meanwhile.
        """

    def recover(self, sending: Collection[Any]) -> int:
        """Requeue abandoned leases; return how many.

        ``sending``: keys of the leases of this process. Called periodically by the leader.
        """

    def lease(self, limit: int, now: float) -> list[Lease]:
        """Lease at most ``limit`` due events, the longest due first."""

    def probe(self, now: float) -> list[Lease]:
        """Lease one due event, if any, preferring one that was never attempted."""

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Settle leases."""

    def tidy(self, now: float, longest: float, steady: bool, limit: int) -> bool:
        """Do a portion of the housekeeping, at most ``limit`` rows of each kind.

        Called about once a second by the leader, and sooner if it returns that there may be more.
        Events due later than ``longest`` seconds from now become due: the clock was wrong when that
        was written. Expires ids and dead letters, if the clock is ``steady``.
        """

    def check(self, now: float) -> None:
        """Raise OutboxError unless it can be written durably."""

    def depth(self) -> Depth:
        """Return the contents, in constant time."""

    def tallies(self, first: int) -> list[Tally]:
        """Return the tallies since a day (since 1970)."""

    def dead(self, limit: int) -> list[Dead]:
        """Return dead letters, newest first."""

    def replay(self, eids: Sequence[str], limit: int, now: float) -> int:
        """Requeue at most ``limit`` dead letters with these ids; return how many.

        Without ids, any dead letters.
        """

    def forget(self, eids: Sequence[str], limit: int) -> int:
        """Delete at most ``limit`` dead letters, selected as by ``replay``; return how many."""

    def erase(self, uid: str, cursor: Any, limit: int) -> tuple[int, Any]:
        """Delete a shopper's events, queued, leased or dead, among the next ``limit`` or so.

        Returns how many were deleted, and the cursor for the next call, which is None at the end.
        The first call has the cursor None. Ids stay known.
        """

    def shred(self) -> str:
        """Remove all traces of erased events from the disk. Called outside a transaction.

        Returns where there may be more that cannot be removed, and the remedy; "" if nowhere.
        """

    def close(self) -> None:
        """Close files and connections."""


def explain_silence(place: str, seconds: float) -> str:
    """Return the message for an outbox that has not responded for ``seconds``."""
    return (
        f"the outbox {place} has not responded for {seconds:g} s: check its disk, and what else"
        " writes to it"
    )


class Opener:
    """Opens an outbox for callers that wait for one another, for which they have a lock.

    An attempt may take as long as another process writes, or for ever if the disk hangs: if a
    caller waits in vain, then all who wait, and the next ones wait for the same attempt.
    """

    def __init__(self, open_store: Callable[[], Store], place: str) -> None:
        """``place`` names the outbox in errors."""
        self._open_store = open_store
        self._place = place
        self._attempt: Future[Store] | None = None
        # When a caller last waited in vain, and why.
        self._failed = -inf
        self._reason = ""

    @property
    def is_busy(self) -> bool:
        """Whether there is an attempt of which no caller has the outcome."""
        return self._attempt is not None

    def open(self, asked: float, patience: float | None = None) -> "Outbox":
        """Open it for a caller that asked at ``asked`` (monotonic seconds).

        Raises OutboxError, after ``patience`` seconds at the latest.
        """
        if asked < self._failed:
            raise OutboxError(self._reason)
        if self._attempt is None:
            self._attempt = run_aside(self._open_store, "opener")
        attempt = self._attempt
        try:
            if not wait([attempt], patience).done:
                raise OutboxError(explain_silence(self._place, patience or 0))
            self._attempt = None
            return Outbox(attempt.result())
        except OutboxError as error:
            self._failed, self._reason = monotonic(), str(error)
            raise

    def abandon(self, patience: float = 0.0) -> None:
        """Close what was opened for callers that no longer wait; wait ``patience`` seconds for it.

        An attempt that hangs longer remains.
        """
        attempt = self._attempt
        if attempt is not None and wait([attempt], patience).done:
            self._attempt = None
            if attempt.exception() is None:
                attempt.result().close()


Operation = Callable[[Store], Any]


@dataclass(frozen=True)
class WriteStatus:
    """The outcome of recent writes.

    ``at``: Unix time of the last successful one, or None. ``fault``: why one failed since the last
    success that proves that events can be stored, or "".
    """

    at: float | None = None
    fault: str = ""


class Outbox:
    """Runs a store's operations, from any thread or event loop, with group commit."""

    def __init__(self, store: Store) -> None:
        """Start the threads; ``close`` also closes the store."""
        self._store = store
        # Seconds between checks.
        self.idle = store.idle
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._closed = False
        self.write_status = WriteStatus()
        # Guards the sentinel at the end of the queue: an operation after it would never run.
        self._closing = threading.Lock()
        # Each is held while its thread runs operations, or is paused.
        self._working = [threading.Lock() for _ in range(store.threads)]
        self._paused: list[threading.Lock] = []
        # Daemons, so that an application that never closes the relay can exit. Acknowledged events
        # are on disk.
        self._threads = [
            threading.Thread(target=self._run, args=(working,), name="outbox", daemon=True)
            for working in self._working
        ]
        self._running = len(self._threads)
        for thread in self._threads:
            thread.start()

    def submit(self, operation: Callable[[Store], T]) -> Future[T]:
        """Queue an operation; the future has its result once it is durable.

        Raises OutboxError if the outbox is closed or the queue is full.
        """
        entry = Entry(operation)
        with self._closing:
            if self._closed:
                raise OutboxError("the outbox is closed")
            if self._queue.qsize() >= MAX_BACKLOG:
                raise OutboxError("the outbox cannot keep up")
            self._queue.put(entry)
        return entry.future

    async def call(self, operation: Callable[[Store], T]) -> T:
        """Run an operation and return its result once it is durable; raises OutboxError."""
        return await asyncio.wrap_future(self.submit(operation))

    async def write(
        self,
        operation: Callable[[Store], T],
        wrote: Callable[[T], bool] = lambda _: True,
        proof: bool = True,
    ) -> T:
        """Run an operation as ``call`` does, and update the write status.

        ``wrote(result)`` is whether anything was written. ``proof``: success proves that events can
        be stored; a full Redis, say, still deletes them.
        """
        try:
            result = await self.call(operation)
        except OutboxFullError:
            # Not a failed write: ``depth`` reports why it is full.
            raise
        except OutboxError as error:
            self.write_status = replace(self.write_status, fault=str(error))
            raise
        if wrote(result):
            now = time()
            self.write_status = WriteStatus(now) if proof else replace(self.write_status, at=now)
        return result

    def close(self, patience: float = CLOSING) -> None:
        """Finish the queued operations, then close the store.

        A store that hangs, such as on an unresponsive disk, is abandoned after ``patience``
        seconds; acknowledged events are in it.
        """
        self.release()
        deadline = monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            log.error("the outbox has not responded for %g s: abandoning it", patience)

    def release(self) -> None:
        """Close without waiting for it."""
        with self._closing:
            self._closed = True
            self._queue.put(None)

    def pause(self, patience: float = CLOSING) -> None:
        """Wait for the operations that are running, and run no others until ``resume``.

        One that hangs is not waited for after ``patience`` seconds.
        """
        deadline = monotonic() + patience
        for working in self._working:
            if working.acquire(timeout=max(0.0, deadline - monotonic())):
                self._paused.append(working)

    def resume(self) -> None:
        """Run operations again."""
        while self._paused:
            self._paused.pop().release()

    def drop(self) -> bool:
        """Close the store in a forked child, if it was paused at the fork; return whether it was.

        Locks and connections of the parent are not affected.
        """
        if len(self._paused) < len(self._working):
            return False
        self._store.close()
        return True

    def _run(self, working: threading.Lock) -> None:
        while group := self._next_group():
            with working:
                commit(self._store, group)
        with self._closing:
            self._running -= 1
            if self._running == 0:
                self._store.close()

    def _next_group(self) -> list["Entry"]:
        """Wait for operations and return them; none if the outbox is being closed."""
        group = []
        entry = self._queue.get()
        while entry is not None:
            if entry.future.set_running_or_notify_cancel():
                group.append(entry)
            if len(group) >= self._store.group:
                return group
            try:
                entry = self._queue.get(block=not group)
            except Empty:
                return group
        # Put the sentinel back, for the next call and the other threads.
        self._queue.put(None)
        return group


class Entry:
    """A queued operation.

    It is dropped with its events as soon as the future is done: a cancelled entry stays queued
    until a hanging store responds.
    """

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.future: Future[Any] = Future()
        self.future.add_done_callback(self._drop)

    def _drop(self, _: Future[Any]) -> None:
        del self.operation


def commit(store: Store, group: Sequence[Entry]) -> None:
    """Run a group of operations in one transaction and set their results."""
    begun = False
    try:
        with store.transaction():
            begun = True
            results = [attempt(store, entry.operation) for entry in group]
    except Exception as error:
        if len(group) == 1 or not begun:
            # None of them is the cause: each would wait for another process's lock as long again.
            for entry in group:
                entry.future.set_exception(error)
            return
        # Rolled back. Retry one by one, so that a failing operation does not affect the others.
        for entry in group:
            commit(store, [entry])
    else:
        for entry, result in zip(group, results, strict=True):
            if isinstance(result, OutboxFullError):
                entry.future.set_exception(result)
            else:
                entry.future.set_result(result)


def attempt(store: Store, operation: Operation) -> Any:
    """Return an operation's result, or OutboxFullError, which does not roll back the others."""
    try:
        return operation(store)
    except OutboxFullError as error:
        return error
