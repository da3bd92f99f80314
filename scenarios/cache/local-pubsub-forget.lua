-- The protocol of cache/local-pubsub-reconnect, and who has lost the connection drops all copies once it has subscribed
-- again: what it reads after that is new, or a message will say that it is not.
--
-- Known from: Redis's documentation of client-side caching, "What to do when losing connection with the server".
-- Sibling that does not hold: cache/local-pubsub-reconnect.
scenario {
  name = "cache/local-pubsub-forget",
  row = "copies in memory, PUBLISH on change; subscribes again and forgets all",
  about = "a copy in memory, dropped when a message says so, and when the connection has broken",
  known_from = "redis.io, Client-side caching, what to do when losing connection with the server (https://redis.io/docs/latest/develop/reference/client-side-caching/)",
  faults = { restart = 1 },
  expect = "verified",
  mutants = {
    { name = "forgets nothing", from = [[      copy = nil -- whatever was said meanwhile]], to = "" },
    {
      name = "forgets, reads, and subscribes then",
      from = [[      redis("SUBSCRIBE", "changed")
      copy = nil -- whatever was said meanwhile]],
      to = [[      copy = plan()
      redis("SUBSCRIBE", "changed")]],
    },
    { name = "no message", from = [[  redis("PUBLISH", "changed", "user:1")]], to = "" },
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
  for _ = 1, 2 do
    local told, message = pcall(receive, 1000)
    if not told then
      redis("SUBSCRIBE", "changed")
      copy = nil -- whatever was said meanwhile
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
