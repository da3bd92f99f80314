-- A request carries a key, and its retry carries the same. The server looks whether the key has a result, does the
-- work if not, and writes the result down. The retry looks before the first request has written: the work is done
-- twice.
--
-- Known from: handlers that look (not seen) and then insert, as Idempotency in Practice, Part 2, tells; the gap is the
-- one that SET with NX closes.
-- Sibling that holds: idempotency/set-nx.
scenario {
  name = "idempotency/check-then-set",
  row = "GET, the work, SET of the result",
  about = "GET of the key, the work if there is none, SET of the result; a request and its retry",
  known_from = "Idempotency in Practice, Part 2 (https://zidan.me/blog/idempotency-series/part-2-building-the-key-store/)",
  instead = "idempotency/row",
  expect = "violated",
  message = "charged twice",
}

setup(function() sql("CREATE TABLE charges (request TEXT)") end)

clients { "first", "retry", function()
  if redis("GET", "idempotency:42") then return end
  sql("INSERT INTO charges VALUES ('42')")
  redis("SET", "idempotency:42", "done", "EX", 86400)
end }

finally(function()
  local charges = sql("SELECT count(*) AS n FROM charges")[1].n
  expect(charges <= 1, "charged twice")
  expect(charges == 1 or not (returned("first") or returned("retry")), "told that it is done, and never charged")
end)
