-- The writer of cache/commit-to-delete-window says before it commits that the key is not to be believed: a mark,
-- under which readers go to the database. The mark goes after the COMMIT, together with the old value. Readers do
-- not fill here: a fill needs a lease besides (cache/lease-guarded-fill). The mark has no TTL: one that expires
-- under a slow writer would protect nothing.
--
-- Known from: Google Cloud ndb's global cache, which locks a key while an entity is being written.
-- Sibling that does not hold: cache/commit-to-delete-window.
scenario {
  name = "cache/mark-before-commit",
  about = "mark, UPDATE, then DEL of mark and value; staleness counted from COMMIT",
  known_from = "the global cache of google-cloud-ndb (a key is locked while its entity is written)",
  expect = "verified",
  mutants = {
    { name = "no mark", from = [[    redis("SET", "mark:user:1", "writer")
]], to = "" },
    {
      name = "the mark goes alone",
      from = [[redis("DEL", "mark:user:1", "user:1")]],
      to = [[redis("DEL", "mark:user:1")]],
    },
    { name = "readers do not look at the mark",
      from = [[if redis.call("EXISTS", KEYS[2]) == 1 then return nil end]], to = "" },
  },
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
  redis("SET", "user:1", "free", "EX", 300)
end)

local lookup = [[
  if redis.call("EXISTS", KEYS[2]) == 1 then return nil end
  return redis.call("GET", KEYS[1])
]]

client("reader", function()
  read("user:1", function()
    local plan = redis("EVAL", lookup, 2, "user:1", "mark:user:1")
    return plan or sql("SELECT plan FROM users WHERE id = 1")[1].plan
  end)
end)

client("writer", function()
  write("user:1", "pro", function()
    redis("SET", "mark:user:1", "writer")
    sql("UPDATE users SET plan = 'pro' WHERE id = 1")
    redis("DEL", "mark:user:1", "user:1")
  end)
end)

fresh("user:1", "commit")

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
