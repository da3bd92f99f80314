-- The document of memory/document-then-expire, written with its TTL in one command. (Where the type has no such
-- option, a script or MULTI does it: memory/hset-expire-script.)
--
-- Known from: Redis's documentation of SET (the EX option).
-- Sibling that does not hold: memory/document-then-expire.
scenario {
  name = "memory/document-set-ex",
  row = "a document with its TTL in one command",
  about = "SET EX of the whole document; the client may die",
  known_from = "redis.io, SET (https://redis.io/docs/latest/commands/set/)",
  faults = { crash = 1 },
  expect = "verified",
  mutants = {
    { name = "no EX", from = [[, "EX", 3600)]], to = ")" },
    {
      name = "two commands",
      from = [[redis("SET", "session:7", '{"messages":["hello"]}', "EX", 3600)]],
      to = [[redis("SET", "session:7", '{"messages":["hello"]}') redis("EXPIRE", "session:7", 3600)]],
    },
  },
}

client("web", function()
  redis("SET", "session:7", '{"messages":["hello"]}', "EX", 3600)
end)

quiet(function()
  expect(redis("TTL", "session:7") ~= -1, "the session lives for ever")
end)
