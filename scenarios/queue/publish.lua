-- Jobs go out on a channel, and PUBLISH says how many workers were sent one: here one job counts as accepted only if
-- somebody was. It was sent, and not received: the connection breaks, and the job is nowhere. A list keeps it.
--
-- Known from: Redis's documentation of pub/sub, "Delivery semantics": at most once; a message is not persisted.
-- Sibling that holds: queue/blocking-move.
scenario {
  name = "queue/publish",
  row = "PUBLISH to a worker, then the work",
  about = "PUBLISH to a worker that listens; the server restarts, and loses no write",
  known_from = "redis.io, Pub/sub, delivery semantics (https://redis.io/docs/latest/develop/pubsub/)",
  instead = "queue/blocking-move",
  faults = { restart = 1 },
  persistence = "always",
  expect = "violated",
  message = "the job is lost",
}

setup(function()
  sql("CREATE TABLE sent (job TEXT)")
end)

local accept = [[
  if redis.call("PUBLISH", KEYS[1], ARGV[1]) > 0 then redis.call("SET", KEYS[2], ARGV[1]) end
]]

client("producer", function()
  redis("EVAL", accept, 2, "queue", "accepted", "mail 7")
end)

client("worker", function()
  redis("SUBSCRIBE", "queue")
  local message = receive(60000)
  if message then sql("INSERT INTO sent VALUES (?)", message[3]) end
end)

local function waits() return false end -- a channel keeps nothing

finally(function()
  if not redis("GET", "accepted") then return end
  local done = sql("SELECT count(*) AS n FROM sent")[1].n
  expect(done >= 1 or waits(), "the job is lost")
end)
