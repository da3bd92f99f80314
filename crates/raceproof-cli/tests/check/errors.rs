//! Bad usage and bad input: one screen, exit status 2, no panic.

use crate::{KEPT, Workshop};

#[test]
fn a_missing_file_is_named() {
    Workshop::new().check(["nowhere.lua"]).exits(2).complains("nowhere.lua").complains("No such file");
}

#[test]
fn malformed_lua_is_shown_with_its_line() {
    let text = "scenario { name = \"x\" }\nclients { \"a\", function() redis( end }\n";
    Workshop::new().file("bad.lua", text, "").check(["bad.lua"]).exits(2).complains("bad.lua:2");
}

#[test]
fn a_scenario_without_clients_says_what_it_needs() {
    Workshop::new()
        .file("empty.lua", "scenario { name = \"x\" }\n", "")
        .check(["empty.lua"])
        .exits(2)
        .complains("error: scenario has no clients\n  ┌ empty.lua:1\n  │ ");
}

#[test]
fn an_endless_loop_ends() {
    let text = "scenario { name = \"x\" }\nclient(\"spinner\", function() while true do end end)\n";
    Workshop::new()
        .file("loop.lua", text, "")
        .check(["loop.lua"])
        .exits(2)
        .complains("spinner")
        .complains("loop.lua:2");
}

#[test]
fn mistakes_in_commands_are_mistakes_of_the_scenario() {
    for (call, complaint) in [("redis(\"GETT\", \"k\")", "GETT"), ("redis(\"GET\")", "arguments")] {
        let text = format!("scenario {{ name = \"x\" }}\nclient(\"a\", function()\n  {call}\nend)\n");
        Workshop::new().file("a.lua", &text, "").check(["a.lua"]).exits(2).complains(complaint).complains("a.lua:3");
    }
}

#[test]
fn an_unknown_name_is_answered_with_near_ones() {
    Workshop::new()
        .check(["memory/serialised-value"])
        .exits(2)
        .complains("named memory/serialised-value\n  │ did you mean memory/serialized-value")
        .complains("raceproof check --list");
    let far = Workshop::new().check(["xyzzy"]).exits(2).complains("named xyzzy\n  └ ");
    assert!(!far.stderr.contains("did you mean"), "{}", far.stderr);
}

#[test]
fn a_folder_without_scenarios_is_an_error() {
    let workshop = Workshop::new().file("empty/readme.txt", "", "");
    workshop.check(["empty"]).exits(2).complains("no scenario in the folder empty");
}

#[test]
fn a_broken_pattern_is_an_error() {
    Workshop::new().check(["cache/["]).exits(2).complains("cache/[ is not a pattern");
}

#[test]
fn a_bad_token_is_refused() {
    let workshop = Workshop::with_both();
    workshop.check(["lost.lua", "--replay", "nonsense"]).exits(2).complains("\"nonsense\"");
    let token = |ran: crate::Ran| {
        let rest = ran.stdout.split("--replay ").nth(1).expect("a token").to_owned();
        rest.split_whitespace().next().expect("a token").to_owned()
    };
    let token = token(workshop.check(["lost.lua"]));
    workshop.check(["kept.lua", "--replay", &token]).exits(2).complains(&token);
}

#[test]
fn a_token_needs_exactly_one_scenario() {
    Workshop::with_both()
        .check([".", "--replay", "rp1.abba.00000000"])
        .exits(2)
        .complains("exactly one scenario, these are 2");
}

#[test]
fn a_broken_scenario_does_not_stop_the_others() {
    let ran = Workshop::with_both()
        .file("broken.lua", "scenario { name = \"x\" }\n", "")
        .check(["."])
        .exits(2)
        .complains("broken.lua:1")
        .shows("  design/kept   ✓ verified")
        .shows("! broken.lua    error scenario has no clients")
        .shows("3 scenarios: 1 verified, 1 violated, 1 could not be run");
    assert_eq!(ran.stderr.matches("error:").count(), 1, "{}", ran.stderr);
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let workshop = Workshop::new().file("kept.lua", KEPT, "");
    let refused = |args: &[&str]| workshop.check(args).exits(2).complains("error: ");
    refused(&["kept.lua", "--seed", "1"]).complains("--strategy random");
    refused(&["kept.lua", "--replay", "rp1.a.00000000", "--strategy", "random"]);
    refused(&["kept.lua", "--executions", "0"]);
    refused(&["kept.lua", "--seconds", "0"]);
    refused(&["kept.lua", "--seconds", "NaN"]);
    refused(&["kept.lua", "--strategy", "lucky"]);
    refused(&["kept.lua", "-j", "0"]);
    refused(&["--no-such-option"]);
}

#[test]
fn a_junit_file_that_cannot_be_written_is_named_before_the_search() {
    let workshop = Workshop::with_both();
    let ran = workshop.check(["lost.lua", "--junit", "no/such/folder/report.xml"]).exits(2);
    assert_eq!(ran.complains("no/such/folder/report.xml").stdout, "");
    workshop.check(["lost.lua", "--junit", "."]).exits(2).complains("--junit .");
}

#[test]
fn a_machine_without_redis_server_is_told_how_to_get_one() {
    let workshop = Workshop::with_both();
    let output = workshop.command().args(["lost.lua", "--confirm"]).env("PATH", "").output().expect("the binary runs");
    let ran = crate::Ran::of(output).exits(2).complains("redis-server").complains("apt-get install redis-server");
    assert_eq!(ran.stdout, "");
}
