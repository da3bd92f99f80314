//! The strict cache of `scenarios/cache/strict.lua` under every fault, and every change that breaks it.
//!
//! The protocol stands in that file once. Here it is run with other clients and other budgets than the catalogue has
//! time for, and with mutants that need them. docs/strict-cache.md tells what came out.

mod base;
mod late;
mod mutants;
mod second_lines;

use std::path::Path;

use raceproof_explore::scenario::Scenario;
use raceproof_explore::{Fault, Report, Verdict};

/// A change of the file: what is replaced, which must stand there once, and by what.
type Edit = (&'static str, &'static str);

/// The last line of the clients.
const WRITER: &str = r#"client("writer", function() put("writer", "pro") end)"#;

const READER: &str = r#"client("reader", function() browse("reader") end)"#;

const TWO_READERS: Edit = (READER, r#"clients { "reader", "rival", browse }"#);

/// One client more at the end of the others.
const TWO_WRITERS: Edit = (
    WRITER,
    r#"client("writer", function() put("writer", "pro") end)
client("clerk", function() put("clerk", "gold") end)"#,
);

/// The protocol with changes, without the bounds of its header.
fn strict(edits: &[Edit]) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/cache/strict.lua");
    let mut source = std::fs::read_to_string(path).expect("the scenario is there");
    let (opening, rest) = source.split_once("scenario {").expect("a header");
    let (_, protocol) = rest.split_once("\n}\n").expect("the header ends");
    source = format!("{opening}scenario {{ name = \"cache/strict\" }}\n{protocol}");
    for (from, to) in edits {
        assert_eq!(source.matches(from).count(), 1, "this stands in the file once: {from}");
        source = source.replace(from, to);
    }
    Scenario::parse("strict.lua", &source).unwrap_or_else(|error| panic!("{error}"))
}

/// What may go wrong: faults, and pauses.
#[derive(Clone, Copy, Debug)]
struct Budget {
    faults: &'static [(Fault, u32)],
    pauses: u32,
}

const NOTHING: Budget = Budget { faults: &[], pauses: 0 };
const PAUSE: Budget = Budget { faults: &[], pauses: 1 };

const fn of(faults: &'static [(Fault, u32)]) -> Budget {
    Budget { faults, pauses: 0 }
}

/// Runs the protocol with changes; a restart loses any number of the last writes.
fn run(edits: &[Edit], budget: Budget) -> Report {
    let scenario = strict(edits);
    let check = scenario.check().pauses(budget.pauses).persistence(raceproof_explore::Persistence::Rdb);
    let check = budget.faults.iter().fold(check, |check, (fault, times)| check.fault(*fault, *times));
    scenario.run(&check).unwrap_or_else(|error| panic!("{error}"))
}

/// Every trace was run and none breaks a check. Prints what the search cost, for docs/strict-cache.md.
fn holds(what: &str, edits: &[Edit], budget: Budget) {
    let report = run(edits, budget);
    println!("{what}: {} executions, {:.1} s", report.executions, report.elapsed.as_secs_f64());
    assert_eq!(report.verdict, Verdict::Verified, "{what}, {budget:?}: {:?}", report.violation);
}

/// A read returns an older value than was committed before it began, or would at the end.
fn breaks(what: &str, edits: &[Edit], budget: Budget) {
    let report = run(edits, budget);
    println!("{what}: found, {} executions, {:.1} s", report.executions, report.elapsed.as_secs_f64());
    let found = report.violation.unwrap_or_else(|| panic!("{what}, {budget:?}: nothing found"));
    assert!(found.message.starts_with("stale "), "{what}: {}", found.message);
}
