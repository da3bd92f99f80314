-- The request of idempotency/set-nx dies between the key and the work. Its retry finds the key, and is told that the
-- request is known: nothing was ever charged, and for a day nothing will be.
--
-- Known from: AWS Lambda Powertools, whose records have a state "in progress" with an expiry of its own because of it.
-- Sibling that holds: idempotency/row.
scenario {
  name = "idempotency/set-nx-crash",
  row = "SET NX, the work",
  about = "SET NX EX of the key, the work if it was taken; a client may die",
  known_from = "AWS Lambda Powertools, idempotency records with in_progress_expiration (https://docs.aws.amazon.com/powertools/typescript/latest/features/idempotency/)",
  instead = "idempotency/row",
  faults = { crash = 1 },
  expect = "violated",
  message = "told that it is done, and never charged",
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
