-- The worker of queue/stream-claim is held up for longer than 30 seconds: another one claims the entry and does the work,
-- and then the first does it as well. XACK tells it afterwards, if it looks.
--
-- Known from: Redis's documentation of XCLAIM: the idle time is all that is asked.
-- Siblings that hold: queue/stream-claim (nobody is held up), queue/stream-claim-once.
scenario {
  name = "queue/stream-claim-paused",
  row = "XREADGROUP, XAUTOCLAIM after a time-out",
  about = "as queue/stream-claim; a worker is held up for longer than the time-out",
  known_from = "redis.io, XCLAIM (https://redis.io/docs/latest/commands/xclaim/)",
  instead = "queue/stream-claim-once",
  pauses = 1,
  expect = "violated",
  message = "the job is done twice",
}

setup(function()
  sql("CREATE TABLE sent (job TEXT)")
  redis("XADD", "queue", "1-1", "job", "mail 7")
  redis("XGROUP", "CREATE", "queue", "workers", "0")
end)

-- An entry's id and its job.
local function take(me)
  local got = redis("XREADGROUP", "GROUP", "workers", me, "COUNT", 1, "STREAMS", "queue", ">")
  if not got then return end
  local entry = got[1][2][1]
  return entry[1], entry[2][2]
end

-- What somebody has had for longer than 30 seconds without an acknowledgement.
local function claim(me)
  local entry = redis("XAUTOCLAIM", "queue", "workers", me, 30000, "0", "COUNT", 1)[2][1]
  if not entry then return end
  return entry[1], entry[2][2]
end

local function run(id, job)
  if not id then return end
  sql("INSERT INTO sent VALUES (?)", job)
  redis("XACK", "queue", "workers", id)
end

client("worker", function() run(take("worker")) end)

client("second", function()
  sleep(30000)
  run(claim("second"))
end)

-- In the stream, or delivered and not acknowledged.
local function waits()
  local unread = redis("XREADGROUP", "GROUP", "workers", "checker", "STREAMS", "queue", ">")
  return unread ~= nil or redis("XPENDING", "queue", "workers")[1] > 0
end

finally(function()
  local done = sql("SELECT count(*) AS n FROM sent")[1].n
  expect(done <= 1, "the job is done twice")
  expect(done == 1 or waits(), "the job is lost")
end)
