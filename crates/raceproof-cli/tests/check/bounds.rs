//! Searches that merge states, and bounds on preemptions and depth: what is said of their verdicts.

use crate::{KEPT, Workshop};

#[test]
fn states_are_counted() {
    Workshop::with_both()
        .check(["kept.lua", "--strategy", "states"])
        .exits(0)
        .shows("✓ design/kept: verified\n")
        .shows("  every state was reached and none breaks a check: 4 states, 2 executions (1 cut where states met)\n");
    Workshop::with_both()
        .check(["lost.lua", "--strategy", "states"])
        .exits(0)
        .shows("✗ design/lost: memory of mobile lost\n")
        .shows(", exhaustive · every step shown is needed");
}

#[test]
fn a_verdict_within_a_bound_on_preemptions_says_so() {
    let workshop = Workshop::with_both();
    workshop
        .check(["lost.lua", "--preemptions", "0"])
        .exits(1)
        .shows("✓ design/lost: verified within 0 preemptions\n")
        .shows("  within the bounds preemptions = 0, pauses = 0, faults = none, 1,000 steps per client\n");
    workshop.check(["lost.lua", "--preemptions", "1"]).exits(0).shows("✗ design/lost: memory of mobile lost\n");
    workshop.check(["lost.lua", "kept.lua", "--preemptions", "0"]).exits(1).shows("verified within 0 preemptions");
}

#[test]
fn nothing_is_verified_beyond_a_depth() {
    let workshop = Workshop::with_both();
    workshop
        .check(["kept.lua", "--depth", "1"])
        .exits(1)
        .shows("? design/kept: no violation found\n")
        .shows("  an execution was cut off after 1 steps: others may break a check\n")
        .shows("  within the bounds depth = 1, pauses = 0, faults = none, 1,000 steps per client\n");
    workshop.check(["kept.lua", "--depth", "2"]).exits(0).shows("✓ design/kept: verified\n");
}

#[test]
fn the_file_states_bounds_and_the_command_line_others() {
    let text = KEPT.replace("design/kept", "design/near");
    let workshop = Workshop::new().file("near.lua", &text, r#"expect = "verified", preemptions = 2, depth = 9,"#);
    workshop.check(["near.lua"]).exits(0).shows("verified within 2 preemptions").shows("preemptions = 2, depth = 9, ");
    workshop.check(["near.lua", "--preemptions", "1"]).exits(0).shows("verified within 1 preemption\n");
}

#[test]
fn json_tells_states_and_bounds() {
    let workshop = Workshop::with_both();
    let document = |args: &[&str]| -> serde_json::Value {
        let ran = workshop.check(args.iter().chain(&["--format", "json"]));
        serde_json::from_str(&ran.stdout).expect("a document")
    };
    let found = &document(&["kept.lua", "--preemptions", "2", "--depth", "7"])["scenarios"][0];
    assert_eq!((&found["bounds"]["preemptions"], &found["bounds"]["depth"]), (&2.into(), &7.into()));
    assert!(found["states"]["reached"].as_u64().is_some_and(|reached| reached >= 4), "{found}");
    let plain = &document(&["kept.lua"])["scenarios"][0];
    assert_eq!((&plain["states"], &plain["bounds"]["depth"]), (&serde_json::Value::Null, &serde_json::Value::Null));
}

#[test]
fn a_seed_has_no_meaning_for_states() {
    Workshop::with_both()
        .check(["kept.lua", "--strategy", "states", "--seed", "1"])
        .exits(2)
        .complains("--strategy random");
}
