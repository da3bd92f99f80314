-- A process decides at its start: if Redis answers, it locks in Redis, and otherwise it locks a file, for as long as it
-- lives. Two processes of one host that start on different sides of an outage lock different things, and both are
-- inside.
--
-- Known from: CortexReach/memory-lancedb-pro, pull request 879, where the review names the two lock domains;
-- b13/distributed-locks, pull request 35, which falls back to TYPO3's FileLockStrategy.
-- Sibling that holds: lock/redis-and-file.
scenario {
  name = "lock/redis-or-file",
  row = "Redis or a file, by what answers at the start",
  about = "PING at the start; SET NX PX if it answered, a file lock if not; a process may be cut off from Redis",
  known_from = "CortexReach/memory-lancedb-pro (https://github.com/CortexReach/memory-lancedb-pro/pull/879); b13/distributed-locks (https://github.com/b13/distributed-locks/pull/35)",
  instead = "lock/redis-and-file",
  faults = { partition = 1 },
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

local function work(me)
  inside("job", function()
    local runs = sql("SELECT runs FROM job WHERE id = 1")[1].runs
    sql("UPDATE job SET runs = ?, workers = workers || ? WHERE id = 1", runs + 1, me)
  end)
end

clients { "A", "B", function(me)
  if pcall(redis, "PING") then
    if not redis("SET", "lock:job", me, "NX", "PX", 30000) then return end
    work(me)
    redis("EVAL", release, 1, "lock:job", me)
  elseif lock_file("/data/job.lock") then
    work(me)
  end
end }

exclusive("job")

always(function()
  local job = sql("SELECT runs, workers FROM job WHERE id = 1")[1]
  expect(job.runs == #job.workers, "a run is lost at the row")
end)
