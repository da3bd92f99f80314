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
    { name = "read from the replica", from = [[seen = redis(]], to = [[seen = replica(]] },
  },
}

client("user", function()
  redis("SET", "session:1", "new")
  local seen = redis("GET", "session:1")
  expect(seen == "new", "the user does not see what it has saved")
end)
