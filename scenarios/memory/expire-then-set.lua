-- One request extends a session's life with EXPIRE while another saves it with SET. A SET without KEEPTTL discards
-- the TTL: if it comes second, the session never expires, although a request has just said when it should.
--
-- Known from: Redis's documentation of SET ("any previous time to live associated with the key is discarded").
-- Sibling that holds: memory/set-ex.
scenario {
  name = "memory/expire-then-set",
  row = "SET that forgets the TTL",
  about = "EXPIRE k beside a SET k v without KEEPTTL",
  known_from = "redis.io, SET (https://redis.io/docs/latest/commands/set/); redis.io, EXPIRE (https://redis.io/docs/latest/commands/expire/)",
  instead = "memory/set-ex",
  expect = "violated",
  message = "the session never expires",
}

setup(function() redis("SET", "session:7", "cart=1") end)

client("touch", function() redis("EXPIRE", "session:7", 3600) end)

client("save", function() redis("SET", "session:7", "cart=2") end)

finally(function()
  expect(not returned("touch") or redis("TTL", "session:7") ~= -1, "the session never expires")
end)
