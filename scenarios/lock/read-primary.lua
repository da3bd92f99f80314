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
    { name = "no lock", from = [[if redis("SET", "lock:stock", me, "NX", "PX", 30000) then]], to = "if true then" },
  },
}

setup(function() redis("SET", "stock", 0) end)

local release = [[if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0]]

clients { "A", "B", function(me)
  if redis("SET", "lock:stock", me, "NX", "PX", 30000) then
    local n = read("stock", function() return tonumber(redis("GET", "stock")) end)
    write("stock", n + 1, function() redis("SET", "stock", n + 1) end)
    redis("EVAL", release, 1, "lock:stock", me)
  end
end }

no_lost_update("stock")
