-- A session is made with HSET and given its life with EXPIRE, in two commands, since HSET takes no TTL for the key.
-- A client that dies in between leaves a session that lives for ever.
--
-- Known from: Redis's documentation of HSET and EXPIRE; libraries that write first and set the TTL after.
-- Sibling that holds: memory/hset-expire-script.
scenario {
  name = "memory/hset-then-expire",
  row = "HSET, then EXPIRE",
  about = "HSET, then EXPIRE; the client may die in between",
  known_from = "redis.io, HSET (https://redis.io/docs/latest/commands/hset/); redis.io, EXPIRE (https://redis.io/docs/latest/commands/expire/)",
  instead = "memory/hset-expire-script",
  faults = { crash = 1 },
  expect = "violated",
  message = "the session lives for ever",
}

client("web", function()
  redis("HSET", "session:7", "user", "123")
  redis("EXPIRE", "session:7", 3600)
end)

quiet(function()
  expect(redis("TTL", "session:7") ~= -1, "the session lives for ever")
end)
