-- The reader of cache/tombstone is held up between its SELECT and its fill for longer than the tombstone stays. The
-- hold-off is a guess at the slowest reader, like the delay of a double delete.
--
-- Known from: MediaWiki's WANObjectCache, which states what it assumes: reads that lag by less than the hold-off.
-- Siblings that hold: cache/tombstone (nobody is held up), cache/lease-guarded-fill.
scenario {
  name = "cache/tombstone-paused",
  row = "tombstone with a TTL",
  about = "as cache/tombstone; a reader is held up for longer than the tombstone stays",
  known_from = "MediaWiki, WANObjectCache::delete (https://www.mail-archive.com/mediawiki-commits@lists.wikimedia.org/msg287908.html)",
  instead = "cache/lease-guarded-fill",
  pauses = 1,
  expect = "violated",
  message = "stale until TTL (300 s)",
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
end)

client("reader", function()
  read("user:1", function()
    local plan = redis("GET", "user:1")
    if plan and plan ~= "deleted" then return plan end
    plan = sql("SELECT plan FROM users WHERE id = 1")[1].plan
    redis("SET", "user:1", plan, "NX", "EX", 300)
    return plan
  end)
end)

client("writer", function()
  write("user:1", "pro", function()
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    redis("SET", "user:1", "deleted", "EX", 10)
  end)
end)

fresh("user:1")

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == "deleted" or cached == row, "stale until TTL (300 s)")
end)
