-- The two commands of memory/hset-then-expire in one script: a client that dies has had both carried out, or neither.
--
-- Known from: Redis's documentation of scripting ("Redis guarantees the script's atomic execution").
-- Sibling that does not hold: memory/hset-then-expire.
scenario {
  name = "memory/hset-expire-script",
  row = "HSET and EXPIRE in one script",
  about = "HSET and EXPIRE in one script; the client may die",
  known_from = "redis.io, Scripting with Lua (https://redis.io/docs/latest/develop/programmability/eval-intro/)",
  faults = { crash = 1 },
  expect = "verified",
  mutants = {
    { name = "the script sets no TTL", from = [[redis.call("EXPIRE", KEYS[1], ARGV[3])]], to = "" },
    {
      name = "two commands",
      from = [[redis("EVAL", make, 1, "session:7", "user", "123", 3600)]],
      to = [[redis("HSET", "session:7", "user", "123") redis("EXPIRE", "session:7", 3600)]],
    },
  },
}

local make = [[
  redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
  redis.call("EXPIRE", KEYS[1], ARGV[3])
]]

client("web", function()
  redis("EVAL", make, 1, "session:7", "user", "123", 3600)
end)

quiet(function()
  expect(redis("TTL", "session:7") ~= -1, "the session lives for ever")
end)
