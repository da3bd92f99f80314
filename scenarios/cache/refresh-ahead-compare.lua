-- The refresher of cache/refresh-ahead replaces the value that it has seen, and no other: if the key was deleted
-- meanwhile, the refreshed value is dropped.
--
-- Known from: Caffeine, which drops a refresh whose entry has changed meanwhile (ben-manes/caffeine, issue 193).
-- Sibling that does not hold: cache/refresh-ahead.
scenario {
  name = "cache/refresh-ahead-compare",
  row = "refresh-ahead, compare and SET",
  about = "GET, SELECT, SET in a script if the value is still the one seen; beside UPDATE, DEL",
  known_from = "Caffeine (https://github.com/ben-manes/caffeine/issues/193)",
  instead = "cache/lease-guarded-fill",
  expect = "verified",
  mutants = {
    { name = "no comparison", from = [[if redis.call("GET", KEYS[1]) == ARGV[1] then]], to = "if true then" },
    {
      name = "only if there is a value",
      from = [[  redis("EVAL", replace, 1, "user:1", seen, plan)]],
      to = [[  if redis("EXISTS", "user:1") == 1 then redis("SET", "user:1", plan, "EX", 300) end]],
    },
  },
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
  redis("SET", "user:1", "free", "EX", 20)
end)

local replace = [[
  if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("SET", KEYS[1], ARGV[2], "EX", 300) end
]]

client("refresher", function()
  local seen = redis("GET", "user:1")
  if not seen then return end
  local plan = sql("SELECT plan FROM users WHERE id = 1")[1].plan
  redis("EVAL", replace, 1, "user:1", seen, plan)
end)

client("writer", function()
  sql("UPDATE users SET plan = 'pro' WHERE id = 1")
  redis("DEL", "user:1")
end)

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
