-- The lock of lock/blind-delete, given back by a script that deletes it only while it holds one's own token. It holds
-- on this check; what two holders do to the row is another matter: lock/token-paused.
--
-- Known from: Redis's documentation of SET (patterns), which has such a script.
-- Sibling that does not hold: lock/blind-delete.
scenario {
  name = "lock/token-delete",
  row = "SET NX PX, DEL if the token is mine",
  about = "SET NX PX, DEL if the token is mine; a holder is held up past the TTL",
  known_from = "redis.io, SET, patterns (https://redis.io/docs/latest/commands/set/)",
  instead = "lock/fencing-claim",
  pauses = 1,
  expect = "verified",
  mutants = {
    { name = "no comparison", from = [[if redis.call("GET", KEYS[1]) == ARGV[1] then]], to = "if true then" },
    { name = "compared in the application", from = [[redis("EVAL", release, 1, "lock:job", me)]],
      to = [[redis("GET", "lock:job") == me and redis("GETDEL", "lock:job") or nil]] },
  },
}

local release = [[
  if redis.call("GET", KEYS[1]) == ARGV[1] then
    return redis.call("GETDEL", KEYS[1])
  end
  return nil
]]

clients { "A", "B", function(me)
  if redis("SET", "lock:job", me, "NX", "PX", 30000) then
    local removed = redis("EVAL", release, 1, "lock:job", me)
    expect(removed == nil or removed == me, "DEL removed another's lock")
  end
end }
