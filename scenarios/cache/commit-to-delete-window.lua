-- The protocol of cache/database-then-delete-warm, asked a harder question: does every read that starts after the
-- COMMIT see the new row? Not between COMMIT and DEL: the row is new, and the cache still gives the old value.
--
-- This is another window than the refill race (cache/database-then-delete). It is short, it closes by itself, and
-- while it is open nobody has been told that the write is done: counted from the acknowledgement, nothing is stale.
-- But whoever compares the database with what users see at that moment, at two in the morning, meets this one.
--
-- Known from: cache-aside, in which there is always a moment between the two writes.
-- Siblings that hold: cache/database-then-delete-warm (counted from the acknowledgement), cache/mark-before-commit.
scenario {
  name = "cache/commit-to-delete-window",
  row = "UPDATE, DEL; asked at COMMIT",
  about = "UPDATE, then DEL; staleness counted from COMMIT",
  known_from = "Azure Architecture Center, Cache-Aside pattern (https://learn.microsoft.com/en-us/azure/architecture/patterns/cache-aside)",
  instead = "cache/mark-before-commit",
  expect = "violated",
  message = "stale read: a committed write of user:1 was not seen",
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

fresh("user:1", "commit")

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
