-- SET with NX and PX takes the lock and gives it its end in one command. Whenever the client dies, the lock ends.
-- (Giving it back by a plain DEL has a fault of its own: lock/blind-delete.)
--
-- Known from: Redis's documentation of SET ("a simple way to implement a locking system with Redis").
-- Siblings that do not hold: lock/setnx-then-expire, lock/setnx-without-ttl.
scenario {
  name = "lock/set-nx-px",
  row = "SET NX PX",
  about = "SET NX PX, DEL; the client may die in between",
  known_from = "redis.io, SET, patterns (https://redis.io/docs/latest/commands/set/)",
  instead = "lock/token",
  faults = { crash = 1 },
  expect = "verified",
  mutants = {
    { name = "no PX", from = [[, "NX", "PX", 30000)]], to = [[, "NX")]] },
    { name = "PX in a second command",
      from = [[redis("SET", "lock:job", "A", "NX", "PX", 30000)]],
      to = [[redis("SET", "lock:job", "A", "NX") and redis("PEXPIRE", "lock:job", 30000)]] },
  },
}

client("A", function()
  if redis("SET", "lock:job", "A", "NX", "PX", 30000) then
    redis("DEL", "lock:job")
  end
end)

quiet(function()
  expect(redis("TTL", "lock:job") ~= -1, "the lock is held for ever")
  advance(30001)
  expect(not redis("GET", "lock:job"), "the lock outlives its TTL")
end)
