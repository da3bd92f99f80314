-- A session whose EXPIRE is set when it is made and never again. It ends in the middle of its use. Reading a key
-- does not extend its life in Redis: only EXPIRE and its family do.
--
-- Known from: a session's TTL that is set at login only; Redis's documentation of EXPIRE lists what touches a
-- timeout.
-- Sibling that holds: memory/sliding-ttl, which extends at every use.
scenario {
  name = "memory/fixed-ttl",
  about = "EXPIRE once, at the start",
  known_from = "redis.io, EXPIRE (reading does not touch the timeout)",
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
