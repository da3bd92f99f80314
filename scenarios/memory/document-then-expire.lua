-- A session as one document: it is written without a TTL, and an EXPIRE follows. A client that dies in between leaves
-- a document that lives for ever. (That two clients overwrite each other's documents is memory/serialized-value.)
--
-- Known from: redis/agent-memory-server, which writes a session's working memory with JSON.SET and sends EXPIRE after
-- it, since JSON.SET takes no TTL. A plain SET stands for it here; a SET could take one.
-- Sibling that holds: memory/document-set-ex.
scenario {
  name = "memory/document-then-expire",
  row = "a document, then EXPIRE",
  about = "SET of the whole document, then EXPIRE; the client may die in between",
  known_from = "redis/agent-memory-server, set_working_memory (https://github.com/redis/agent-memory-server/blob/main/agent_memory_server/working_memory.py)",
  instead = "memory/document-set-ex",
  faults = { crash = 1 },
  expect = "violated",
  message = "the session lives for ever",
}

client("web", function()
  redis("SET", "session:7", '{"messages":["hello"]}')
  redis("EXPIRE", "session:7", 3600)
end)

quiet(function()
  expect(redis("TTL", "session:7") ~= -1, "the session lives for ever")
end)
