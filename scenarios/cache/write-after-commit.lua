-- The transaction of cache/dual-write-in-transaction, with the key written only after the COMMIT: nothing to undo
-- when the payment is refused. Another client's transaction commits, and its key is written then. (That two such
-- writers can overtake each other is cache/write-through.)
--
-- Known from: after-commit hooks, such as Django's transaction.on_commit.
-- Sibling that does not hold: cache/dual-write-in-transaction.
scenario {
  name = "cache/write-after-commit",
  row = "SET after the COMMIT",
  about = "BEGIN, UPDATE, ROLLBACK beside BEGIN, UPDATE, COMMIT, SET",
  known_from = "Django, Performing actions after commit (https://docs.djangoproject.com/en/stable/topics/db/transactions/#performing-actions-after-commit)",
  instead = "cache/outbox-lease",
  expect = "verified",
  mutants = {
    {
      name = "SET inside the transaction",
      from = [[      error("the payment was refused")
    end)
    redis("SET", "user:1", "pro", "EX", 300)]],
      to = [[      redis("SET", "user:1", "pro", "EX", 300)
      error("the payment was refused")
    end)]],
    },
    {
      name = "SET in any case",
      from = [[    redis("SET", "user:1", "pro", "EX", 300)
  end)]],
      to = [[  end)
  redis("SET", "user:1", "pro", "EX", 300)]],
    },
  },
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
  redis("SET", "user:1", "free", "EX", 300)
end)

client("upgrade", function()
  transaction(function() sql("UPDATE users SET plan = 'plus' WHERE id = 1") end)
  redis("SET", "user:1", "plus", "EX", 300)
end)

client("checkout", function()
  pcall(function()
    transaction(function()
      sql("UPDATE users SET plan = 'pro' WHERE id = 1")
      error("the payment was refused")
    end)
    redis("SET", "user:1", "pro", "EX", 300)
  end)
end)

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "the cache has " .. tostring(cached) .. " and the row " .. row)
end)
