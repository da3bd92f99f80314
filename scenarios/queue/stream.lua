-- A worker reads an entry of a stream by a consumer group, does the work, and acknowledges the entry then. If it dies, the
-- entry is still pending: whoever claims it does the work. So no job is lost, and one may be done twice.
--
-- Known from: Redis's documentation of streams, "Consumer groups".
-- Siblings that do not hold: queue/stream-ack-first, queue/stream-noack.
scenario {
  name = "queue/stream",
  row = "XREADGROUP, the work, XACK",
  about = "XREADGROUP, the work, then XACK; the worker may die",
  known_from = "redis.io, Redis Streams, consumer groups (https://redis.io/docs/latest/develop/data-types/streams/)",
  instead = "queue/stream-claim-once",
  faults = { crash = 1 },
  expect = "verified",
  mutants = {
    {
      name = "acknowledged before the work",
      from = [[  sql("INSERT INTO sent VALUES (?)", job)
  redis("XACK", "queue", "workers", id)]],
      to = [[  redis("XACK", "queue", "workers", id)
  sql("INSERT INTO sent VALUES (?)", job)]],
    },
    { name = "acknowledged when it is read", from = [["COUNT", 1, "STREAMS"]], to = [["COUNT", 1, "NOACK", "STREAMS"]] },
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

client("worker", function()
  local id, job = take("worker")
  if not id then return end
  sql("INSERT INTO sent VALUES (?)", job)
  redis("XACK", "queue", "workers", id)
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
