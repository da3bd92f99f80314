-- The append of memory/serialized-value under WATCH, but nobody looks at what EXEC says. A refused EXEC changes
-- nothing and replies null; a client that takes it for success has lost its memory.
--
-- Known from: Redis's documentation of transactions, which asks to repeat the operation when EXEC replies null.
-- Sibling that holds: memory/watch-retry.
scenario {
  name = "memory/watch-without-retry",
  row = "WATCH, MULTI, EXEC, whatever EXEC says",
  about = "WATCH, GET, MULTI SET EXEC, whatever EXEC says",
  known_from = "redis.io, Transactions, optimistic locking (https://redis.io/docs/latest/develop/using-commands/transactions/)",
  instead = "memory/watch-retry",
  expect = "violated",
  message = "memory of web lost",
}

setup(function() redis("SET", "user:123", "1,2") end)

clients { "web", "mobile", function(me)
  redis("WATCH", "user:123")
  local memories = redis("GET", "user:123") or ""
  multi(function() redis("SET", "user:123", memories .. "," .. me) end)
end }

finally(function()
  local memories = redis("GET", "user:123") or ""
  for _, me in ipairs { "web", "mobile" } do
    expect(not returned(me) or memories:find(me, 1, true), "memory of " .. me .. " lost")
  end
end)
