//! Mistakes that show when clients and checks run: commands, statements, names, endless loops, calls out of place.

use crate::check;

#[test]
fn a_mistake_that_only_running_shows() {
    check(&[
        (
            "an unknown command",
            r#"scenario { name = "t" }
client("c", function()
  redis("GTE", "k")
end)
"#,
            "unknown command 'GTE', with args beginning with: 'k'
  ┌ my-design.lua:3
  │ check the command and its arguments against https://redis.io/commands
  └ docs/scenarios.md#redis",
        ),
        (
            "a command with too few arguments",
            r#"scenario { name = "t" }
client("c", function()
  redis("GET")
end)
"#,
            "wrong number of arguments for 'get' command
  ┌ my-design.lua:3
  │ check the command and its arguments against https://redis.io/commands
  └ docs/scenarios.md#redis",
        ),
        (
            "a command with a wrong option",
            r#"scenario { name = "t" }
client("c", function()
  redis("SET", "k", "v", "EXX", 1)
end)
"#,
            "syntax error in SET
  ┌ my-design.lua:3
  │ check the command and its arguments against https://redis.io/commands
  └ docs/scenarios.md#redis",
        ),
        (
            "an unknown subcommand",
            r#"scenario { name = "t" }
client("c", function()
  redis("OBJECT", "FOO", "k")
end)
"#,
            "unknown subcommand 'FOO'. Try OBJECT HELP.
  ┌ my-design.lua:3
  │ check the command and its arguments against https://redis.io/commands
  └ docs/scenarios.md#redis",
        ),
        (
            "a wrong command in multi",
            r#"scenario { name = "t" }
client("c", function()
  multi(function() redis("PING") redis("SET", "k") end)
end)
"#,
            "wrong number of arguments for 'set' command
  ┌ my-design.lua:3
  │ check the command and its arguments against https://redis.io/commands
  └ docs/scenarios.md#redis",
        ),
        (
            "a script that is not Lua",
            r#"scenario { name = "t" }
client("c", function()
  redis("EVAL", "return redis.call(", 0)
end)
"#,
            "Error compiling script (new function): user_script:1: unexpected symbol near '<eof>'
  ┌ my-design.lua:3
  │ check the command and its arguments against https://redis.io/commands
  └ docs/scenarios.md#redis",
        ),
        (
            "an unknown command in a script",
            r#"scenario { name = "t" }
client("c", function()
  redis("EVAL", "return redis.call('NOPE')", 0)
end)
"#,
            "Unknown Redis command called from script script: 19965f96bed2e953a3424cfa591695dc2a3e81db, on @user_script:1.
  ┌ my-design.lua:3
  │ check the command and its arguments against https://redis.io/commands
  └ docs/scenarios.md#redis",
        ),
        (
            "SQL that is none",
            r#"scenario { name = "t" }
client("c", function()
  sql("SELEC 1")
end)
"#,
            r#"near "SELEC": syntax error (SELEC 1)
  ┌ my-design.lua:3
  │ the statement is SQLite's; tables are made in the setup, with sql("CREATE TABLE …")
  └ docs/scenarios.md#sql"#,
        ),
        (
            "an unknown table",
            r#"scenario { name = "t" }
client("c", function()
  sql("SELECT * FROM nope")
end)
"#,
            r#"no such table: nope (SELECT * FROM nope)
  ┌ my-design.lua:3
  │ the statement is SQLite's; tables are made in the setup, with sql("CREATE TABLE …")
  └ docs/scenarios.md#sql"#,
        ),
        (
            "SQL in multi",
            r#"scenario { name = "t" }
client("c", function()
  multi(function() sql("SELECT 1") end)
end)
"#,
            "sql() is called inside multi()
  ┌ my-design.lua:3
  │ multi() takes redis() calls only: they are sent together
  └ docs/scenarios.md#redis",
        ),
        (
            "an unknown function",
            r#"scenario { name = "t" }
client("c", function()
  reids("GET", "k")
end)
"#,
            "unknown name 'reids'
  ┌ my-design.lua:3
  │ check the spelling; a scenario has what docs/scenarios.md lists, and its own locals
  └ docs/scenarios.md#language",
        ),
        (
            "print",
            r#"scenario { name = "t" }
client("c", function()
  print("hello")
end)
"#,
            "unknown name 'print'
  ┌ my-design.lua:3
  │ note(text) adds a remark to the counterexample
  └ docs/scenarios.md#language",
        ),
        (
            "randomness",
            r#"scenario { name = "t" }
client("c", function()
  return math.random()
end)
"#,
            "unknown name 'math.random'
  ┌ my-design.lua:3
  │ all orders are explored, so nothing is random; write the choices out as clients
  └ docs/scenarios.md#language",
        ),
        (
            "a forgotten local",
            r#"scenario { name = "t" }
client("c", function()
  m = redis("GET", "k")
end)
"#,
            "the global 'm' is assigned while clients run
  ┌ my-design.lua:3
  │ write local m: a global would be shared between clients, unseen by the search
  └ docs/scenarios.md#language",
        ),
        (
            "a client within a client",
            r#"scenario { name = "t" }
client("c", function() client("d", function() end) end)
"#,
            "client() is called while clients run
  ┌ my-design.lua:2
  │ call it at the top level of the file
  └ docs/scenarios.md#language",
        ),
        (
            "an endless loop in a client",
            r#"scenario { name = "t" }
client("c", function()
  while true do end
end)
"#,
            "endless loop in client c
  ┌ my-design.lua:3
  │ it ran 10 million instructions without coming to an end: bound the loop
  └ docs/scenarios.md#limits",
        ),
        (
            "an endless loop that catches errors",
            r#"scenario { name = "t" }
client("c", function()
  while true do
    pcall(function() error("x") end)
  end
end)
"#,
            "endless loop in client c
  ┌ my-design.lua:4
  │ it ran 10 million instructions without coming to an end: bound the loop
  └ docs/scenarios.md#limits",
        ),
        (
            "an endless loop in a check",
            r#"scenario { name = "t" }
client("c", function() end)
finally(function()
  repeat until false
end)
"#,
            "endless loop in finally
  ┌ my-design.lua:4
  │ it ran 10 million instructions without coming to an end: bound the loop
  └ docs/scenarios.md#limits",
        ),
        (
            "an endless loop in the setup",
            r#"scenario { name = "t" }
setup(function()
  repeat until false
end)
client("c", function() end)
"#,
            "endless loop in setup
  ┌ my-design.lua:3
  │ it ran 10 million instructions without coming to an end: bound the loop
  └ docs/scenarios.md#limits",
        ),
        (
            "a loop of steps",
            r#"scenario { name = "t" }
client("c", function()
  while true do
    redis("GET", "k")
  end
end)
"#,
            "client c does not end: it has made 1000 steps
  ┌ my-design.lua:4
  │ bound its loop; if that many are meant, say steps = n in scenario { … }
  └ docs/scenarios.md#limits",
        ),
        (
            "a loop of sleeps",
            r#"scenario { name = "t" }
client("c", function()
  while true do
    sleep(1)
  end
end)
"#,
            "client c does not end: it has made 1000 steps
  ┌ my-design.lua:4
  │ bound its loop; if that many are meant, say steps = n in scenario { … }
  └ docs/scenarios.md#limits",
        ),
        (
            "endless memory",
            r#"scenario { name = "t" }
client("c", function()
  local t = "x"
  while true do t = t .. t end
end)
"#,
            "client c needs too much memory
  ┌ my-design.lua:2
  │ a scenario has 64 MB: keep its values small
  └ docs/scenarios.md#limits",
        ),
        (
            "a command in a callback of Lua",
            r#"scenario { name = "t" }
client("c", function()
  ("abc"):gsub(".", function(c) return redis("GET", c) end)
end)
"#,
            "client c asks Redis, the database or the clock inside a callback of Lua's library or an iterator
  ┌ my-design.lua:2
  │ Lua 5.1 cannot wait inside string.gsub, table.sort, a metamethod or an iterator: do it in a plain loop
  └ docs/scenarios.md#language",
        ),
        (
            "advance in a client",
            r#"scenario { name = "t" }
client("c", function()
  advance(5)
end)
"#,
            "advance() cannot be used in client
  ┌ my-design.lua:3
  │ it belongs in finally() or quiet()
  └ docs/scenarios.md#time",
        ),
        (
            "sleep in a check",
            r#"scenario { name = "t" }
client("c", function() end)
finally(function()
  sleep(5)
end)
"#,
            "sleep() cannot be used in finally
  ┌ my-design.lua:4
  │ it belongs in a client or the setup
  └ docs/scenarios.md#time",
        ),
        (
            "a note in a check",
            r#"scenario { name = "t" }
client("c", function() end)
always(function()
  note("x")
end)
"#,
            "note() cannot be used in always
  ┌ my-design.lua:4
  │ it belongs in a client
  └ docs/scenarios.md#history",
        ),
    ]);
}
