"""The interface of stores, which keep events durably, and its values."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from math import inf
from typing import Any, Protocol

import msgspec

from neuralens_relay.balance import Report, Tally


class OutboxError(Exception):
    """The outbox cannot be read or written now; the message says why."""


class OutboxRefusalError(OutboxError):
    """The outbox accepts no events now, see ``Depth.refusal``. Nothing was written."""


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


# Begins the reasons of the dead letters of an application that has delivered events, once the
# outbox is another one's: see ``Store.replay``.
FORMER = "of a former application: "


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

    Events are sent under the application id of the relay that forwards them, so an outbox has one
    owner at a time: the application whose relays forward from it. A relay claims the outbox for its
    application (``_claim``) if no other application's relays use it, and none of its events wait
    there. Otherwise there is a conflict (``_conflict``): the relay neither accepts nor leases
    events. An owner's id that has never delivered an event may be wrong, so its events do not keep
    the corrected one from claiming the outbox. Clients only add to their own application's.

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
        OutboxRefusalError, before anything is written, if it is full, or another application's.
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

        Without ids, any dead letters but those of a former application (``FORMER``), which would be
        sent under the current one's id.
        """

    def forget(self, eids: Sequence[str], limit: int) -> int:
        """Delete at most ``limit`` dead letters with these ids, or any; return how many."""

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
