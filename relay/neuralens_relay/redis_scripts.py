"""The Lua scripts of the outbox in Redis, each of which is one atomic change.

``HEADER`` precedes each of them, and names the first six of its ``KEYS``. The comment above a
script names its arguments (``ARGV``).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Erasure:
    """A script that erases a shopper's events from one key, and the cursor with which it starts."""

    script: str
    start: bytes


HEADER = """
local stream, later, dead, live, order, beats = unpack(KEYS, 1, 6)
-- At its memory limit, Redis refuses what may take memory as the first write of a script, but not
-- later: otherwise a full one could not be drained, because events that are due are appended.
local function ensure_group()
  redis.call('PERSIST', beats)
  -- If another program has removed the group, entries may be leased: TIDY appends them anew later.
  local start = redis.call('EXISTS', beats) == 1 and '$' or '0'
  -- Fails harmlessly if the group exists.
  redis.pcall('XGROUP', 'CREATE', stream, 'relays', start, 'MKSTREAM')
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
-- The id of the last entry that was read.
local function find_last_read()
  for _, fields in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local group = {}
    for i = 1, #fields, 2 do group[fields[i]] = fields[i + 1] end
    if group.name == 'relays' then return group['last-delivered-id'] end
  end
end
local function precedes(one, other)
  local pattern = '^(%d+)-(%d+)$'
  local time, number = string.match(one, pattern)
  local later_time, later_number = string.match(other, pattern)
  if time ~= later_time then return tonumber(time) < tonumber(later_time) end
  return tonumber(number) < tonumber(later_number)
end
-- If another program has moved the group back, leased entries would be read again. Returns whether
-- it has.
local function undo_rewind()
  local leased = redis.call('XPENDING', stream, 'relays')[3]
  if not leased or not precedes(find_last_read(), leased) then return 0 end
  redis.call('XGROUP', 'SETID', stream, 'relays', leased)
  return 1
end
local function read(consumer, limit)
  return redis.call('XREADGROUP', 'GROUP', 'relays', consumer, 'COUNT', limit,
                    'STREAMS', stream, '>')
end
-- Dead letters with the digests from ARGV[first] on; without any, the oldest received after a time.
local function choose(first, limit, after)
  if not ARGV[first] then
    return redis.call('ZRANGE', order, '(' .. after, '+inf', 'BYSCORE', 'LIMIT', 0, limit)
  end
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
-- How many events are queued; -1 if the server has lost its data, as the relay has not noticed yet.
local function count_queued(beat)
  return redis.call('EXISTS', beat) == 1 and redis.call('ZCARD', live) or -1
end
local function drop(member)
  redis.call('ZREM', order, member)
  return redis.call('HDEL', dead, member)
end
-- An error if another application than that of the relay or client, or "", has the outbox. The key
-- of the sender follows that of the owner.
local function find_foreign(key, application)
  local owner = redis.call('GET', KEYS[key]) or redis.call('GET', KEYS[key + 1])
  if owner and application ~= '' and application ~= owner then
    return redis.error_reply('FOREIGN ' .. owner)
  end
end
"""
# now, limit, how many events; for each its id, digest, body, retention and the day for which it
# counts, negative if it does only if it is new, 0 if never; the journal's state so far, the new one
# and its retention; the prefix of the books' keys, their retention, the application of the batch,
# and that of the relay or client, or ""; for each change of the books day, field and number. The
# keys of the ids seen follow, and those of journal, owner, sender and heartbeat. Returns for each
# event whether it is new, and how many are queued.
ADD = """
local now, limit, count = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local journal, after = KEYS[7 + count], 4 + 5 * count
local foreign = find_foreign(8 + count, ARGV[after + 6])
if foreign then return foreign end
if redis.call('ZCARD', live) + count > limit then
  return redis.error_reply('FULL')
end
if ARGV[after + 1] ~= '' and (redis.call('GET', journal) or '') ~= ARGV[after] then
  return redis.error_reply('STALE')
end
local function tally(day, field, number)
  local books = ARGV[after + 3] .. day
  redis.call('HINCRBY', books, field, number)
  redis.call('PEXPIRE', books, ARGV[after + 4])
end
local fresh = {}
for i = 1, count do
  local at = 5 * i - 1
  local r = {eid = ARGV[at], digest = ARGV[at + 1], body = ARGV[at + 2],
             received = now, attempts = 0}
  if redis.call('SET', KEYS[6 + i], 1, 'NX', 'PX', ARGV[at + 3]) then
    append(r)
    redis.call('ZADD', live, now, r.digest)
    fresh[i] = 1
  else
    fresh[i] = 0
  end
  local day = tonumber(ARGV[at + 4])
  if day < 0 and fresh[i] == 1 then
    tally(-day, 'tracked||' .. ARGV[after + 5], 1)
    tally(-day, 'stored||' .. ARGV[after + 5], 1)
  elseif day > 0 then
    tally(day, (fresh[i] == 1 and 'stored||' or 'duplicate||') .. ARGV[after + 5], 1)
  end
end
if ARGV[after + 1] ~= '' then
  redis.call('SET', journal, ARGV[after + 1], 'PX', ARGV[after + 2])
end
for i = after + 7, #ARGV, 3 do tally(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
return {fresh, count_queued(KEYS[10 + count])}
"""
# application, consumer, now, limit. Each returns what was read, and whether another program had
# moved the group back. The keys of owner and sender follow.
LEASE = """
local foreign = find_foreign(7, ARGV[1])
if foreign then return foreign end
ensure_group()
local rewound = undo_rewind()
move_due(ARGV[3], ARGV[4])
return {read(ARGV[2], ARGV[4]), rewound}
"""
# application, consumer, now. Events in the stream, not the sorted set, were never attempted.
PROBE = """
local foreign = find_foreign(7, ARGV[1])
if foreign then return foreign end
ensure_group()
local rewound = undo_rewind()
local found = read(ARGV[2], 1)
if not found then
  move_due(ARGV[3], 1)
  found = read(ARGV[2], 1)
end
return {found, rewound}
"""
# application, milliseconds, now; the keys of owner, sender, heartbeat and FORMER_UNTIL follow.
# Returns another application that has the outbox, or "", and how many of its events are queued, if
# none of its relays runs.
CLAIM = """
local owner, sender = redis.call('GET', KEYS[7]), redis.call('GET', KEYS[8])
if owner and owner ~= ARGV[1] then return {owner, 0} end
if sender and sender ~= ARGV[1] then
  local waiting = redis.call('ZCARD', live)
  if waiting > 0 then return {sender, waiting} end
  redis.call('DEL', KEYS[8])
  redis.call('SET', KEYS[10], ARGV[3])
end
redis.call('SET', KEYS[7], ARGV[1], 'PX', ARGV[2])
return {'', 0}
"""
# application; for each event its entry, attempts, outcome, due and reason. The keys of owner,
# sender and heartbeat follow. Returns how many events are queued.
SETTLE = """
local is_sender = false
for i = 2, #ARGV, 5 do
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
    is_sender = is_sender or outcome == 'delivered' and ARGV[1] ~= ''
    if outcome == 'dead' then
      r.reason = ARGV[i + 4]
      redis.call('HSET', dead, r.digest, cmsgpack.pack(r))
      redis.call('ZADD', order, r.received, r.digest)
    end
  end
end
if is_sender then redis.call('SET', KEYS[8], ARGV[1]) end
return count_queued(KEYS[9])
"""
# limit, what begins the reasons of a former application's. The key of FORMER_UNTIL follows.
LIST = """
local former = tonumber(redis.call('GET', KEYS[7]) or -math.huge)
local listed = {}
for i, member in ipairs(redis.call('ZRANGE', order, 0, ARGV[1] - 1, 'REV')) do
  local r = cmsgpack.unpack(redis.call('HGET', dead, member))
  local mark = tonumber(r.received) <= former and ARGV[2] or ''
  listed[i] = {r.eid, r.body, r.attempts, r.received, mark .. r.reason}
end
return listed
"""
COUNT = """
return {redis.call('ZCARD', live), redis.call('ZCARD', order),
        redis.call('ZRANGE', live, 0, 0, 'WITHSCORES')}
"""
# limit, digests. The key of FORMER_UNTIL follows.
REPLAY = """
local revived = 0
local former = redis.call('GET', KEYS[7]) or '-inf'
for _, member in ipairs(choose(2, tonumber(ARGV[1]), former)) do
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
for _, member in ipairs(choose(2, tonumber(ARGV[1]), '-inf')) do
  forgotten = forgotten + drop(member)
end
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
# Appends what waits in the stream anew, because Redis keeps the bytes of a deleted entry until all
# entries of its node are deleted. An entry that is larger than a node has all others follow in new
# nodes; no relay takes it for an event. Leased entries stay. What came from the sorted set in the
# meantime is erased.
ERASE_NODES = """
ensure_group()
local barrier, at = string.match(ARGV[2], '^(%S+) (%S+)$')
if not barrier then
  barrier, at = redis.call('XADD', stream, '*', 'barrier', string.rep('-', 65536)), '-'
