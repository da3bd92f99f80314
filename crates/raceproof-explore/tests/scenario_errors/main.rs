//! Every malformed scenario gets its one-screen error: what is wrong, where, the way out, and where to read on.

use raceproof_explore::scenario::Scenario;

/// A mistake, the file that makes it, and the error that a user is shown.
type Case = (&'static str, &'static str, &'static str);

fn check(cases: &[Case]) {
    for (mistake, source, expected) in cases {
        let error = match Scenario::parse("my-design.lua", source) {
            Err(error) => error.to_string(),
            Ok(scenario) => match scenario.run(&scenario.check()) {
                Err(error) => error.to_string(),
                Ok(report) => panic!("{mistake}: no error, but {:?}", report.verdict),
            },
        };
        assert_eq!(error, *expected, "{mistake}");
        let anchor = error.rsplit_once('#').unwrap().1;
        assert!(anchors().contains(&anchor.to_owned()), "{mistake}: docs/scenarios.md has no section #{anchor}");
    }
}

/// The anchors of docs/scenarios.md, as they are made from its headings.
fn anchors() -> Vec<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/scenarios.md");
    let page = std::fs::read_to_string(page).unwrap();
    let heading = |line: &str| line.strip_prefix("## ").map(|title| title.to_lowercase().replace(' ', "-"));
    page.lines().filter_map(heading).collect()
}

#[test]
fn a_missing_file() {
    let error = Scenario::load("no/such/file.lua").unwrap_err().to_string();
    let expected = "cannot read the scenario: No such file or directory (os error 2)
  ┌ no/such/file.lua
  │ give the path of a .lua file that you may read
  └ docs/scenarios.md#language";
    assert_eq!(error, expected);
}

#[test]
fn a_file_that_is_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.lua");
    std::fs::write(&path, b"-- one\n-- \xff").unwrap();
    let error = Scenario::load(&path).unwrap_err();
    assert_eq!((error.what.as_str(), error.line), ("the file is not UTF-8 text", Some(2)));
}

