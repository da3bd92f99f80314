-- The conversation of memory/per-message-ttl as one hash with one deadline, which each message moves: all of it stays
-- while it is in use, and all of it ends together.
--
-- Known from: Redis's documentation of EXPIRE ("Navigation session": the timeout starts again at every page view).
-- Sibling that does not hold: memory/per-message-ttl.
scenario {
  name = "memory/conversation-ttl",
  row = "a hash for the conversation, one TTL",
  about = "HSET and EXPIRE of the whole conversation for each message; a message every 40 minutes",
  known_from = "redis.io, EXPIRE, pattern: navigation session (https://redis.io/docs/latest/commands/expire/)",
  expect = "verified",
  mutants = {
    { name = "only the first message gives a TTL", from = [[60 * 60) end)]], to = [[60 * 60, "NX") end)]] },
    { name = "nobody extends", from = [[redis("EXPIRE", "chat:7", 60 * 60)]], to = [[redis("PEXPIRE", "chat:7", 1)]] },
  },
}

local minutes = 60 * 1000

client("user", function()
  for n = 1, 3 do
    multi(function() redis("HSET", "chat:7", n, "message " .. n) redis("EXPIRE", "chat:7", 60 * 60) end)
    local kept = redis("HLEN", "chat:7")
    expect(kept == n, "a message is gone from a conversation in use")
    sleep(40 * minutes)
  end
end)
