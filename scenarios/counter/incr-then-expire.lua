-- A rate limiter counts with INCR and gives the first count of a window its TTL with EXPIRE: two commands. A client
-- that dies in between leaves a counter that never ends, and whoever it counts is locked out for ever.
--
-- Known from: Redis's documentation of INCR, "Pattern: Rate limiter 2", which names the race.
-- Sibling that holds: counter/incr-expire-script.
scenario {
  name = "counter/incr-then-expire",
  row = "INCR, then EXPIRE",
  about = "INCR, then EXPIRE if the count is 1; the client may die in between",
  known_from = "redis.io, INCR, pattern: rate limiter 2 (https://redis.io/docs/latest/commands/incr/)",
  instead = "counter/incr-expire-script",
  faults = { crash = 1 },
  expect = "violated",
  message = "the counter never ends: locked out for ever",
}

client("request", function()
  if redis("INCR", "requests:203.0.113.7") == 1 then
    redis("EXPIRE", "requests:203.0.113.7", 60)
  end
end)

quiet(function()
  expect(redis("TTL", "requests:203.0.113.7") ~= -1, "the counter never ends: locked out for ever")
  advance(60001)
  expect(not redis("GET", "requests:203.0.113.7"), "the counter outlives its window")
end)
