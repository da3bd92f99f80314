-- The request of session/save-revives writes with XX: only a session that is still there is written. (What another
-- request has saved meanwhile is overwritten all the same: memory/serialized-value.)
--
-- Known from: Redis's documentation of SET (the XX option).
-- Sibling that does not hold: session/save-revives.
scenario {
  name = "session/save-if-present",
  row = "SET XX at the end of the request",
  about = "GET, work, SET XX at the end of the request; beside a logout",
  known_from = "redis.io, SET (https://redis.io/docs/latest/commands/set/)",
  expect = "verified",
  mutants = { { name = "no XX", from = [["EX", 3600, "XX")]], to = [["EX", 3600)]] } },
}

setup(function() redis("SET", "session:7", "user=123", "EX", 3600) end)

client("request", function()
  local session = redis("GET", "session:7")
  if not session then return end
  redis("SET", "session:7", session .. ",seen", "EX", 3600, "XX")
end)

client("logout", function()
  redis("DEL", "session:7")
end)

finally(function()
  expect(not returned("logout") or not redis("GET", "session:7"), "the session is back after the logout")
end)
