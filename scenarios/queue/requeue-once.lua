-- The work of queue/requeue commits together with a row that says that the job is done: who does it again finds the row.
--
-- Known from: idempotent consumers (microservices.io, "Idempotent Consumer").
-- Sibling that does not hold: queue/requeue-paused.
scenario {
  name = "queue/requeue-once",
  row = "LMOVE, put back after a time-out, a row for each job",
  about = "as queue/requeue; the work commits with a row for its job; a worker is held up for longer than its lease",
  known_from = "microservices.io, Idempotent Consumer (https://microservices.io/patterns/communication-style/idempotent-consumer.html)",
  pauses = 1,
  expect = "verified",
  mutants = {
    { name = "nobody asks the row", from = [[if sql("INSERT OR IGNORE INTO known VALUES (?)", job) == 1 then]], to = "if true then" },
    {
      name = "the row after the work",
      from = [[  transaction(function()
    if sql("INSERT OR IGNORE INTO known VALUES (?)", job) == 1 then
      sql("INSERT INTO sent VALUES (?)", job)
    end
  end)]],
      to = [[  if #sql("SELECT 1 FROM known WHERE job = ?", job) == 0 then
    sql("INSERT INTO sent VALUES (?)", job)
    sql("INSERT OR IGNORE INTO known VALUES (?)", job)
  end]],
    },
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
  transaction(function()
    if sql("INSERT OR IGNORE INTO known VALUES (?)", job) == 1 then
      sql("INSERT INTO sent VALUES (?)", job)
    end
  end)
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
