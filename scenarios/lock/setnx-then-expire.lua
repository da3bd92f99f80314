-- SETNX takes the lock, EXPIRE gives it an end: two commands. A client that dies in between leaves a lock without
-- an end: when every TTL is over and nobody is alive, it is still held.
--
-- Known from: locks built on SETNX; Redis's documentation of SETNX points to SET with NX and an expiry instead.
-- Sibling that holds: lock/set-nx-px.
scenario {
  name = "lock/setnx-then-expire",
  row = "SETNX, then EXPIRE",
  about = "SETNX, then EXPIRE; the client may die in between",
  known_from = "redis.io, SETNX, design pattern: locking with SETNX (https://redis.io/docs/latest/commands/setnx/)",
  instead = "lock/set-nx-px",
  faults = { crash = 1 },
  expect = "violated",
  message = "the lock is held for ever",
}

client("A", function()
  if redis("SETNX", "lock:job", "A") == 1 then
    redis("EXPIRE", "lock:job", 30)
    redis("DEL", "lock:job")
  end
end)

quiet(function()
  expect(redis("TTL", "lock:job") ~= -1, "the lock is held for ever")
  advance(30001)
  expect(not redis("GET", "lock:job"), "the lock outlives its TTL")
end)
