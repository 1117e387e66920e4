"""The outbox: where an event is from the moment it is acknowledged until the API has taken it.

A ``Store`` keeps events; it is plain and synchronous. ``Outbox`` owns the threads that use it and
commits in groups: whatever was asked for while one commit was being written shares the next one,
so that many requests at once cost one write to the disk.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import blake2b
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

# Operations that may wait for their commit.
MAX_BACKLOG = 10_000


class OutboxError(Exception):
    """The outbox cannot be read or written now; the text says why."""


class OutboxFullError(OutboxError):
    """The outbox holds as many events as it may."""


@dataclass(frozen=True)
class Event:
    """An event to keep: its id, and the body that the API gets (JSON)."""

    eid: str
    body: bytes


@dataclass(frozen=True)
class Taken:
    """An event handed out to be sent. ``attempts`` counts this one."""

    key: Any
    body: bytes
    attempts: int


@dataclass(frozen=True)
class Dead:
    """An event for which nothing more is tried, and why. ``received`` is Unix time."""

    eid: str
    body: bytes
    attempts: int
    received: float
    reason: str


@dataclass(frozen=True)
class Depth:
    """How many events wait (those being sent included) and are dead, and since when one waits.

    ``oldest`` is the Unix time at which the oldest waiting event was received, None if none is.
    """

    waiting: int
    dead: int
    oldest: float | None


def digest(eid: str) -> bytes:
    """Return what an event's id is known by: ids may be long, this is 16 bytes."""
    return blake2b(eid.encode(), digest_size=16).digest()


class Store(Protocol):
    """What keeps the events. Every method raises OutboxError when it cannot do its work.

    Everything but ``close`` is called within ``transaction``. Times are Unix time in seconds.
    ``threads``: how many may use it at once; ``group``: operations that share a transaction.
    """

    threads: int
    group: int

    def transaction(self) -> AbstractContextManager[None]:
        """Make what happens inside durable when it is left.

        After an exception it is undone, or can be done again without harm.
        """

    def add(self, events: Sequence[Event], now: float) -> list[bool]:
        """Keep the events; for each tell whether it is new: an id seen before is dropped."""

    def lead(self) -> bool:
        """Tell whether this process may forward; asked again until it may."""

    def recover(self) -> int:
        """Give back what forwarders that are gone had taken; return how many that were.

        Called again and again by whoever leads.
        """

    def take(self, limit: int, now: float) -> list[Taken]:
        """Hand out at most ``limit`` events that are due, the longest due first, none twice."""

    def deliver(self, key: Any) -> None:
        """Drop a taken event: the API has it. Its id stays known."""

    def retry(self, key: Any, due: float, reason: str) -> None:
        """Put a taken event back, to be handed out at ``due``."""

    def park(self, key: Any, reason: str) -> None:
        """Keep a taken event as dead."""

    def depth(self) -> Depth:
        """Count."""

    def dead(self, limit: int) -> list[Dead]:
        """List dead events, the newest first."""

    def replay(self, eids: Sequence[str], now: float) -> int:
        """Let dead events wait again: those with these ids, or all; return how many."""

    def close(self) -> None:
        """Let go of files and connections."""


Operation = Callable[[Store], Any]


class Outbox:
    """A store with its threads: operations from any thread or event loop, committed in groups."""

    def __init__(self, store: Store) -> None:
        """Start the threads; ``close`` also closes the store."""
        self._store = store
        self._queue: SimpleQueue[tuple[Operation, Future[Any]] | None] = SimpleQueue()
        self._closed = False
        # Nothing may be queued after the mark that ends the queue: it would wait for ever.
        self._closing = threading.Lock()
        # Daemons: an application that never closes the relay can still end. What was
        # acknowledged is on disk by then.
        self._threads = [
            threading.Thread(target=self._run, name="outbox", daemon=True)
            for _ in range(store.threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, operation: Callable[[Store], T]) -> Future[T]:
        """Return the operation's result, there once it is durable.

        Raises OutboxError when the outbox is closed or too many operations wait.
        """
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise OutboxError("the outbox is closed")
            if self._queue.qsize() >= MAX_BACKLOG:
                raise OutboxError("the outbox cannot keep up")
            self._queue.put((operation, future))
        return future

    async def call(self, operation: Callable[[Store], T]) -> T:
        """Do the operation and return its result once it is durable; raises OutboxError."""
        return await asyncio.wrap_future(self.submit(operation))

    def close(self) -> None:
        """Finish what was submitted, then close the store."""
        with self._closing:
            self._closed = True
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
        self._store.close()

    def _run(self) -> None:
        while group := self._next_group():
            commit(self._store, group)

    def _next_group(self) -> list[tuple[Operation, Future[Any]]]:
        """Wait for operations and return them; none when the outbox is being closed."""
        group = []
        entry = self._queue.get()
        while entry is not None:
            if entry[1].set_running_or_notify_cancel():
                group.append(entry)
            if len(group) >= self._store.group:
                return group
            try:
                entry = self._queue.get(block=not group)
            except Empty:
                return group
        # The mark stays, for this thread's next turn and for the others.
        self._queue.put(None)
        return group


def commit(store: Store, group: Sequence[tuple[Operation, Future[Any]]]) -> None:
    """Do a group of operations in one transaction and hand out their results."""
    try:
        with store.transaction():
            results = [operation(store) for operation, _ in group]
    except Exception as error:
        if len(group) == 1:
            group[0][1].set_exception(error)
            return
        # Nothing of the group was done. One by one, what fails takes nothing else with it.
        for entry in group:
            commit(store, [entry])
    else:
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)
