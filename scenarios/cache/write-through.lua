-- Write-through: the writer updates the row and then sets the key to what it wrote. Two writers can overtake each
-- other in between: the row has the one's value, the key the other's.
--
-- Known from: write-through caching; "Scaling Memcache at Facebook" (NSDI 2013), section 3.2.1, on sets that arrive
-- in another order than the updates.
-- Sibling that holds: cache/write-through-transaction.
scenario {
  name = "cache/write-through",
  row = "write-through: UPDATE, SET",
  about = "UPDATE, then SET, in autocommit; two writers",
  known_from = "Oracle Coherence, Write-Through Caching (https://docs.oracle.com/cd/E24290_01/coh.371/e22840/readthrough.htm); Nishtala et al., Scaling Memcache at Facebook, NSDI 2013, stale sets (https://www.usenix.org/conference/nsdi13/technical-sessions/presentation/nishtala)",
  instead = "cache/write-through-transaction",
  expect = "violated",
  message = "stale until TTL (300 s)",
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
end)

clients { "ann", "bob", function(me)
  sql("UPDATE users SET plan = ? WHERE id = 1", me)
  redis("SET", "user:1", me, "EX", 300)
end }

quiet(function()
  local cached, row = redis("GET", "user:1"), sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(cached == nil or cached == row, "stale until TTL (300 s)")
end)
