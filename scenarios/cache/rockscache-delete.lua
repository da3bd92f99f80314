-- Each key is a hash with its value, a lock and the lock's owner. Who finds no value, or a deleted one, locks the key and
-- loads; a fill needs that the lock is still its own; a writer marks the value deleted and takes the lock away. That
-- is a lease kept in the value itself.
--
-- Known from: dtm-labs/rockscache, TagAsDeleted and Fetch with StrongConsistency.
-- Siblings that do not hold: cache/database-then-delete (no lock), cache/rockscache-lock-for-update.
scenario {
  name = "cache/rockscache-delete",
  row = "rockscache: UPDATE, TagAsDeleted",
  about = "a miss locks the key, a fill needs the lock, a write marks the value deleted and removes the lock",
  known_from = "dtm-labs/rockscache (https://github.com/dtm-labs/rockscache)",
  instead = "cache/outbox-lease",
  expect = "verified",
  mutants = {
    {
      name = "a fill without its lock",
      from = [[  if redis.call("HGET", KEYS[1], "owner") ~= ARGV[1] then return end]],
      to = "",
    },
    { name = "the writer leaves the lock", from = [[redis.call("HDEL", KEYS[1], "owner")]], to = "" },
    {
      name = "deleted first",
      from = [[    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    redis("EVAL", delete, 1, "user:1")]],
      to = [[    redis("EVAL", delete, 1, "user:1")
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")]],
    },
  },
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
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

local delete = [[
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
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    redis("EVAL", delete, 1, "user:1")
  end)
end)

fresh("user:1")

quiet(function()
  local plan, locked = unpack(redis("HMGET", "user:1", "plan", "until"))
  local row = sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(plan == null or locked ~= null or plan == row, "stale until TTL (600 s)")
end)
