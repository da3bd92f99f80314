-- The lock of lock/token, for work that takes longer than its TTL: the holder renews it on the way, by a script that
-- asks for its token, and gives up if the lock is not its own any more. Nobody is held up (pauses = 0).
--
-- Known from: the watchdog of Redisson; the extend() of redlock libraries.
-- Sibling that does not hold: lock/renewal-paused.
scenario {
  name = "lock/renewal",
  row = "SET NX PX, renewed on the way",
  about = "SET NX PX, 40 s of work with a renewal after 20 s, release by token; another tries meanwhile",
  known_from = "Redisson, lock watchdog (https://redisson.pro/docs/data-and-services/locks-and-synchronizers/); redlock-rb, extend (https://github.com/leandromoreira/redlock-rb/issues/36)",
  instead = "lock/fencing-claim",
  expect = "verified",
  mutants = {
    { name = "no renewal", from = [[if redis("EVAL", renew, 1, "lock:job", "A") == 0 then return end]], to = "" },
    { name = "renewed for too short a time", from = [["PEXPIRE", KEYS[1], 30000)]], to = [["PEXPIRE", KEYS[1], 10000)]] },
  },
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
