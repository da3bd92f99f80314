-- The lock is taken with NX and an expiry, and given back with a plain DEL. A holder that is held up past the TTL
-- deletes a lock that has become another's. GETDEL stands for the DEL here: it deletes in the same way, and tells
-- what it removed. What the lock protects is left out: nothing of it is needed.
--
-- Known from: Redis's documentation of SET: "this avoids that a client will try to release the lock after the
-- expire time deleting the key created by another client that acquired the lock later".
-- Sibling that holds: lock/token-delete.
scenario {
  name = "lock/blind-delete",
  row = "SET NX PX, DEL without asking",
  about = "SET NX PX, DEL; a holder is held up past the TTL",
  known_from = "redis.io, SET, patterns (https://redis.io/docs/latest/commands/set/)",
  instead = "lock/token-delete",
  pauses = 1,
  expect = "violated",
  message = "DEL removed another's lock",
}

clients { "A", "B", function(me)
  if redis("SET", "lock:job", me, "NX", "PX", 30000) then
    local removed = redis("GETDEL", "lock:job")
    expect(removed == nil or removed == me, "DEL removed another's lock")
  end
end }
