-- Delete, write, wait, delete again. If no reader takes longer than the wait to fill in what it has read, the second
-- DEL removes every stale fill. That is an assumption about time, and here it is granted: pauses = 0.
--
-- Known from: the delayed double delete, a recipe of many articles on cache consistency.
-- Siblings that do not hold: cache/double-delete-at-once, cache/double-delete-delayed-paused.
scenario {
  name = "cache/double-delete-delayed",
  row = "double delete, after a delay",
  about = "DEL, UPDATE, wait, DEL; no reader is slower than the wait",
  known_from = "What's Wrong with Delayed Double Delete (https://www.besthub.dev/articles/what-s-wrong-with-delayed-double-delete-how-top-tech-companies-elegantly-avoid-it-4fda314ee874)",
  instead = "cache/lease-guarded-fill",
  expect = "verified",
  mutants = {
    { name = "no wait", from = "    sleep(500)\n", to = "" },
    { name = "no second DEL", from = [[    redis("DEL", "user:1") -- whatever was filled in meanwhile]], to = "" },
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
