-- A save that gets no reply is sent again, and then the session goes on and is saved once more. The first one is still on
-- its way: it arrives last, and the session is what it was two steps ago, although every save was acknowledged.
--
-- Known from: drivers that send unanswered commands again when they reconnect, such as ioredis by default.
-- Sibling that holds: memory/set-again-version.
scenario {
  name = "memory/set-again-late",
  row = "SET, sent again without a reply",
  about = "SET, which is sent again if there was no reply, and another SET; the first may arrive later",
  known_from = "ioredis, autoResendUnfulfilledCommands (https://github.com/redis/ioredis)",
  instead = "memory/set-again-version",
  faults = { late = 1 },
  expect = "violated",
  message = "an earlier save came last",
}

local function save(text, version) redis("SET", "session:1", text) end

local function kept() return redis("GET", "session:1") end

client("web", function()
  for version, text in ipairs { "hello", "hello, world" } do
    local _ = pcall(save, text, version) or save(text, version)
  end
end)

quiet(function()
  expect(not returned("web") or kept() == "hello, world", "an earlier save came last")
end)
