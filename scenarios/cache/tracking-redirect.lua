-- A process keeps what it reads in its own memory, and the server tells it which keys change: CLIENT TRACKING, with the
-- messages on a connection of their own (REDIRECT), to which another thread listens. The reply and the message about a
-- later change come on two connections: the message may be dealt with first, when there is nothing yet to drop. The
-- old value is stored after that, and the server, which has told of the change, tells nothing more.
--
-- Known from: Redis's documentation of client-side caching, "Avoiding race conditions".
-- Siblings that hold: cache/tracking-placeholder, cache/tracking-one-connection.
scenario {
  name = "cache/tracking-redirect",
  row = "copies in memory, CLIENT TRACKING REDIRECT: GET, store",
  about = "GET, store the reply in memory; invalidations come on another connection",
  known_from = "redis.io, Client-side caching, avoiding race conditions (https://redis.io/docs/latest/develop/reference/client-side-caching/)",
  instead = "cache/tracking-placeholder",
  expect = "violated",
  message = "the copy in memory is stale",
}

setup(function() redis("SET", "user:1", "free") end)

client("app", function()
  local ear = connection()
  local id = ear.redis("CLIENT", "ID")
  ear.redis("SUBSCRIBE", "__redis__:invalidate")
  redis("CLIENT", "TRACKING", "ON", "REDIRECT", id)
  local copy
  local value = redis("GET", "user:1")
  if ear.received() then copy = nil end -- the thread that listens
  copy = value
  if ear.receive(1000) then copy = nil end
  expect(copy == nil or copy == redis("GET", "user:1"), "the copy in memory is stale")
end)

client("writer", function()
  redis("SET", "user:1", "pro")
end)
