-- Cache-aside where the writer deletes the key first and then writes the row. A reader that misses in between reads
-- the old row and fills the cache with it; nothing deletes it any more.
--
-- Known from: the oldest question about cache-aside, "which goes first?"; Microsoft's description of the pattern
-- warns that with this order a client may fetch the item before the data store is updated.
-- Sibling that holds: cache/database-then-delete-warm, the other order.
scenario {
  name = "cache/delete-then-database",
  row = "cache-aside: DEL, UPDATE",
  about = "DEL, then UPDATE; a reader fills on a miss",
  known_from = "Azure Architecture Center, Cache-Aside pattern (https://learn.microsoft.com/en-us/azure/architecture/patterns/cache-aside)",
  instead = "cache/lease-guarded-fill",
  expect = "violated",
  message = "stale until TTL (300 s)",
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
    redis("DEL", "user:1")
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
  end)
end)

fresh("user:1")

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
