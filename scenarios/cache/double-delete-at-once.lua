-- Delete, write, delete again at once. The second DEL is meant to remove what a reader has filled in meanwhile. At
-- once is too early: a reader that has read the old row may still be on its way to fill it in.
--
-- Known from: the delayed double delete, a recipe of many articles on cache consistency, without its delay.
-- Sibling that holds: cache/double-delete-delayed.
scenario {
  name = "cache/double-delete-at-once",
  row = "double delete, at once",
  about = "DEL, UPDATE, DEL",
  known_from = "What's Wrong with Delayed Double Delete (https://www.besthub.dev/articles/what-s-wrong-with-delayed-double-delete-how-top-tech-companies-elegantly-avoid-it-4fda314ee874)",
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
    redis("DEL", "user:1")
  end)
end)

fresh("user:1")

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
