"""Stores the outbox in Redis Streams, shared by several relays.

Each change is one Lua script, and so atomic. An event is an entry of a stream that the relays read
as one consumer group; while it waits for a retry it is in a sorted set instead. Redis must write
its append-only file before it responds, and never evict (``neuralens_relay.redis_server``), because
an acknowledgement means that the event is on disk.
"""

import logging
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic, sleep, time
from typing import Any, cast
from uuid import uuid4

import redis

from neuralens_relay import balance
from neuralens_relay import redis_scripts as scripts
from neuralens_relay.balance import Posting, Report, Tally, name_journal, post
from neuralens_relay.notices import Notices
from neuralens_relay.redis_server import RedisServer, UnfitError
from neuralens_relay.store import (
    FORMER,
    UNBOUNDED,
    Bounds,
    Dead,
    Depth,
    Event,
    Lease,
    OutboxError,
    OutboxRefusalError,
    Settlement,
    digest,
)

log = logging.getLogger(__name__)

# The hash tag (in braces) places all keys in one cluster slot, which scripts need.
PREFIX = "{neuralens}:"
STREAM = PREFIX + "events"
LATER = PREFIX + "later"
DEAD = PREFIX + "dead"
# Digests of the queued events, including those being sent, by the time they were received.
LIVE = PREFIX + "live"
DEAD_ORDER = PREFIX + "dead-order"
SEEN = PREFIX + "seen:"
# The heartbeat: written to check that the server can be written.
BEAT = PREFIX + "beat"
# The application whose relays use the outbox, and the one under which its events were delivered.
OWNER = PREFIX + "owner"
SENDER = PREFIX + "sender"
MARKS = (OWNER.encode(), SENDER.encode(), BEAT.encode())
# Until when (Unix time) dead letters are those of a former application.
FORMER_UNTIL = PREFIX + "former"
# The heartbeats of the relays, by consumer.
BEATS = PREFIX + "beats"
KEYS = (STREAM, LATER, DEAD, LIVE, DEAD_ORDER, BEATS)
# Prefixes of a journal's state, and of a day's tallies.
JOURNAL = PREFIX + "journal:"
TALLIES = PREFIX + "tallies:"
# State, reason, application and count.
TALLY = re.compile(rb"([a-z]+)\|([\w.-]*)\|(.*)=(-?\d+)", re.DOTALL | re.ASCII)
EVENT_FIELDS = {b"body", b"attempts"}
FULL = "FULL"
# The outbox is that of the application whose name follows.
FOREIGN = "FOREIGN "
# A concurrent batch of the same journal came first; how often to retry.
STALE = "STALE"
TRIES = 20
# Entries per script that recovers abandoned leases.
CLAIMED = 100
# Milliseconds after which an idle consumer without leases is deleted.
CONSUMER_IDLE = 60_000
# Responses of one node among several.
CLUSTER_ERRORS = (redis.exceptions.AskError, redis.exceptions.ClusterDownError)
CLUSTER = (
    "it is a node of a Redis Cluster, which is not supported: use a single server, or one with"
    " Sentinels (redis+sentinel://)"
)
# Milliseconds without a check after which another application may use the outbox: not as soon as a
# relay ends, because it may be restarted.
OWNED = 5000
# Seconds to wait for a running rewrite of the append-only file.
REWRITE_PATIENCE = 30.0
# Seconds to wait until the events that are being sent are settled.
LEASE_PATIENCE = 15.0
# The longest retention in Redis, in milliseconds.
LONGEST = 2**53
# Milliseconds for which tallies are kept.
TALLIES_KEPT = (balance.KEPT_DAYS + 1) * balance.DAY * 1000


@dataclass(frozen=True)
class Heartbeat:
    """The value of another relay's heartbeat, and when it was first seen (monotonic seconds)."""

    value: bytes | None
    seen: float


