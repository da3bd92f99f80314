-- A session as a hash: read all of it, add a field of one's own, write all of it back with HMSET. Folklore has it
-- that this loses fields. It does not lose *distinct new* ones: HMSET adds and overwrites, it never removes. What it
-- does lose: a concurrent change of the same field (memory/counter-read-modify-write), and the removal of a field
-- (memory/hmset-merge-forget).
--
-- Known from: session stores that map a dictionary onto a hash.
-- Sibling that does not hold: memory/replace-hash, which deletes before it writes.
scenario {
  name = "memory/hmset-merge",
  row = "HGETALL, HMSET of the whole map",
  about = "HGETALL, a new field of one's own, HMSET of the whole map",
  known_from = "redis-store/redis-rack, Mitigate race condition (https://github.com/redis-store/redis-rack/pull/51)",
  instead = "memory/hset-forget",
  expect = "verified",
  mutants = {
    {
      name = "delete before writing",
      from = [[redis("HMSET", "user:123", memories)]],
      to = [[redis("DEL", "user:123") redis("HMSET", "user:123", memories)]],
    },
  },
}

setup(function() redis("HMSET", "user:123", "plan", "free") end)

clients { "web", "mobile", function(me)
  local memories = redis("HGETALL", "user:123")
  memories[me] = "seen"
  redis("HMSET", "user:123", memories)
end }

finally(function()
  for _, me in ipairs { "web", "mobile" } do
    expect(not returned(me) or redis("HGET", "user:123", me), "memory of " .. me .. " lost")
  end
end)
