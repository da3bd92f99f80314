-- The writer deletes the cached copy on the primary, and that was acknowledged. A reader that is sent to the replica still
-- finds it there. Nobody puts the old row back: it is the copy that was deleted.
--
-- Known from: drivers that send reads to replicas and writes to the primary, such as ioredis (scaleReads).
-- Sibling that holds: cache/delete-read-primary.
scenario {
  name = "cache/delete-read-replica",
  row = "UPDATE, DEL; a reader at a replica",
  about = "UPDATE, then DEL; a reader that fills nothing asks the replica first, which lags behind",
  known_from = "ioredis, read-write splitting (https://github.com/redis/ioredis#read-write-splitting)",
  faults = { lag = 1 },
  instead = "cache/delete-read-primary",
  expect = "violated",
  message = "stale read",
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
  redis("SET", "user:1", "free", "EX", 300)
end)

client("reader", function()
  read("user:1", function()
    return replica("GET", "user:1") or sql("SELECT plan FROM users WHERE id = 1")[1].plan
  end)
end)

client("writer", function()
  write("user:1", "pro", function()
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    redis("DEL", "user:1")
  end)
end)

fresh("user:1")
