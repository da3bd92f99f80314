-- A sliding window as a sorted set: remove what is older than a minute, count the rest, add oneself if there is room. Two
-- requests count before either has added itself.
--
-- Known from: raphaeldelio/redis-rate-limiter-java-example, issue 1; redis-developer/redis-ratelimiting-js, issue 2.
-- Sibling that holds: counter/sliding-window-script.
scenario {
  name = "counter/sliding-window",
  row = "sliding window: ZCARD, then ZADD",
  about = "ZREMRANGEBYSCORE, ZCARD, ZADD; two requests, one a minute is allowed",
  known_from = "raphaeldelio/redis-rate-limiter-java-example (https://github.com/raphaeldelio/redis-rate-limiter-java-example/issues/1); redis-developer/redis-ratelimiting-js (https://github.com/redis-developer/redis-ratelimiting-js/issues/2)",
  instead = "counter/sliding-window-script",
  expect = "violated",
  message = "one request too many was served",
}

setup(function() sql("CREATE TABLE served (at INTEGER)") end)

clients { "request-1", "request-2", function(me)
  local at = now()
  redis("ZREMRANGEBYSCORE", "window", "-inf", at - 60000)
  if redis("ZCARD", "window") >= 1 then return end
  redis("ZADD", "window", at, me)
  sql("INSERT INTO served VALUES (?)", at)
end }

finally(function()
  local pairs = sql("SELECT 1 FROM served a, served b WHERE a.rowid < b.rowid AND abs(a.at - b.at) < 60000")
  expect(#pairs == 0, "one request too many was served")
end)
