-- The requests of memory/own-write-replica, both sent to the primary. That the replica lags behind does not matter.
--
-- Known from: Redis's documentation of replication, which is asynchronous.
-- Sibling that does not hold: memory/own-write-replica.
scenario {
  name = "memory/own-write-primary",
  row = "SET, GET from the primary",
  about = "SET to the primary, then GET from it; the replica lags behind",
  known_from = "redis.io, Redis replication (https://redis.io/docs/latest/operate/oss_and_stack/management/replication/)",
  faults = { lag = 1 },
  expect = "verified",
  mutants = {
    { name = "read from the replica", from = [[return redis("GET", "session:1")]], to = [[return replica("GET", "session:1")]] },
  },
}

client("user", function()
  write("session:1", "new", function() redis("SET", "session:1", "new") end)
  read("session:1", function() return redis("GET", "session:1") end)
end)

read_your_writes("session:1")
