//! What stands on standard output.

use std::io::Read;
use std::process::Stdio;

use crate::{KEPT, LOST, Workshop};

#[test]
fn one_scenario_shows_its_whole_counterexample() {
    let shown = Workshop::with_both().check(["lost.lua"]).exits(0).without_times();
    let expected = r#"✗ design/lost: memory of mobile lost

 web mobile user:123
 1 GET user:123 → "1,2" ·
 2 · GET user:123 → "1,2"
 3 · SET user:123 1,2,mobile → OK "1,2,mobile"
 4 SET user:123 1,2,web → OK · "1,2,web"

 web read user:123 at step 1 and wrote it at step 4; in between, mobile changed it at step 3.
 finally: memory of mobile lost lost.lua:7

 met at execution 2 of 4, exhaustive · every step shown is needed
 replay raceproof check lost.lua --replay TOKEN
 confirm raceproof check lost.lua --confirm

 violated, as expected · · embedded engine (Redis 7.0), SQLite VERSION
"#;
    let token = shown.split("--replay ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a token");
    let version = shown.split("SQLite ").nth(1).expect("the version of SQLite").trim();
    let squeezed = shown.replace(token, "TOKEN").replace(version, "VERSION");
    let expected: Vec<&str> = expected.lines().map(str::trim).collect();
    let shown: Vec<&str> = squeezed.lines().map(str::trim).collect();
    assert_eq!(shown, expected);
}

#[test]
fn the_readme_opens_with_what_is_printed() {
    let readme = include_str!("../../../../README.md");
    let quoted =
        readme.split_once("$ cargo run --release -- check memory/serialized-value\n").expect("the sixty seconds");
    let quoted = quoted.1.split("```").next().expect("the block ends");
    Workshop::new().check(["memory/serialized-value"]).exits(0).shows(quoted);
}

#[test]
fn a_verified_scenario_says_what_was_run_within_which_bounds() {
    Workshop::with_both()
        .check(["kept.lua"])
        .exits(0)
        .shows("✓ design/kept: verified\n\n  SET of a key of one's own\n")
        .shows("  every trace was run and none breaks a check: 1 execution, exhaustive\n")
        .shows("  within the bounds pauses = 0, faults = none, 1,000 steps per client\n");
}

#[test]
fn a_folder_shows_the_counterexamples_and_then_a_row_for_each() {
    let shown = Workshop::with_both().check(["."]).exits(0).without_times();
    let rows: Vec<&str> = shown.lines().skip_while(|line| !line.starts_with("scenario verdict")).collect();
    assert!(shown.starts_with("✗ design/lost: memory of mobile lost\n"), "{shown}");
    assert_eq!(
        rows[..3],
        [
            "scenario verdict steps executions time",
            "design/kept ✓ verified 1",
            "design/lost ✗ memory of mobile lost 4 4"
        ]
    );
    assert!(rows[3].starts_with("2 scenarios: 1 verified, 1 violated, all as expected · "), "{shown}");
}

#[test]
fn rows_are_aligned() {
    let ran = Workshop::with_both().check(["."]).exits(0);
    let marks: Vec<usize> = ran
        .stdout
        .lines()
        .filter(|line| line.starts_with("  design/"))
        .map(|line| line.chars().position(|c| "✓✗".contains(c)).expect("a mark"))
        .collect();
    assert_eq!(marks, [marks[0]; 2]);
}

