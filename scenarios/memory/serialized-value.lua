-- A session's memories as one serialized value: GET it, append in the application, SET it back. Two devices that do
-- so at once both read the old value, and the second SET erases what the first one added, after its client was told
-- OK.
--
-- Known from: stores that keep a session, or a chat's history, as one document under one key. Redis's documentation
-- of transactions names this race of read, modify and write.
-- Siblings that hold: memory/lua-merge, memory/watch-retry.
scenario {
  name = "memory/serialized-value",
  row = "one value: GET, append, SET",
  about = "GET, append in the application, SET",
  known_from = "sessions kept as one document: pallets-eco/flask-session (https://github.com/pallets-eco/flask-session/issues/71); tj/connect-redis (https://github.com/tj/connect-redis/issues/75); redis.io, Transactions, optimistic locking (https://redis.io/docs/latest/develop/using-commands/transactions/)",
  instead = "memory/lua-merge",
  expect = "violated",
  message = "memory of mobile lost",
}

setup(function() redis("SET", "user:123", "1,2") end)

clients { "web", "mobile", function(me)
  local memories = redis("GET", "user:123") or ""
  redis("SET", "user:123", memories .. "," .. me)
end }

finally(function()
  local memories = redis("GET", "user:123") or ""
  for _, me in ipairs { "web", "mobile" } do
    expect(not returned(me) or memories:find(me, 1, true), "memory of " .. me .. " lost")
  end
end)
