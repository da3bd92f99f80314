-- A worker takes a job off the list and does it. From the LPOP on the job is nowhere but in the worker: if that dies, the
-- job is lost, although it was accepted.
--
-- Known from: Sidekiq's basic fetch; resque, issue 93, "(BL)POP considered dangerous".
-- Sibling that holds: queue/move.
scenario {
  name = "queue/pop",
  row = "LPOP, then the work",
  about = "LPOP, then the work; the worker may die",
  known_from = "Sidekiq, basic fetch (https://github.com/sidekiq/sidekiq/issues/1831); resque, (BL)POP considered dangerous (https://github.com/resque/resque/issues/93)",
  instead = "queue/move",
  faults = { crash = 1 },
  expect = "violated",
  message = "the job is lost",
}

setup(function()
  sql("CREATE TABLE sent (job TEXT)")
  redis("RPUSH", "queue", "mail 7")
end)

client("worker", function()
  local job = redis("LPOP", "queue")
  if not job then return end
  sql("INSERT INTO sent VALUES (?)", job)
end)

local function waits()
  return redis("LLEN", "queue") + redis("LLEN", "processing") > 0
end

finally(function()
  local done = sql("SELECT count(*) AS n FROM sent")[1].n
  expect(done >= 1 or waits(), "the job is lost")
end)
