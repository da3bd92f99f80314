-- The protocol of cache/tracking-redirect with a placeholder: before a key is asked for, a mark is put where its value will
-- be. A message about the key takes the mark away, and what comes then for a mark that is gone is not stored.
--
-- Known from: Redis's documentation of client-side caching, "Avoiding race conditions".
-- Sibling that does not hold: cache/tracking-redirect.
scenario {
  name = "cache/tracking-placeholder",
  row = "copies in memory, CLIENT TRACKING REDIRECT: placeholder, GET, store if it is there",
  about = "a placeholder in memory, GET, store where the placeholder still is; invalidations come on another connection",
  known_from = "redis.io, Client-side caching, avoiding race conditions (https://redis.io/docs/latest/develop/reference/client-side-caching/)",
  expect = "verified",
  mutants = {
    { name = "stores in any case", from = [[if copy == "asked for" then copy = value end]], to = [[copy = value]] },
    { name = "does not listen", from = [[  if ear.receive(1000) then copy = nil end]], to = "" },
    { name = "nothing is tracked", from = [[  redis("CLIENT", "TRACKING", "ON", "REDIRECT", id)]], to = "" },
  },
}

setup(function() redis("SET", "user:1", "free") end)

client("app", function()
  local ear = connection()
  local id = ear.redis("CLIENT", "ID")
  ear.redis("SUBSCRIBE", "__redis__:invalidate")
  redis("CLIENT", "TRACKING", "ON", "REDIRECT", id)
  local copy = "asked for"
  local value = redis("GET", "user:1")
  if ear.received() then copy = nil end -- the thread that listens
  if copy == "asked for" then copy = value end
  if ear.receive(1000) then copy = nil end
  expect(copy == nil or copy == redis("GET", "user:1"), "the copy in memory is stale")
end)

client("writer", function()
  redis("SET", "user:1", "pro")
end)
