-- The work of queue/stream-claim commits together with a row that bears the entry's id: who does it again finds the row.
--
-- Known from: idempotent consumers (microservices.io, "Idempotent Consumer").
-- Sibling that does not hold: queue/stream-claim-paused.
scenario {
  name = "queue/stream-claim-once",
  row = "XREADGROUP, XAUTOCLAIM after a time-out, a row for each entry",
  about = "as queue/stream-claim; the work commits with a row for its entry; a worker is held up for longer than the time-out",
  known_from = "microservices.io, Idempotent Consumer (https://microservices.io/patterns/communication-style/idempotent-consumer.html)",
  pauses = 1,
  expect = "verified",
  mutants = {
    { name = "nobody asks the row", from = [[if sql("INSERT OR IGNORE INTO known VALUES (?)", id) == 1 then]], to = "if true then" },
    {
      name = "the row after the work",
      from = [[  transaction(function()
    if sql("INSERT OR IGNORE INTO known VALUES (?)", id) == 1 then
      sql("INSERT INTO sent VALUES (?)", job)
    end
  end)]],
      to = [[  if #sql("SELECT 1 FROM known WHERE id = ?", id) == 0 then
    sql("INSERT INTO sent VALUES (?)", job)
    sql("INSERT OR IGNORE INTO known VALUES (?)", id)
  end]],
    },
  },
}

setup(function()
  sql("CREATE TABLE sent (job TEXT)")
  sql("CREATE TABLE known (id TEXT PRIMARY KEY)")
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
  transaction(function()
    if sql("INSERT OR IGNORE INTO known VALUES (?)", id) == 1 then
      sql("INSERT INTO sent VALUES (?)", job)
    end
  end)
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
