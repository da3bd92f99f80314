-- The writer locks the key for its update, and the lock is two fields of the hash that holds the value. The value is
-- old, and its TTL ends while the writer is at work: with it goes the lock. A reader finds nothing, locks, reads the
-- old row and fills; the writer commits and finds at its unlock that the lock is not its own, and so leaves the old
-- value for the next 600 seconds.
--
-- Known from: dtm-labs/rockscache, LockForUpdate and UnlockForUpdate (the lock does not touch the key's TTL).
-- Sibling that holds: cache/rockscache-lock-persist.
scenario {
  name = "cache/rockscache-lock-for-update",
  row = "rockscache: LockForUpdate, UPDATE, UnlockForUpdate",
  about = "the writer locks the key, whose old value is about to end; it is held up past that TTL",
  known_from = "dtm-labs/rockscache, script.go (https://github.com/dtm-labs/rockscache/blob/main/script.go)",
  instead = "cache/rockscache-lock-persist",
  pauses = 1,
  expect = "violated",
  message = "stale until TTL (600 s)",
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
  redis("HSET", "user:1", "plan", "free")
  redis("EXPIRE", "user:1", 5) -- what is left of its life
end)

-- A hash: the value, until when it is locked (0: deleted, to be loaded by the next reader), and by whom.
local lookup = [[
  local plan, locked = redis.call("HGET", KEYS[1], "plan"), redis.call("HGET", KEYS[1], "until")
  local mine = not plan
  if locked then mine = tonumber(locked) < tonumber(ARGV[1]) end
  if mine then
    redis.call("HSET", KEYS[1], "until", ARGV[2], "owner", ARGV[3])
    return { "fill" }
  end
  if locked then return { "locked" } end
  return { "hit", plan }
]]

local fill = [[
  if redis.call("HGET", KEYS[1], "owner") ~= ARGV[1] then return end
  redis.call("HSET", KEYS[1], "plan", ARGV[2])
  redis.call("HDEL", KEYS[1], "until", "owner")
  redis.call("EXPIRE", KEYS[1], 600)
]]

local lock = [[
  local locked, owner = redis.call("HGET", KEYS[1], "until"), redis.call("HGET", KEYS[1], "owner")
  if locked and tonumber(locked) >= tonumber(ARGV[1]) and owner ~= ARGV[3] then return 0 end
  redis.call("HSET", KEYS[1], "until", ARGV[2], "owner", ARGV[3])
  return 1
]]

local unlock = [[
  if redis.call("HGET", KEYS[1], "owner") ~= ARGV[1] then return end
  redis.call("HSET", KEYS[1], "until", 0)
  redis.call("HDEL", KEYS[1], "owner")
  redis.call("EXPIRE", KEYS[1], 10)
]]

client("reader", function()
  read("user:1", function()
    local found, cached = "locked", nil
    for _ = 1, 3 do -- as long as it is locked
      found, cached = unpack(redis("EVAL", lookup, 1, "user:1", now(), now() + 3000, "reader"))
      if found ~= "locked" then break end
      sleep(1000)
    end
    if found == "hit" then return cached end
    local plan = sql("SELECT plan FROM users WHERE id = 1")[1].plan
    if found == "fill" then redis("EVAL", fill, 1, "user:1", "reader", plan) end
    return plan
  end)
end)

client("writer", function()
  write("user:1", "pro", function()
    while redis("EVAL", lock, 1, "user:1", now(), now() + 60000, "writer") == 0 do sleep(1000) end
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    redis("EVAL", unlock, 1, "user:1", "writer")
  end)
end)

fresh("user:1")

quiet(function()
  local plan, locked = unpack(redis("HMGET", "user:1", "plan", "until"))
  local row = sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(plan == null or locked ~= null or plan == row, "stale until TTL (600 s)")
end)
