-- Who does not get the lock waits for the message that it is free: it tries, and subscribes when it has not got it. The
-- lock is released between the two: the message went to nobody, and the waiter waits although the lock is free. (With a
-- wait of its own it would wake up at the end of that.)
--
-- Known from: the lost wake-up of condition variables; Redisson subscribes first.
-- Sibling that holds: lock/wakeup.
scenario {
  name = "lock/wakeup-lost",
  row = "SET NX PX, woken by PUBLISH: try, subscribe, wait",
  about = "SET NX PX; who does not get it subscribes to the release and waits",
  known_from = "Redisson, RedissonLock (https://github.com/redisson/redisson/blob/master/redisson/src/main/java/org/redisson/RedissonLock.java)",
  instead = "lock/wakeup",
  expect = "violated",
  message = "deadlock",
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
    repeat ear.receive() until try()
  end
  inside("the section", function() redis("INCR", "work") end)
  redis("EVAL", release, 2, "lock", "released", me)
end }

exclusive("the section")
