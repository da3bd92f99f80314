-- merge: applies a list of changes to one session, all of them or none, once per operation id.
-- Arguments and replies: docs/memory.md. Everything is validated before the first write, since Lua has no rollback.

local m, ops = KEYS[1], KEYS[2]
local op, fingerprint, fresh_inc = ARGV[1], ARGV[2], ARGV[3]
local expect, want_inc, want_rev = ARGV[4], ARGV[5], tonumber(ARGV[6])
local sliding, max_age = tonumber(ARGV[7]), tonumber(ARGV[8])
local window, max_fields, max_bytes = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local FIRST_CHANGE, META_FIELDS, MAX_INTEGER = 12, 3, 9007199254740991

local function int(n) return string.format('%.0f', n) end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- The session as it is.
local meta = redis.call('HMGET', m, '_inc', '_rev', '_born', '_gone')
local inc, rev, born = meta[1], tonumber(meta[2]), tonumber(meta[3])
if meta[4] then return {'GONE', 'forgotten'} end
if inc and not (rev and born) then return {'FOREIGN'} end
if not inc and redis.call('EXISTS', m) == 1 then return {'FOREIGN'} end

-- A session whose age ran out under a shorter limit than its key was given is over.
local over = inc and now >= born + max_age
if over then inc = false end
if not inc then rev, born = 0, now end

-- Was this operation applied before? The ring knows every operation above its floor, if it is this session's ring.
local ring = redis.call('HMGET', ops, '_inc', '_from', 'o:' .. op)
local ring_is_ours = inc and ring[1] == inc and tonumber(ring[2]) ~= nil
local floor = ring_is_ours and tonumber(ring[2]) or rev
if ring_is_ours and ring[3] then
  local done_rev, done_fingerprint, counters = string.match(ring[3], '^(%d+) (%x+) (.*)$')
  if done_fingerprint ~= fingerprint then return {'REUSED'} end
  local left = redis.call('PTTL', m)
  local want = math.min(sliding, born + max_age - now)
  if left * 10 <= sliding * 9 and left < want then
    left = want
    redis.call('PEXPIREAT', m, int(now + left))
    redis.call('PEXPIREAT', ops, int(now + left))
  end
  return {'OK', inc, done_rev, int(left), '1', counters}
end

-- Is the session the one that the caller knows?
if expect == 'at' or expect == 'after' then
  if not inc then return {'GONE', 'expired'} end
  if inc ~= want_inc then return {'GONE', 'replaced'} end
end
if expect ~= 'any' and inc then
  if want_rev < floor then return {'WINDOW', int(floor)} end
  if expect ~= 'after' and rev ~= want_rev then return {'REV', int(rev), ''} end
end

-- Works out what each change writes.
local next_rev = rev + 1
local writes, counters = {}, {}
local fields = inc and redis.call('HLEN', m) - META_FIELDS or 0
local fields_before = fields
for i = FIRST_CHANGE, #ARGV, 4 do
  local kind, field, a, b = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local old = inc and redis.call('HGET', m, field)
  local old_rev, old_shape, old_payload = '0', nil, nil
  if old then
    local at = string.find(old, '[=+]')
    if not at then return {'FOREIGN'} end
    old_rev, old_shape, old_payload = string.sub(old, 1, at - 1), string.sub(old, at, at), string.sub(old, at + 1)
  end

  local shape, payload = '=', a
  if kind == 'del' then
    payload = false
  elseif kind == 'setif' then
    if old_rev ~= b then return {'REV', old_rev, field} end
  elseif kind == 'incr' then
    local number = 0
    if old then
      number = old_shape == '=' and string.match(old_payload, '^%-?%d+$') and tonumber(old_payload)
      if not number then return {'SHAPE', field, 'an integer'} end
    end
    -- Doubles are exact up to 2^53, so a sum of two numbers below it is seen to leave the range; a stored number beyond
    -- it is not, once rounded.
    local sum = number + tonumber(a)
    if math.abs(number) > MAX_INTEGER or math.abs(sum) > MAX_INTEGER then return {'RANGE', field} end
    payload = int(sum)
    counters[#counters + 1] = payload
  elseif kind == 'append' then
    local count, items, keep = 0, '', tonumber(b)
    if old then
      if old_shape == '+' then count, items = string.match(old_payload, '^(%d+) (.*)$') end
      if old_shape ~= '+' or not count then return {'SHAPE', field, 'a list'} end
    end
    count, items = tonumber(count) + 1, items .. #a .. ':' .. a .. ','
    local start = 1
    while count > keep do
      local _, colon, length = string.find(items, '^(%d+):', start)
      if not colon then return {'FOREIGN'} end
      start, count = colon + length + 2, count - 1
    end
    shape, payload = '+', count .. ' ' .. string.sub(items, start)
  elseif kind ~= 'set' then
    return {'UNKNOWN', kind}
  end

  if payload and #payload > max_bytes then return {'LARGE', field, #payload, int(max_bytes)} end
  if payload and not old then fields = fields + 1 end
  if old and not payload then fields = fields - 1 end
  writes[#writes + 1] = {field, payload and int(next_rev) .. shape .. payload}
end
if fields > max_fields and fields > fields_before then return {'LARGE', '', fields, int(max_fields)} end

-- From here on nothing can be refused.
if over then redis.call('DEL', m, ops) end
if not inc then
  inc = fresh_inc
  redis.call('HSET', m, '_inc', inc, '_born', int(born))
end
for _, write in ipairs(writes) do
  if write[2] then redis.call('HSET', m, write[1], write[2]) else redis.call('HDEL', m, write[1]) end
end
redis.call('HSET', m, '_rev', int(next_rev))

if not ring_is_ours then
  redis.call('DEL', ops)
  redis.call('HSET', ops, '_inc', inc, '_from', int(floor))
end
local done = table.concat(counters, ',')
redis.call('HSET', ops, 'o:' .. op, int(next_rev) .. ' ' .. fingerprint .. ' ' .. done, 'r:' .. int(next_rev), op)
if next_rev - floor > window then
  for old_rev = floor + 1, next_rev - window do
    local slot = 'r:' .. int(old_rev)
    local old_op = redis.call('HGET', ops, slot)
    if old_op then redis.call('HDEL', ops, slot, 'o:' .. old_op) end
  end
  redis.call('HSET', ops, '_from', int(next_rev - window))
end

local left = math.min(sliding, born + max_age - now)
redis.call('PEXPIREAT', m, int(now + left))
redis.call('PEXPIREAT', ops, int(now + left))
return {'OK', inc, int(next_rev), int(left), '0', done}
