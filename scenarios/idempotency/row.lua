-- The key is a row that commits together with the work. Redis answers a retry quickly, if it knows; the database
-- decides.
--
-- Known from: Brandur Leach, "Implementing Stripe-like Idempotency Keys in Postgres" (2017).
-- Siblings that do not hold: idempotency/check-then-set, idempotency/set-nx-crash, idempotency/in-progress-crash.
scenario {
  name = "idempotency/row",
  row = "a row that commits with the work, Redis in front",
  about = "GET; a row for the key and the work in one transaction; SET of the result; a client may die",
  known_from = "Brandur Leach, Implementing Stripe-like Idempotency Keys in Postgres (https://brandur.org/idempotency-keys)",
  faults = { crash = 1 },
  expect = "verified",
  mutants = {
    {
      name = "the work in a transaction of its own",
      from = [[    if sql("INSERT OR IGNORE INTO requests VALUES ('42')") == 1 then
      sql("INSERT INTO charges VALUES ('42')")
    end
  end)]],
      to = [[    sql("INSERT OR IGNORE INTO requests VALUES ('42')")
  end)
  if #sql("SELECT 1 FROM charges") == 0 then sql("INSERT INTO charges VALUES ('42')") end]],
    },
    {
      name = "nobody asks the row",
      from = [[if sql("INSERT OR IGNORE INTO requests VALUES ('42')") == 1 then]],
      to = [[if true then]],
    },
    {
      name = "the result before the COMMIT",
      from = [[  transaction(function()
    if]],
      to = [[  redis("SET", "idempotency:42", "done", "EX", 86400)
  transaction(function()
    if]],
    },
  },
}

setup(function()
  sql("CREATE TABLE charges (request TEXT)")
  sql("CREATE TABLE requests (key TEXT PRIMARY KEY)")
end)

clients { "first", "retry", function()
  if redis("GET", "idempotency:42") then return end
  transaction(function()
    if sql("INSERT OR IGNORE INTO requests VALUES ('42')") == 1 then
      sql("INSERT INTO charges VALUES ('42')")
    end
  end)
  redis("SET", "idempotency:42", "done", "EX", 86400)
end }

finally(function()
  local charges = sql("SELECT count(*) AS n FROM charges")[1].n
  expect(charges <= 1, "charged twice")
  expect(charges == 1 or not (returned("first") or returned("retry")), "told that it is done, and never charged")
end)
