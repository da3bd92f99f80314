-- The writer of cache/database-then-delete-crash writes down, in the same transaction, which key is to be deleted;
-- relays delete it. A writer that dies has committed both rows, or neither; a relay that dies leaves its job to the
-- other. A relay looks once here, and again and again in production: what is in the outbox at the end is on its way.
--
-- Known from: the transactional outbox (microservices.io, "Transactional outbox").
-- Sibling that does not hold: cache/database-then-delete-crash.
scenario {
  name = "cache/outbox-then-delete",
  row = "outbox: a relay deletes the key, no reader fills",
  about = "UPDATE and an outbox row in one transaction; two relays delete the key; anyone may die",
  known_from = "microservices.io, Transactional outbox (https://microservices.io/patterns/data/transactional-outbox.html)",
  instead = "cache/outbox-lease",
  faults = { crash = 1 },
  expect = "verified",
  mutants = {
    {
      name = "the outbox row in a transaction of its own",
      from = [[    sql("INSERT INTO outbox (key) VALUES ('user:1')")
  end)]],
      to = [[  end)
  sql("INSERT INTO outbox (key) VALUES ('user:1')")]],
    },
    {
      name = "the row goes before the key",
      from = [[    redis("DEL", job.key)
    sql("DELETE FROM outbox WHERE id = ?", job.id)]],
      to = [[    sql("DELETE FROM outbox WHERE id = ?", job.id)
    redis("DEL", job.key)]],
    },
  },
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("CREATE TABLE outbox (id INTEGER PRIMARY KEY, key TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
  redis("SET", "user:1", "free", "EX", 300)
end)

client("writer", function()
  transaction(function()
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    sql("INSERT INTO outbox (key) VALUES ('user:1')")
  end)
end)

clients { "relay-1", "relay-2", function()
  for _, job in ipairs(sql("SELECT id, key FROM outbox ORDER BY id")) do
    redis("DEL", job.key)
    sql("DELETE FROM outbox WHERE id = ?", job.id)
  end
end }

local function pending() return #sql("SELECT 1 FROM outbox") > 0 end

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row or pending(), "stale until TTL (300 s)")
end)
