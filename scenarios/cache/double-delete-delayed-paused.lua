-- The protocol of cache/double-delete-delayed with one pause: a reader is held up between its SELECT and its SET for
-- longer than the writer waits (a garbage collection, a full connection pool, a virtual machine being moved).
--
-- Known from: the delayed double delete, whose delay is a guess at the slowest reader.
-- Siblings that hold: cache/double-delete-delayed (nobody is held up), cache/lease-guarded-fill (no delay to guess).
scenario {
  name = "cache/double-delete-delayed-paused",
  row = "double delete, after a delay",
  about = "DEL, UPDATE, wait, DEL; a reader is slower than the wait",
  known_from = "What's Wrong with Delayed Double Delete (https://www.besthub.dev/articles/what-s-wrong-with-delayed-double-delete-how-top-tech-companies-elegantly-avoid-it-4fda314ee874)",
  instead = "cache/lease-guarded-fill",
  pauses = 1,
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
    sleep(500)
    redis("DEL", "user:1") -- whatever was filled in meanwhile
  end)
end)

fresh("user:1")

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
