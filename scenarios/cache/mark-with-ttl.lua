-- The mark of cache/mark-before-commit with a TTL, so that a writer that dies does not leave it for ever. A writer that
-- is held up between the mark and its COMMIT for longer commits without a mark: a mark with a TTL is a lock with a TTL,
-- and nothing at the database asks for it.
--
-- Known from: google-cloud-ndb's global cache, whose locks have an expiry; dtm-labs/rockscache, LockExpire.
-- Sibling that holds: cache/mark-before-commit.
scenario {
  name = "cache/mark-with-ttl",
  row = "mark before COMMIT, with a TTL",
  about = "mark EX 10, UPDATE, then DEL of mark and value; the writer is held up; staleness counted from COMMIT",
  known_from = "google-cloud-ndb, global cache (https://github.com/googleapis/python-ndb/issues/653); dtm-labs/rockscache, LockExpire (https://github.com/dtm-labs/rockscache)",
  instead = "cache/mark-set",
  pauses = 1,
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
    local mark, plan = unpack(redis("MGET", "mark:user:1", "user:1"))
    if plan ~= null and mark == null then return plan end
    plan = sql("SELECT plan FROM users WHERE id = 1")[1].plan
    if mark == null then redis("SET", "user:1", plan, "EX", 300) end
    return plan
  end)
end)

client("writer", function()
  write("user:1", "pro", function()
    redis("SET", "mark:user:1", "writer", "EX", 10)
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    redis("DEL", "mark:user:1", "user:1")
  end)
end)

fresh("user:1", "commit")

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
