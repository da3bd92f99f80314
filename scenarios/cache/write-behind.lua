-- Write-behind: a write goes to Redis and is acknowledged; a flusher brings it to the database later. The flusher reads
-- the value, writes the row, and takes the mark "dirty" away; a write that comes in between loses its mark.
--
-- Known from: Oracle Coherence, write-behind caching; Redis's tutorials on caching patterns.
-- Sibling that holds: cache/write-behind-compare.
scenario {
  name = "cache/write-behind",
  row = "write-behind, a mark \"dirty\"",
  about = "SET and a mark in Redis, acknowledged; a flusher: GET, UPDATE, DEL of the mark",
  known_from = "Oracle Coherence, Write-Behind Caching (https://docs.oracle.com/cd/E24290_01/coh.371/e22840/readthrough.htm); https://redis.io/learn/howtos/solutions/caching-architecture/common-caching/write-behind-vs-write-through",
  instead = "cache/write-behind-compare",
  expect = "violated",
  message = "an acknowledged write never reaches the database",
}

setup(function()
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
  redis("MSET", "user:1", "plus", "dirty:user:1", "yes")
end)

client("writer", function()
  redis("MSET", "user:1", "pro", "dirty:user:1", "yes")
end)

client("flusher", function()
  local plan = redis("GET", "user:1")
  if not plan then return end
  sql("UPDATE users SET plan = ? WHERE id = 1", plan)
  redis("DEL", "dirty:user:1")
end)

finally(function()
  local row = sql("SELECT plan FROM users WHERE id = 1")[1].plan
  local waits = redis("GET", "user:1") == "pro" and redis("EXISTS", "dirty:user:1") == 1
  expect(not returned("writer") or row == "pro" or waits, "an acknowledged write never reaches the database")
end)
