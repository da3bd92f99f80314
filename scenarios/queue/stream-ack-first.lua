-- A worker reads an entry of a stream by a consumer group, acknowledges it, and does the work then. If it dies in between,
-- the entry is pending for nobody, and the work is not done.
--
-- Known from: the acknowledgement mode "automatic" of message brokers, brought to streams by hand; Redis's documentation
-- of XACK says what an acknowledged entry is: "successfully processed".
-- Sibling that holds: queue/stream.
scenario {
  name = "queue/stream-ack-first",
  row = "XREADGROUP, XACK, then the work",
  about = "XREADGROUP, XACK, then the work; the worker may die",
  known_from = "redis.io, XACK (https://redis.io/docs/latest/commands/xack/)",
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
  local got = redis("XREADGROUP", "GROUP", "workers", me, "COUNT", 1, "STREAMS", "queue", ">")
  if not got then return end
  local entry = got[1][2][1]
  return entry[1], entry[2][2]
end

client("worker", function()
  local id, job = take("worker")
  if not id then return end
  redis("XACK", "queue", "workers", id)
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
