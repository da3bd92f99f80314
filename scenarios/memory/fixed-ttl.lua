-- A session whose EXPIRE is set when it is made and never again: it ends in the middle of its use. HGET and other
-- reads do not extend the life of a key, and neither does HSET.
--
-- Known from: sessions that get their TTL at login only; Redis's documentation of EXPIRE says which commands touch
-- a timeout.
-- Sibling that holds: memory/sliding-ttl, which extends at every use.
scenario {
  name = "memory/fixed-ttl",
  row = "a TTL from the start, never moved",
  about = "EXPIRE once, at the start; a use every hour, for two hours",
  known_from = "redis.io, EXPIRE (https://redis.io/docs/latest/commands/expire/)",
  instead = "memory/sliding-ttl",
  expect = "violated",
  message = "session lost while in use",
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
  end
end)
