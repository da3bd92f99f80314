-- The writer of cache/version-then-delete puts its own version into the cache instead of deleting the key. From then on
-- an older fill is refused, and so is a writer that was overtaken. It holds while the key is there: what expires, or is
-- evicted, is forgotten together with its version (cache/version-then-set-paused).
--
-- Known from: compare-and-set by version, as aio-libs/aiocache, issue 95, proposes it; Uber's CacheFront compares the
-- versions of rows in a script in the same way.
-- Siblings that do not hold: cache/version-then-delete, cache/version-then-set-paused.
scenario {
  name = "cache/version-then-set",
  row = "versioned fill, the writer sets",
  about = "readers and writers put a value with its version; one that is not newer is refused",
  known_from = "aio-libs/aiocache (https://github.com/aio-libs/aiocache/issues/95); Uber, CacheFront (https://www.uber.com/en-IN/blog/how-uber-serves-over-150-million-reads)",
  instead = "cache/lease-guarded-fill",
  expect = "verified",
  mutants = {
    { name = "no comparison", from = [[if known and tonumber(known) >= tonumber(ARGV[2]) then return 0 end]], to = "" },
    { name = "compared as texts of the plan", from = [[tonumber(known) >= tonumber(ARGV[2])]], to = [[known == ARGV[1] ]] },
    {
      name = "the version is read after the UPDATE",
      from = [[ WHERE id = 1 RETURNING version", plan)[1].version]],
      to = [[ WHERE id = 1", plan)
  version = sql("SELECT version FROM users WHERE id = 1")[1].version]],
    },
  },
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

clients { "pro", "gold", function(plan)
  local version
  version = sql("UPDATE users SET plan = ?, version = version + 1 WHERE id = 1 RETURNING version", plan)[1].version
  redis("EVAL", put, 1, "user:1", plan, version)
end }

quiet(function()
  local cached, row = redis("HGET", "user:1", "plan"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
