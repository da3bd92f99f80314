-- The processes of one host lock the file first, always, and then Redis for the other hosts. Who does not reach Redis
-- gives up and does not work: the file alone would not stop the others.
--
-- Known from: the answer to b13/distributed-locks, issue 34, turned round: with gracefulDegradation off nobody works
-- without Redis; the file lock besides it is the addition.
-- Sibling that does not hold: lock/redis-or-file.
scenario {
  name = "lock/redis-and-file",
  row = "Redis and a file, and no work without both",
  about = "a file lock, then SET NX PX; who does not reach Redis gives up; a process may be cut off from Redis",
  known_from = "b13/distributed-locks, gracefulDegradation off (https://github.com/b13/distributed-locks/pull/35); the file lock is the addition",
  instead = "lock/fencing-claim",
  faults = { partition = 1 },
  expect = "verified",
  mutants = {
    {
      name = "without Redis the file is enough",
      from = [[if not redis("SET", "lock:job", me, "NX", "PX", 30000) then return end]],
      to = [[local ok, taken = pcall(redis, "SET", "lock:job", me, "NX", "PX", 30000)
  if ok and not taken then return end]],
    },
    {
      name = "Redis or the file",
      from = [[  if not lock_file("/data/" .. me .. ".lock") then return end
  if not redis("SET", "lock:job", me, "NX", "PX", 30000) then return end]],
      to = [[  if not pcall(redis, "PING") then lock_file("/data/" .. me .. ".lock")
  elseif not redis("SET", "lock:job", me, "NX", "PX", 30000) then return end]],
    },
  },
}

setup(function()
  sql("CREATE TABLE job (id INTEGER PRIMARY KEY, runs INTEGER, workers TEXT)")
  sql("INSERT INTO job VALUES (1, 0, '')")
end)

local release = [[
  if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end
]]

local function work(me)
  inside("job", function()
    local runs = sql("SELECT runs FROM job WHERE id = 1")[1].runs
    sql("UPDATE job SET runs = ?, workers = workers || ? WHERE id = 1", runs + 1, me)
  end)
end

clients { "A", "B", function(me) -- on two hosts: each has a file of its own
  if not lock_file("/data/" .. me .. ".lock") then return end
  if not redis("SET", "lock:job", me, "NX", "PX", 30000) then return end
  work(me)
  redis("EVAL", release, 1, "lock:job", me)
end }

exclusive("job")

always(function()
  local job = sql("SELECT runs, workers FROM job WHERE id = 1")[1]
  expect(job.runs == #job.workers, "a run is lost at the row")
end)
