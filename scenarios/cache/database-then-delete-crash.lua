-- The writer of cache/database-then-delete dies between the COMMIT and the DEL. The row is new, the key is old, and
-- nobody is left who knows. The write was never acknowledged: what is stale was promised to nobody, and stays until
-- the TTL ends.
--
-- Known from: cache-aside; the argument for an outbox, or for deleting by the database's log.
-- Sibling that holds: cache/outbox-then-delete.
scenario {
  name = "cache/database-then-delete-crash",
  row = "cache-aside: UPDATE, DEL",
  about = "UPDATE, then DEL; the writer may die in between",
  known_from = "microservices.io, Transactional outbox (https://microservices.io/patterns/data/transactional-outbox.html)",
  instead = "cache/outbox-lease",
  faults = { crash = 1 },
  expect = "violated",
  message = "stale until TTL (300 s)",
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
  redis("SET", "user:1", "free", "EX", 300)
end)

client("writer", function()
  sql("UPDATE users SET plan = 'pro' WHERE id = 1")
  redis("DEL", "user:1")
end)

local function pending() return false end -- nobody knows of a key that is still to be deleted

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row or pending(), "stale until TTL (300 s)")
end)
