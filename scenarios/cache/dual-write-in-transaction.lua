-- The key is written inside the database's transaction. Redis knows nothing of that transaction: when it is rolled
-- back, the key keeps a value that was never in the database. (When it commits, another race waits:
-- cache/write-through-with-reader.)
--
-- Known from: the dual-write problem; a cache update in a method that the framework wraps in a transaction.
-- Sibling that holds: cache/write-after-commit.
scenario {
  name = "cache/dual-write-in-transaction",
  row = "SET inside the transaction",
  about = "BEGIN, UPDATE, SET, ROLLBACK",
  known_from = "the dual-write problem; Django, Performing actions after commit (https://docs.djangoproject.com/en/stable/topics/db/transactions/#performing-actions-after-commit)",
  instead = "cache/write-after-commit",
  expect = "violated",
  message = "the cache has pro and the row free",
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
  redis("SET", "user:1", "free", "EX", 300)
end)

client("checkout", function()
  pcall(function()
    transaction(function()
      sql("UPDATE users SET plan = 'pro' WHERE id = 1")
      redis("SET", "user:1", "pro", "EX", 300)
      error("the payment was refused")
    end)
  end)
end)

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "the cache has " .. tostring(cached) .. " and the row " .. row)
end)
