//! Headers that say what cannot be, and mutants that edit what they must not.

use crate::check;

#[test]
fn a_wrong_header() {
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
  │ a header has name, about, known_from, row, instead, expect, message, pauses, faults, persistence, steps, preemptions, depth, mutants
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
            "less than no preemptions",
            r#"scenario { name = "t", preemptions = -1 }
client("c", function() end)
"#,
            "preemptions must be a whole number from 0 to 100, not -1
  ┌ my-design.lua:1
  │ preemptions = 1
  └ docs/scenarios.md#header",
        ),
        (
            "no depth",
            r#"scenario { name = "t", depth = 0 }
client("c", function() end)
"#,
            "depth must be a whole number from 1 to 1000000, not 0
  ┌ my-design.lua:1
  │ depth = 1
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
            "unknown fault 'reboot': there are crash, lost-reply, late, partition, commit-unknown, sql-abort, restart, power-loss, \
             failover, lag, evict, flush, script-flush, clock-jump
  ┌ my-design.lua:1
  │ faults = { crash = 1, lost_reply = 1 }
  └ docs/scenarios.md#header",
        ),
        (
            "a persistence that there is not",
            r#"scenario { name = "t", persistence = "sometimes" }
client("c", function() end)
"#,
            "unknown persistence 'sometimes': there are always, everysec, no, rdb, none
  ┌ my-design.lua:1
  │ persistence = \"everysec\"
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
