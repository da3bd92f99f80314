-- The stock of counter/stock-check-then-decr, looked at and taken in one script. Nothing is sold twice. (A buyer that
-- dies between the script and the order has taken a piece that nobody gets: two stores, no transaction.)
--
-- Known from: Redis's documentation of scripting ("Redis guarantees the script's atomic execution").
-- Sibling that does not hold: counter/stock-check-then-decr.
scenario {
  name = "counter/stock-script",
  row = "stock: one script, then the order",
  about = "compare and DECR in one script, then the order; two buyers, one piece",
  known_from = "redis.io, Scripting with Lua (https://redis.io/docs/latest/develop/programmability/eval-intro/)",
  instead = "counter/stock-row",
  expect = "verified",
  mutants = {
    { name = "no comparison", from = [[tonumber(redis.call("GET", KEYS[1]) or 0) > 0]], to = "true" },
    {
      name = "looked at and taken apart",
      from = [[redis("EVAL", take, 1, "stock:9") == 1]],
      to = [[tonumber(redis("GET", "stock:9")) > 0 and redis("DECR", "stock:9")]],
    },
  },
}

setup(function()
  sql("CREATE TABLE orders (buyer TEXT)")
  redis("SET", "stock:9", 1)
end)

local take = [[
  if tonumber(redis.call("GET", KEYS[1]) or 0) > 0 then
    redis.call("DECR", KEYS[1])
    return 1
  end
  return 0
]]

clients { "ann", "bob", function(me)
  if redis("EVAL", take, 1, "stock:9") == 1 then
    sql("INSERT INTO orders VALUES (?)", me)
  end
end }

local function left() return tonumber(redis("GET", "stock:9") or 0) end

quiet(function()
  local sold = sql("SELECT count(*) AS n FROM orders")[1].n
  expect(sold <= 1, "sold more than there is")
  expect(left() + sold >= 1, "a piece is neither in stock nor sold")
end)
