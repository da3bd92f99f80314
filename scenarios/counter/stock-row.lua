-- The stock is a row, and the order commits together with the piece that it takes. Redis may tell how many are left,
-- quickly and perhaps wrongly; it does not decide.
--
-- Known from: an UPDATE with its condition, as every database's manual has it; SQLite's RETURNING and row counts.
-- Sibling that does not hold: counter/stock-crash.
scenario {
  name = "counter/stock-row",
  row = "stock: a row, the order in its transaction",
  about = "UPDATE … WHERE pieces > 0 and the order in one transaction; a buyer may die",
  known_from = "SQLite, UPDATE and changes() (https://www.sqlite.org/c3ref/changes.html)",
  faults = { crash = 1 },
  expect = "verified",
  mutants = {
    { name = "no condition", from = [[ WHERE pieces > 0")]], to = [[")]] },
    {
      name = "the order in a transaction of its own",
      from = [[      sql("INSERT INTO orders VALUES (?)", me)
    end
  end)]],
      to = [[    end
  end)
  sql("INSERT INTO orders VALUES (?)", me)]],
    },
  },
}

setup(function()
  sql("CREATE TABLE orders (buyer TEXT)")
  sql("CREATE TABLE stock (pieces INTEGER)")
  sql("INSERT INTO stock VALUES (1)")
end)

clients { "ann", "bob", function(me)
  transaction(function()
    if sql("UPDATE stock SET pieces = pieces - 1 WHERE pieces > 0") == 1 then
      sql("INSERT INTO orders VALUES (?)", me)
    end
  end)
end }

local function left() return sql("SELECT pieces FROM stock")[1].pieces end

quiet(function()
  local sold = sql("SELECT count(*) AS n FROM orders")[1].n
  expect(sold <= 1, "sold more than there is")
  expect(left() + sold >= 1, "a piece is neither in stock nor sold")
end)
