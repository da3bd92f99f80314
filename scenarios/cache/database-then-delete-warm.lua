-- The protocol of cache/database-then-delete, with the key in the cache at the start, one write, and no expiry on
-- the way. A reader can miss only after the DEL, and so after the COMMIT: what it fills in is the new row. So a test
-- that warms the cache first never meets the refill race; a key that has just expired does.
--
-- Known from: cache-aside, in the order that is recommended for it.
-- Siblings that do not hold: cache/delete-then-database (the other order), cache/database-then-delete (a cold key),
-- cache/commit-to-delete-window (a stricter check).
scenario {
  name = "cache/database-then-delete-warm",
  row = "cache-aside: UPDATE, DEL; the key is warm, and written once",
  about = "UPDATE, then DEL; a reader fills on a miss; the key is warm, and written once",
  known_from = "Azure Architecture Center, Cache-Aside pattern (https://learn.microsoft.com/en-us/azure/architecture/patterns/cache-aside)",
  instead = "cache/lease-guarded-fill",
  expect = "verified",
  mutants = {
    { name = "no DEL", from = [[    redis("DEL", "user:1")]], to = "" },
    {
      name = "DEL first",
      from = [[    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    redis("DEL", "user:1")]],
      to = [[    redis("DEL", "user:1")
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")]],
    },
    { name = "acknowledged at COMMIT", from = [[    redis("DEL", "user:1")
  end)]], to = [[  end)
  redis("DEL", "user:1")]] },
  },
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
  redis("SET", "user:1", "free", "EX", 300)
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
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    redis("DEL", "user:1")
  end)
end)

fresh("user:1")

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
