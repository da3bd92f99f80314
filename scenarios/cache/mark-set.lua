-- The marks of the writers are a hash with a field for each, and have no TTL; a mark removes value and lease, and a
-- fill needs its lease and no mark. The one who is done takes its own mark away. A writer that dies leaves its mark:
-- readers go to the database then, until somebody has asked it what became of the write.
--
-- What is left: marks live in Redis. Whatever makes Redis forget them (eviction, FLUSHALL, a restart onto an older
-- state) needs an epoch that the database knows.
--
-- Known from: google-cloud-ndb, pull request 705, where each writer has a lock value of its own after issue 653.
-- Sibling that does not hold: cache/single-mark.
scenario {
  name = "cache/mark-set",
  row = "mark before COMMIT, one for each writer, and leases",
  about = "marks as a hash without TTL, a fill needs its lease and no mark; two writers; anyone may die",
  known_from = "google-cloud-ndb, fix of concurrent writes to the global cache (https://github.com/googleapis/python-ndb/pull/705)",
  faults = { crash = 1 },
  expect = "verified",
  mutants = {
    {
      name = "the mark leaves the lease",
      from = [[  redis.call("HSET", KEYS[2], ARGV[1], 1)
  redis.call("DEL", KEYS[1], KEYS[3])]],
      to = [[  redis.call("HSET", KEYS[2], ARGV[1], 1)
  redis.call("DEL", KEYS[1])]],
    },
    { name = "one mark for all writers", from = [[redis.call("HDEL", KEYS[2], ARGV[1])]], to = [[redis.call("DEL", KEYS[2])]] },
    {
      name = "no mark",
      from = [[  redis("EVAL", mark, 3, "user:1", "marks:user:1", "lease:user:1", me)]],
      to = "",
    },
  },
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
  redis.call("HSET", KEYS[2], ARGV[1], 1)
  redis.call("DEL", KEYS[1], KEYS[3])
]]

local finish = [[
  redis.call("HDEL", KEYS[2], ARGV[1])
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
