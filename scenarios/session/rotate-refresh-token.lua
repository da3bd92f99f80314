-- A refresh token is good once: who presents it gets the next one, and who presents one that is not current is taken
-- for a thief, so that the session is revoked. Two tabs of one browser hold the same token and refresh at the same
-- moment; the second is taken for the thief.
--
-- Known from: nightscout/nocturne, pull request 326 (415 of 679 tokens revoked as reused); opendefender/OpenRisk,
-- issue 700.
-- Sibling that holds: session/rotate-with-grace.
scenario {
  name = "session/rotate-refresh-token",
  row = "refresh token, good once",
  about = "GET, compare, SET of the next token; another token than the current one revokes; two tabs",
  known_from = "nightscout/nocturne (https://github.com/nightscout/nocturne/pull/326); opendefender/OpenRisk (https://github.com/opendefender/OpenRisk/issues/700)",
  instead = "session/rotate-with-grace",
  expect = "violated",
  message = "signed out, although every token was good",
}

setup(function() redis("SET", "refresh:7", "first") end)

clients { "tab-1", "tab-2", function(me)
  if redis("GET", "refresh:7") == "first" then
    redis("SET", "refresh:7", "next of " .. me)
  else
    redis("DEL", "refresh:7")
  end
end }

finally(function()
  expect(redis("GET", "refresh:7"), "signed out, although every token was good")
end)
