"""Stores the outbox in Redis Streams, shared by several relays.

Each change is one Lua script, and so atomic. An event is an entry of a stream that the relays read
as one consumer group; while it waits for a retry it is in a sorted set instead. Redis must write
its append-only file before it responds, and never evict (``neuralens_relay.redis_server``), because
an acknowledgement means that the event is on disk.
"""

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, sleep, time
from typing import Any, cast
from uuid import uuid4

import redis

from neuralens_relay import balance
from neuralens_relay.balance import Posting, Report, Tally, name_journal, post
from neuralens_relay.notices import Notices
from neuralens_relay.outbox import (
    UNBOUNDED,
    Bounds,
    Dead,
    Depth,
    Event,
    Lease,
    OutboxError,
    OutboxFullError,
    Settlement,
    digest,
)
from neuralens_relay.redis_server import RedisServer, UnfitError

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
KEYS = (STREAM, LATER, DEAD, LIVE, DEAD_ORDER)
# Prefixes of a journal's state, and of a day's tallies.
JOURNAL = PREFIX + "journal:"
TALLIES = PREFIX + "tallies:"
EVENT_FIELDS = {b"body", b"attempts"}
FULL = "FULL"
# A concurrent batch of the same journal came first; how often to retry.
STALE = "STALE"
TRIES = 20
# Entries per script that recovers abandoned leases.
CLAIMED = 100
# Milliseconds after which an idle consumer without leases is deleted.
CONSUMER_IDLE = 60_000
# Seconds to wait for a running rewrite of the append-only file.
REWRITE_PATIENCE = 30.0
# The longest retention in Redis, in milliseconds.
LONGEST = 2**53
BOOKS_KEPT = (balance.KEPT_DAYS + 1) * balance.DAY * 1000

