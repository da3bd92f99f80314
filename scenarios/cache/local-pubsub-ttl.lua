-- The protocol of cache/local-pubsub-reconnect, and every copy ends after a minute. A message that is lost then costs a
-- minute: whatever goes wrong, nothing is older.
--
-- Known from: Redis's documentation of client-side caching, which advises a TTL for every cached key.
-- Sibling that does not hold: cache/local-pubsub-reconnect.
scenario {
  name = "cache/local-pubsub-ttl",
  row = "copies in memory for a minute, PUBLISH on change; subscribes again",
  about = "a copy in memory for a minute, dropped when a message says so; the connection breaks and comes back",
  known_from = "redis.io, Client-side caching, limiting the amount of memory used by clients (https://redis.io/docs/latest/develop/reference/client-side-caching/)",
  faults = { restart = 1 },
  expect = "verified",
  mutants = {
    { name = "for ever", from = [[if now() >= read_at + 60000 then copy = nil end]], to = "" },
  },
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
end)

local function plan() return sql("SELECT plan FROM users WHERE id = 1")[1].plan end

client("app", function()
  redis("SUBSCRIBE", "changed")
  local read_at = now()
  local copy = plan()
  for _ = 1, 2 do
    local told, message = pcall(receive, 1000)
    if not told then
      redis("SUBSCRIBE", "changed")
    elseif message then
      copy = nil
    end
  end
  sleep(60000)
  if now() >= read_at + 60000 then copy = nil end
  expect(copy == nil or copy == plan(), "the copy in memory is stale")
end)

client("writer", function()
  sql("UPDATE users SET plan = 'pro' WHERE id = 1")
  redis("PUBLISH", "changed", "user:1")
end)
