-- A worker waits for a job with BLPOP and does it. Redis takes the job off the list in the moment in which it is pushed: if
-- the worker dies before it has done it, or the reply is lost on its way, the job is nowhere, although it was accepted.
--
-- Known from: resque, issue 93, "(BL)POP considered dangerous"; Sidekiq's basic fetch.
-- Sibling that holds: queue/blocking-move.
scenario {
  name = "queue/blocking-pop",
  row = "BLPOP, then the work",
  about = "BLPOP, then the work; the worker may die",
  known_from = "resque, (BL)POP considered dangerous (https://github.com/resque/resque/issues/93); Sidekiq, basic fetch (https://github.com/sidekiq/sidekiq/issues/1831)",
  instead = "queue/blocking-move",
  faults = { crash = 1 },
  expect = "violated",
  message = "the job is lost",
}

setup(function()
  sql("CREATE TABLE sent (job TEXT)")
end)

local accept = [[
  redis.call("RPUSH", KEYS[1], ARGV[1])
  redis.call("SET", KEYS[2], ARGV[1])
]]

client("producer", function()
  redis("EVAL", accept, 2, "queue", "accepted", "mail 7")
end)

client("worker", function()
  local got = redis("BLPOP", "queue", 60)
  if not got then return end
  sql("INSERT INTO sent VALUES (?)", got[2])
end)

local function waits()
  return redis("LLEN", "queue") > 0
end

finally(function()
  if not redis("GET", "accepted") then return end
  local done = sql("SELECT count(*) AS n FROM sent")[1].n
  expect(done >= 1 or waits(), "the job is lost")
end)
