-- The append of memory/serialized-value under WATCH, tried again whenever EXEC reports a change in between. An EXEC
-- fails only because another client's EXEC went through, so of n clients each tries again at most n - 1 times
-- (and once more for a key that is evicted or flushed meanwhile).
--
-- Known from: Redis's documentation of transactions, "Optimistic locking using check-and-set"; redis-py's
-- `transaction` helper loops in the same way on WatchError.
-- Sibling that does not hold: memory/watch-without-retry.
scenario {
  name = "memory/watch-retry",
  row = "WATCH, MULTI, EXEC, again if refused",
  about = "WATCH, GET, MULTI SET EXEC, again if EXEC was refused",
  known_from = "redis.io, Transactions, optimistic locking (https://redis.io/docs/latest/develop/using-commands/transactions/)",
  expect = "verified",
  mutants = {
    { name = "no WATCH", from = [[redis("WATCH", "user:123")]], to = "" },
    { name = "no retry", from = "until done", to = "until true" },
  },
}

setup(function() redis("SET", "user:123", "1,2") end)

clients { "web", "mobile", function(me)
  local tries = 0
  repeat
    redis("WATCH", "user:123")
    local memories = redis("GET", "user:123") or ""
    local done = multi(function() redis("SET", "user:123", memories .. "," .. me) end)
    tries = tries + 1
  until done
  expect(tries <= 3, me .. " had to retry again and again")
end }

finally(function()
  local memories = redis("GET", "user:123") or ""
  for _, me in ipairs { "web", "mobile" } do
    expect(not returned(me) or memories:find(me, 1, true), "memory of " .. me .. " lost")
  end
end)