#[test]
fn a_text_that_is_no_scenario() {
    check(&[
        (
            "malformed Lua",
            r#"scenario { name = "t" }
client("c", function() end)
local x = = 1
"#,
            "unexpected symbol near '='
  ┌ my-design.lua:3
  │ this is not Lua 5.1: the error is on this line or before it
  └ docs/scenarios.md#language",
        ),
        (
            "an unfinished function",
            r#"scenario { name = "t" }
client("c", function()
"#,
            "'end' expected (to close 'function' at line 2) near '<eof>'
  ┌ my-design.lua:3
  │ this is not Lua 5.1: the error is on this line or before it
  └ docs/scenarios.md#language",
        ),
        (
            "compiled Lua",
            "\u{1b}Lua",
            "the file is compiled Lua
  ┌ my-design.lua
  │ give the Lua text itself
  └ docs/scenarios.md#language",
        ),
        (
            "no header",
            r#"client("c", function() end)
"#,
            r#"the file has no scenario { … }
  ┌ my-design.lua:1
  │ scenario { name = "group/what-it-shows", expect = "verified", about = "…" }
  └ docs/scenarios.md#header"#,
        ),
        (
            "two headers",
            r#"scenario { name = "t" }
scenario { name = "t" }
client("c", function() end)
"#,
            "a second scenario { … }
  ┌ my-design.lua:2
  │ a file holds one scenario
  └ docs/scenarios.md#header",
        ),
        (
            "a header that is no table",
            r#"scenario("t")
client("c", function() end)
"#,
            r#"scenario needs a table, not string
  ┌ my-design.lua:1
  │ scenario { name = "…", expect = "verified" }
  └ docs/scenarios.md#header"#,
        ),
        (
            "no clients",
            r#"scenario { name = "t" }
"#,
            r#"scenario has no clients
  ┌ my-design.lua:1
  │ a scenario needs at least one client("name", function() … end)
  └ docs/scenarios.md#clients"#,
        ),
        (
            "two clients of one name",
            r#"scenario { name = "t" }
client("c", function() end)
client("c", function() end)
"#,
            "two clients are named 'c'
  ┌ my-design.lua:3
  │ give each client a name of its own
  └ docs/scenarios.md#clients",
        ),
        (
            "a client named clock",
            r#"scenario { name = "t" }
client("clock", function() end)
"#,
            r#"a client cannot be named "clock"
  ┌ my-design.lua:2
  │ a name is a line of text; clock is the lane of the clock
  └ docs/scenarios.md#clients"#,
        ),
        (
            "a client without a name",
            r#"scenario { name = "t" }
client(function() end)
"#,
            r#"a client's name must be a text, not function
  ┌ my-design.lua:2
  │ client("name", function() … end)
  └ docs/scenarios.md#clients"#,
        ),
        (
            "a client without a function",
            r#"scenario { name = "t" }
client("c")
"#,
            r#"client() needs a function, not nil
  ┌ my-design.lua:2
  │ client("name", function() … end)
  └ docs/scenarios.md#clients"#,
        ),
        (
            "clients without names",
            r#"scenario { name = "t" }
clients { function() end }
"#,
            r#"clients() has no names
  ┌ my-design.lua:2
  │ clients { "a", "b", function(me) … end }
  └ docs/scenarios.md#clients"#,
        ),
        (
            "clients that are no list",
            r#"scenario { name = "t" }
clients("c", function() end)
"#,
            r#"clients() needs a list of names, not string
  ┌ my-design.lua:2
  │ clients { "a", "b", function(me) … end }
  └ docs/scenarios.md#clients"#,
        ),
        (
            "a setup that is no function",
            r#"scenario { name = "t" }
setup("x")
client("c", function() end)
"#,
            "setup() needs a function, not string
  ┌ my-design.lua:2
  │ setup(function() … end)
  └ docs/scenarios.md#setup",
        ),
        (
            "a failure at the top level",
            r#"scenario { name = "t" }
local x = nil + 1
client("c", function() end)
"#,
            "attempt to perform arithmetic on a nil value
  ┌ my-design.lua:2
  │ the top level of the file failed; it only declares what there is
  └ docs/scenarios.md#language",
        ),
        (
            "a command at the top level",
            r#"scenario { name = "t" }
redis("GET", "k")
client("c", function() end)
"#,
            "redis() is called at the top level of the file
  ┌ my-design.lua:2
  │ call it in the function of a setup, a client or a check
  └ docs/scenarios.md#language",
        ),
        (
            "a module",
            r#"scenario { name = "t" }
local json = require("json")
client("c", function() end)
"#,
            "unknown name 'require'
  ┌ my-design.lua:2
  │ a scenario is one file
  └ docs/scenarios.md#language",
        ),
        (
            "a changed library",
            r#"scenario { name = "t" }
string.trim = 1
client("c", function() end)
"#,
            "the library 'string' cannot be changed
  ┌ my-design.lua:2
  │ use a local
  └ docs/scenarios.md#language",
        ),
        (
            "an endless loop at the top level",
            r#"scenario { name = "t" }
while true do end
client("c", function() end)
"#,
            "endless loop in the file
  ┌ my-design.lua:2
  │ it ran 10 million instructions without coming to an end: bound the loop
  └ docs/scenarios.md#limits",
        ),
        (
            "a huge value at the top level",
            r#"scenario { name = "t" }
local t = string.rep("x", 1e9)
client("c", function() end)
"#,
            "the file needs too much memory
  ┌ my-design.lua
  │ a scenario has 64 MB: keep its values small
  └ docs/scenarios.md#limits",
        ),
        (
            "a history without a name",
            r#"scenario { name = "t" }
client("c", function() end)
fresh()
"#,
            r#"fresh() needs a name, not nil
  ┌ my-design.lua:3
  │ fresh("name")
  └ docs/scenarios.md#history"#,
        ),
        (
            "a history since something else",
            r#"scenario { name = "t" }
client("c", function() end)
fresh("row", "COMMIT")
"#,
            r#"the second argument of fresh() is "commit" or nothing, not COMMIT
  ┌ my-design.lua:3
  │ fresh("name", "commit")
  └ docs/scenarios.md#history"#,
        ),
    ]);
}

#[test]
fn a_header_whose_header_is_wrong() {
    check(&[
        (
            "an unknown field",
            r#"scenario {
  name = "t",
  expects = "verified",
}
client("c", function() end)
"#,
            "unknown scenario field 'expects'
  ┌ my-design.lua:3
  │ a header has name, about, known_from, expect, message, pauses, faults, steps, mutants
  └ docs/scenarios.md#header",
        ),
        (
            "a field without a name",
            r#"scenario { name = "t", "x" }
client("c", function() end)
"#,
            "the header has a value without a name
  ┌ my-design.lua:1
  │ write name = value
  └ docs/scenarios.md#header",
        ),
        (
            "a name that is no text",
            r#"scenario {
  name = 7,
}
client("c", function() end)
"#,
            r#"name must be a text, not a number
  ┌ my-design.lua:2
  │ name = "…"
  └ docs/scenarios.md#header"#,
        ),
        (
            "no name",
            r#"scenario { }
client("c", function() end)
"#,
            r#"scenario has no name
  ┌ my-design.lua:1
  │ scenario { name = "group/what-it-shows", … }
  └ docs/scenarios.md#header"#,
        ),
        (
            "an unknown verdict",
            r#"scenario { name = "t",
  expect = "ok" }
client("c", function() end)
"#,
            r#"unknown verdict 'ok' in expect
  ┌ my-design.lua:2
  │ expect = "violated" or expect = "verified"
  └ docs/scenarios.md#header"#,
        ),
        (
            "a message without a violation",
            r#"scenario { name = "t", expect = "verified",
  message = "x" }
client("c", function() end)
"#,
            r#"message is given, but no violation is expected
  ┌ my-design.lua:2
  │ message = "…" goes with expect = "violated"
  └ docs/scenarios.md#header"#,
        ),
        (
            "pauses that are no number",
            r#"scenario { name = "t", pauses = "1" }
client("c", function() end)
"#,
            "pauses must be a whole number from 0 to 100, not a string
  ┌ my-design.lua:1
  │ pauses = 1
  └ docs/scenarios.md#header",
        ),
        (
            "less than no pauses",
            r#"scenario { name = "t", pauses = -1 }
client("c", function() end)
"#,
            "pauses must be a whole number from 0 to 100, not -1
  ┌ my-design.lua:1
  │ pauses = 1
  └ docs/scenarios.md#header",
        ),
        (
            "no steps",
            r#"scenario { name = "t", steps = 0 }
client("c", function() end)
"#,
            "steps must be a whole number from 1 to 1000000, not 0
  ┌ my-design.lua:1
  │ steps = 1
  └ docs/scenarios.md#header",
        ),
        (
            "an unknown fault",
            r#"scenario { name = "t", faults = { reboot = 1 } }
client("c", function() end)
"#,
            "unknown fault 'reboot'
  ┌ my-design.lua:1
  │ the fault that there is: faults = { crash = 1 }
  └ docs/scenarios.md#header",
        ),
        (
            "faults that are no table",
            r#"scenario { name = "t", faults = 1 }
client("c", function() end)
"#,
            "faults must be a table, not a number
  ┌ my-design.lua:1
  │ faults = { crash = 1 }
  └ docs/scenarios.md#header",
        ),
        (
            "a mutant of nothing",
            r#"scenario { name = "t", expect = "verified",
  mutants = { { name = "m", from = "nothing", to = "" } } }
