-- The protocol of lock/read-replica, with the value read from the primary. That the replica lags behind does not matter.
--
-- Known from: Redis's documentation of SET (patterns), with the read where the write goes.
-- Sibling that does not hold: lock/read-replica.
scenario {
  name = "lock/read-primary",
  row = "lock, GET from the primary, SET",
  about = "SET NX PX, then GET from the primary and SET, DEL if the token is mine; the replica lags behind",
  known_from = "redis.io, SET, patterns (https://redis.io/docs/latest/commands/set/)",
  faults = { lag = 1 },
  expect = "verified",
  mutants = {
    { name = "read from the replica", from = [[tonumber(redis("GET", "stock"))]], to = [[tonumber(replica("GET", "stock"))]] },
    { name = "no lock", from = [[while not redis("SET", "lock:stock", me, "NX", "PX", 30000) do]], to = "while false do" },
  },
}

setup(function() redis("SET", "stock", 0) end)

local release = [[if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0]]

clients { "A", "B", function(me)
  while not redis("SET", "lock:stock", me, "NX", "PX", 30000) do sleep(100) end
  local n = tonumber(redis("GET", "stock"))
  redis("SET", "stock", n + 1)
  redis("EVAL", release, 1, "lock:stock", me)
end }

quiet(function()
  expect(not (returned("A") and returned("B")) or redis("GET", "stock") == "2", "an increment was lost")
end)
