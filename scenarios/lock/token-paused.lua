-- The lock of lock/token with a holder that is held up past the TTL: the lock ends, another takes it, and then both
-- are inside. The token does not help: it guards the release, and nobody asks for it at the row.
--
-- Known from: Martin Kleppmann, "How to do distributed locking" (2016): the client that stops for a garbage
-- collection.
-- Siblings that hold: lock/token (nobody is held up), lock/fencing-claim (checked at the row).
scenario {
  name = "lock/token-paused",
  row = "SET NX PX with a token, around a row",
  about = "SET NX PX, read and write the row, release by token; a holder is held up past the TTL",
  known_from = "Martin Kleppmann, How to do distributed locking (https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html)",
  instead = "lock/fencing-claim",
  pauses = 1,
  expect = "violated",
  message = "two clients inside job",
}

setup(function()
  sql("CREATE TABLE job (id INTEGER PRIMARY KEY, runs INTEGER, workers TEXT)")
  sql("INSERT INTO job VALUES (1, 0, '')")
end)

local release = [[
  if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end
]]

clients { "A", "B", function(me)
  if redis("SET", "lock:job", me, "NX", "PX", 30000) then
    inside("job", function()
      local runs = sql("SELECT runs FROM job WHERE id = 1")[1].runs
      sql("UPDATE job SET runs = ?, workers = workers || ? WHERE id = 1", runs + 1, me)
    end)
    redis("EVAL", release, 1, "lock:job", me)
  end
end }

exclusive("job")

always(function()
  local job = sql("SELECT runs, workers FROM job WHERE id = 1")[1]
  expect(job.runs == #job.workers, "a run is lost at the row")
end)
