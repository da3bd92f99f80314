-- The call of memory/evalsha, which sends the script itself when the server has forgotten it.
--
-- Known from: redis-rs, redis-py and the like, whose script objects do so on NOSCRIPT.
-- Sibling that does not hold: memory/evalsha.
scenario {
  name = "memory/evalsha-eval",
  row = "a script by its digest, EVAL on NOSCRIPT",
  about = "EVALSHA, and EVAL if the reply is NOSCRIPT; somebody flushes the scripts",
  known_from = "redis-rs, Script (https://docs.rs/redis/latest/redis/struct.Script.html)",
  faults = { script_flush = 1 },
  expect = "verified",
  mutants = {
    { name = "NOSCRIPT is not looked for", from = [[e:find("^NOSCRIPT")]], to = [[e:find("^LOST")]] },
    { name = "no EVAL", from = [[redis("EVAL", append, 1, "user:123", "web")]], to = [[note("gave up")]] },
  },
}

local append = [[
  local memories = redis.call("GET", KEYS[1]) or ""
  return redis.call("SET", KEYS[1], memories .. "," .. ARGV[1])
]]

local digest = "ef52ebef404e75b8bdddf730c48497a49aabdc9a"

setup(function()
  redis("SET", "user:123", "1,2")
  expect(redis("SCRIPT", "LOAD", append) == digest, "the digest is that of the script")
end)

client("web", function()
  local ok, e = pcall(redis, "EVALSHA", digest, 1, "user:123", "web")
  if not ok then
    if not e:find("^NOSCRIPT") then error(e, 0) end
    redis("EVAL", append, 1, "user:123", "web")
  end
end)

finally(function()
  expect(not returned("web") or (redis("GET", "user:123") or ""):find("web", 1, true), "memory of web lost")
end)
