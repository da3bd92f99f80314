-- A session's memories as one serialized value: GET it, append in the application, SET it back. Two devices that do
-- so at once both read the old value, and the second SET erases what the first one added.
--
-- Known from: every store that keeps a session as one document under one key (PHP's session handlers, JSON blobs of
-- chat histories). Redis's own documentation names the read-modify-write race in the page on transactions.
-- Siblings that hold: memory/lua-merge, memory/watch-retry.
scenario {
  name = "memory/serialized-value",
  about = "GET, append in the application, SET",
  known_from = "sessions kept as one serialized document; redis.io, Transactions (optimistic locking)",
  expect = "violated",
  message = "memory of mobile lost",
}

setup(function() redis("SET", "user:123", "1,2") end)

clients { "web", "mobile", function(me)
  local memories = redis("GET", "user:123")
  redis("SET", "user:123", memories .. "," .. me)
end }

finally(function()
  local memories = redis("GET", "user:123")
  for _, me in ipairs { "web", "mobile" } do
    expect(memories:find(me, 1, true), "memory of " .. me .. " lost")
  end
end)
