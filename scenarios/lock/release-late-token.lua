-- The release of lock/release-late is a script that deletes the lock while it holds the token of this turn: wherever it
-- arrives, it removes no other lock.
--
-- Known from: Redis's documentation of SET (patterns), which has such a script; a token is of one acquisition, not of a client.
-- Sibling that does not hold: lock/release-late.
scenario {
  name = "lock/release-late-token",
  row = "SET NX PX, DEL if the token is mine, sent again without a reply",
  about = "SET NX PX, DEL if the token is that of this turn, sent again if there was no reply; the first may arrive later",
  known_from = "redis.io, SET, patterns (https://redis.io/docs/latest/commands/set/)",
  faults = { late = 1 },
  expect = "verified",
  mutants = {
    { name = "no comparison", from = [[if redis.call("GET", KEYS[1]) == ARGV[1] then]], to = "if true then" },
    { name = "one token for all turns", from = [[  turn("A 2")]], to = [[  turn("A 1")]] },
  },
}

local delete = [[
  if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end
]]

local function release(token) redis("EVAL", delete, 1, "lock:job", token) end

-- Takes the lock, is inside for a step, gives the lock back. A release without a reply is tried once more.
local function turn(token)
  if not redis("SET", "lock:job", token, "NX", "PX", 30000) then return end
  inside("job", function() redis("GET", "state") end)
  local _ = pcall(release, token) or pcall(release, token)
end

client("A", function()
  turn("A 1")
  turn("A 2")
end)
client("B", function() turn("B 1") end)

exclusive("job")
