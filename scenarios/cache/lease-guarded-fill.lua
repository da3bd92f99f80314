-- Cache-aside with leases. Who misses gets a lease, if nobody else has it, and may fill only while that lease is
-- still there; a writer deletes value and lease together. So a fill whose read is older than the write is refused. A
-- reader that gets no lease reads the database and does not fill.
--
-- Known from: "Scaling Memcache at Facebook" (NSDI 2013), section 3.2.1 (leases); dtm-labs/rockscache does the like
-- with a hash and scripts.
-- Siblings that do not hold: cache/database-then-delete, cache/write-through-with-reader.
scenario {
  name = "cache/lease-guarded-fill",
  row = "leases",
  about = "a miss takes a lease, a fill needs it, a write deletes value and lease",
  known_from = "Nishtala et al., Scaling Memcache at Facebook, NSDI 2013, leases (https://www.usenix.org/conference/nsdi13/technical-sessions/presentation/nishtala); dtm-labs/rockscache (https://github.com/dtm-labs/rockscache)",
  instead = "cache/outbox-lease",
  expect = "verified",
  mutants = {
    {
      name = "no token",
      from = [[redis.call("GET", KEYS[2]) == ARGV[1] ]],
      to = [[redis.call("EXISTS", KEYS[2]) == 1 ]],
    },
    {
      name = "the writer leaves the lease",
      from = [[redis("DEL", "user:1", "lease:user:1")]],
      to = [[redis("DEL", "user:1")]],
    },
    {
      name = "acknowledged at COMMIT",
      from = [[    redis("DEL", "user:1", "lease:user:1")
  end)]],
      to = [[  end)
  redis("DEL", "user:1", "lease:user:1")]],
    },
  },
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
end)

local lookup = [[
  local plan = redis.call("GET", KEYS[1])
  if plan then return { "hit", plan } end
  if redis.call("SET", KEYS[2], ARGV[1], "NX", "EX", 10) then return { "fill" } end
  return { "leased to another" }
]]

local fill = [[
  if redis.call("GET", KEYS[2]) == ARGV[1] then
    redis.call("SET", KEYS[1], ARGV[2], "EX", 300)
    redis.call("DEL", KEYS[2])
  end
]]

clients { "reader-1", "reader-2", function(me)
  read("user:1", function()
    local found, cached = unpack(redis("EVAL", lookup, 2, "user:1", "lease:user:1", me))
    if found == "hit" then return cached end
    local plan = sql("SELECT plan FROM users WHERE id = 1")[1].plan
    if found == "fill" then redis("EVAL", fill, 2, "user:1", "lease:user:1", me, plan) end
    return plan
  end)
end }

client("writer", function()
  write("user:1", "pro", function()
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    redis("DEL", "user:1", "lease:user:1")
  end)
end)

fresh("user:1")

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
