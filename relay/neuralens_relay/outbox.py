"""The outbox: where an event is from the moment it is acknowledged until the API has taken it.

A ``Store`` keeps events; it is plain and synchronous. ``Outbox`` owns the threads that use it and
commits in groups: whatever was asked for while one commit was being written shares the next one,
so that many requests at once cost one write to the disk.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import blake2b
from math import inf
from queue import Empty, SimpleQueue
from time import monotonic, time
from typing import Any, Protocol, TypeVar

import msgspec

from neuralens_relay.balance import Report, Tally

T = TypeVar("T")

# Operations that may wait for their commit.
MAX_BACKLOG = 10_000
# Seconds that they get at the end.
CLOSING = 5.0

log = logging.getLogger(__name__)


class OutboxError(Exception):
    """The outbox cannot be read or written now; the text says why."""


class OutboxFullError(OutboxError):
    """The outbox takes no more events now; the text says why. Nothing was written."""


@dataclass(frozen=True)
class Event:
    """An event to keep: its id, and the body that the API gets (JSON).

    ``lasting``: its id is known for as long as those of orders. ``number``: that in the journal of
    its browser, 0 for none.
    """

    eid: str
    body: bytes
    lasting: bool = False
    number: int = 0


@dataclass(frozen=True)
class Taken:
    """An event handed out to be sent. ``attempts`` counts this one."""

    key: Any
    body: bytes
    attempts: int


class Outcome(Enum):
    """What became of an event that was taken."""

    DELIVERED = "delivered"
    DEAD = "dead"
    AGAIN = "again"
    UNSENT = "unsent"


@dataclass(frozen=True)
class Settlement:
    """What is to be written down about a taken event.

    ``DELIVERED``: the API has it; it goes, and its id stays known. ``DEAD``: it is kept as a dead
    letter, with the reason. ``AGAIN``: it is handed out again at ``due`` (Unix time). ``UNSENT``:
    the same, and it was not tried after all.
    """

    key: Any
    outcome: Outcome
    reason: str = ""
    due: float = 0.0


@dataclass(frozen=True)
class Dead:
    """A dead letter: an event for which nothing more is tried. ``received`` is Unix time."""

    eid: str
    body: bytes
    attempts: int
    received: float
    reason: str


@dataclass(frozen=True)
class Bounds:
    """How much an outbox keeps, and for how long (seconds).

    ``waiting``: events that wait; ``known``: ids of events, ``orders`` those of orders;
    ``dead`` and ``dead_age``: dead letters.
    """

    waiting: float = inf
    known: float = inf
    orders: float = inf
    dead: float = inf
    dead_age: float = inf


@dataclass(frozen=True)
class Depth:
    """What the outbox holds.

    ``waiting``: events to be sent, those being sent included; ``dead``: dead letters; ``oldest``:
    the Unix time at which the oldest waiting event was received, None if none waits. ``refusal``:
    why no events are taken now, "" when they are. ``unreadable``: events lost to damage;
    ``dropped``: dead letters that were dropped for their age or their number since the start.
    """

    waiting: int
    dead: int
    oldest: float | None
    refusal: str = ""
    unreadable: int = 0
    dropped: int = 0


def digest(eid: str) -> bytes:
    """Return what an event's id is known by: ids may be long, this is 16 bytes."""
    return blake2b(eid.encode(), digest_size=16).digest()


def is_of(body: bytes, uid: str) -> bool:
    """Tell whether an event's body, which may be damaged, is about a shopper."""
    try:
        event = msgspec.json.decode(body)
    except ValueError:
        return False
    return isinstance(event, dict) and event.get("uid") == uid


