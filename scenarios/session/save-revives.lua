-- A request reads its session, works, and writes the session back when it ends. Meanwhile the user logs out. The late
-- write makes the deleted session anew: whoever holds the cookie is logged in again.
--
-- Known from: tj/connect-redis, issue 328; boj/redistore, issue 2.
-- Sibling that holds: session/save-if-present.
scenario {
  name = "session/save-revives",
  row = "SET at the end of the request",
  about = "GET, work, SET at the end of the request; beside a logout",
  known_from = "Race condition on logout, session alive again (https://github.com/tj/connect-redis/issues/328); https://github.com/boj/redistore/issues/2",
  instead = "session/save-if-present",
  expect = "violated",
  message = "the session is back after the logout",
}

setup(function() redis("SET", "session:7", "user=123", "EX", 3600) end)

client("request", function()
  local session = redis("GET", "session:7")
  if not session then return end
  redis("SET", "session:7", session .. ",seen", "EX", 3600)
end)

client("logout", function()
  redis("DEL", "session:7")
end)

finally(function()
  expect(not returned("logout") or not redis("GET", "session:7"), "the session is back after the logout")
end)
