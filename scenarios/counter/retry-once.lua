-- The retry of counter/retry carries an id, and a script counts each id once. It holds for as long as the ids are
-- remembered.
--
-- Known from: idempotent requests; Stripe's idempotency keys, "Designing robust and predictable APIs with idempotency".
-- Sibling that does not hold: counter/retry.
scenario {
  name = "counter/retry-once",
  row = "a retry of INCR with an id",
  about = "a script counts an id once; the client sends it again if there was no reply",
  known_from = "Stripe, Designing robust and predictable APIs with idempotency (https://stripe.com/blog/idempotency)",
  faults = { lost_reply = 1 },
  expect = "verified",
  mutants = {
    { name = "nobody asks for the id", from = [[if redis.call("SET", KEYS[2], 1, "NX", "EX", 86400) then]], to = "if true then" },
    {
      name = "the id apart from the count",
      from = [[  return pcall(redis, "EVAL", once, 2, "visits", "id:42")]],
      to = [[  return pcall(redis, "SET", "id:42", 1, "NX") and pcall(redis, "INCR", "visits")]],
    },
  },
}

local once = [[
  if redis.call("SET", KEYS[2], 1, "NX", "EX", 86400) then redis.call("INCR", KEYS[1]) end
]]

local function visit()
  return pcall(redis, "EVAL", once, 2, "visits", "id:42")
end

client("visit", function()
  if not visit() then visit() end
end)

quiet(function()
  expect(tonumber(redis("GET", "visits") or 0) <= 1, "counted twice")
end)
