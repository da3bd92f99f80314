-- A worker waits for a job with BLMOVE, which puts it into a second list in the moment in which it is pushed; the worker does
-- it, and takes it from there when it is done. (Who brings back what a dead worker has left there: queue/requeue.)
--
-- Known from: Redis's documentation of LMOVE, "Pattern: Reliable queue"; Sidekiq, issue 607.
-- Sibling that does not hold: queue/blocking-pop.
scenario {
  name = "queue/blocking-move",
  row = "BLMOVE, the work, LREM",
  about = "BLMOVE to a list of jobs under way, the work, LREM; the worker may die",
  known_from = "redis.io, LMOVE, pattern: reliable queue (https://redis.io/docs/latest/commands/lmove/); Sidekiq (https://github.com/sidekiq/sidekiq/issues/607)",
  faults = { crash = 1 },
  expect = "verified",
  mutants = {
    {
      name = "taken off before the work",
      from = [[  sql("INSERT INTO sent VALUES (?)", job)
  redis("LREM", "processing", 1, job)]],
      to = [[  redis("LREM", "processing", 1, job)
  sql("INSERT INTO sent VALUES (?)", job)]],
    },
    {
      name = "moved in two commands",
      from = [[redis("BLMOVE", "queue", "processing", "LEFT", "RIGHT", 60)
  if not job then return end]],
      to = [[redis("BLPOP", "queue", 60)
  if not job then return end
  job = job[2]
  redis("RPUSH", "processing", job)]],
    },
  },
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
  local job = redis("BLMOVE", "queue", "processing", "LEFT", "RIGHT", 60)
  if not job then return end
  sql("INSERT INTO sent VALUES (?)", job)
  redis("LREM", "processing", 1, job)
end)

local function waits()
  return redis("LLEN", "queue") + redis("LLEN", "processing") > 0
end

finally(function()
  if not redis("GET", "accepted") then return end
  local done = sql("SELECT count(*) AS n FROM sent")[1].n
  expect(done >= 1 or waits(), "the job is lost")
end)
