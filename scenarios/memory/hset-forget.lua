-- A client that writes only the field it changes, beside one that forgets another field: nothing comes back, however
-- much the first one has read before.
--
-- Known from: Redis's documentation of HSET, which sets the fields it is given and leaves the others.
-- Sibling that does not hold: memory/hmset-merge-forget, which writes back what it has read.
scenario {
  name = "memory/hset-forget",
  row = "HSET of one's own field",
  about = "HSET of one's own field, beside an HDEL",
  known_from = "redis.io, HSET (https://redis.io/docs/latest/commands/hset/)",
  expect = "verified",
  mutants = {
    {
      name = "write back what was read",
      from = [[redis("HSET", "user:123", "web", "seen")]],
      to = [[memories.web = "seen" redis("HSET", "user:123", memories)]],
    },
  },
}

setup(function() redis("HMSET", "user:123", "address", "Rose Lane 7") end)

client("web", function()
  local memories = redis("HGETALL", "user:123") -- for the request's own use
  redis("HSET", "user:123", "web", "seen")
end)

client("forget", function()
  redis("HDEL", "user:123", "address")
end)

finally(function()
  expect(not returned("forget") or not redis("HGET", "user:123", "address"), "the forgotten address is back")
  expect(not returned("web") or redis("HGET", "user:123", "web"), "memory of web lost")
end)
