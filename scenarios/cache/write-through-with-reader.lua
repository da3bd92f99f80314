-- A writer of cache/write-through-transaction beside a reader that fills on a miss. The reader has read the row
-- before the COMMIT and sets the key after the writer did.
--
-- Known from: caches that are written through by their writers and filled by their readers.
-- Siblings that hold: cache/write-through-transaction (no reader fills), cache/lease-guarded-fill.
scenario {
  name = "cache/write-through-with-reader",
  row = "write-through in the transaction, readers fill",
  about = "BEGIN, UPDATE, SET, COMMIT; beside a reader that fills on a miss",
  known_from = "Oracle Coherence, Read-Through and Write-Through Caching (https://docs.oracle.com/cd/E24290_01/coh.371/e22840/readthrough.htm)",
  instead = "cache/lease-guarded-fill",
  expect = "violated",
  message = "stale until TTL (300 s)",
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
end)

client("reader", function()
  read("user:1", function()
    local plan = redis("GET", "user:1")
    if plan then return plan end
    plan = sql("SELECT plan FROM users WHERE id = 1")[1].plan
    redis("SET", "user:1", plan, "EX", 300)
    return plan
  end)
end)

client("writer", function()
  write("user:1", "pro", function()
    transaction(function()
      sql("UPDATE users SET plan = 'pro' WHERE id = 1")
      redis("SET", "user:1", "pro", "EX", 300)
    end)
  end)
end)

fresh("user:1")

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
