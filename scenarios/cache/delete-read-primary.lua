-- The protocol of cache/delete-read-replica, with the reader sent to the primary: when the write is acknowledged the old copy
-- is gone, and a reader that fills nothing cannot bring it back.
--
-- Known from: the cache-aside pattern, without its refill.
-- Sibling that does not hold: cache/delete-read-replica.
scenario {
  name = "cache/delete-read-primary",
  row = "UPDATE, DEL; a reader at the primary",
  about = "UPDATE, then DEL; a reader that fills nothing asks the primary first; the replica lags behind",
  known_from = "Azure Architecture Center, Cache-Aside pattern (https://learn.microsoft.com/en-us/azure/architecture/patterns/cache-aside)",
  faults = { lag = 1 },
  expect = "verified",
  mutants = {
    { name = "a reader at the replica", from = [[return redis("GET", "user:1") or]], to = [[return replica("GET", "user:1") or]] },
    { name = "no deletion", from = [[redis("DEL", "user:1")]], to = [[redis("GET", "user:1")]] },
  },
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
  redis("SET", "user:1", "free", "EX", 300)
end)

client("reader", function()
  read("user:1", function()
    return redis("GET", "user:1") or sql("SELECT plan FROM users WHERE id = 1")[1].plan
  end)
end)

client("writer", function()
  write("user:1", "pro", function()
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    redis("DEL", "user:1")
  end)
end)

fresh("user:1")
