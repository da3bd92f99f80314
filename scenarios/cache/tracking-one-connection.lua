-- The protocol of cache/tracking-redirect on one connection of RESP3: the message comes after the reply that it is about,
-- and who deals with both in the order in which they come has stored the value before it is told to drop it.
--
-- Known from: Redis's documentation of client-side caching, "Avoiding race conditions".
-- Sibling that does not hold: cache/tracking-redirect.
scenario {
  name = "cache/tracking-one-connection",
  row = "copies in memory, CLIENT TRACKING on one connection (RESP3): GET, store",
  about = "GET, store the reply in memory; invalidations come on the same connection, in order",
  known_from = "redis.io, Client-side caching, avoiding race conditions (https://redis.io/docs/latest/develop/reference/client-side-caching/)",
  expect = "verified",
  mutants = {
    {
      name = "out of order",
      from = [[  local copy = redis("GET", "user:1")
  if received() then copy = nil end]],
      to = [[  local copy
  local value = redis("GET", "user:1")
  if received() then copy = nil end
  copy = value]],
    },
    { name = "does not listen", from = [[  if copy and receive(1000) then copy = nil end]], to = "" },
    { name = "nothing is tracked", from = [[  redis("CLIENT", "TRACKING", "ON")]], to = "" },
  },
}

setup(function() redis("SET", "user:1", "free") end)

client("app", function()
  redis("HELLO", 3)
  redis("CLIENT", "TRACKING", "ON")
  local copy = redis("GET", "user:1")
  if received() then copy = nil end
  if copy and receive(1000) then copy = nil end
  expect(copy == nil or copy == redis("GET", "user:1"), "the copy in memory is stale")
end)

client("writer", function()
  redis("SET", "user:1", "pro")
end)
