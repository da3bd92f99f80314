-- The key is taken with SET NX before the work: of a request and its retry one does it. The other is told that the
-- request is known. (If the one that does it dies: idempotency/set-nx-crash.)
--
-- Known from: @comparaonline/idempotence-lib and the like; Redis's documentation of SET (the NX option).
-- Siblings that do not hold: idempotency/check-then-set, idempotency/set-nx-crash.
scenario {
  name = "idempotency/set-nx",
  row = "SET NX, the work",
  about = "SET NX EX of the key, the work if it was taken; a request and its retry",
  known_from = "redis.io, SET (https://redis.io/docs/latest/commands/set/); https://www.npmjs.com/package/@comparaonline/idempotence-lib",
  instead = "idempotency/row",
  expect = "verified",
  mutants = {
    { name = "no NX", from = [["known", "NX", "EX", 86400)]], to = [["known", "EX", 86400)]] },
    {
      name = "the key after the work",
      from = [[  if not redis("SET", "idempotency:42", "known", "NX", "EX", 86400) then return end
  sql("INSERT INTO charges VALUES ('42')")]],
      to = [[  if redis("GET", "idempotency:42") then return end
  sql("INSERT INTO charges VALUES ('42')")
  redis("SET", "idempotency:42", "known", "NX", "EX", 86400)]],
    },
  },
}

setup(function() sql("CREATE TABLE charges (request TEXT)") end)

clients { "first", "retry", function()
  if not redis("SET", "idempotency:42", "known", "NX", "EX", 86400) then return end
  sql("INSERT INTO charges VALUES ('42')")
end }

finally(function()
  local charges = sql("SELECT count(*) AS n FROM charges")[1].n
  expect(charges <= 1, "charged twice")
  expect(charges == 1 or not (returned("first") or returned("retry")), "told that it is done, and never charged")
end)
