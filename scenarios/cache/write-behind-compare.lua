-- The flusher of cache/write-behind takes the mark away only if the value is still the one that it has written to the
-- database. What it must not lose, it does not; what Redis loses before a flush is lost: write-behind acknowledges what
-- no disk may have.
--
-- Known from: Oracle Coherence, write-behind caching; the comparison is the addition.
-- Sibling that does not hold: cache/write-behind.
scenario {
  name = "cache/write-behind-compare",
  row = "write-behind, the mark goes if the value is the same",
  about = "as write-behind; the flusher deletes the mark only if the value has not changed since it read it",
  known_from = "Oracle Coherence, Write-Behind Caching (https://docs.oracle.com/cd/E24290_01/coh.371/e22840/readthrough.htm); the comparison is the addition",
  instead = "write the database first: cache/lease-guarded-fill",
  expect = "verified",
  mutants = {
    { name = "no comparison", from = [[if redis.call("GET", KEYS[1]) == ARGV[1] then]], to = "if true then" },
    {
      name = "compared in the application",
      from = [[redis("EVAL", clean, 2, "user:1", "dirty:user:1", plan)]],
      to = [[if redis("GET", "user:1") == plan then redis("DEL", "dirty:user:1") end]],
    },
    {
      name = "cleaned before the row is written",
      from = [[  sql("UPDATE users SET plan = ? WHERE id = 1", plan)
  redis("EVAL", clean, 2, "user:1", "dirty:user:1", plan)]],
      to = [[  redis("DEL", "dirty:user:1")
  sql("UPDATE users SET plan = ? WHERE id = 1", plan)]],
    },
  },
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
  redis("MSET", "user:1", "plus", "dirty:user:1", "yes")
end)

local clean = [[
  if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[2]) end
]]

client("writer", function()
  redis("MSET", "user:1", "pro", "dirty:user:1", "yes")
end)

client("flusher", function()
  local plan = redis("GET", "user:1")
  if not plan then return end
  sql("UPDATE users SET plan = ? WHERE id = 1", plan)
  redis("EVAL", clean, 2, "user:1", "dirty:user:1", plan)
end)

finally(function()
  local row = sql("SELECT plan FROM users WHERE id = 1")[1].plan
  local waits = redis("GET", "user:1") == "pro" and redis("EXISTS", "dirty:user:1") == 1
  expect(not returned("writer") or row == "pro" or waits, "an acknowledged write never reaches the database")
end)
