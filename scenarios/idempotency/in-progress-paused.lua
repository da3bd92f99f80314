-- The request of idempotency/in-progress is held up for longer than its minute: the retry takes the key and does the
-- work, and then the first goes on and does it again. "In progress" with a TTL is a lock with a TTL.
--
-- Known from: AWS Lambda Powertools, where the time-out of the function bounds the state, since nothing else does.
-- Siblings that hold: idempotency/in-progress (nobody is held up), idempotency/row.
scenario {
  name = "idempotency/in-progress-paused",
  row = "SET NX \"in progress\" with a TTL, the work, SET \"done\"",
  about = "as idempotency/in-progress; a client is held up for longer than the TTL",
  known_from = "AWS Lambda Powertools, CachePersistenceLayer (https://docs.aws.amazon.com/powertools/typescript/latest/features/idempotency/)",
  instead = "idempotency/row",
  pauses = 1,
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