end
local entries = redis.call('XRANGE', stream, at, '(' .. barrier, 'COUNT', ARGV[3])
local erased = 0
for _, entry in ipairs(entries) do
  at = '(' .. entry[1]
  local is_wanted = false
  for i = 1, #entry[2], 2 do
    is_wanted = is_wanted or entry[2][i] == 'body' and is_of(entry[2][i + 1], ARGV[1])
  end
  if is_wanted then
    redis.call('ZREM', live, pop(entry[1]).digest)
    erased = erased + 1
  elseif #redis.call('XPENDING', stream, 'relays', entry[1], entry[1], 1) == 0 then
    local r = pop(entry[1])
    if is_event(r) then append(r) end
  end
end
if #entries == tonumber(ARGV[3]) then return {erased, barrier .. ' ' .. at} end
pop(barrier)
return {erased, ''}
"""
# In this order, because events move from the stream to the sorted set or to the dead letters.
ERASING = (
    Erasure(ERASE_STREAM, b"-"),
    Erasure(ERASE_LATER, b"0"),
    Erasure(ERASE_DEAD, b"0"),
    Erasure(ERASE_NODES, b"-"),
)
# now, horizon, limit, the time before which dead letters are too old, how many there may be, and
# the entry up to which those that were passed over are appended anew, or "". Returns the most rows
# changed of one kind, how many dead letters were dropped, how many queued events are neither in the
# stream nor in the sorted set, because another program has removed them, how many were appended
# anew, the last entry that is passed over, or "", because it has moved or removed the group or the
# leases, and whether it had let a key expire.
TIDY = """
ensure_group()
local expiring = 0
for _, key in ipairs({stream, later, dead, live, order}) do
  expiring = math.max(expiring, redis.call('PERSIST', key))
end
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
-- Those that are missing would wait forever.
if queued == 0 then redis.call('UNLINK', live) end
-- What is delivered is deleted: only leased entries precede the last one that was read.
local reach = redis.call('XPENDING', stream, 'relays')[2]
reach = reach and '(' .. reach or find_last_read()
local due, passed, last = ARGV[6], 0, ''
for _, entry in ipairs(redis.call('XRANGE', stream, '-', reach, 'COUNT', limit)) do
  if due ~= '' and not precedes(due, entry[1]) then
    local r = pop(entry[1])
    if is_event(r) then
      append(r)
      passed = passed + 1
    end
  else
    last = redis.call('XREVRANGE', stream, reach, '-', 'COUNT', 1)[1][1]
    break
  end
end
return {math.max(#far, #old_ones, excess, passed), dropped, missing, passed, last, expiring}
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
