-- The lock as Redis's documentation describes it: SET NX PX with a token, released by a script that compares. What
-- it protects: read a row, compute, write the row. Nobody is held up (pauses = 0), so the TTL never ends while a
-- holder is at work.
--
-- Known from: Redis's documentation, "Distributed Locks with Redis" (the single-instance case).
-- Sibling that does not hold: lock/token-paused.
scenario {
  name = "lock/token",
  row = "SET NX PX with a token, around a row",
  about = "SET NX PX, read and write the row, release by token; nobody is held up",
  known_from = "redis.io, Distributed Locks with Redis, single instance (https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/)",
  instead = "lock/fencing-claim",
  expect = "verified",
  mutants = {
    { name = "no NX", from = [[me, "NX", "PX", 30000)]], to = [[me, "PX", 30000)]] },
    { name = "released before the work is done",
      from = [[      sql("UPDATE job SET runs = ?, workers = workers || ? WHERE id = 1", runs + 1, me)
    end)
    redis("EVAL", release, 1, "lock:job", me)]],
      to = [[      redis("EVAL", release, 1, "lock:job", me)
      sql("UPDATE job SET runs = ?, workers = workers || ? WHERE id = 1", runs + 1, me)
    end)]] },
  },
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
