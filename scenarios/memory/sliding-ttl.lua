-- A session whose TTL starts again with every use: it lives as long as it is used. That holds while no use comes
-- later than the TTL after the one before (pauses = 0): Redis sees uses, not users.
--
-- Known from: Redis's documentation of EXPIRE ("Navigation session": the timeout starts again at every page view).
-- Sibling that does not hold: memory/fixed-ttl.
scenario {
  name = "memory/sliding-ttl",
  row = "a TTL that every use moves",
  about = "EXPIRE at every use; a use every hour, for two hours",
  known_from = "redis.io, EXPIRE, pattern: navigation session (https://redis.io/docs/latest/commands/expire/)",
  expect = "verified",
  mutants = {
    { name = "extended by nobody", from = [[redis("EXPIRE", "session:7", 90 * 60) -- at every use]], to = "" },
    { name = "extended to less than a use's distance", from = "90 * 60) -- at every use", to = "59 * 60)" },
  },
}

local minutes = 60 * 1000

setup(function()
  redis("HSET", "session:7", "user", "123")
  redis("EXPIRE", "session:7", 90 * 60)
end)

client("user", function()
  for _ = 1, 2 do -- in use for two hours, never idle for longer than one
    sleep(60 * minutes)
    expect(redis("HGET", "session:7", "user"), "session lost while in use")
    redis("EXPIRE", "session:7", 90 * 60) -- at every use
  end
end)
