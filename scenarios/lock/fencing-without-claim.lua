-- Every holder gets a number that rises with each acquisition, and the row refuses a write whose number is smaller
-- than that of an earlier write. A late write is so refused after the new holder's write, but not before it: the new
-- holder has read, the late write is let in, and the new holder overwrites it with a value computed from its read.
--
-- Known from: Martin Kleppmann, "How to do distributed locking" (2016), fencing tokens; there, too, the storage
-- compares with the writes it has seen.
-- Sibling that holds: lock/fencing-claim.
scenario {
  name = "lock/fencing-without-claim",
  row = "fencing token, checked by the write",
  about = "a fencing token, checked by the write alone; a holder is held up past the TTL",
  known_from = "Martin Kleppmann, How to do distributed locking (https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html)",
  instead = "lock/fencing-claim",
  pauses = 1,
  expect = "violated",
  message = "a run is lost at the row",
}

setup(function()
  sql("CREATE TABLE job (id INTEGER PRIMARY KEY, runs INTEGER, workers TEXT, fence INTEGER)")
  sql("INSERT INTO job VALUES (1, 0, '', 0)")
end)

local acquire = [[
  if not redis.call("SET", KEYS[1], ARGV[1], "NX", "PX", 30000) then return nil end
  return redis.call("INCR", KEYS[2])
]]

local release = [[
  if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end
]]

clients { "A", "B", function(me)
  local fence = redis("EVAL", acquire, 2, "lock:job", "fence:job", me)
  if not fence then return end
  local runs = sql("SELECT runs FROM job WHERE id = 1")[1].runs
  sql("UPDATE job SET runs = ?1, workers = workers || ?2, fence = ?3 WHERE id = 1 AND fence <= ?3", runs + 1, me, fence)
  redis("EVAL", release, 1, "lock:job", me)
end }

always(function()
  local job = sql("SELECT runs, workers FROM job WHERE id = 1")[1]
  expect(job.runs == #job.workers, "a run is lost at the row")
end)
