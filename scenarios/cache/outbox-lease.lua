-- The relay of cache/outbox-refill deletes value and lease together, and a fill needs its lease: the outbox makes the
-- deletion certain, the lease makes it count for fills that are under way.
--
-- Known from: the transactional outbox with the leases of "Scaling Memcache at Facebook" (NSDI 2013), where the daemon
-- that deletes keys reads the database's log.
-- Sibling that does not hold: cache/outbox-refill.
scenario {
  name = "cache/outbox-lease",
  row = "outbox or CDC: a relay deletes value and lease",
  about = "as cache/outbox-refill; a fill needs its lease, and the relay deletes value and lease",
  known_from = "Nishtala et al., Scaling Memcache at Facebook, section 4.1 (https://www.usenix.org/conference/nsdi13/technical-sessions/presentation/nishtala)",
  expect = "verified",
  mutants = {
    { name = "the relay leaves the lease", from = [[redis("DEL", job.key, "lease:" .. job.key)]], to = [[redis("DEL", job.key)]] },
    { name = "a fill without its lease", from = [[if redis.call("GET", KEYS[2]) == ARGV[1] then]], to = "if true then" },
  },
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("CREATE TABLE outbox (id INTEGER PRIMARY KEY, key TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
end)

local lookup = [[
  if redis.call("GET", KEYS[1]) then return "hit" end
  if redis.call("SET", KEYS[2], ARGV[1], "NX", "EX", 10) then return "fill" end
  return "leased to another"
]]

local fill = [[
  if redis.call("GET", KEYS[2]) == ARGV[1] then
    redis.call("SET", KEYS[1], ARGV[2], "EX", 300)
    redis.call("DEL", KEYS[2])
  end
]]

client("reader", function()
  if redis("EVAL", lookup, 2, "user:1", "lease:user:1", "reader") ~= "fill" then return end
  local plan = sql("SELECT plan FROM users WHERE id = 1")[1].plan
  redis("EVAL", fill, 2, "user:1", "lease:user:1", "reader", plan)
end)

client("writer", function()
  transaction(function()
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    sql("INSERT INTO outbox (key) VALUES ('user:1')")
  end)
end)

client("relay", function()
  for _, job in ipairs(sql("SELECT id, key FROM outbox ORDER BY id")) do
    redis("DEL", job.key, "lease:" .. job.key)
    sql("DELETE FROM outbox WHERE id = ?", job.id)
  end
end)

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  local pending = sql("SELECT count(*) AS n FROM outbox")[1].n
  expect(cached == nil or cached == row or pending > 0, "stale until TTL (300 s)")
end)