#[test]
fn a_verdict_that_is_not_expected_stands_out_and_is_explained() {
    Workshop::new()
        .file("a.lua", LOST, r#"expect = "verified","#)
        .file("b.lua", KEPT, r#"expect = "violated","#)
        .check(["."])
        .exits(1)
        .shows("! design/lost   ✗ memory of mobile lost")
        .shows("\n    expected verified, found violated\n")
        .shows("! design/kept   ✓ verified")
        .shows("\n    expected violated, found verified\n")
        .shows("2 scenarios: 1 verified, 1 violated, 2 not as expected");
}

#[test]
fn the_pinned_message_is_part_of_what_is_expected() {
    Workshop::new()
        .file("a.lua", LOST, r#"expect = "violated", message = "stale","#)
        .check(["a.lua"])
        .exits(1)
        .shows("! expected the message \"stale\"\n")
        .shows("violated, not as expected");
}

#[test]
fn a_file_without_an_expectation_fails_only_if_it_is_violated() {
    let workshop = Workshop::new().file("lost.lua", LOST, "").file("kept.lua", KEPT, "");
    workshop.check(["kept.lua"]).exits(0).shows("\n  verified · ");
    workshop.check(["lost.lua"]).exits(1).shows("\n  violated · ");
    workshop.check(["."]).exits(1).shows("2 scenarios: 1 verified, 1 violated · ");
}

#[test]
fn a_search_that_is_cut_short_verifies_nothing() {
    let both = Workshop::with_both();
    both.check(["lost.lua", "--executions", "1"])
        .exits(1)
        .shows("? design/lost: no violation found")
        .shows("the search came to its limit after 1 execution (≈ 50 % of the tree): others may break a check")
        .shows("! expected violated\n");
    both.check(["kept.lua", "--strategy", "random", "--executions", "20", "--seed", "7"])
        .exits(1)
        .shows("20 executions were only sampled: random (seed 7): others may break a check");
}

#[test]
fn seconds_bound_a_search_without_end() {
    let text = r#"
scenario { name = "many" }
clients { "a", "b", "c", "d", "e", "f", function() for _ = 1, 6 do redis("SET", "k", redis("GET", "k") or "") end end }
"#;
    Workshop::new()
        .file("many.lua", text, "")
        .check(["many.lua", "--seconds", "0.2"])
        .exits(0)
        .shows("? many: no violation found")
        .shows("exhaustive search stopped after ");
}

#[test]
fn a_random_search_finds_it_too_and_says_how() {
    Workshop::with_both()
        .check(["lost.lua", "--strategy", "random", "--seed", "3"])
        .exits(0)
        .shows(", random (seed 3) · every step shown is needed");
}

#[test]
fn a_token_replays_the_same_counterexample() {
    let workshop = Workshop::with_both();
    let first = workshop.check(["lost.lua"]).exits(0);
    let token =
        first.stdout.split("--replay ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a token");
    let again = workshop.check(["lost.lua", "--replay", token]).exits(0).shows("  replayed\n");
    let steps = |text: &str| text.split("\n\n").nth(1).expect("the steps").to_owned();
    assert_eq!(steps(&again.stdout), steps(&first.stdout));
    assert!(again.stdout.contains(token), "{}", again.stdout);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let mut workshop = Workshop::with_both();
    for number in 0..8 {
        let text = if number % 3 == 0 { LOST } else { KEPT };
        let text = text.replace("design/", &format!("design-{number}/"));
        workshop = workshop.file(&format!("more/{number}.lua"), &text, "");
    }
    let one = workshop.check([".", "-j", "1"]).exits(1);
    let four = workshop.check([".", "-j", "4"]).exits(1);
    assert_eq!(one.without_times(), four.without_times());
    assert_eq!(one.stdout.matches("\n✗ ").count() + 1, 4, "{}", one.stdout);
}

#[test]
fn nothing_is_coloured_but_a_terminal() {
    let workshop = Workshop::with_both();
    assert!(!workshop.check(["."]).stdout.contains('\x1b'));
    let forced = |no_color: bool| {
        let mut command = workshop.command();
        command.arg("lost.lua").env("CLICOLOR_FORCE", "1");
        if no_color {
            command.env("NO_COLOR", "1");
        }
        crate::Ran::of(command.output().expect("the binary runs")).stdout
    };
    assert!(forced(false).contains("\x1b[1m"), "CLICOLOR_FORCE asks for colours");
    assert!(!forced(true).contains('\x1b'), "NO_COLOR has the last word");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let workshop = Workshop::with_both();
    let mut child = workshop
        .command()
        .args(["lost.lua", "kept.lua"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    let mut complaint = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut complaint).expect("UTF-8");
    assert_eq!((child.wait().expect("it ends").code(), complaint.as_str()), (Some(0), ""));
}
