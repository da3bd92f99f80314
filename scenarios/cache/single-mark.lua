-- Two writers mark one key before they commit, and the mark is one key for both. The first to be done takes it away,
-- while the other has not committed yet: a reader fills, the other commits, and dies before it deletes what was filled.
-- (Fills need a lease, as in cache/mark-set, so that the mark alone is to blame.)
--
-- Known from: google-cloud-ndb, issue 653: a second writer overwrites the lock of the first, and the first deletes it.
-- Sibling that holds: cache/mark-set.
scenario {
  name = "cache/single-mark",
  row = "mark before COMMIT, one for all writers",
  about = "one mark key for all writers, a fill needs its lease and no mark; two writers; anyone may die",
  known_from = "google-cloud-ndb, Overwriting of lock on writes can lead to cache inconsistency (https://github.com/googleapis/python-ndb/issues/653)",
  instead = "cache/mark-set",
  faults = { crash = 1 },
  expect = "violated",
  message = "stale until TTL (300 s)",
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
end)

local lookup = [[
  if redis.call("EXISTS", KEYS[2]) == 1 then return "marked" end
  local plan = redis.call("GET", KEYS[1])
  if plan then return "hit" end
  redis.call("SET", KEYS[3], ARGV[1])
  return "fill"
]]

local fill = [[
  if redis.call("GET", KEYS[2]) == ARGV[1] then redis.call("SET", KEYS[1], ARGV[2], "EX", 300) end
]]

local mark = [[
  redis.call("SET", KEYS[2], ARGV[1])
  redis.call("DEL", KEYS[1], KEYS[3])
]]

local finish = [[
  redis.call("DEL", KEYS[2])
  redis.call("DEL", KEYS[1], KEYS[3])
]]

client("reader", function()
  local found = redis("EVAL", lookup, 3, "user:1", "marks:user:1", "lease:user:1", "reader")
  if found == "hit" then return end
  local plan = sql("SELECT plan FROM users WHERE id = 1")[1].plan
  if found == "fill" then redis("EVAL", fill, 2, "user:1", "lease:user:1", "reader", plan) end
end)

local function write(me, change)
  redis("EVAL", mark, 3, "user:1", "marks:user:1", "lease:user:1", me)
  change()
  redis("EVAL", finish, 3, "user:1", "marks:user:1", "lease:user:1", me)
end

client("pro", function()
  write("pro", function() sql("UPDATE users SET plan = 'pro' WHERE id = 1") end)
end)

client("refused", function()
  write("refused", function() end) -- its transaction is rolled back
end)

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