client("c", function() end)
"#,
            r#"the mutant 'm' edits a text that is not in the file
  ┌ my-design.lua:2
  │ from = "…" must stand in the file, letter for letter
  └ docs/scenarios.md#mutants"#,
        ),
        (
            "a mutant of two places",
            r#"scenario { name = "t", expect = "verified",
  mutants = { { name = "m", from = "function", to = "" } } }
client("c", function() end)
client("d", function() end)
"#,
            r#"the mutant 'm' edits a text that stands in the file more than once
  ┌ my-design.lua:2
  │ give more of the line in from = "…"
  └ docs/scenarios.md#mutants"#,
        ),
        (
            "a mutant of a check",
            r#"scenario { name = "t", expect = "verified",
  mutants = { { name = "m", from = "7", to = "8" } } }
client("c", function() end)
finally(function() return 7 end)
"#,
            "the mutant 'm' edits a check
  ┌ my-design.lua:2
  │ a mutant breaks the protocol and leaves the check as it is
  └ docs/scenarios.md#mutants",
        ),
        (
            "a mutant of an expectation",
            r#"scenario { name = "t", expect = "verified",
  mutants = { { name = "m", from = "7", to = "8" } } }
client("c", function() expect(7) end)
"#,
            "the mutant 'm' edits a check
  ┌ my-design.lua:2
  │ a mutant breaks the protocol and leaves the check as it is
  └ docs/scenarios.md#mutants",
        ),
        (
            "a mutant without a text",
            r#"scenario { name = "t", expect = "verified",
  mutants = { { name = "m" } } }
client("c", function() end)
"#,
            r#"a mutant lacks its name or its from
  ┌ my-design.lua:2
  │ mutants = { { name = "…", from = "<text of this file>", to = "<its replacement>" } }
  └ docs/scenarios.md#mutants"#,
        ),
        (
            "a mutant of what does not hold",
            r#"scenario { name = "t", expect = "violated",
  mutants = { { name = "m", from = "end", to = "" } } }
client("c", function() end)
"#,
            r#"mutants are given, but verified is not expected
  ┌ my-design.lua:2
  │ a mutant breaks a protocol that holds: mutants go with expect = "verified"
  └ docs/scenarios.md#mutants"#,
        ),
        (
            "two mutants of one name",
            r#"scenario { name = "t", expect = "verified",
  mutants = { { name = "m", from = "end", to = "" }, { name = "m", from = "client", to = "" } } }
client("c", function() end)
"#,
            "two mutants are named 'm'
  ┌ my-design.lua:2
  │ give each a name of its own
  └ docs/scenarios.md#mutants",
        ),
    ]);
}

#[test]
fn a_running_that_shows_its_mistake_when_it_runs() {
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
            r#"near "SELEC": syntax error in SELEC 1 at offset 0 (SELEC 1)
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
