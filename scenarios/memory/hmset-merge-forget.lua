-- The merge of memory/hmset-merge beside a client that forgets a field. The merge writes back all that it has read,
-- and so brings the forgotten field back: a resurrection. A request to be forgotten is undone.
--
-- Known from: session stores that map a dictionary onto a hash and write all of it back.
-- Sibling that holds: memory/hset-forget, where a client writes its own field only.
scenario {
  name = "memory/hmset-merge-forget",
  row = "HGETALL, HMSET of the whole map",
  about = "HGETALL and HMSET of the whole map, beside an HDEL",
  known_from = "redis-store/redis-rack, Mitigate race condition: deleted keys may be reintroduced (https://github.com/redis-store/redis-rack/pull/51)",
  instead = "memory/hset-forget",
  expect = "violated",
  message = "the forgotten address is back",
}

setup(function() redis("HMSET", "user:123", "address", "Rose Lane 7") end)

client("web", function()
  local memories = redis("HGETALL", "user:123")
  memories.web = "seen"
  redis("HMSET", "user:123", memories)
end)

client("forget", function()
  redis("HDEL", "user:123", "address")
end)

finally(function()
  expect(not returned("forget") or not redis("HGET", "user:123", "address"), "the forgotten address is back")
  expect(not returned("web") or redis("HGET", "user:123", "web"), "memory of web lost")
end)
