-- Redlock with 3 masters: the lock is held by whoever has it on 2 of them. Client A reaches 1, 2, client B reaches
-- 2, 3; the others are slow or cut off. Node 2 is in both. Its clock jumps ahead by more than the TTL, the lock
-- ends there, and B gets it: both hold a majority.
--
-- The 3 masters are 3 keys of one server here; the jump of one node's clock is a client that ends the key there.
--
-- Known from: Martin Kleppmann, "How to do distributed locking" (2016), on Redlock's assumptions of timing.
-- Sibling that holds: lock/redlock-3.
scenario {
  name = "lock/redlock-3-clock-jump",
  row = "Redlock, 3 nodes, a node's clock jumps",
  about = "as lock/redlock-3; the clock of the node that both reach jumps ahead by more than the TTL",
  known_from = "Martin Kleppmann, How to do distributed locking (https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html)",
  instead = "lock/fencing-claim",
  expect = "violated",
  message = "two clients inside job",
}

local function work(me, nodes)
  local held = 0
  for _, node in ipairs(nodes) do
    if redis("SET", "node-" .. node .. ":lock:job", me, "NX", "PX", 30000) then held = held + 1 end
  end
  if held < 2 then return end
  inside("job", function() redis("APPEND", "node-0:work", me) end)
end

client("A", function() work("A", { 1, 2 }) end)

client("B", function() work("B", { 2, 3 }) end)

client("node-2", function()
  redis("PEXPIRE", "node-2:lock:job", 0) -- its clock is more than 30 s ahead now
end)

exclusive("job")
