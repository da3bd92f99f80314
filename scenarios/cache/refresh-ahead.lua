-- Refresh-ahead: a value that will soon end is loaded again before it does, so that nobody waits for the database. The
-- refresher reads the old row; a writer commits and deletes the key; the refresher writes the old row back.
--
-- Known from: Oracle Coherence, refresh-ahead caching; Guava's and Caffeine's refresh, where ben-manes/caffeine, issue
-- 193, is this race.
-- Sibling that holds: cache/refresh-ahead-compare.
scenario {
  name = "cache/refresh-ahead",
  row = "refresh-ahead, SET",
  about = "TTL, SELECT, SET before the value ends; beside UPDATE, DEL",
  known_from = "Oracle Coherence, Refresh-Ahead Caching (https://docs.oracle.com/cd/E24290_01/coh.371/e22840/readthrough.htm); https://github.com/ben-manes/caffeine/issues/193",
  instead = "cache/refresh-ahead-compare",
  expect = "violated",
  message = "stale until TTL (300 s)",
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
  redis("SET", "user:1", "free", "EX", 20)
end)

client("refresher", function()
  local left = redis("TTL", "user:1")
  if left < 0 or left > 30 then return end
  local plan = sql("SELECT plan FROM users WHERE id = 1")[1].plan
  redis("SET", "user:1", plan, "EX", 300)
end)

client("writer", function()
  sql("UPDATE users SET plan = 'pro' WHERE id = 1")
  redis("DEL", "user:1")
end)

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
