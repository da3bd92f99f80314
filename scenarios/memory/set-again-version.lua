-- The saves of memory/set-again-late bear a version, and a script keeps the highest: one that arrives late changes nothing.
--
-- Known from: optimistic locking by version; fencing tokens, "How to do distributed locking" (Martin Kleppmann).
-- Sibling that does not hold: memory/set-again-late.
scenario {
  name = "memory/set-again-version",
  row = "a script keeps the highest version, sent again without a reply",
  about = "a script sets what has a higher version, sent again if there was no reply; the first may arrive later",
  known_from = "Kleppmann, How to do distributed locking, fencing (https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html)",
  faults = { late = 1 },
  expect = "verified",
  mutants = {
    { name = "no comparison", from = [[if tonumber(redis.call("HGET", KEYS[1], "version") or 0) < tonumber(ARGV[1]) then]], to = "if true then" },
  },
}

local newer = [[
  if tonumber(redis.call("HGET", KEYS[1], "version") or 0) < tonumber(ARGV[1]) then
    redis.call("HSET", KEYS[1], "version", ARGV[1], "text", ARGV[2])
  end
]]

local function save(text, version) redis("EVAL", newer, 1, "session:1", version, text) end

local function kept() return redis("HGET", "session:1", "text") end

client("web", function()
  for version, text in ipairs { "hello", "hello, world" } do
    local _ = pcall(save, text, version) or save(text, version)
  end
end)

quiet(function()
  expect(not returned("web") or kept() == "hello, world", "an earlier save came last")
end)
