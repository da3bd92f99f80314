-- A buyer of counter/stock-script dies after it has taken the piece and before it has ordered: the piece is neither in
-- stock nor sold. Stock and order are in two stores, and no transaction spans them.
--
-- Known from: the dual-write problem; https://microservices.io/patterns/data/transactional-outbox.html.
-- Sibling that holds: counter/stock-row.
scenario {
  name = "counter/stock-crash",
  row = "stock: one script, then the order",
  about = "compare and DECR in one script, then the order; a buyer may die",
  known_from = "the dual-write problem (https://microservices.io/patterns/data/transactional-outbox.html)",
  instead = "counter/stock-row",
  faults = { crash = 1 },
  expect = "violated",
  message = "a piece is neither in stock nor sold",
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

client("ann", function()
  if redis("EVAL", take, 1, "stock:9") == 1 then
    sql("INSERT INTO orders VALUES ('ann')")
  end
end)

local function left() return tonumber(redis("GET", "stock:9") or 0) end

quiet(function()
  local sold = sql("SELECT count(*) AS n FROM orders")[1].n
  expect(sold <= 1, "sold more than there is")
  expect(left() + sold >= 1, "a piece is neither in stock nor sold")
end)
