-- What a worker has not acknowledged after 30 seconds another one claims by XAUTOCLAIM, and does. Nobody is held up for as
-- long as that (pauses = 0), and nobody dies.
--
-- Known from: Redis's documentation of XAUTOCLAIM, and of streams, "Recovering from permanent failures".
-- Sibling that does not hold: queue/stream-claim-paused.
scenario {
  name = "queue/stream-claim",
  row = "XREADGROUP, XAUTOCLAIM after a time-out",
  about = "XREADGROUP, the work, XACK; a second worker claims what is pending for 30 s, and does it",
  known_from = "redis.io, XAUTOCLAIM (https://redis.io/docs/latest/commands/xautoclaim/)",
  instead = "queue/stream-claim-once",
  expect = "verified",
  mutants = {
    { name = "nothing is acknowledged", from = [[  redis("XACK", "queue", "workers", id)
]], to = "" },
  },
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
