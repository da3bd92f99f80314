-- The window of counter/sliding-window in one script, which takes the time from the server.
--
-- Known from: redis-developer/redis-ratelimiting-js, issue 2, after which the tutorial moved to scripts.
-- Sibling that does not hold: counter/sliding-window.
scenario {
  name = "counter/sliding-window-script",
  row = "sliding window: one script",
  about = "ZREMRANGEBYSCORE, ZCARD and ZADD in one script, by the server's time; two requests, one a minute is allowed",
  known_from = "redis-developer/redis-ratelimiting-js (https://github.com/redis-developer/redis-ratelimiting-js/issues/2)",
  expect = "verified",
  mutants = {
    { name = "nobody counts", from = [[if redis.call("ZCARD", KEYS[1]) >= 1 then return nil end]], to = "" },
    { name = "nobody is added", from = [[redis.call("ZADD", KEYS[1], at, ARGV[1])]], to = "" },
    { name = "a window of 0 s", from = "at - 60000", to = "at" },
  },
}

setup(function() sql("CREATE TABLE served (at INTEGER)") end)

local enter = [[
  local time = redis.call("TIME")
  local at = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", at - 60000)
  if redis.call("ZCARD", KEYS[1]) >= 1 then return nil end
  redis.call("ZADD", KEYS[1], at, ARGV[1])
  return at
]]

clients { "request-1", "request-2", function(me)
  local at = redis("EVAL", enter, 1, "window", me)
  if at then sql("INSERT INTO served VALUES (?)", at) end
end }

finally(function()
  local pairs = sql("SELECT 1 FROM served a, served b WHERE a.rowid < b.rowid AND abs(a.at - b.at) < 60000")
  expect(#pairs == 0, "one request too many was served")
end)
