-- Order numbers from INCR: each is given out once, as long as Redis forgets none. A number that was given out and
-- then lost (a power loss, a failover, an eviction) is given out again, and the orders are in another store.
--
-- Known from: Redis's documentation of INCR, the counter pattern.
-- Sibling that does not hold: counter/number-get-set.
scenario {
  name = "counter/number-incr",
  row = "numbers: INCR",
  about = "INCR, then the order with that number",
  known_from = "redis.io, INCR, pattern: counter (https://redis.io/docs/latest/commands/incr/)",
  instead = "a sequence of the database that holds the orders",
  expect = "verified",
  mutants = {
    {
      name = "counted in the application",
      from = [[redis("INCR", "order-number")]],
      to = [[redis("GET", "order-number") + 1
  redis("SET", "order-number", number)]],
    },
    {
      name = "read again",
      from = [[redis("INCR", "order-number")]],
      to = [[redis("INCR", "order-number") and redis("GET", "order-number")]],
    },
  },
}

setup(function()
  sql("CREATE TABLE orders (number INTEGER)")
  sql("INSERT INTO orders VALUES (1)")
  redis("SET", "order-number", 1)
end)

clients { "ann", "bob", function()
  local number = redis("INCR", "order-number")
  sql("INSERT INTO orders VALUES (?)", number)
end }

finally(function()
  local twice = sql("SELECT number FROM orders GROUP BY number HAVING count(*) > 1")
  expect(#twice == 0, "two orders have one number")
end)
