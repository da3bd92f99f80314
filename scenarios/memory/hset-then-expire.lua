-- A session is made with HSET and given its life with EXPIRE, in two commands. A client that dies in between leaves
-- a session that lives for ever: HSET has no option for a TTL, so this is how it is mostly written.
--
-- Known from: libraries that set the TTL in a command of its own after the write (agent-memory-server, among
-- others).
-- Sibling that holds: memory/hset-expire-script.
scenario {
  name = "memory/hset-then-expire",
  about = "HSET, then EXPIRE; the client may die in between",
  known_from = "libraries that write first and set the TTL after",
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
