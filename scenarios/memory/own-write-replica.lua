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
  message = "user",
}

client("user", function()
  write("session:1", "new", function() redis("SET", "session:1", "new") end)
  read("session:1", function() return replica("GET", "session:1") end)
end)

read_your_writes("session:1")