class Store(Protocol):
    """What keeps the events. Every method raises OutboxError when it cannot do its work.

    Everything but ``close`` is called within ``transaction``. Times are Unix time in seconds.
    ``threads``: how many may use it at once; ``group``: operations that share a transaction;
    ``idle``: seconds after which ``check`` is due again.
    """

    threads: int
    group: int
    idle: float

    def transaction(self) -> AbstractContextManager[None]:
        """Make what happens inside durable when it is left.

        After an exception it is undone, or can be done again without harm.
        """

    def add(self, events: Sequence[Event], now: float, report: Report | None = None) -> list[bool]:
        """Keep the events; for each tell whether it is new: an id seen before is dropped.

        ``report``: what the batch says that they came in, which goes into the books with them.
        Raises OutboxFullError, before anything is written, when it takes no more.
        """

    def lead(self) -> bool:
        """Tell whether this process may forward; asked again until it may."""

    def recover(self, sending: Collection[Any]) -> int:
        """Give back what was taken and nobody sends; return how many that were.

        ``sending``: keys of what this process sends. Called again and again by whoever leads.
        """

    def take(self, limit: int, now: float) -> list[Taken]:
        """Hand out at most ``limit`` events that are due, the longest due first, none twice."""

    def probe(self, now: float) -> list[Taken]:
        """Hand out one event that is due, if there is any: one never tried rather than another."""

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Write down what became of events that were taken."""

    def tidy(self, now: float, longest: float, steady: bool) -> None:
        """Do a portion of the housekeeping, about once a second, by whoever leads.

        Makes due what is due later than ``longest`` seconds from now: that was written by another
        clock. Forgets ids and dead letters past their retention, if the clock is ``steady``.
        """

    def check(self, now: float) -> None:
        """Raise OutboxError unless it can be written."""

    def depth(self) -> Depth:
        """Say what it holds, from counters."""

    def tallies(self, first: int) -> list[Tally]:
        """Return the books from a day (since 1970) on."""

    def dead(self, limit: int) -> list[Dead]:
        """List dead letters, the newest first."""

    def replay(self, eids: Sequence[str], limit: int, now: float) -> int:
        """Let at most ``limit`` dead letters wait again; return how many.

        Those with these ids, or, when there are none, any.
        """

    def forget(self, eids: Sequence[str], limit: int) -> int:
        """Drop at most ``limit`` dead letters, chosen as by ``replay``; return how many."""

    def erase(self, uid: str, cursor: Any, limit: int) -> tuple[int, Any]:
        """Drop what waits, is being sent or is dead of a shopper, among about ``limit`` events.

        ``cursor`` is None at first, then what the last call returned: how many events were
        dropped, and where to go on, None when all have been looked at. Ids stay known.
        """

    def shred(self) -> None:
        """Let nothing of what was erased be read from the disk. Called outside a transaction."""

    def close(self) -> None:
        """Let go of files and connections."""


Operation = Callable[[Store], Any]


@dataclass(frozen=True)
class Written:
    """How the last write ended.

    ``at``: Unix time of the last that succeeded, None before the first. ``fault``: why one failed
    since the last that proved that events can be kept, "" if none did.
    """

    at: float | None = None
    fault: str = ""


class Outbox:
    """A store with its threads: operations from any thread or event loop, committed in groups."""

    def __init__(self, store: Store) -> None:
        """Start the threads; ``close`` also closes the store."""
        self._store = store
        # Seconds after which to check again whether events can be kept.
        self.idle = store.idle
        self._queue: SimpleQueue[tuple[Operation, Future[Any]] | None] = SimpleQueue()
        self._closed = False
        self.written = Written()
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

    async def write(
        self,
        operation: Callable[[Store], T],
        wrote: Callable[[T], bool] = lambda _: True,
        proof: bool = True,
    ) -> T:
        """Do an operation as ``call`` does, and note how that ended.

        ``wrote`` tells by the result whether there was anything to write. ``proof``: that it can
        be done proves that events can be kept; a full Redis, say, still lets go of events.
        """
        try:
            result = await self.call(operation)
        except OutboxFullError:
            # The store can be written; that it takes no more, it says itself.
            raise
        except OutboxError as error:
            self.written = replace(self.written, fault=str(error))
            raise
        if wrote(result):
            now = time()
            self.written = Written(now) if proof else replace(self.written, at=now)
        return result

    def close(self, patience: float = CLOSING) -> None:
        """Finish what was submitted, then close the store.

        A store that hangs, as on a disk that does not answer, is left after ``patience`` seconds:
        what was acknowledged is in it.
        """
        with self._closing:
            self._closed = True
            self._queue.put(None)
        deadline = monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            log.error("the outbox has not answered for %g s: it is left as it is", patience)
            return
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
            results = [attempt(store, operation) for operation, _ in group]
    except Exception as error:
        if len(group) == 1:
            group[0][1].set_exception(error)
            return
        # Nothing of the group was done. One by one, what fails takes nothing else with it.
        for entry in group:
            commit(store, [entry])
    else:
        for (_, future), result in zip(group, results, strict=True):
            if isinstance(result, OutboxFullError):
                future.set_exception(result)
            else:
                future.set_result(result)


def attempt(store: Store, operation: Operation) -> Any:
    """Return an operation's result, or that nothing was taken, which undoes no other operation."""
    try:
        return operation(store)
    except OutboxFullError as error:
        return error
