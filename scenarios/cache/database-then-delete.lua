-- Cache-aside as it is recommended: write the row, then delete the key; a reader fills on a miss. The key is not
-- there at the start. A reader misses and reads the old row; the writer commits and deletes nothing; the reader
-- fills in the old row, which stays until its TTL ends. No crash, no slow disk, no wrong order: the refill race.
--
-- Known from: "Scaling Memcache at Facebook" (NSDI 2013), section 3.2.1, where these are the stale sets that leases
-- prevent.
-- Sibling that holds: cache/lease-guarded-fill. With a warm key and one write it cannot happen:
-- cache/database-then-delete-warm.
scenario {
  name = "cache/database-then-delete",
  row = "cache-aside: UPDATE, DEL",
  about = "UPDATE, then DEL; a reader fills on a miss; the key is cold",
  known_from = "cache-aside; Nishtala et al., Scaling Memcache at Facebook, NSDI 2013, stale sets (https://www.usenix.org/conference/nsdi13/technical-sessions/presentation/nishtala)",
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
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    redis("DEL", "user:1")
  end)
end)

fresh("user:1")

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
