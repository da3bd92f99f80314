-- The holder of lock/renewal is held up after its last renewal, for longer than the TTL. Who is stopped does not renew,
-- and does not see that it is too late either.
--
-- Known from: Martin Kleppmann, "How to do distributed locking" (2016): the client that stops for a garbage collection.
-- Siblings that hold: lock/renewal (nobody is held up), lock/fencing-claim.
scenario {
  name = "lock/renewal-paused",
  row = "SET NX PX, renewed on the way",
  about = "as lock/renewal; the holder is held up past the TTL",
  known_from = "Martin Kleppmann, How to do distributed locking (https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html)",
  instead = "lock/fencing-claim",
  pauses = 1,
  expect = "violated",
  message = "a run is lost at the row",
}

setup(function()
  sql("CREATE TABLE job (id INTEGER PRIMARY KEY, runs INTEGER, workers TEXT)")
  sql("INSERT INTO job VALUES (1, 0, '')")
end)

local release = [[
  if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end
]]

local renew = [[
  if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
  return redis.call("PEXPIRE", KEYS[1], 30000)
]]

client("A", function()
  if not redis("SET", "lock:job", "A", "NX", "PX", 30000) then return end
  inside("job", function()
    local runs = sql("SELECT runs FROM job WHERE id = 1")[1].runs
    sleep(20000) -- the first half
    if redis("EVAL", renew, 1, "lock:job", "A") == 0 then return end
    sleep(20000)
    sql("UPDATE job SET runs = ?, workers = workers || 'A' WHERE id = 1", runs + 1)
  end)
  redis("EVAL", release, 1, "lock:job", "A")
end)

client("B", function()
  for _, wait in ipairs { 35000, 15000 } do -- at 35 s, and at 50 s
    sleep(wait)
    if redis("SET", "lock:job", "B", "NX", "PX", 30000) then
      inside("job", function()
        local runs = sql("SELECT runs FROM job WHERE id = 1")[1].runs
        sql("UPDATE job SET runs = ?, workers = workers || 'B' WHERE id = 1", runs + 1)
      end)
      redis("EVAL", release, 1, "lock:job", "B")
      return
    end
  end
end)

always(function()
  local job = sql("SELECT runs, workers FROM job WHERE id = 1")[1]
  expect(job.runs == #job.workers, "a run is lost at the row")
end)
