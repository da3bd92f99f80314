-- The pieces in stock are a number in Redis. A buyer looks whether there is one, takes it with DECR, and orders. Two
-- buyers look before either takes.
--
-- Known from: flash sales with the stock in Redis; the transactions page of Redis's documentation names the race of
-- reading, computing and writing.
-- Sibling that holds: counter/stock-script.
scenario {
  name = "counter/stock-check-then-decr",
  row = "stock: GET, compare, DECR",
  about = "GET, compare with 0, DECR, then the order; two buyers, one piece",
  known_from = "redis.io, Transactions, optimistic locking (https://redis.io/docs/latest/develop/using-commands/transactions/)",
  instead = "counter/stock-script",
  expect = "violated",
  message = "sold more than there is",
}

setup(function()
  sql("CREATE TABLE orders (buyer TEXT)")
  redis("SET", "stock:9", 1)
end)

clients { "ann", "bob", function(me)
  if tonumber(redis("GET", "stock:9") or 0) > 0 then
    redis("DECR", "stock:9")
    sql("INSERT INTO orders VALUES (?)", me)
  end
end }

local function left() return tonumber(redis("GET", "stock:9") or 0) end

quiet(function()
  local sold = sql("SELECT count(*) AS n FROM orders")[1].n
  expect(sold <= 1, "sold more than there is")
  expect(left() + sold >= 1, "a piece is neither in stock nor sold")
end)
