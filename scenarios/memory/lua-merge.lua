-- The append of memory/serialized-value as one script: Redis runs it in one piece, so nobody writes between its read
-- and its write.
--
-- Known from: Redis's documentation of scripting ("Redis guarantees the script's atomic execution").
-- Sibling that does not hold: memory/serialized-value.
scenario {
  name = "memory/lua-merge",
  row = "one value, appended in a script",
  about = "the append as one script",
  known_from = "redis.io, Scripting with Lua (https://redis.io/docs/latest/develop/programmability/eval-intro/)",
  expect = "verified",
  mutants = {
    {
      name = "read and written apart",
      from = [[redis("EVAL", append, 1, "user:123", me)]],
      to = [[redis("SET", "user:123", redis("GET", "user:123") .. "," .. me)]],
    },
  },
}

setup(function() redis("SET", "user:123", "1,2") end)

local append = [[
  local memories = redis.call("GET", KEYS[1]) or ""
  return redis.call("SET", KEYS[1], memories .. "," .. ARGV[1])
]]

clients { "web", "mobile", function(me)
  redis("EVAL", append, 1, "user:123", me)
end }

finally(function()
  local memories = redis("GET", "user:123") or ""
  for _, me in ipairs { "web", "mobile" } do
    expect(not returned(me) or memories:find(me, 1, true), "memory of " .. me .. " lost")
  end
end)
