-- The limiter of counter/limit-check-then-incr counts first and looks at the reply: no two requests get the same
-- number. A refused request has been counted, too; that makes the limit stricter, never looser.
--
-- Known from: Redis's documentation of INCR, which is atomic and replies with the new value.
-- Sibling that does not hold: counter/limit-check-then-incr.
scenario {
  name = "counter/limit-incr",
  row = "limit: INCR, compare its reply",
  about = "INCR, compare its reply with the limit; two requests, one is left",
  known_from = "redis.io, INCR (https://redis.io/docs/latest/commands/incr/)",
  expect = "verified",
  mutants = {
    {
      name = "looks again",
      from = [[if redis("INCR", "requests:203.0.113.7") <= 10 then]],
      to = [[if tonumber(redis("GET", "requests:203.0.113.7")) < 10 and redis("INCR", "requests:203.0.113.7") then]],
    },
    {
      name = "a refused request is not counted",
      from = [[  if redis("INCR", "requests:203.0.113.7") <= 10 then]],
      to = [[  if redis("INCR", "requests:203.0.113.7") > 10 then redis("DECR", "requests:203.0.113.7") end
  if tonumber(redis("GET", "requests:203.0.113.7")) <= 10 then]],
    },
  },
}

setup(function()
  sql("CREATE TABLE served (request TEXT)")
  redis("SET", "requests:203.0.113.7", 9)
end)

clients { "request-1", "request-2", function(me)
  if redis("INCR", "requests:203.0.113.7") <= 10 then
    sql("INSERT INTO served VALUES (?)", me)
  end
end }

finally(function()
  local served = sql("SELECT count(*) AS n FROM served")[1].n
  expect(served <= 1, "one request too many was served")
end)
