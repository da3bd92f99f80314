-- Write-through with the SET inside the write transaction: the database's lock puts the writers in one order for
-- both stores. It holds as long as there are only such writers, and all of them commit: see
-- cache/write-through-with-reader for a reader that fills, cache/dual-write-in-transaction for a rollback.
--
-- Known from: write-through caching.
-- Siblings that do not hold: cache/write-through, cache/write-through-with-reader.
scenario {
  name = "cache/write-through-transaction",
  row = "write-through in the transaction, no reader fills",
  about = "BEGIN, UPDATE, SET, COMMIT; two writers and no reader",
  known_from = "Oracle Coherence, Write-Through Caching (https://docs.oracle.com/cd/E24290_01/coh.371/e22840/readthrough.htm)",
  instead = "cache/lease-guarded-fill",
  expect = "verified",
  mutants = {
    {
      name = "SET after COMMIT",
      from = [[    redis("SET", "user:1", me, "EX", 300)
  end)]],
      to = [[  end)
  redis("SET", "user:1", me, "EX", 300)]],
    },
    {
      name = "SET before BEGIN",
      from = [[  transaction(function()
    sql("UPDATE users SET plan = ? WHERE id = 1", me)
    redis("SET", "user:1", me, "EX", 300)]],
      to = [[  redis("SET", "user:1", me, "EX", 300)
  transaction(function()
    sql("UPDATE users SET plan = ? WHERE id = 1", me)]],
    },
  },
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
end)

clients { "ann", "bob", function(me)
  transaction(function()
    sql("UPDATE users SET plan = ? WHERE id = 1", me)
    redis("SET", "user:1", me, "EX", 300)
  end)
end }

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
