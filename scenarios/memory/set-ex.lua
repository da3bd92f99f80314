-- The requests of memory/expire-then-set, with the life given in the SET itself.
--
-- Known from: Redis's documentation of SET (the EX option).
-- Sibling that does not hold: memory/expire-then-set.
scenario {
  name = "memory/set-ex",
  row = "SET with EX",
  about = "EXPIRE k beside a SET k v EX",
  known_from = "redis.io, SET (https://redis.io/docs/latest/commands/set/)",
  expect = "verified",
  mutants = { { name = "no EX", from = [[, "EX", 3600)]], to = ")" } },
}

setup(function() redis("SET", "session:7", "cart=1") end)

client("touch", function() redis("EXPIRE", "session:7", 3600) end)

client("save", function() redis("SET", "session:7", "cart=2", "EX", 3600) end)

finally(function()
  expect(not returned("touch") or redis("TTL", "session:7") ~= -1, "the session never expires")
end)
