-- A session whose TTL starts again with every use: in use for two hours, it lives. Holds as long as a use is not
-- delayed past the TTL (pauses = 0): between two uses Redis knows of nothing.
--
-- Known from: Redis's documentation of EXPIRE ("Navigation session" pattern: the timeout is refreshed at every page
-- view).
-- Sibling that does not hold: memory/fixed-ttl.
scenario {
  name = "memory/sliding-ttl",
  about = "EXPIRE at every use",
  known_from = "redis.io, EXPIRE (pattern: navigation session)",
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
