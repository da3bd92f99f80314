-- A worker reads an entry of a stream by a consumer group with NOACK: it is acknowledged by being read. If the worker dies,
-- nobody will do the work.
--
-- Known from: Redis's documentation of XREADGROUP, on NOACK.
-- Sibling that holds: queue/stream.
scenario {
  name = "queue/stream-noack",
  row = "XREADGROUP NOACK",
  about = "XREADGROUP NOACK, then the work; the worker may die",
  known_from = "redis.io, XREADGROUP, NOACK (https://redis.io/docs/latest/commands/xreadgroup/)",
  instead = "queue/stream",
  faults = { crash = 1 },
  expect = "violated",
  message = "the job is lost",
}

setup(function()
  sql("CREATE TABLE sent (job TEXT)")
  redis("XADD", "queue", "1-1", "job", "mail 7")
  redis("XGROUP", "CREATE", "queue", "workers", "0")
end)

-- An entry's id and its job.
local function take(me)
  local got = redis("XREADGROUP", "GROUP", "workers", me, "COUNT", 1, "NOACK", "STREAMS", "queue", ">")
  if not got then return end
  local entry = got[1][2][1]
  return entry[1], entry[2][2]
end

client("worker", function()
  local _, job = take("worker")
  if not job then return end
  sql("INSERT INTO sent VALUES (?)", job)
end)

-- In the stream, or delivered and not acknowledged.
local function waits()
  local unread = redis("XREADGROUP", "GROUP", "workers", "checker", "STREAMS", "queue", ">")
  return unread ~= nil or redis("XPENDING", "queue", "workers")[1] > 0
end

finally(function()
  local done = sql("SELECT count(*) AS n FROM sent")[1].n
  expect(done >= 1 or waits(), "the job is lost")
end)
