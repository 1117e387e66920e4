"""The outbox in Redis Streams, for several relays that share one.

Each change is one script, so it happens whole or not at all. An event is an entry of a stream
from which the relays read as one consumer group; while it waits for its next try it is in a
sorted set instead. Redis must write its log before it answers (``appendonly yes`` and
``appendfsync always``): an acknowledgement means that the event is on disk.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import redis

from neuralens_relay.outbox import (
    Dead,
    Depth,
    Event,
    OutboxError,
    OutboxFullError,
    Taken,
    digest,
)

# In braces: a cluster keeps all of them on one node, which scripts need.
PREFIX = "{neuralens}:"
STREAM = PREFIX + "events"
LATER = PREFIX + "later"
DEAD = PREFIX + "dead"
# Digests of the events that wait or are sent, by the time they were received.
LIVE = PREFIX + "live"
DEAD_ORDER = PREFIX + "dead-order"
SEEN = PREFIX + "seen:"
KEYS = (STREAM, LATER, DEAD, LIVE, DEAD_ORDER)
# Seconds for one command.
TIMEOUT = 5
FULL = "FULL"
# Entries looked at in one go when those of relays that are gone are taken over.
CLAIMED = 100

HEADER = """
local stream, later, dead, live, order = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
-- Fails, which is well, when the group is there.
local function ensure_group()
  redis.pcall('XGROUP', 'CREATE', stream, 'relays', '0', 'MKSTREAM')
