-- forget: removes a session and leaves a tombstone, so that a merge that was under way cannot bring it back.
-- Arguments and replies: docs/memory.md.

local m, ops = KEYS[1], KEYS[2]
local op, only_inc, life = ARGV[1], ARGV[2], tonumber(ARGV[3])

local function int(n) return string.format('%.0f', n) end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local meta = redis.call('HMGET', m, '_inc', '_gone', '_existed')
local inc, gone, existed = meta[1], meta[2], meta[3]

-- The same call again, its first reply lost: the same answer.
if gone == op then return {'OK', existed} end

if gone then
  -- Forgotten before, by another call: only the longer life counts.
  if redis.call('PTTL', m) < life then redis.call('PEXPIREAT', m, int(now + life)) end
  return {'OK', '0'}
end

if not inc and redis.call('EXISTS', m) == 1 then return {'FOREIGN'} end
if inc and only_inc ~= '' and inc ~= only_inc then return {'OTHER'} end

-- A ring that is not a hash is not ours to delete; the call raises before anything is written.
redis.call('HLEN', ops)

existed = inc and '1' or '0'
redis.call('DEL', m, ops)
redis.call('HSET', m, '_gone', op, '_inc', inc or '', '_existed', existed)
redis.call('PEXPIREAT', m, int(now + life))
return {'OK', existed}
