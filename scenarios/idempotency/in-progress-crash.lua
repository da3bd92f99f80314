-- The request of idempotency/in-progress dies after the work and before "done". When its minute is over, the retry
-- does the work again.
--
-- Known from: AWS Lambda Powertools; the reason why the effect and the record of it belong into one transaction.
-- Siblings that hold: idempotency/in-progress (nobody dies), idempotency/row.
scenario {
  name = "idempotency/in-progress-crash",
  row = "SET NX \"in progress\" with a TTL, the work, SET \"done\"",
  about = "as idempotency/in-progress; a client may die",
  known_from = "AWS Lambda Powertools, CachePersistenceLayer (https://docs.aws.amazon.com/powertools/typescript/latest/features/idempotency/)",
  instead = "idempotency/row",
  faults = { crash = 1 },
  expect = "violated",
  message = "charged twice",
}

setup(function() sql("CREATE TABLE charges (request TEXT)") end)

clients { "first", "retry", function()
  for _ = 1, 3 do
    if redis("SET", "idempotency:42", "in progress", "NX", "EX", 60) then
      sql("INSERT INTO charges VALUES ('42')")
      redis("SET", "idempotency:42", "done", "EX", 86400)
      return
    end
    if redis("GET", "idempotency:42") == "done" then return end
    sleep(61 * 1000)
  end
end }

finally(function()
  local charges = sql("SELECT count(*) AS n FROM charges")[1].n
  expect(charges <= 1, "charged twice")
  expect(charges == 1 or not (returned("first") or returned("retry")), "told that it is done, and never charged")
end)
