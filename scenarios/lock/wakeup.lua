-- The protocol of lock/wakeup-lost in the other order: who has not got the lock subscribes, tries again, and only then waits.
-- What is released before that try it gets, and what is released later it hears of.
--
-- Known from: Redisson, which subscribes, tries again, and waits.
-- Sibling that does not hold: lock/wakeup-lost.
scenario {
  name = "lock/wakeup",
  row = "SET NX PX, woken by PUBLISH: try, subscribe, try again, wait",
  about = "SET NX PX; who does not get it subscribes to the release, tries again, and waits",
  known_from = "Redisson, RedissonLock (https://github.com/redisson/redisson/blob/master/redisson/src/main/java/org/redisson/RedissonLock.java)",
  expect = "verified",
  mutants = {
    { name = "waits at once", from = [[while not try() do ear.receive() end]], to = [[repeat ear.receive() until try()]] },
    { name = "told before it is free", from = [[  redis.call("DEL", KEYS[1])
  redis.call("PUBLISH", KEYS[2], "free")
]], to = [[  redis.call("PUBLISH", KEYS[2], "free")
]] },
    { name = "no message", from = [[  redis.call("PUBLISH", KEYS[2], "free")
]], to = "" },
  },
}

local release = [[
  if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
  redis.call("DEL", KEYS[1])
  redis.call("PUBLISH", KEYS[2], "free")
  return 1
]]

clients { "A", "B", function(me)
  local ear = connection()
  local function try() return redis("SET", "lock", me, "NX", "PX", 30000) end
  if not try() then
    ear.redis("SUBSCRIBE", "released")
    while not try() do ear.receive() end
  end
  inside("the section", function() redis("INCR", "work") end)
  redis("EVAL", release, 2, "lock", "released", me)
end }

exclusive("the section")
