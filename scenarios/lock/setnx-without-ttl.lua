-- SETNX takes the lock, DEL gives it back, and nothing ends it if the holder dies.
--
-- Known from: locks made before SET had its options NX and PX (Redis 2.6.12), and since.
-- Sibling that holds: lock/set-nx-px.
scenario {
  name = "lock/setnx-without-ttl",
  row = "SETNX, no TTL",
  about = "SETNX, DEL; the client may die in between",
  known_from = "redis.io, SETNX (https://redis.io/docs/latest/commands/setnx/)",
  instead = "lock/set-nx-px",
  faults = { crash = 1 },
  expect = "violated",
  message = "the lock is held for ever",
}

client("A", function()
  if redis("SETNX", "lock:job", "A") == 1 then
    redis("DEL", "lock:job")
  end
end)

quiet(function()
  expect(redis("TTL", "lock:job") ~= -1, "the lock is held for ever")
  advance(30001)
  expect(not redis("GET", "lock:job"), "the lock outlives its TTL")
end)
