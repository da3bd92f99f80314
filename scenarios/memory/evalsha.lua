-- A script is loaded once and called by its digest. The server may forget it: after SCRIPT FLUSH, a restart or a
-- failover EVALSHA replies NOSCRIPT, and the request fails.
--
-- Known from: Redis's documentation of scripting: the script cache "should always be considered volatile".
-- Sibling that holds: memory/evalsha-eval.
scenario {
  name = "memory/evalsha",
  row = "a script by its digest",
  about = "EVALSHA of a script that was loaded when the service was started; somebody flushes the scripts",
  known_from = "redis.io, Scripting with Lua, cache volatility (https://redis.io/docs/latest/develop/programmability/eval-intro/)",
  instead = "memory/evalsha-eval",
  faults = { script_flush = 1 },
  expect = "violated",
  message = "NOSCRIPT",
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
  redis("EVALSHA", digest, 1, "user:123", "web")
end)

finally(function()
  expect(not returned("web") or (redis("GET", "user:123") or ""):find("web", 1, true), "memory of web lost")
end)
