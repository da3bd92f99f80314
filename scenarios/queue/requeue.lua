-- A job that is under way has a lease of 30 seconds; when it is over, somebody puts the job back, and another worker does
-- it. Nobody is held up for longer than the lease (pauses = 0). (One job and one lease here.)
--
-- Known from: Redis's documentation of LMOVE, "Pattern: Reliable queue", and the visibility time-outs of queue services.
-- Sibling that does not hold: queue/requeue-paused.
scenario {
  name = "queue/requeue",
  row = "LMOVE, put back after a time-out",
  about = "LMOVE with a lease of 30 s, the work, LREM; a second worker puts back what has no lease, and does it",
  known_from = "redis.io, LMOVE, pattern: reliable queue (https://redis.io/docs/latest/commands/lmove/); verbling/kickq (https://github.com/verbling/kickq/issues/4)",
  instead = "queue/requeue-once",
  expect = "verified",
  mutants = {
    { name = "nothing is taken from the list", from = [[  redis("LREM", "processing", 1, job)
]], to = "" },
  },
}

setup(function()
  sql("CREATE TABLE sent (job TEXT)")
  sql("CREATE TABLE known (job TEXT PRIMARY KEY)")
  redis("RPUSH", "queue", "mail 7")
end)

local take = [[
  local job = redis.call("LMOVE", KEYS[1], KEYS[2], "LEFT", "RIGHT")
  if job then redis.call("SET", KEYS[3], job, "PX", 30000) end
  return job
]]

local requeue = [[
  if redis.call("EXISTS", KEYS[3]) == 0 then redis.call("LMOVE", KEYS[2], KEYS[1], "LEFT", "RIGHT") end
]]

local function run()
  local job = redis("EVAL", take, 3, "queue", "processing", "lease")
  if not job then return end
  sql("INSERT INTO sent VALUES (?)", job)
  redis("LREM", "processing", 1, job)
end

client("worker", run)

client("second", function()
  sleep(30000)
  redis("EVAL", requeue, 3, "queue", "processing", "lease")
  run()
end)

local function waits()
  return redis("LLEN", "queue") + redis("LLEN", "processing") > 0
end

finally(function()
  local done = sql("SELECT count(*) AS n FROM sent")[1].n
  expect(done <= 1, "the job is done twice")
  expect(done == 1 or waits(), "the job is lost")
end)
