-- Redlock with 3 masters: the lock is held by whoever has it on 2 of them. Client A reaches 1, 2, client B reaches
-- 2, 3; the others are slow or cut off. Node 2 is in both, and grants the lock once.
--
-- The 3 masters are 3 keys of one server here. What that cannot show: nodes with clocks of their own (a clock jump of
-- the server is one of all nodes), and a node that restarts alone.
--
-- What the lock protects is a step of work; that the lock is given back is left out: nothing of it is needed.
--
-- Known from: Redis's documentation, "Distributed Locks with Redis" (the Redlock algorithm).
-- Sibling that does not hold: lock/redlock-3-clock-jump.
scenario {
  name = "lock/redlock-3",
  row = "Redlock, 3 nodes",
  about = "SET NX PX on 3 nodes, held with 2 of them; each client reaches 2; nobody is held up",
  known_from = "redis.io, Distributed Locks with Redis (https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/)",
  instead = "lock/fencing-claim",
  expect = "verified",
  mutants = {
    { name = "a node less is enough", from = "if held < 2 then", to = "if held < 1 then" },
    { name = "no NX", from = [[me, "NX", "PX", 30000)]], to = [[me, "PX", 30000)]] },
  },
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

exclusive("job")
