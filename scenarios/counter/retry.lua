-- A client that gets no reply sends its command again. The first one may have taken effect: it counts twice.
--
-- Known from: clients that retry by themselves; redis-rs' cluster client resends up to 16 times unless told otherwise.
-- Sibling that holds: counter/retry-once.
scenario {
  name = "counter/retry",
  row = "a retry of INCR",
  about = "INCR, and INCR again if there was no reply; a reply may be lost",
  known_from = "redis-rs, ClusterClientBuilder::retries (https://docs.rs/redis/latest/redis/cluster/struct.ClusterClientBuilder.html)",
  instead = "counter/retry-once",
  faults = { lost_reply = 1 },
  expect = "violated",
  message = "counted twice",
}

client("visit", function()
  if not pcall(redis, "INCR", "visits") then redis("INCR", "visits") end
end)

quiet(function()
  expect(tonumber(redis("GET", "visits") or 0) <= 1, "counted twice")
end)
