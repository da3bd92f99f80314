-- The poller of cache/cdc-watermark-max-id has no watermark: it removes each change when its key is deleted, and so
-- looks at every change that ever commits, in whatever order. (A watermark needs what PostgreSQL calls
-- pg_snapshot_xmin: a number below which no transaction is open any more.)
--
-- Known from: outbox relays that delete what they have delivered; kamu-data/kamu-cli, issue 1398, on what a watermark
-- needs.
-- Sibling that does not hold: cache/cdc-watermark-max-id.
scenario {
  name = "cache/cdc-rows-removed",
  row = "CDC, each change removed when it is done",
  about = "as cache/cdc-watermark-max-id; the poller removes each change that it has carried out",
  known_from = "kamu-data/kamu-cli (https://github.com/kamu-data/kamu-cli/issues/1398)",
  expect = "verified",
  mutants = {
    {
      name = "all up to the highest are removed",
      from = [[sql("DELETE FROM changes WHERE number = ?", change.number)]],
      to = [[sql("DELETE FROM changes WHERE number <= ?", change.number)]],
    },
    {
      name = "the change goes, the key stays",
      from = [[    redis("DEL", change.key)]],
      to = "",
    },
  },
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("CREATE TABLE sequence (last INTEGER)")
  sql("CREATE TABLE changes (number INTEGER PRIMARY KEY, key TEXT)")
  sql("CREATE TABLE watermark (number INTEGER)")
  sql("INSERT INTO sequence VALUES (0)")
  sql("INSERT INTO watermark VALUES (0)")
  sql("INSERT INTO users VALUES (1, 'free'), (2, 'free')")
  redis("MSET", "user:1", "free", "user:2", "free")
end)

clients { "ann", "bob", function(me)
  local user = me == "ann" and 1 or 2
  local number = sql("UPDATE sequence SET last = last + 1 RETURNING last")[1].last
  transaction(function()
    sql("UPDATE users SET plan = 'pro' WHERE id = ?", user)
    sql("INSERT INTO changes VALUES (?, ?)", number, "user:" .. user)
  end)
end }

client("poller", function()
  local new = sql("SELECT number, key FROM changes WHERE number > (SELECT number FROM watermark) ORDER BY number")
  for _, change in ipairs(new) do
    redis("DEL", change.key)
    sql("DELETE FROM changes WHERE number = ?", change.number)
  end
end)

quiet(function()
  for user = 1, 2 do
    local cached, row = redis("GET", "user:" .. user), sql("SELECT plan FROM users WHERE id = ?", user)[1].plan
    local above = "number > (SELECT number FROM watermark)"
    local pending = sql("SELECT 1 FROM changes WHERE key = ? AND " .. above, "user:" .. user)
    expect(cached == nil or cached == row or #pending > 0, "stale, and its change will never be read")
  end
end)