end
local function append(r)
  redis.call('XADD', stream, '*', 'eid', r.eid, 'digest', r.digest, 'body', r.body,
             'received', r.received, 'attempts', r.attempts)
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
"""
# now, limit, retention; for each event its id, digest and body. The keys of the ids seen follow.
ADD = """
local now, limit, retention = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local count = (#ARGV - 3) / 3
if redis.call('ZCARD', live) + redis.call('ZCARD', order) + count > limit then
  return redis.error_reply('FULL')
end
local fresh = {}
for i = 1, count do
  local at = 1 + 3 * i
  local r = {eid = ARGV[at], digest = ARGV[at + 1], body = ARGV[at + 2],
             received = now, attempts = 0}
  if redis.call('SET', KEYS[5 + i], 1, 'NX', 'PX', retention) then
    append(r)
    redis.call('ZADD', live, now, r.digest)
    fresh[i] = 1
  else
    fresh[i] = 0
  end
end
return fresh
"""
# consumer, limit, now
TAKE = """
ensure_group()
local due = redis.call('ZRANGE', later, '-inf', ARGV[3], 'BYSCORE', 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do
  append(cmsgpack.unpack(member))
  redis.call('ZREM', later, member)
end
return redis.call('XREADGROUP', 'GROUP', 'relays', ARGV[1], 'COUNT', ARGV[2],
                  'STREAMS', stream, '>')
"""
# id
DELIVER = """
local r = pop(ARGV[1])
if r then redis.call('ZREM', live, r.digest) end
"""
# id, due, attempts
RETRY = """
local r = pop(ARGV[1])
if r then
  r.attempts = ARGV[3]
  redis.call('ZADD', later, ARGV[2], cmsgpack.pack(r))
end
"""
# id, attempts, reason
PARK = """
local r = pop(ARGV[1])
if r then
  r.attempts, r.reason = ARGV[2], ARGV[3]
  redis.call('ZREM', live, r.digest)
  redis.call('HSET', dead, r.digest, cmsgpack.pack(r))
  redis.call('ZADD', order, r.received, r.digest)
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
# digests; all when there are none
REPLAY = """
local members = ARGV
if #members == 0 then members = redis.call('ZRANGE', order, 0, -1) end
local revived = 0
for _, member in ipairs(members) do
  local packed = redis.call('HGET', dead, member)
  if packed then
    local r = cmsgpack.unpack(packed)
    r.attempts = 0
    append(r)
    redis.call('ZADD', live, r.received, member)
    redis.call('ZREM', order, member)
    redis.call('HDEL', dead, member)
    revived = revived + 1
  end
end
return revived
"""
# consumer, idle, cursor, count. What has been idle for so long is put back into the stream.
RECOVER = """
ensure_group()
local claimed = redis.call('XAUTOCLAIM', stream, 'relays', ARGV[1], ARGV[2], ARGV[3],
                           'COUNT', ARGV[4])
local recovered = 0
for _, entry in ipairs(claimed[2]) do
  local r = pop(entry[1])
  if r then
    r.attempts = r.attempts + 1
    append(r)
    recovered = recovered + 1
  end
end
return {claimed[1], recovered}
"""


class RedisStore:
    """Implements ``Store`` for any number of relays; all of them forward."""

    # Many commands at once share one write to Redis's log.
    threads = 16
    group = 1

    def __init__(self, address: str, limit: int, retention: float, idle: float) -> None:
        """Connect to ``redis://`` or ``rediss://``.

        ``limit``: events it may hold; ``retention``: seconds for which ids are known; ``idle``:
        seconds after which a taken event belongs to a relay that is gone: more than a send lasts.
        Raises OutboxError when Redis cannot be reached or may forget what it acknowledged.
        """
        self._name = f"redis at {urlsplit(address).hostname}"
        self._limit = limit
        self._retention = round(retention * 1000)
        self._idle = round(idle * 1000)
        self._consumer = str(uuid4())
        with self.transaction():
            self._redis = redis.Redis.from_url(
                address, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT
            )
            self._check_durability()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Store. Each operation is one script, and doing it again does no harm."""
        try:
            yield
        except redis.RedisError as error:
            raise OutboxError(f"the outbox in {self._name} cannot be used: {error}") from error

    def add(self, events: Sequence[Event], now: float) -> list[bool]:
        """See Store. Raises OutboxFullError when it holds as many events as it may."""
        if not events:
            return []
        digests = [digest(event.eid) for event in events]
        values: list[Any] = [now, self._limit, self._retention]
        for event, known in zip(events, digests, strict=True):
            values += [event.eid, known, event.body]
        try:
            fresh = self._run(ADD, values, [SEEN.encode() + known for known in digests])
        except redis.ResponseError as error:
            if str(error) != FULL:
                raise
            raise OutboxFullError(f"the outbox holds {self._limit} events") from error
        return [is_new == 1 for is_new in fresh]

    def lead(self) -> bool:
        """See Store. Every relay forwards: the consumer group parts the events among them."""
        return True

    def recover(self) -> int:
        """See Store. What is idle was taken by a relay that is gone, or has lost its connection."""
        recovered: int = 0
        cursor = b"0-0"
        while True:
            cursor, found = self._run(RECOVER, [self._consumer, self._idle, cursor, CLAIMED])
            recovered += found
            if cursor == b"0-0":
                return recovered

    def take(self, limit: int, now: float) -> list[Taken]:
        """See Store."""
        streams = self._run(TAKE, [self._consumer, limit, now])
        taken = []
        for identifier, fields in streams[0][1] if streams else []:
            entry = dict(zip(fields[::2], fields[1::2], strict=True))
            attempts = int(entry[b"attempts"]) + 1
            taken.append(Taken((identifier, attempts), entry[b"body"], attempts))
        return taken

    def deliver(self, key: Any) -> None:
        """See Store."""
        self._run(DELIVER, [key[0]])

    def retry(self, key: Any, due: float, reason: str) -> None:
        """See Store. Redis does not keep the reason of a try that is to be repeated."""
        self._run(RETRY, [key[0], due, key[1]])

    def park(self, key: Any, reason: str) -> None:
        """See Store."""
        self._run(PARK, [*key, reason])

    def depth(self) -> Depth:
        """See Store."""
        waiting, dead, oldest = self._run(COUNT, [])
        return Depth(waiting, dead, float(oldest[1]) if oldest else None)

    def dead(self, limit: int) -> list[Dead]:
        """See Store."""
        return [
            Dead(eid.decode(), body, int(attempts), float(received), reason.decode())
            for eid, body, attempts, received, reason in self._run(LIST, [limit])
        ]

    def replay(self, eids: Sequence[str], now: float) -> int:
        """See Store."""
        return int(self._run(REPLAY, [digest(eid) for eid in eids]))

    def close(self) -> None:
        """See Store."""
        self._redis.close()

    def _run(self, script: str, values: Sequence[Any], keys: Sequence[bytes] = ()) -> Any:
        return self._redis.register_script(HEADER + script)([*KEYS, *keys], values)

    def _check_durability(self) -> None:
        """Raise OutboxError unless Redis writes to the disk before it answers."""
        wanted = {"appendonly": "yes", "appendfsync": "always"}
        if self._redis.config_get(*wanted) != wanted:
            raise OutboxError(
                f"{self._name} may forget events: set appendonly yes and appendfsync always in it"
            )
