-- A client saves its session to the primary, and reads it from the replica, to spare the primary. The replica lags behind: the
-- client does not see what it has just saved, although the save was acknowledged.
--
-- Known from: Redis's documentation of replication, which is asynchronous; drivers that send reads to replicas.
-- Sibling that holds: memory/own-write-primary.
scenario {
  name = "memory/own-write-replica",
  row = "SET, GET from a replica",
  about = "SET to the primary, then GET from the replica, which lags behind",
  known_from = "redis.io, Redis replication (https://redis.io/docs/latest/operate/oss_and_stack/management/replication/)",
  faults = { lag = 1 },
  instead = "memory/own-write-primary",
  expect = "violated",
  message = "the user does not see what it has saved",
}

client("user", function()
  redis("SET", "session:1", "new")
  local seen = replica("GET", "session:1")
  expect(seen == "new", "the user does not see what it has saved")
end)
