-- The protocol of cache/local-read-then-subscribe in the other order: who listens first hears of every change to what it
-- reads then. It may hear of one that it has read already, which costs a read.
--
-- Known from: Redis's documentation of pub/sub: a message is for those who listen when it is published.
-- Sibling that does not hold: cache/local-read-then-subscribe.
scenario {
  name = "cache/local-subscribe-then-read",
  row = "copies in memory, PUBLISH on change: SUBSCRIBE, read",
  about = "a process subscribes to changes, then reads a copy into memory",
  known_from = "redis.io, Pub/sub, delivery semantics (https://redis.io/docs/latest/develop/pubsub/)",
  expect = "verified",
  mutants = {
    {
      name = "reads first",
      from = [[  redis("SUBSCRIBE", "changed")
  local copy = plan()]],
      to = [[  local copy = plan()
  redis("SUBSCRIBE", "changed")]],
    },
    {
      name = "told before it is done",
      from = [[  sql("UPDATE users SET plan = 'pro' WHERE id = 1")
  redis("PUBLISH", "changed", "user:1")]],
      to = [[  redis("PUBLISH", "changed", "user:1")
  sql("UPDATE users SET plan = 'pro' WHERE id = 1")]],
    },
  },
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
end)

local function plan() return sql("SELECT plan FROM users WHERE id = 1")[1].plan end

client("app", function()
  redis("SUBSCRIBE", "changed")
  local copy = plan()
  if receive(1000) then copy = nil end
  expect(copy == nil or copy == plan(), "the copy in memory is stale")
end)

client("writer", function()
  sql("UPDATE users SET plan = 'pro' WHERE id = 1")
  redis("PUBLISH", "changed", "user:1")
end)
