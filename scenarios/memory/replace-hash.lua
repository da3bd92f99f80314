-- A session as a hash that is replaced as a whole: HGETALL, change the map, DEL, HMSET. The DEL is there so that
-- fields removed from the map disappear; with them goes what others have added since the HGETALL.
--
-- Known from: session stores that save a whole dictionary at the end of a request.
-- Sibling that holds: memory/hmset-merge, the same without the DEL.
scenario {
  name = "memory/replace-hash",
  row = "HGETALL, DEL, HMSET of the whole map",
  about = "HGETALL, change the map, DEL, HMSET",
  known_from = "session stores that save the whole dictionary at the end of a request, e.g. https://github.com/pallets-eco/flask-session/issues/71",
  instead = "memory/hset-forget",
  expect = "violated",
  message = "memory of web lost",
}

setup(function() redis("HMSET", "user:123", "plan", "free") end)

clients { "web", "mobile", function(me)
  local memories = redis("HGETALL", "user:123")
  memories[me] = "seen"
  redis("DEL", "user:123")
  redis("HMSET", "user:123", memories)
end }

finally(function()
  for _, me in ipairs { "web", "mobile" } do
    expect(not returned(me) or redis("HGET", "user:123", me), "memory of " .. me .. " lost")
  end
end)
