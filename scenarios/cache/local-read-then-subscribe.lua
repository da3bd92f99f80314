-- A process reads a row into its own memory and then subscribes to the channel on which changes are told. What changes
-- between the two is told to nobody.
--
-- Known from: Redis's documentation of pub/sub: a message is for those who listen when it is published.
-- Sibling that holds: cache/local-subscribe-then-read.
scenario {
  name = "cache/local-read-then-subscribe",
  row = "copies in memory, PUBLISH on change: read, SUBSCRIBE",
  about = "a copy is read into memory, then its process subscribes to changes",
  known_from = "redis.io, Pub/sub, delivery semantics (https://redis.io/docs/latest/develop/pubsub/)",
  instead = "cache/local-subscribe-then-read",
  expect = "violated",
  message = "the copy in memory is stale",
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
end)

local function plan() return sql("SELECT plan FROM users WHERE id = 1")[1].plan end

client("app", function()
  local copy = plan()
  redis("SUBSCRIBE", "changed")
  if receive(1000) then copy = nil end
  expect(copy == nil or copy == plan(), "the copy in memory is stale")
end)

client("writer", function()
  sql("UPDATE users SET plan = 'pro' WHERE id = 1")
  redis("PUBLISH", "changed", "user:1")
end)
