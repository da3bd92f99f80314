-- The fencing token of lock/fencing-without-claim, claimed at the row before the first read: from then on the row
-- takes writes of this holder only. A late write is refused whenever it comes. (Two may still be inside at once, but
-- only one of them writes.)
--
-- Known from: Martin Kleppmann, "How to do distributed locking" (2016), fencing tokens; the claim is an addition.
-- Sibling that does not hold: lock/fencing-without-claim.
scenario {
  name = "lock/fencing-claim",
  row = "fencing token, claimed before the read",
  about = "a fencing token, claimed at the row before the read; a holder is held up past the TTL",
  known_from = "Martin Kleppmann, How to do distributed locking (https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html); the claim is the addition",
  pauses = 1,
  expect = "verified",
  mutants = {
    { name = "claimed after the read",
      from = [[  if sql("UPDATE job SET fence = ? WHERE id = 1 AND fence < ?", fence, fence) == 0 then return end
  local runs = sql("SELECT runs FROM job WHERE id = 1")[1].runs
]],
      to = [[  local runs = sql("SELECT runs FROM job WHERE id = 1")[1].runs
  if sql("UPDATE job SET fence = ? WHERE id = 1 AND fence < ?", fence, fence) == 0 then return end
]] },
    {
      name = "the write does not name its fence",
      from = [[ AND fence = ?", runs + 1, me, fence)]],
      to = [[", runs + 1, me)]],
    },
  },
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
  if sql("UPDATE job SET fence = ? WHERE id = 1 AND fence < ?", fence, fence) == 0 then return end
  local runs = sql("SELECT runs FROM job WHERE id = 1")[1].runs
  sql("UPDATE job SET runs = ?, workers = workers || ? WHERE id = 1 AND fence = ?", runs + 1, me, fence)
  redis("EVAL", release, 1, "lock:job", me)
end }

always(function()
  local job = sql("SELECT runs, workers FROM job WHERE id = 1")[1]
  expect(job.runs == #job.workers, "a run is lost at the row")
end)