class RedisStore:
    """Implements ``Store`` for any number of relays, all of which forward."""

    # Redis groups concurrent commands into one write of its append-only file.
    threads = 16
    group = 1
    # The server may be reconfigured at runtime.
    idle = 1.0

    def __init__(
        self,
        address: str,
        bounds: Bounds = UNBOUNDED,
        idle: float = balance.DAY,
        vouched: bool = False,
        application: str = "",
        is_client: bool = False,
    ) -> None:
        """Connect to the server of a URL, see ``RedisServer``.

        ``idle``: seconds until a lease expires, which must be longer than a request.
        ``application``: that of a relay or client, "" if unknown. Raises OutboxError if Redis
        cannot be reached, is not durable, or, unless ``is_client``, is another application's.
        """
        self._application = application
        # Why no events are accepted or leased: the outbox is another application's, see Store.
        self._conflict = ""
        self._bounds = bounds
        self._retention = round(min(bounds.known * 1000, LONGEST))
        self._order_retention = round(min(bounds.orders * 1000, LONGEST))
        self._idle = round(idle * 1000)
        self._consumer = str(uuid4())
        # The last heartbeat of each other relay with leases, by its consumer.
        self._beats: dict[bytes, Heartbeat] = {}
        self._dropped = 0
        # Queued events that another program has removed: at the last count, and since the start.
        self._missing = 0
        self._lost = 0
        # Queued events when this relay last changed or checked them.
        self._queued = 0
        # The last entry that was passed over, b"": none, and since when (monotonic).
        self._passed = b""
        self._passed_since = 0.0
        self._notices = Notices(log, monotonic)
        # Whether this relay has written to BEAT, which does not expire.
        self._beaten = False
        # Why the server is currently unfit.
        self._refusal = ""
        self._server = RedisServer(address, vouched)
        self._redis = self._server.client
        with self.transaction():
            self._redis.ping()
            if application and not is_client:
                # Before events are added: if the server loses its data, that must be noticed. What
                # keeps it from being written, such as too little memory, is in its health.
                with suppress(redis.ResponseError):
                    self._check_first()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Store. Each operation is one script, and idempotent."""
        try:
            yield
        except UnfitError as error:
            # Until ``check`` succeeds again.
            self._refusal = str(error)
            raise OutboxError(str(error)) from error
        except redis.RedisError as error:
            if isinstance(error, redis.exceptions.ReadOnlyError):
                # The primary has become a replica: reconnect to the new one.
                self._server.disconnect()
            reason = CLUSTER if isinstance(error, CLUSTER_ERRORS) else error
            raise OutboxError(f"the outbox in {self._server} cannot be used: {reason}") from error

    def add(self, events: Sequence[Event], now: float, report: Report | None = None) -> list[bool]:
        """See Store."""
        if self._refusal:
            raise OutboxError(self._refusal)
        if not events and report is None:
            return []
        for _ in range(TRIES):
            try:
                return self._add(events, now, report)
            except redis.ResponseError as error:
                if str(error) == FULL:
                    raise OutboxRefusalError(self._full()) from error
                conflict = self._explain_foreign(error)
                if conflict:
                    raise OutboxRefusalError(conflict) from error
                if str(error) != STALE:
                    raise
        raise OutboxError("too many concurrent batches of the same journal")

    def _add(self, events: Sequence[Event], now: float, report: Report | None) -> list[bool]:
        """Store events and tallies, unless the journal has changed in the meantime (STALE)."""
        known = None
        journal = JOURNAL.encode()
        posting = Posting(None, (None,) * len(events), 0, Counter())
        if report is not None:
            journal += digest(name_journal(report))
            if report.journal:
                known = cast("bytes | None", self._redis.get(journal))
            posting = post(known, report, now, self._bounds.known)
        app = "" if report is None else report.app
        digests = [digest(event.eid) for event in events]
        values: list[Any] = [now, self._bounds.waiting, len(events)]
        for event, name, day in zip(events, digests, posting.days, strict=True):
            retention = self._order_retention if event.lasting else self._retention
            # Negative: only if it is new. 0: never.
            counted = -posting.today if day is None else day
            values += [event.eid, name, event.body, retention, counted]
        values += [known or b"", posting.journal or b"", self._retention]
        values += [TALLIES, TALLIES_KEPT, app, self._application]
        for account, count in posting.changes.items():
            values += [account.day, f"{account.state}|{account.reason}|{app}", count]
        keys = [*(SEEN.encode() + name for name in digests), journal, *MARKS]
        fresh, queued = self._run(scripts.ADD, values, keys)
        self._note_queued(queued)
        return [is_new == 1 for is_new in fresh]

    def tallies(self, first: int) -> list[Tally]:
        """See Store."""
        days = range(first, int(time() // balance.DAY) + 1)
        pipeline = self._redis.pipeline(transaction=False)
        for day in days:
            pipeline.hgetall(TALLIES + str(day))
        tallies = []
        for day, fields in zip(days, pipeline.execute(), strict=True):
            # Anything else was written by another program.
            lines = (TALLY.fullmatch(name + b"=" + count) for name, count in fields.items())
            for state, reason, app, count in (line.groups() for line in lines if line):
                name = app.decode(errors="replace")
                tallies.append(Tally(day, name, state.decode(), reason.decode(), int(count)))
        return tallies

    def lead(self) -> bool:
        """See Store. Every relay is a leader: the consumer group divides the events among them."""
        return True

    def recover(self, sending: Collection[Any]) -> int:
        """See Store. A lease is abandoned if it is idle: its relay is gone or was disconnected."""
        entries = [entry for entry, _ in sending]
        recovered: int = self._take_over()
        cursor = b"0-0"
        while True:
            values = [self._consumer, self._idle, cursor, CLAIMED, *entries]
            cursor, found = self._run(scripts.RECOVER, values)
            recovered += found
            if cursor == b"0-0":
                return recovered

    def _take_over(self) -> int:
        """Requeue the leases of relays without a heartbeat for as long; return how many.

        Redis measures idleness by its wall clock: once that has been set back, it takes too long.
        """
        ticks = monotonic()
        others = self._run(scripts.BEAT_ALIVE, [self._consumer, CONSUMER_IDLE])
        known, self._beats = self._beats, {}
        recovered = 0
        for name, beat in others:
            last = known.get(name)
            if last is None or last.value != beat:
                last = Heartbeat(beat, ticks)
            self._beats[name] = last
            # A relay of an earlier version has no heartbeat at all.
            if beat is not None and ticks - last.seen > self._idle / 1000:
                recovered += self._run(scripts.TAKE_OVER, [name, CLAIMED])
        return recovered

    def lease(self, limit: int, now: float) -> list[Lease]:
        """See Store."""
        return self._lease(scripts.LEASE, now, limit)

    def probe(self, now: float) -> list[Lease]:
        """See Store."""
        return self._lease(scripts.PROBE, now)

    def _lease(self, script: str, *values: Any) -> list[Lease]:
        """Lease events by a script; raise OutboxError if they are another application's."""
        if self._conflict:
            raise OutboxError(self._conflict)
        values = (self._application, self._consumer, *values)
        try:
            streams, rewound = self._run(script, values, MARKS[:2])
        except redis.ResponseError as error:
            conflict = self._explain_foreign(error)
            if not conflict:
                raise
            raise OutboxError(conflict) from error
        if rewound:
            self._note("rewound", "events would have been sent twice", "moved the group back")
        leases = []
        for identifier, fields in streams[0][1] if streams else []:
            entry = dict(zip(fields[::2], fields[1::2], strict=True))
            if not entry.keys() >= EVENT_FIELDS:
                # Of another program; it is deleted once its lease expires.
                continue
            attempts = int(entry[b"attempts"]) + 1
            leases.append(Lease((identifier, attempts), entry[b"body"], attempts))
        return leases

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """See Store. The reason of a failed attempt is not stored, unless it is the last."""
        if settlements:
            values: list[Any] = [self._application]
            for each in settlements:
                values += [*each.key, each.outcome.value, each.due, each.reason]
            self._note_queued(self._run(scripts.SETTLE, values, MARKS))

    def _note_queued(self, count: int) -> None:
        """Remember how many events are queued; -1: the server has lost its data."""
        if count >= 0:
            self._queued = count

    def tidy(self, now: float, longest: float, steady: bool, limit: int) -> bool:
        """See Store. Ids expire by themselves, by Redis's clock."""
        old = now - self._bounds.dead_age if steady else "-inf"
        due = self._find_due_entry()
        values = [now, now + longest, limit, old, self._bounds.dead, due]
        most, dropped, missing, passed, last, expiring = self._run(scripts.TIDY, values)
        self._dropped += dropped
        if last and not self._passed:
            self._passed, self._passed_since = last, monotonic()
        elif due and passed < limit:
            self._passed = b""
        if passed:
            self._note(
                "passed", f"{passed} queued events had been passed over", "changed the group"
            )
        if expiring:
            self._note("expiring", "queued events or dead letters would have expired", "set that")
        if missing > self._missing:
            self._lost += missing - self._missing
            self._note("missing", f"{missing} queued events are missing", "removed them")
        self._missing = missing
        return bool(most >= limit)

    def _find_due_entry(self) -> bytes:
        """Return the entry up to which those that were passed over are not being sent any more.

        Their leases may be lost, but the requests must have ended. b"" if there is none.
        """
        is_due = monotonic() - self._passed_since >= self._idle / 1000
        return self._passed if is_due else b""

    def _note(self, kind: str, found: str, cause: str) -> None:
        """Log what another program has done."""
        self._notices.log(
            logging.ERROR, kind, "%s in %s: another program has %s", found, self._server, cause
        )

    def check(self, now: float) -> None:
        """See Store. Inspects the server again, which may have been reconfigured."""
        self._server.inspect()
        self._claim()
        # Not earlier, because events added in between might be lost.
        self._refusal = ""
        former = self._redis.set(BEAT, now, get=True)
        if self._beaten and former is None:
            self._lost += self._queued
            log.error("%s has lost its data: the events queued in it are lost", self._server)
        self._beaten = True
        self._queued = self._redis.zcard(LIVE)

    def _check_first(self) -> None:
        """Check; wait while relays of another application may have ended just before."""
        deadline = monotonic() + OWNED / 1000
        while True:
            try:
                self.check(time())
                return
            except UnfitError:
                if not self._conflict or monotonic() > deadline:
                    raise
                sleep(0.1)

    def _claim(self) -> None:
        """Make this relay's application the owner, see Store, or raise UnfitError."""
        if not self._application:
            return
        keys = (*MARKS, FORMER_UNTIL.encode())
        owner, waiting = self._run(scripts.CLAIM, [self._application, OWNED, time()], keys)
        name = owner.decode(errors="replace")
        # In one step, because other threads lease events unless there is a conflict.
        self._conflict = self._describe_conflict(name, waiting) if owner else ""
        if owner:
            raise UnfitError(self._conflict)

    def _describe_conflict(self, owner: str, waiting: int = 0) -> str:
        """Return that the outbox is another application's; ``waiting``: only its events are."""
        if waiting:
            return (
                f"the outbox in {self._server} has queued events of the application {owner!r}"
                f" ({waiting}): start a relay of that application until they are sent, or use"
                " another database (NEURALENS_OUTBOX)"
            )
        return (
            f"a relay of the application {owner!r} uses the outbox in {self._server}: give each"
            " application a database of its own (NEURALENS_OUTBOX), or correct"
            " NEURALENS_APPLICATION_ID"
        )

    def _explain_foreign(self, error: redis.ResponseError) -> str:
        """Return that the outbox is another application's, if a script has found that, or ""."""
        found, owner = str(error)[: len(FOREIGN)], str(error)[len(FOREIGN) :]
        return self._describe_conflict(owner) if found == FOREIGN else ""

    def depth(self) -> Depth:
        """See Store."""
        waiting, dead, oldest = self._run(scripts.COUNT, [])
        refusal = self._refusal or (self._full() if waiting >= self._bounds.waiting else "")
        received = float(oldest[1]) if oldest else None
        return Depth(waiting, dead, received, refusal, self._lost, self._dropped)

    def dead(self, limit: int) -> list[Dead]:
        """See Store."""
        return [
            Dead(eid.decode(), body, int(attempts), float(received), reason.decode())
            for eid, body, attempts, received, reason in self._run(
                scripts.LIST, [limit, FORMER], [FORMER_UNTIL.encode()]
            )
        ]

    def replay(self, eids: Sequence[str], limit: int, now: float) -> int:
        """See Store."""
        values = [limit, *map(digest, eids)]
        return int(self._run(scripts.REPLAY, values, [FORMER_UNTIL.encode()]))

    def forget(self, eids: Sequence[str], limit: int) -> int:
        """See Store."""
        return int(self._run(scripts.FORGET, [limit, *map(digest, eids)]))

    def erase(self, uid: str, cursor: Any, limit: int) -> tuple[int, Any]:
        """See Store. The cursor is (index of the script, cursor of that script)."""
        number, at = cursor or (0, scripts.ERASING[0].start)
        erased, at = self._run(scripts.ERASING[number].script, [uid, at, limit])
        if at:
            return erased, (number, at)
        following = scripts.ERASING[number + 1 :]
        return erased, (number + 1, following[0].start) if following else None

    def shred(self) -> str:
        """See Store. Rewrites the append-only file, which contains every command."""
        with self.transaction():
            settled = self._wait_for_leases(monotonic() + LEASE_PATIENCE)
            deadline = monotonic() + REWRITE_PATIENCE
            while True:
                try:
                    self._redis.bgrewriteaof()
                    break
                except redis.ResponseError:
                    # A rewrite that began before the erasure is still running.
                    if monotonic() > deadline:
                        raise
                    sleep(0.1)
        if settled:
            return ""
        return (
            f"{self._server} may keep bytes of them next to events that a relay is sending: erase"
            " the uid again later"
        )

    def _wait_for_leases(self, deadline: float) -> bool:
        """Wait until what is leased now is settled: it shares nodes with what was erased."""
        last = self._redis.xinfo_stream(STREAM)["last-generated-id"]
        while self._redis.xpending_range(STREAM, "relays", "-", last, 1):
            if monotonic() > deadline:
                return False
            sleep(0.1)
        return True

    def close(self) -> None:
        """See Store."""
        self._redis.close()

    def _full(self) -> str:
        return f"the outbox is full: its limit is {self._bounds.waiting} events"

    def _run(self, script: str, values: Sequence[Any], keys: Sequence[bytes] = ()) -> Any:
        return self._redis.register_script(scripts.HEADER + script)([*KEYS, *keys], values)
