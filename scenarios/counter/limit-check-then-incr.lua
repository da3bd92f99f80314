-- A rate limiter looks at the count and counts afterwards. Two requests look before either counts, and both are
-- served, though one was left. (The end of the window is left out.)
--
-- Known from: Redis's documentation of INCR, "Pattern: Rate limiter 1", whose first line is the GET; the sliding
-- window of raphaeldelio/redis-rate-limiter-java-example, issue 1, has the same gap between ZCARD and ZADD.
-- Sibling that holds: counter/limit-incr.
scenario {
  name = "counter/limit-check-then-incr",
  row = "limit: GET, compare, INCR",
  about = "GET, compare with the limit, INCR; two requests, one is left",
  known_from = "redis.io, INCR, pattern: rate limiter 1 (https://redis.io/docs/latest/commands/incr/); https://github.com/raphaeldelio/redis-rate-limiter-java-example/issues/1",
  instead = "counter/limit-incr",
  expect = "violated",
  message = "one request too many was served",
}

setup(function()
  sql("CREATE TABLE served (request TEXT)")
  redis("SET", "requests:203.0.113.7", 9)
end)

clients { "request-1", "request-2", function(me)
  if tonumber(redis("GET", "requests:203.0.113.7") or 0) < 10 then
    redis("INCR", "requests:203.0.113.7")
    sql("INSERT INTO served VALUES (?)", me)
  end
end }

finally(function()
  local served = sql("SELECT count(*) AS n FROM served")[1].n
  expect(served <= 1, "one request too many was served")
end)
