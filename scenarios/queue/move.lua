-- A worker moves the job to a second list, does it, and takes it from there when it is done. A job is always in one of the
-- two, or done. (Who brings back what a dead worker has left there: queue/requeue.)
--
-- Known from: Redis's documentation of LMOVE, "Pattern: Reliable queue"; Sidekiq, issue 607.
-- Sibling that does not hold: queue/pop.
scenario {
  name = "queue/move",
  row = "LMOVE, the work, LREM",
  about = "LMOVE to a list of jobs under way, the work, LREM; the worker may die",
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
      from = [[redis("LMOVE", "queue", "processing", "LEFT", "RIGHT")]],
      to = [[redis("LPOP", "queue")
  redis("RPUSH", "processing", job)]],
    },
  },
}

setup(function()
  sql("CREATE TABLE sent (job TEXT)")
  redis("RPUSH", "queue", "mail 7")
end)

client("worker", function()
  local job = redis("LMOVE", "queue", "processing", "LEFT", "RIGHT")
  if not job then return end
  sql("INSERT INTO sent VALUES (?)", job)
  redis("LREM", "processing", 1, job)
end)

local function waits()
  return redis("LLEN", "queue") + redis("LLEN", "processing") > 0
end

finally(function()
  local done = sql("SELECT count(*) AS n FROM sent")[1].n
  expect(done >= 1 or waits(), "the job is lost")
end)
