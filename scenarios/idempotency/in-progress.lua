-- The key has two states: in progress, for a minute, and done, for a day. Who finds "in progress" waits and asks
-- again; when the minute is over it takes the key and does the work. Nobody is held up for a minute (pauses = 0), and
-- nobody dies between the work and "done": idempotency/in-progress-paused, idempotency/in-progress-crash.
--
-- Known from: AWS Lambda Powertools, idempotency with a cache as its persistence layer.
-- Siblings that do not hold: idempotency/in-progress-paused, idempotency/in-progress-crash.
scenario {
  name = "idempotency/in-progress",
  row = "SET NX \"in progress\" with a TTL, the work, SET \"done\"",
  about = "SET NX EX 60 \"in progress\", the work, SET \"done\"; who finds it in progress asks again after 61 s",
  known_from = "AWS Lambda Powertools, CachePersistenceLayer (https://docs.aws.amazon.com/powertools/typescript/latest/features/idempotency/)",
  instead = "idempotency/row",
  expect = "verified",
  mutants = {
    { name = "no NX", from = [["in progress", "NX", "EX", 60)]], to = [["in progress", "EX", 60)]] },
    {
      name = "the key goes instead of being done",
      from = [[      sql("INSERT INTO charges VALUES ('42')")
      redis("SET", "idempotency:42", "done", "EX", 86400)]],
      to = [[      redis("DEL", "idempotency:42")
      sql("INSERT INTO charges VALUES ('42')")]],
    },
  },
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
