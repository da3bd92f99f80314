-- The row has a version, and a value is accepted only if the cache has none that is as new. But the writer deletes the
-- key, and the version with it: nothing is left to compare with, and an old fill is accepted.
--
-- Known from: versioned caches, as in "How to Ensure Cache Consistency" articles and aio-libs/aiocache, issue 95, where
-- a compare-and-set token is proposed for it.
-- Sibling that holds: cache/version-then-set.
scenario {
  name = "cache/version-then-delete",
  row = "versioned fill, the writer deletes",
  about = "a fill is refused if the cached version is as new; the writer: UPDATE, DEL",
  known_from = "aio-libs/aiocache (https://github.com/aio-libs/aiocache/issues/95)",
  instead = "cache/version-then-set",
  expect = "violated",
  message = "stale until TTL (300 s)",
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT, version INTEGER)")
  sql("INSERT INTO users VALUES (1, 'free', 1)")
end)

local put = [[
  local known = redis.call("HGET", KEYS[1], "version")
  if known and tonumber(known) >= tonumber(ARGV[2]) then return 0 end
  redis.call("HSET", KEYS[1], "plan", ARGV[1], "version", ARGV[2])
  redis.call("EXPIRE", KEYS[1], 300)
  return 1
]]

client("reader", function()
  local plan = redis("HGET", "user:1", "plan")
  if plan then return end
  local user = sql("SELECT plan, version FROM users WHERE id = 1")[1]
  redis("EVAL", put, 1, "user:1", user.plan, user.version)
end)

client("writer", function()
  sql("UPDATE users SET plan = 'pro', version = version + 1 WHERE id = 1")
  redis("DEL", "user:1")
end)

quiet(function()
  local cached, row = redis("HGET", "user:1", "plan"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
