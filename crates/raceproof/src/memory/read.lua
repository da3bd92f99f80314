-- read: gives a session (all of it, some fields, or a page) and keeps it alive.
-- Arguments and replies: docs/memory.md.

local m, ops = KEYS[1], KEYS[2]
local sliding, max_age, mode = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local FIRST_FIELD = 4

local function int(n) return string.format('%.0f', n) end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local meta = redis.call('HMGET', m, '_inc', '_rev', '_born', '_gone')
local inc, rev, born = meta[1], meta[2], tonumber(meta[3])
local absent = meta[4] and 'forgotten'
if not absent and not inc then
  if redis.call('EXISTS', m) == 1 then return {'FOREIGN'} end
  absent = 'expired'
end
if not absent then
  if not (tonumber(rev) and born) then return {'FOREIGN'} end
  if now >= born + max_age then absent = 'expired' end
end
if mode == 'page' and ARGV[4] ~= '' then
  -- A later page: the session must be the one whose first page was read.
  if absent then return {'GONE', absent} end
  if inc ~= ARGV[4] then return {'GONE', 'replaced'} end
end
if absent then return {'NONE'} end

-- A read is a use of the session, but only one read in many needs to write: the first with at most nine tenths left.
local left = redis.call('PTTL', m)
local want = math.min(sliding, born + max_age - now)
if left * 10 <= sliding * 9 and left < want then
  left = want
  redis.call('PEXPIREAT', m, int(now + left))
  redis.call('PEXPIREAT', ops, int(now + left))
end

if mode == 'some' then
  return {'OK', inc, rev, int(left), redis.call('HMGET', m, unpack(ARGV, FIRST_FIELD))}
end
if mode == 'page' then
  local page = redis.call('HSCAN', m, ARGV[5], 'COUNT', ARGV[6])
  return {'OK', inc, rev, int(left), page[2], page[1]}
end
return {'OK', inc, rev, int(left), redis.call('HGETALL', m)}
