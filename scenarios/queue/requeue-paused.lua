-- The worker of queue/requeue is held up for longer than its lease: the job is put back, another does it, and then the
-- first does it as well.
--
-- Known from: every visibility time-out: "at least once".
-- Siblings that hold: queue/requeue (nobody is held up), queue/requeue-once.
scenario {
  name = "queue/requeue-paused",
  row = "LMOVE, put back after a time-out",
  about = "as queue/requeue; a worker is held up for longer than its lease",
  known_from = "redis.io, LMOVE, pattern: reliable queue (https://redis.io/docs/latest/commands/lmove/)",
  instead = "queue/requeue-once",
  pauses = 1,
  expect = "violated",
  message = "the job is done twice",
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
