-- A process keeps rows in its own memory, and whoever changes a row says so on a channel. The server goes down and comes
-- back; the process subscribes again, as its client library does by itself. What was published in between was sent
-- to nobody, and nobody sends it again: the copy in memory is old for as long as the process lives.
--
-- Known from: Redis's documentation of pub/sub, "Delivery semantics": at most once.
-- Siblings that hold: cache/local-pubsub-forget, cache/local-pubsub-ttl.
scenario {
  name = "cache/local-pubsub-reconnect",
  row = "copies in memory, PUBLISH on change; subscribes again",
  about = "a copy in memory, dropped when a message says so; the connection breaks and comes back",
  known_from = "redis.io, Pub/sub, delivery semantics (https://redis.io/docs/latest/develop/pubsub/)",
  instead = "cache/local-pubsub-forget",
  faults = { restart = 1 },
  expect = "violated",
  message = "the copy in memory is stale",
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
end)

local function plan() return sql("SELECT plan FROM users WHERE id = 1")[1].plan end

client("app", function()
  redis("SUBSCRIBE", "changed")
  local copy = plan()
  for _ = 1, 2 do
    local told, message = pcall(receive, 1000)
    if not told then
      redis("SUBSCRIBE", "changed")
    elseif message then
      copy = nil
    end
  end
  expect(copy == nil or copy == plan(), "the copy in memory is stale")
end)

client("writer", function()
  sql("UPDATE users SET plan = 'pro' WHERE id = 1")
  redis("PUBLISH", "changed", "user:1")
end)
