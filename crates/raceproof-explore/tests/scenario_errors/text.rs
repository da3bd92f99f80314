//! Texts that are no scenario: not Lua, no header or no clients, and mistakes at the file's top level.

use crate::check;

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