HEADER = """
local stream, later, dead, live, order = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local beats = '{neuralens}:beats'
-- Fails harmlessly if the group exists.
local function ensure_group()
  redis.pcall('XGROUP', 'CREATE', stream, 'relays', '0', 'MKSTREAM')
end
local function append(r)
  redis.call('XADD', stream, '*', 'eid', r.eid, 'digest', r.digest, 'body', r.body,
             'received', r.received, 'attempts', r.attempts)
end
-- What is not an event was written by another program, and must not hold up the events.
local function is_event(r)
  return type(r) == 'table' and r.eid and r.digest and r.body and r.received and r.attempts
end
local function pop(id)
  local entry = redis.call('XRANGE', stream, id, id)[1]
  if not entry then return nil end
  local r = {}
  for i = 1, #entry[2], 2 do r[entry[2][i]] = entry[2][i + 1] end
  redis.call('XACK', stream, 'relays', id)
  redis.call('XDEL', stream, id)
  return r
end
local function requeue(id)
  local r = pop(id)
  if not r or not is_event(r) then return 0 end
  r.attempts = r.attempts + 1
  append(r)
  return 1
end
local function move_due(now, limit)
  local due = redis.call('ZRANGE', later, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)
  for _, member in ipairs(due) do
    local read, r = pcall(cmsgpack.unpack, member)
    if read and is_event(r) then append(r) end
    redis.call('ZREM', later, member)
  end
end
local function read(consumer, limit)
  return redis.call('XREADGROUP', 'GROUP', 'relays', consumer, 'COUNT', limit,
                    'STREAMS', stream, '>')
end
-- Dead letters with the digests from ARGV[first] on; without any, the oldest.
local function choose(first, limit)
  if not ARGV[first] then return redis.call('ZRANGE', order, 0, limit - 1) end
  local members = {}
  for i = first, #ARGV do
    if #members < limit then members[#members + 1] = ARGV[i] end
  end
  return members
end
local function is_of(body, uid)
  local read, event = pcall(cjson.decode, body)
  return read and type(event) == 'table' and event.uid == uid
end
local function drop(member)
  redis.call('ZREM', order, member)
  return redis.call('HDEL', dead, member)
end
"""
# now, limit, how many events; for each its id, digest, body, retention and the day of which it
# counts; the journal's state so far, the new one, its retention and that of the books; for each
# change of these day, field and number. The keys of the ids seen follow, and the journal's.
ADD = """
local now, limit, count = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local journal, after = KEYS[6 + count], 4 + 5 * count
if redis.call('ZCARD', live) + count > limit then
  return redis.error_reply('FULL')
end
if ARGV[after + 1] ~= '' and (redis.call('GET', journal) or '') ~= ARGV[after] then
  return redis.error_reply('STALE')
end
local function tally(day, field, number)
  local books = '{neuralens}:tallies:' .. day
  redis.call('HINCRBY', books, field, number)
  redis.call('PEXPIRE', books, ARGV[after + 3])
end
local fresh = {}
for i = 1, count do
  local at = 5 * i - 1
  local r = {eid = ARGV[at], digest = ARGV[at + 1], body = ARGV[at + 2],
             received = now, attempts = 0}
  if redis.call('SET', KEYS[5 + i], 1, 'NX', 'PX', ARGV[at + 3]) then
    append(r)
    redis.call('ZADD', live, now, r.digest)
    fresh[i] = 1
  else
    fresh[i] = 0
  end
  if ARGV[at + 4] ~= '' then
    tally(ARGV[at + 4], (fresh[i] == 1 and 'stored||' or 'duplicate||') .. ARGV[after + 4], 1)
  end
end
if ARGV[after + 1] ~= '' then
  redis.call('SET', journal, ARGV[after + 1], 'PX', ARGV[after + 2])
end
for i = after + 5, #ARGV, 3 do tally(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
return fresh
"""
# consumer, limit, now
LEASE = """
ensure_group()
move_due(ARGV[3], ARGV[2])
return read(ARGV[1], ARGV[2])
"""
# consumer, now. Events in the stream, not the sorted set, were never attempted.
PROBE = """
ensure_group()
local found = read(ARGV[1], 1)
if found then return found end
move_due(ARGV[2], 1)
return read(ARGV[1], 1)
"""
# for each event its entry, attempts, outcome, due and reason
SETTLE = """
for i = 1, #ARGV, 5 do
  local r = pop(ARGV[i])
  if r then
    r.attempts = ARGV[i + 1]
    local outcome = ARGV[i + 2]
    if outcome == 'unsent' then
      r.attempts = r.attempts - 1
      append(r)
    elseif outcome == 'again' then
      redis.call('ZADD', later, ARGV[i + 3], cmsgpack.pack(r))
    else
      redis.call('ZREM', live, r.digest)
    end
    if outcome == 'dead' then
      r.reason = ARGV[i + 4]
      redis.call('HSET', dead, r.digest, cmsgpack.pack(r))
      redis.call('ZADD', order, r.received, r.digest)
    end
  end
end
"""
# limit
LIST = """
local listed = {}
for i, member in ipairs(redis.call('ZRANGE', order, 0, ARGV[1] - 1, 'REV')) do
  local r = cmsgpack.unpack(redis.call('HGET', dead, member))
  listed[i] = {r.eid, r.body, r.attempts, r.received, r.reason}
end
return listed
"""
COUNT = """
return {redis.call('ZCARD', live), redis.call('ZCARD', order),
        redis.call('ZRANGE', live, 0, 0, 'WITHSCORES')}
"""
# limit, digests
REPLAY = """
local revived = 0
for _, member in ipairs(choose(2, tonumber(ARGV[1]))) do
  local packed = redis.call('HGET', dead, member)
  if packed then
    local r = cmsgpack.unpack(packed)
    r.attempts = 0
    append(r)
    redis.call('ZADD', live, r.received, member)
    revived = revived + drop(member)
  end
end
return revived
"""
# limit, digests
FORGET = """
local forgotten = 0
for _, member in ipairs(choose(2, tonumber(ARGV[1]))) do forgotten = forgotten + drop(member) end
return forgotten
"""
# uid, cursor, limit. Each returns how many events were deleted, and the next cursor.
ERASE_STREAM = """
local entries = redis.call('XRANGE', stream, ARGV[2], '+', 'COUNT', ARGV[3])
local erased, next = 0, ''
for _, entry in ipairs(entries) do
  next = '(' .. entry[1]
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'body' and is_of(entry[2][i + 1], ARGV[1]) then
      redis.call('ZREM', live, pop(entry[1]).digest)
      erased = erased + 1
    end
  end
end
return {erased, #entries < tonumber(ARGV[3]) and '' or next}
"""
ERASE_LATER = """
local found = redis.call('ZSCAN', later, ARGV[2], 'COUNT', ARGV[3])
local erased = 0
for i = 1, #found[2], 2 do
  local r = cmsgpack.unpack(found[2][i])
  if is_of(r.body, ARGV[1]) then
    redis.call('ZREM', live, r.digest)
    erased = erased + redis.call('ZREM', later, found[2][i])
  end
end
return {erased, found[1] == '0' and '' or found[1]}
"""
ERASE_DEAD = """
local found = redis.call('HSCAN', dead, ARGV[2], 'COUNT', ARGV[3])
local erased = 0
for i = 1, #found[2], 2 do
  if is_of(cmsgpack.unpack(found[2][i + 1]).body, ARGV[1]) then
    erased = erased + drop(found[2][i])
  end
end
return {erased, found[1] == '0' and '' or found[1]}
"""
# In this order, with the initial cursor of each, because events move from the stream to the sorted
# set or to the dead letters.
ERASING = ((ERASE_STREAM, b"-"), (ERASE_LATER, b"0"), (ERASE_DEAD, b"0"))
# now, horizon, limit, the time before which dead letters are too old, how many there may be.
# Returns the most rows changed of one kind, how many dead letters were dropped, and how many queued
# events are neither in the stream nor in the sorted set: another program has removed them.
TIDY = """
local now, horizon, limit, old, most = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local far = redis.call('ZRANGE', later, '(' .. horizon, '+inf', 'BYSCORE', 'LIMIT', 0, limit)
for _, member in ipairs(far) do redis.call('ZADD', later, now, member) end
local old_ones = redis.call('ZRANGE', order, '-inf', '(' .. old, 'BYSCORE', 'LIMIT', 0, limit)
local dropped = 0
for _, member in ipairs(old_ones) do dropped = dropped + drop(member) end
local excess = math.max(0, math.min(redis.call('ZCARD', order) - most, tonumber(limit)))
if excess > 0 then
  for _, member in ipairs(redis.call('ZRANGE', order, 0, excess - 1)) do
    dropped = dropped + drop(member)
  end
end
local queued = redis.call('XLEN', stream) + redis.call('ZCARD', later)
local missing = math.max(0, redis.call('ZCARD', live) - queued)
-- Those that are missing would wait for ever.
if queued == 0 then redis.call('UNLINK', live) end
return {math.max(#far, #old_ones, excess), dropped, missing}
"""
# consumer, idle, cursor, count; the entries that are being sent. Leases that have been idle for
# that long are requeued.
RECOVER = """
ensure_group()
local sending = {}
for i = 5, #ARGV do sending[ARGV[i]] = true end
local claimed = redis.call('XAUTOCLAIM', stream, 'relays', ARGV[1], ARGV[2], ARGV[3],
                           'COUNT', ARGV[4])
local recovered = 0
for _, entry in ipairs(claimed[2]) do
  -- Before Redis 7, an entry that another program has deleted is false.
  if entry and not sending[entry[1]] then recovered = recovered + requeue(entry[1]) end
end
return {claimed[1], recovered}
"""
# consumer, idle after which a consumer without leases is deleted. Counts a heartbeat; returns the
# other consumers with leases, each with its heartbeats.
BEAT_ALIVE = """
ensure_group()
redis.call('HINCRBY', beats, ARGV[1], 1)
local others = {}
for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', stream, 'relays')) do
  local consumer = {}
  for i = 1, #fields, 2 do consumer[fields[i]] = fields[i + 1] end
  if consumer.name == ARGV[1] then
    -- Its leases are known.
  elseif consumer.pending > 0 then
    others[#others + 1] = {consumer.name, redis.call('HGET', beats, consumer.name)}
  elseif consumer.idle > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', stream, 'relays', consumer.name)
    redis.call('HDEL', beats, consumer.name)
  end
end
return others
"""
# consumer, limit: requeue the leases of a consumer that is gone.
TAKE_OVER = """
local recovered = 0
for _, lease in ipairs(redis.call('XPENDING', stream, 'relays', '-', '+', ARGV[2], ARGV[1])) do
  recovered = recovered + requeue(lease[1])
end
return recovered
"""


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
    ) -> None:
        """Connect to the server of a URL, see ``RedisServer``.

        ``idle``: seconds until a lease expires, which must be longer than a request. Raises
        OutboxError if Redis cannot be reached or written, or is not durable.
        """
        self._bounds = bounds
        self._retention = round(min(bounds.known * 1000, LONGEST))
        self._order_retention = round(min(bounds.orders * 1000, LONGEST))
        self._idle = round(idle * 1000)
        self._consumer = str(uuid4())
        # Of each other relay with leases: its heartbeats, and since when (monotonic).
        self._beats: dict[bytes, tuple[bytes | None, float]] = {}
        self._dropped = 0
        # Queued events that another program has removed: at the last count, and since the start.
        self._missing = 0
        self._lost = 0
        self._notices = Notices(log, monotonic)
        # Whether this relay has written to BEAT, which does not expire.
        self._beaten = False
        # Why the server is currently unfit.
        self._refusal = ""
        self._server = RedisServer(address, vouched)
        self._redis = self._server.client
        with self.transaction():
            self._redis.ping()

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
            raise OutboxError(f"the outbox in {self._server} cannot be used: {error}") from error

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
                    raise OutboxFullError(self._full()) from error
                if str(error) != STALE:
                    raise
        raise OutboxError("too many concurrent batches of the same journal")

    def _add(self, events: Sequence[Event], now: float, report: Report | None) -> list[bool]:
        """Store events and tallies, unless the journal has changed in the meantime (STALE)."""
        known = None
        journal = JOURNAL.encode()
        posting = Posting(None, (None,) * len(events), Counter())
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
            values += [event.eid, name, event.body, retention, "" if day is None else day]
        values += [known or b"", posting.journal or b"", self._retention, BOOKS_KEPT, app]
        for (day, state, reason), count in posting.changes.items():
            values += [day, f"{state}|{reason}|{app}", count]
        keys = [*(SEEN.encode() + name for name in digests), journal]
        return [is_new == 1 for is_new in self._run(ADD, values, keys)]

    def tallies(self, first: int) -> list[Tally]:
        """See Store."""
        days = range(first, int(time() // balance.DAY) + 1)
        pipeline = self._redis.pipeline(transaction=False)
        for day in days:
            pipeline.hgetall(TALLIES + str(day))
        tallies = []
        for day, fields in zip(days, pipeline.execute(), strict=True):
            for name, count in fields.items():
                state, reason, app = name.decode().split("|", 2)
                tallies.append(Tally(day, app, state, reason, int(count)))
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
            cursor, found = self._run(RECOVER, values)
            recovered += found
            if cursor == b"0-0":
                return recovered

    def _take_over(self) -> int:
        """Requeue the leases of relays without a heartbeat for as long; return how many.

        Redis measures idleness by its wall clock: once that has been set back, it takes too long.
        """
        ticks = monotonic()
        others = self._run(BEAT_ALIVE, [self._consumer, CONSUMER_IDLE])
        known, self._beats = self._beats, {}
        recovered = 0
        for name, beat in others:
            before = known.get(name)
            current = before if before and before[0] == beat else (beat, ticks)
            self._beats[name] = current
            # A relay of an earlier version has no heartbeat at all.
            if beat is not None and ticks - current[1] > self._idle / 1000:
                recovered += self._run(TAKE_OVER, [name, CLAIMED])
        return recovered

    def lease(self, limit: int, now: float) -> list[Lease]:
        """See Store."""
        return self._as_leases(self._run(LEASE, [self._consumer, limit, now]))

    def probe(self, now: float) -> list[Lease]:
        """See Store."""
        return self._as_leases(self._run(PROBE, [self._consumer, now]))

    def _as_leases(self, streams: Any) -> list[Lease]:
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
            values: list[Any] = []
            for each in settlements:
                values += [*each.key, each.outcome.value, each.due, each.reason]
            self._run(SETTLE, values)

    def tidy(self, now: float, longest: float, steady: bool, limit: int) -> bool:
        """See Store. Ids expire by themselves, by Redis's clock."""
        old = now - self._bounds.dead_age if steady else "-inf"
        values = [now, now + longest, limit, old, self._bounds.dead]
        most, dropped, missing = self._run(TIDY, values)
        self._dropped += dropped
        if missing > self._missing:
            self._lost += missing - self._missing
            self._notices.log(
                logging.ERROR,
                "missing",
                "%d queued events are missing in %s: another program has removed them",
                missing,
                self._server,
            )
        self._missing = missing
        return bool(most >= limit)

    def check(self, now: float) -> None:
        """See Store. Inspects the server again, which may have been reconfigured."""
        self._server.inspect()
        # Not earlier, because events added in between might be lost.
        self._refusal = ""
        former = self._redis.set(BEAT, now, get=True)
        if self._beaten and former is None:
            log.error("%s has lost its data: the events queued in it are lost", self._server)
        self._beaten = True

    def depth(self) -> Depth:
        """See Store."""
        waiting, dead, oldest = self._run(COUNT, [])
        refusal = self._refusal or (self._full() if waiting >= self._bounds.waiting else "")
        received = float(oldest[1]) if oldest else None
        return Depth(waiting, dead, received, refusal, self._lost, self._dropped)

    def dead(self, limit: int) -> list[Dead]:
        """See Store."""
        return [
            Dead(eid.decode(), body, int(attempts), float(received), reason.decode())
            for eid, body, attempts, received, reason in self._run(LIST, [limit])
        ]

    def replay(self, eids: Sequence[str], limit: int, now: float) -> int:
        """See Store."""
        return int(self._run(REPLAY, [limit, *map(digest, eids)]))

    def forget(self, eids: Sequence[str], limit: int) -> int:
        """See Store."""
        return int(self._run(FORGET, [limit, *map(digest, eids)]))

    def erase(self, uid: str, cursor: Any, limit: int) -> tuple[int, Any]:
        """See Store. The cursor is (index of the script, cursor of that script)."""
        number, at = cursor or (0, ERASING[0][1])
        erased, at = self._run(ERASING[number][0], [uid, at, limit])
        if at:
            return erased, (number, at)
        number += 1
        return erased, (number, ERASING[number][1]) if number < len(ERASING) else None

    def shred(self) -> str:
        """See Store. Rewrites the append-only file, which contains every command."""
        deadline = monotonic() + REWRITE_PATIENCE
        with self.transaction():
            while True:
                try:
                    self._redis.bgrewriteaof()
                except redis.ResponseError:
                    # A rewrite that began before the erasure is still running.
                    if monotonic() > deadline:
                        raise
                    sleep(0.1)
                else:
                    return ""

    def close(self) -> None:
        """See Store."""
        self._redis.close()

    def _full(self) -> str:
        return f"the outbox is full: its limit is {self._bounds.waiting} events"

    def _run(self, script: str, values: Sequence[Any], keys: Sequence[bytes] = ()) -> Any:
        return self._redis.register_script(HEADER + script)([*KEYS, *keys], values)
