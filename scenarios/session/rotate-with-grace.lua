-- The rotation of session/rotate-refresh-token in one script, with a time of grace: the token before the current one
-- is answered with the current one for 30 seconds. Two tabs get the same next token. (Nobody is held up for longer
-- than the grace: pauses = 0.)
--
-- Known from: Auth0's reuse interval, as fliks-app/fliks, pull request 457, takes it over; nightscout/nocturne, pull
-- request 391, answers the loser of the race with the successor.
-- Sibling that does not hold: session/rotate-refresh-token.
scenario {
  name = "session/rotate-with-grace",
  row = "refresh token with a time of grace",
  about = "one script: the current token rotates, the one before it is answered with the current one for 30 s",
  known_from = "fliks-app/fliks (https://github.com/fliks-app/fliks/pull/457); nightscout/nocturne (https://github.com/nightscout/nocturne/pull/391)",
  expect = "verified",
  mutants = {
    { name = "no grace", from = [[if ARGV[1] == redis.call("GET", KEYS[2]) then]], to = "if false then" },
    {
      name = "remembers the next token instead of the last",
      from = [[redis.call("SET", KEYS[2], ARGV[1], "PX", 30000)]],
      to = [[redis.call("SET", KEYS[2], ARGV[2], "PX", 30000)]],
    },
  },
}

setup(function() redis("SET", "refresh:7", "first") end)

local rotate = [[
  if ARGV[1] == redis.call("GET", KEYS[1]) then
    redis.call("SET", KEYS[1], ARGV[2])
    redis.call("SET", KEYS[2], ARGV[1], "PX", 30000)
    return ARGV[2]
  end
  if ARGV[1] == redis.call("GET", KEYS[2]) then
    return redis.call("GET", KEYS[1])
  end
  redis.call("DEL", KEYS[1])
  return nil
]]

clients { "tab-1", "tab-2", function(me)
  redis("EVAL", rotate, 2, "refresh:7", "before:7", "first", "next of " .. me)
end }

finally(function()
  expect(redis("GET", "refresh:7"), "signed out, although every token was good")
end)
