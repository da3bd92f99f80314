-- The writer of cache/commit-to-delete-window says before it commits that the key is not to be believed: a mark,
-- under which readers go to the database and fill nothing in. The mark goes after the COMMIT, together with the old
-- value.
--
-- The mark has no TTL: one that expires under a slow writer would protect nothing. And it does not replace a lease:
-- with a cold key a fill can still come too late (cache/lease-guarded-fill).
--
-- Known from: the global cache of google-cloud-ndb, which locks a key while its entity is being written.
-- Sibling that does not hold: cache/commit-to-delete-window.
scenario {
  name = "cache/mark-before-commit",
  row = "mark before COMMIT, without TTL",
  about = "mark, UPDATE, then DEL of mark and value; staleness counted from COMMIT",
  known_from = "google-cloud-ndb, global cache (https://github.com/googleapis/python-ndb/issues/653)",
  instead = "cache/mark-set",
  expect = "verified",
  mutants = {
    { name = "no mark", from = [[    redis("SET", "mark:user:1", "writer")]], to = "" },
    {
      name = "the mark goes alone",
      from = [[redis("DEL", "mark:user:1", "user:1")]],
      to = [[redis("DEL", "mark:user:1")]],
    },
    {
      name = "readers believe a marked key",
      from = [[if plan ~= null and mark == null then]],
      to = [[if plan ~= null then]],
    },
    {
      name = "readers fill under the mark",
      from = [[if mark == null then redis("SET", "user:1", plan, "EX", 300) end]],
      to = [[redis("SET", "user:1", plan, "EX", 300)]],
    },
  },
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
  redis("SET", "user:1", "free", "EX", 300)
end)

client("reader", function()
  read("user:1", function()
    local mark, plan = unpack(redis("MGET", "mark:user:1", "user:1"))
    if plan ~= null and mark == null then return plan end
    plan = sql("SELECT plan FROM users WHERE id = 1")[1].plan
    if mark == null then redis("SET", "user:1", plan, "EX", 300) end
    return plan
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
