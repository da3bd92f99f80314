-- Order numbers from Redis: read the last one, add one, write it back, use it. Two orders get the same number.
--
-- Known from: Redis's documentation of transactions, whose example counts in this way.
-- Sibling that holds: counter/number-incr.
scenario {
  name = "counter/number-get-set",
  row = "numbers: GET, add one, SET",
  about = "GET, add one in the application, SET, then the order with that number",
  known_from = "redis.io, Transactions, optimistic locking (https://redis.io/docs/latest/develop/using-commands/transactions/)",
  instead = "counter/number-incr",
  expect = "violated",
  message = "two orders have one number",
}

setup(function()
  sql("CREATE TABLE orders (number INTEGER)")
  sql("INSERT INTO orders VALUES (1)")
  redis("SET", "order-number", 1)
end)

clients { "ann", "bob", function()
  local number = tonumber(redis("GET", "order-number") or 0) + 1
  redis("SET", "order-number", number)
  sql("INSERT INTO orders VALUES (?)", number)
end }

finally(function()
  local twice = sql("SELECT number FROM orders GROUP BY number HAVING count(*) > 1")
  expect(#twice == 0, "two orders have one number")
end)
