-- INCR and EXPIRE of counter/incr-then-expire in one script: a counter has its end from its first count on.
--
-- Known from: Redis's documentation of INCR, "Pattern: Rate limiter 2", which has such a script.
-- Sibling that does not hold: counter/incr-then-expire.
scenario {
  name = "counter/incr-expire-script",
  row = "INCR and EXPIRE in one script",
  about = "INCR, and EXPIRE if the count is 1, in one script; the client may die",
  known_from = "redis.io, INCR, pattern: rate limiter 2 (https://redis.io/docs/latest/commands/incr/)",
  faults = { crash = 1 },
  expect = "verified",
  mutants = {
    { name = "no EXPIRE", from = [[redis.call("EXPIRE", KEYS[1], 60)]], to = "" },
    {
      name = "two commands",
      from = [[redis("EVAL", count, 1, "requests:203.0.113.7")]],
      to = [[redis("INCR", "requests:203.0.113.7") redis("EXPIRE", "requests:203.0.113.7", 60)]],
    },
  },
}

local count = [[
  local n = redis.call("INCR", KEYS[1])
  if n == 1 then redis.call("EXPIRE", KEYS[1], 60) end
  return n
]]

client("request", function()
  redis("EVAL", count, 1, "requests:203.0.113.7")
end)

quiet(function()
  expect(redis("TTL", "requests:203.0.113.7") ~= -1, "the counter never ends: locked out for ever")
  advance(60001)
  expect(not redis("GET", "requests:203.0.113.7"), "the counter outlives its window")
end)
