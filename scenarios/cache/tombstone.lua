-- The writer does not delete the key, it writes a tombstone that stays for 10 seconds, and a reader fills with NX, which
-- a tombstone refuses. So a fill whose read is older than the write finds the tombstone, if it comes within 10 seconds:
-- nobody is held up for longer here (pauses = 0).
--
-- Known from: MediaWiki's WANObjectCache, whose delete() keeps a tombstone for a hold-off time; Shopify's identity_cache.
-- Siblings that do not hold: cache/database-then-delete (no tombstone), cache/tombstone-paused.
scenario {
  name = "cache/tombstone",
  row = "tombstone with a TTL",
  about = "UPDATE, then SET of a tombstone EX 10; a reader fills with NX",
  known_from = "MediaWiki, WANObjectCache::delete (https://www.mail-archive.com/mediawiki-commits@lists.wikimedia.org/msg287908.html)",
  instead = "cache/lease-guarded-fill",
  expect = "verified",
  mutants = {
    { name = "no NX", from = [[plan, "NX", "EX", 300)]], to = [[plan, "EX", 300)]] },
    {
      name = "DEL instead of a tombstone",
      from = [[redis("SET", "user:1", "deleted", "EX", 10)]],
      to = [[redis("DEL", "user:1")]],
    },
    {
      name = "the tombstone first",
      from = [[    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    redis("SET", "user:1", "deleted", "EX", 10)
  end)]],
      to = [[    redis("SET", "user:1", "deleted", "EX", 10)
    redis("DEL", "user:1")
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
  end)]],
    },
  },
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
