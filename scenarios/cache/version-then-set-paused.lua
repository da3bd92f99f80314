-- A reader of cache/version-then-set is held up between its SELECT and its fill for longer than the TTL of what the
-- writer has put: the newer version is gone, and the old fill is accepted.
--
-- Known from: every comparison with a value that expires.
-- Siblings that hold: cache/version-then-set (nobody is held up), cache/lease-guarded-fill.
scenario {
  name = "cache/version-then-set-paused",
  row = "versioned fill, the writer sets",
  about = "as cache/version-then-set; a reader is held up for longer than the TTL",
  known_from = "aio-libs/aiocache (https://github.com/aio-libs/aiocache/issues/95)",
  instead = "cache/lease-guarded-fill",
  pauses = 1,
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
  local version
  version = sql("UPDATE users SET plan = 'pro', version = version + 1 WHERE id = 1 RETURNING version")[1].version
  redis("EVAL", put, 1, "user:1", "pro", version)
end)

quiet(function()
  local cached, row = redis("HGET", "user:1", "plan"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
