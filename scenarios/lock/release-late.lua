-- A release that gets no reply is sent again. The first one is still on its way: it arrives when another has taken the lock,
-- and lets a third in.
--
-- Known from: "How to do distributed locking" (Martin Kleppmann), on delays in the network; retries by a driver.
-- Sibling that holds: lock/release-late-token.
scenario {
  name = "lock/release-late",
  row = "SET NX PX, DEL without asking, sent again without a reply",
  about = "SET NX PX, DEL, which is sent again if there was no reply; the first may arrive later",
  known_from = "Kleppmann, How to do distributed locking (https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html)",
  instead = "lock/release-late-token",
  faults = { late = 1 },
  expect = "violated",
  message = "two clients inside job",
}

local function release() redis("DEL", "lock:job") end

-- Takes the lock, is inside for a step, gives the lock back. A release without a reply is tried once more.
local function turn(token)
  if not redis("SET", "lock:job", token, "NX", "PX", 30000) then return end
  inside("job", function() redis("GET", "state") end)
  local _ = pcall(release, token) or pcall(release, token)
end

client("A", function()
  turn("A 1")
  turn("A 2")
end)
client("B", function() turn("B 1") end)

exclusive("job")
