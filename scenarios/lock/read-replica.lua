-- A lock that nothing is wrong with, and below it a value that is read from the replica. The next holder has the lock, and not
-- yet what the one before has written: it adds to an old value. A lock orders who goes, not what a replica has received.
--
-- Known from: drivers that send reads to replicas and writes to the primary, such as ioredis (scaleReads).
-- Sibling that holds: lock/read-primary.
scenario {
  name = "lock/read-replica",
  row = "lock, GET from a replica, SET",
  about = "SET NX PX, then GET from the replica and SET, DEL if the token is mine; the replica lags behind",
  known_from = "ioredis, read-write splitting (https://github.com/redis/ioredis#read-write-splitting)",
  faults = { lag = 1 },
  instead = "lock/read-primary",
  expect = "violated",
  message = "an increment was lost",
}

setup(function() redis("SET", "stock", 0) end)

local release = [[if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0]]

clients { "A", "B", function(me)
  while not redis("SET", "lock:stock", me, "NX", "PX", 30000) do sleep(100) end
  local n = tonumber(replica("GET", "stock"))
  redis("SET", "stock", n + 1)
  redis("EVAL", release, 1, "lock:stock", me)
end }

quiet(function()
  expect(not (returned("A") and returned("B")) or redis("GET", "stock") == "2", "an increment was lost")
end)
