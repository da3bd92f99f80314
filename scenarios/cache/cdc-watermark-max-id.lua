-- A poller reads the changes above its watermark and moves the watermark to the highest number that it has seen. But
-- numbers are taken before the COMMIT, and not in its order: change 2 commits first, the watermark becomes 2, change 1
-- commits, and nobody ever looks at it. The key keeps its old value. (The sequence is a table of its own here, written
-- outside the transaction, since SQLite's row ids are given in the order of the commits. PostgreSQL's are not.)
--
-- Known from: kamu-data/kamu-cli, issue 1398; Eventuous, issue 222; "Ordering in Postgres outbox" at event-driven.io.
-- Sibling that holds: cache/cdc-rows-removed.
scenario {
  name = "cache/cdc-watermark-max-id",
  row = "CDC with a watermark, max(id)",
  about = "changes numbered by a sequence; a poller deletes the keys above its watermark and moves it to the highest",
  known_from = "kamu-data/kamu-cli (https://github.com/kamu-data/kamu-cli/issues/1398); Eventuous (https://github.com/Eventuous/eventuous/issues/222)",
  instead = "cache/cdc-rows-removed",
  expect = "violated",
  message = "stale, and its change will never be read",
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
  for _, change in ipairs(new) do redis("DEL", change.key) end
  if #new > 0 then sql("UPDATE watermark SET number = ?", new[#new].number) end
end)

quiet(function()
  for user = 1, 2 do
    local cached, row = redis("GET", "user:" .. user), sql("SELECT plan FROM users WHERE id = ?", user)[1].plan
    local above = "number > (SELECT number FROM watermark)"
    local pending = sql("SELECT 1 FROM changes WHERE key = ? AND " .. above, "user:" .. user)
    expect(cached == nil or cached == row or #pending > 0, "stale, and its change will never be read")
  end
end)
