-- A client that writes only the field it changes, beside one that forgets another field: nothing comes back.
--
-- Known from: Redis's documentation of HSET; this is what a hash is for.
-- Sibling that does not hold: memory/hmset-merge-forget.
scenario {
  name = "memory/hset-forget",
  about = "HSET of one's own field, beside an HDEL",
  known_from = "redis.io, HSET",
  expect = "verified",
  mutants = {
    { name = "write back what was read", from = [[redis("HSET", "user:123", "web", "seen")]],
      to = [[memories.web = "seen" redis("HSET", "user:123", memories)]] },
  },
}

setup(function() redis("HMSET", "user:123", "address", "Rose Lane 7") end)

client("web", function()
  local memories = redis("HGETALL", "user:123")
  redis("HSET", "user:123", "web", "seen")
end)

client("forget", function()
  redis("HDEL", "user:123", "address")
end)

finally(function()
  expect(not redis("HGET", "user:123", "address"), "the forgotten address is back")
  expect(redis("HGET", "user:123", "web"), "memory of web lost")
end)
