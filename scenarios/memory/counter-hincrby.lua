-- The counter of memory/counter-read-modify-write, counted by Redis: to read, to add and to write are one command.
--
-- Known from: Redis's documentation of HINCRBY.
-- Sibling that does not hold: memory/counter-read-modify-write.
scenario {
  name = "memory/counter-hincrby",
  row = "counter: HINCRBY",
  about = "HINCRBY, one command",
  known_from = "redis.io, HINCRBY (https://redis.io/docs/latest/commands/hincrby/)",
  expect = "verified",
  mutants = {
    {
      name = "counted in the application",
      from = [[redis("HINCRBY", "user:123", "visits", 1)]],
      to = [[redis("HSET", "user:123", "visits", redis("HGET", "user:123", "visits") + 1)]],
    },
  },
}

setup(function() redis("HSET", "user:123", "visits", 0) end)

clients { "web", "mobile", function()
  redis("HINCRBY", "user:123", "visits", 1)
end }

finally(function()
  local visits = (returned("web") and 1 or 0) + (returned("mobile") and 1 or 0)
  expect(tonumber(redis("HGET", "user:123", "visits") or 0) >= visits, "a visit was not counted")
end)
