-- An outbox makes sure that the key is deleted, not when: a reader that has read the row before the COMMIT may fill
-- after the relay's DEL, and then nothing is left that would delete it. Change data capture that deletes keys is the
-- same protocol with the database's log as its outbox.
--
-- Known from: the transactional outbox, and cache invalidation by change data capture (Debezium); the race is the one
-- of cache/database-then-delete.
-- Sibling that holds: cache/outbox-lease.
scenario {
  name = "cache/outbox-refill",
  row = "outbox or CDC: a relay deletes the key",
  about = "UPDATE and an outbox row in one transaction; a relay deletes the key; a reader fills on a miss",
  known_from = "microservices.io, Transactional outbox (https://microservices.io/patterns/data/transactional-outbox.html); Debezium (https://github.com/debezium/debezium)",
  instead = "cache/outbox-lease",
  expect = "violated",
  message = "stale until TTL (300 s)",
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("CREATE TABLE outbox (id INTEGER PRIMARY KEY, key TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
end)

client("reader", function()
  if redis("GET", "user:1") then return end
  local plan = sql("SELECT plan FROM users WHERE id = 1")[1].plan
  redis("SET", "user:1", plan, "EX", 300)
end)

client("writer", function()
  transaction(function()
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    sql("INSERT INTO outbox (key) VALUES ('user:1')")
  end)
end)

client("relay", function()
  for _, job in ipairs(sql("SELECT id, key FROM outbox ORDER BY id")) do
    redis("DEL", job.key)
    sql("DELETE FROM outbox WHERE id = ?", job.id)
  end
end)

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  local pending = sql("SELECT count(*) AS n FROM outbox")[1].n
  expect(cached == nil or cached == row or pending > 0, "stale until TTL (300 s)")
end)
