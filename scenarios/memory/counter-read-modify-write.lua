-- A counter in a field of a session's hash: read it, add one in the application, write it back.
--
-- Known from: Redis's documentation of transactions, whose example counts a string in this way.
-- Sibling that holds: memory/counter-hincrby.
scenario {
  name = "memory/counter-read-modify-write",
  row = "counter: HGET, add one, HSET",
  about = "HGET, add one in the application, HSET",
  known_from = "redis.io, Transactions, optimistic locking (https://redis.io/docs/latest/develop/using-commands/transactions/)",
  instead = "memory/counter-hincrby",
  expect = "violated",
  message = "a visit was not counted",
}

setup(function() redis("HSET", "user:123", "visits", 0) end)

clients { "web", "mobile", function()
  local visits = redis("HGET", "user:123", "visits") or 0
  redis("HSET", "user:123", "visits", visits + 1)
end }

finally(function()
  local visits = (returned("web") and 1 or 0) + (returned("mobile") and 1 or 0)
  expect(tonumber(redis("HGET", "user:123", "visits") or 0) >= visits, "a visit was not counted")
end)
