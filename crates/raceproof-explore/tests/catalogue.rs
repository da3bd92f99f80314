//! The catalogue: every scenario is what it says, every mutant is caught, every counterexample shows only what is needed.

use std::path::{Path, PathBuf};

use raceproof_explore::scenario::Scenario;
use raceproof_explore::{
    Bounds, Broken, Counterexample, Error, Fault, Faults, Report, Step, StepKind, Strategy, Verdict,
};

/// The length of each counterexample, in steps. A longer one shows something needless, a shorter one has lost its point.
const STEPS: &[(&str, usize)] = &[
    ("cache/cdc-watermark-max-id", 13),
    ("cache/commit-to-delete-window", 2),
    ("cache/database-then-delete", 5),
    ("cache/database-then-delete-crash", 2),
    ("cache/delete-read-replica", 3),
    ("cache/delete-then-database", 5),
    ("cache/double-delete-at-once", 6),
    ("cache/double-delete-delayed-paused", 7),
    ("cache/dual-write-in-transaction", 4),
    ("cache/local-pubsub-reconnect", 9),
    ("cache/local-read-then-subscribe", 6),
    ("cache/mark-with-ttl", 4),
    ("cache/outbox-refill", 10),
    ("cache/refresh-ahead", 5),
    ("cache/rockscache-lock-for-update", 7),
    ("cache/single-mark", 8),
    ("cache/tombstone-paused", 6),
    ("cache/tracking-redirect", 8),
    ("cache/version-then-delete", 5),
    ("cache/version-then-set-paused", 6),
    ("cache/write-behind", 4),
    ("cache/write-through", 4),
    ("cache/write-through-with-reader", 7),
    ("counter/incr-then-expire", 2),
    ("counter/limit-check-then-incr", 6),
    ("counter/number-get-set", 6),
    ("counter/retry", 3),
    ("counter/sliding-window", 8),
    ("counter/stock-check-then-decr", 6),
    ("counter/stock-crash", 2),
    ("idempotency/check-then-set", 6),
    ("idempotency/in-progress-crash", 9),
    ("idempotency/in-progress-paused", 7),
    ("idempotency/set-nx-crash", 3),
    ("lock/blind-delete", 4),
    ("lock/fencing-without-claim", 7),
    ("lock/read-replica", 8),
    ("lock/redis-or-file", 4),
    ("lock/redlock-3-clock-jump", 5),
    ("lock/redlock-5-clock-jump", 7),
    ("lock/release-late", 7),
    ("lock/renewal-paused", 12),
    ("lock/setnx-then-expire", 2),
    ("lock/setnx-without-ttl", 2),
    ("lock/token-paused", 3),
    ("lock/token-paused-row", 7),
    ("lock/wakeup-lost", 5),
    ("memory/counter-read-modify-write", 4),
    ("memory/document-then-expire", 2),
    ("memory/evalsha", 2),
    ("memory/expire-then-set", 2),
    ("memory/fixed-ttl", 4),
    ("memory/hmset-merge-forget", 3),
    ("memory/hset-then-expire", 2),
    ("memory/own-write-replica", 2),
    ("memory/per-message-ttl", 8),
    ("memory/replace-hash", 6),
    ("memory/serialized-value", 4),
    ("memory/set-again-late", 4),
    ("memory/watch-without-retry", 6),
    ("queue/blocking-pop", 3),
    ("queue/pop", 2),
    ("queue/publish", 4),
    ("queue/requeue-paused", 8),
    ("queue/stream-ack-first", 3),
    ("queue/stream-claim-paused", 7),
    ("queue/stream-noack", 2),
    ("session/rotate-refresh-token", 4),
    ("session/save-revives", 3),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// Every scenario of the catalogue, with its path below `scenarios/`, without `.lua`.
fn catalogue() -> Vec<(String, Scenario)> {
    let mut found = Vec::new();
    for group in std::fs::read_dir(folder()).unwrap() {
        for file in std::fs::read_dir(group.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let below = path.strip_prefix(folder()).unwrap().with_extension("");
            let scenario = Scenario::load(&path).unwrap_or_else(|error| panic!("{error}"));
            found.push((below.to_str().unwrap().to_owned(), scenario));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn of_verdict(verdict: Verdict) -> Vec<Scenario> {
    let all = catalogue().into_iter().map(|(_, scenario)| scenario);
    all.filter(|scenario| scenario.expect().unwrap().verdict == verdict).collect()
}

fn run(scenario: &Scenario) -> Report {
    scenario.run(&scenario.check()).unwrap_or_else(|error| panic!("{}: {error}", scenario.name()))
}

/// Every scenario that must be violated, with its counterexample.
fn counterexamples() -> Vec<(Scenario, Counterexample)> {
    let found = of_verdict(Verdict::Violated).into_iter().map(|scenario| {
        let violation = run(&scenario).violation.unwrap_or_else(|| panic!("{}: nothing found", scenario.name()));
        (scenario, violation)
    });
    found.collect()
}

/// Whether a search still finds the violation, in the same client if a client reports it. A scenario that cannot be run
/// any more has none.
fn still_violated(scenario: &Scenario, bounds: Bounds, found: &Counterexample) -> bool {
    let same = |other: &Counterexample| other.message == found.message && other.broken == found.broken;
    match scenario.run(&scenario.check().bounds(bounds)) {
        Ok(report) => report.violation.as_ref().is_some_and(same),
        Err(Error::NoClients) => false,
        Err(error) => panic!("{}: {error}", scenario.name()),
    }
}

#[test]
fn every_scenario_says_what_it_is() {
    for (path, scenario) in catalogue() {
        assert_eq!(scenario.name(), path, "a scenario is named for its file");
        assert!(scenario.source().starts_with("-- "), "{path}: opens with what it models");
        assert!(!scenario.about().is_empty() && !scenario.known_from().is_empty(), "{path}: about, known_from");
        let expect = scenario.expect().unwrap_or_else(|| panic!("{path}: pins no verdict"));
        match expect.verdict {
            Verdict::Violated => assert!(expect.message.is_some(), "{path}: pins no message"),
            _ => assert!(!scenario.mutants().is_empty(), "{path}: names no mutants"),
        }
    }
}

/// The calls at the top level of a file that do not belong to its protocol: each from its line to the line that ends it.
fn blocks<'a>(source: &'a str, calls: &[&str]) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(line) = source[at..].lines().next() {
        let mut end = at + line.len();
        if calls.iter().any(|call| line.strip_prefix(call).is_some_and(|rest| rest.starts_with('('))) {
            // A call of several lines ends with the first that is not indented.
            if !line.ends_with(')') {
                end += source[end..].find("\nend)").expect("the call ends") + "\nend)".len();
            }
            found.push(&source[at..end]);
        }
        at = source.len().min(end + 1);
    }
    found
}

/// What a file promises: its checks, and the expectations in its clients, whatever the protocol.
fn promises(source: &str) -> Vec<&str> {
    let mut found = blocks(source, &["always", "finally", "quiet", "fresh", "exclusive"]);
    found.extend(source.lines().map(str::trim).filter(|line| line.starts_with("expect(")));
    found
}

/// The scenarios that the opening of a file names as its siblings.
fn siblings<'a>(scenario: &Scenario, all: &'a [(String, Scenario)]) -> Vec<&'a Scenario> {
    let opening = scenario.source().lines().take_while(|line| line.starts_with("--"));
    let opening = opening.map(|line| line.trim_start_matches("-- ")).collect::<Vec<_>>().join(" ");
    let (_, named) = opening.split_once("Sibling").unwrap_or_default();
    let is_part = |c: char| c == '-' || c == '/' || c.is_ascii_alphanumeric();
    let names: Vec<&str> = named.split(|c| !is_part(c)).collect();
    all.iter().filter(|(path, _)| names.contains(&path.as_str())).map(|(_, sibling)| sibling).collect()
}

#[test]
fn every_violated_scenario_has_a_sibling_that_holds_and_promises_the_same() {
    let all = catalogue();
    for (path, scenario) in &all {
        let verdict = scenario.expect().unwrap().verdict;
        let mut others = siblings(scenario, &all);
        others.retain(|sibling| sibling.expect().unwrap().verdict != verdict);
        assert!(!others.is_empty(), "{path}: its opening names no sibling of the other verdict");
        if verdict == Verdict::Violated {
            let promised = promises(scenario.source());
            assert!(!promised.is_empty(), "{path}: has no checks");
            // It may promise more, such as a bound on its retries.
            let keeps = |sibling: &&Scenario| {
                let kept = promises(sibling.source());
                promised.iter().all(|promise| kept.contains(promise))
            };
            assert!(others.iter().any(keeps), "{path}: no sibling that holds has the same checks");
        }
    }
}

#[test]
fn every_mutant_leaves_checks_and_setup_as_they_are() {
    let mut mutants = 0;
    for scenario in of_verdict(Verdict::Verified) {
        for mutant in scenario.mutants() {
            let broken = scenario.mutated(&mutant.name).unwrap_or_else(|error| panic!("{error}"));
            assert_ne!(broken.source(), scenario.source(), "{}: edits nothing", broken.name());
            let [edited, whole] = [&broken, &scenario].map(Scenario::source);
            assert_eq!(promises(edited), promises(whole), "{}: edits a check", broken.name());
            assert_eq!(blocks(edited, &["setup"]), blocks(whole, &["setup"]), "{}: edits the setup", broken.name());
            assert_eq!(broken.clients(), scenario.clients(), "{}", broken.name());
            assert_eq!(broken.bounds(), scenario.bounds(), "{}", broken.name());
            mutants += 1;
        }
    }
    assert!(mutants >= of_verdict(Verdict::Verified).len(), "{mutants} mutants");
}

#[test]
fn every_verdict_is_the_expected_one() {
    for (path, scenario) in catalogue() {
        let report = run(&scenario);
        let found = report.violation.as_ref().map(|violation| violation.message.as_str());
        assert!(scenario.expect().unwrap().met_by(&report), "{path}: {:?} {found:?}", report.verdict);
        assert!(report.exhaustive, "{path}: the search was cut short");
        assert_eq!(report.cut_off, None, "{path}: a client met the step limit");
    }
}

/// Optimal reduction starts no execution that it has to give up, whatever may go wrong.
#[test]
fn no_execution_is_begun_in_vain() {
    let mut seen = 0;
    for (path, scenario) in catalogue() {
        let report = run(&scenario);
        assert_eq!((report.redundant, report.impossible), (0, 0), "{path}: in vain, beside {}", report.executions);
        seen += 1;
    }
    assert!(seen >= 40, "only {seen} scenarios");
}

#[test]
fn every_mutant_is_caught() {
    let mut survivors = Vec::new();
    for scenario in of_verdict(Verdict::Verified) {
        for mutant in scenario.mutants() {
            let broken = scenario.mutated(&mutant.name).unwrap_or_else(|error| panic!("{error}"));
            if run(&broken).verdict != Verdict::Violated {
                survivors.push(broken.name().to_owned());
            }
        }
    }
    assert!(survivors.is_empty(), "mutants survive: {survivors:#?}");
}

#[test]
fn every_counterexample_has_its_length() {
    let found: Vec<(String, usize)> =
        counterexamples().iter().map(|(scenario, found)| (scenario.name().to_owned(), found.steps.len())).collect();
    let expected: Vec<(String, usize)> = STEPS.iter().map(|(name, steps)| ((*name).to_owned(), *steps)).collect();
    assert_eq!(found, expected);
}

#[test]
fn no_fault_and_no_pause_can_be_spared() {
    for (scenario, found) in counterexamples() {
        let bounds = scenario.bounds();
        let calmer = Bounds { pauses: bounds.pauses.saturating_sub(1), ..bounds };
        let without = bounds.faults.iter().map(|(fault, times)| bounds.with(fault, times - 1));
        for fewer in without.chain((calmer != bounds).then_some(calmer)) {
            assert!(!still_violated(&scenario, fewer, &found), "{}: {fewer:?} do", scenario.name());
        }
        // To learn of a fault that has struck is none.
        let strikes = |step: &&Step| step.kind == StepKind::Fault && !step.text.starts_with("learns that");
        let used = u32::try_from(found.steps.iter().filter(strikes).count()).unwrap();
        // A replica that lags is not a step of its own, but what a read sees; the searches above show that it has to.
        let steps = bounds.faults.total() - bounds.faults.get(Fault::Lag);
        assert_eq!(used, steps, "{}: faults in the counterexample", scenario.name());
    }
}

/// A check of the end state speaks of every client, so only the other kinds of checks make sense with fewer of them.
fn may_leave_out_clients(found: &Counterexample) -> bool {
    matches!(found.broken, Broken::Always | Broken::History | Broken::Quiet | Broken::Client(_))
}

#[test]
fn no_client_can_be_spared() {
    let (mut tried, mut spared) = (0, Vec::new());
    for (scenario, found) in counterexamples() {
        for client in scenario.clients() {
            let fewer = scenario.without_client(client);
            let tries = may_leave_out_clients(&found);
            if !found.clients.contains(client) || (tries && still_violated(&fewer, scenario.bounds(), &found)) {
                spared.push(format!("{}: {client}", scenario.name()));
            }
            tried += usize::from(tries);
        }
    }
    assert!(spared.is_empty(), "clients that are not needed: {spared:#?}");
    assert!(tried >= 20, "only {tried} clients were left out");
}

/// To leave out an operation is to leave out its client, which `no_client_can_be_spared` does.
#[test]
fn no_client_has_two_operations() {
    let mut operations = 0;
    for (path, scenario) in catalogue() {
        for paragraph in scenario.source().split("\n\n").filter(|text| text.starts_with("client")) {
            let begins = |line: &&str| ["read(", "write(", "inside("].iter().any(|call| line.trim().starts_with(call));
            let count = paragraph.lines().filter(begins).count();
            assert!(count <= 1, "{path}: {count} operations in one client:\n{paragraph}");
            operations += count;
        }
    }
    assert!(operations >= 20, "only {operations} operations were found");
}

/// Whether a client that dies is enough to break what should be used instead as well, in the same way. Then the atlas says
/// so in the column of crashes, and the row is about something else.
fn a_crash_breaks_what_is_better(scenario: &Scenario, found: &Counterexample) -> bool {
    let better = scenario.instead().and_then(|name| catalogue().into_iter().find(|(path, _)| path == name));
    better.is_some_and(|(_, better)| {
        let nothing = Bounds { pauses: 0, faults: Faults::NONE, ..better.bounds() };
        let breaks = |bounds| {
            let report = better.run(&better.check().bounds(bounds)).unwrap_or_else(|error| panic!("{error}"));
            report.violation.is_some_and(|violation| violation.message == found.message)
        };
        !breaks(nothing) && breaks(nothing.with(Fault::Crash, 1))
    })
}

#[test]
fn no_client_can_end_earlier() {
    let (mut tried, mut longer) = (0, Vec::new());
    for (scenario, found) in counterexamples() {
        // A check at rest does not speak of clients that stopped half-way, unless a crash is what it is about.
        if !matches!(found.broken, Broken::Always | Broken::History | Broken::Client(_)) {
            continue;
        }
        let mut unneeded = Vec::new();
        for client in &found.clients {
            let of_client = |kind| kind != StepKind::Fault && kind != StepKind::Clock;
            let steps = found.steps.iter().filter(|step| step.client == *client && of_client(step.kind)).count();
            for earlier in 0..u32::try_from(steps).unwrap() {
                let shorter = scenario.with_client_ending(client, earlier);
                if still_violated(&shorter, scenario.bounds(), &found) {
                    unneeded.push(format!("{}: {client} need not go beyond its step {earlier}", scenario.name()));
                }
                tried += 1;
            }
        }
        if !unneeded.is_empty() && !a_crash_breaks_what_is_better(&scenario, &found) {
            longer.append(&mut unneeded);
        }
    }
    assert!(longer.is_empty(), "{longer:#?}");
    assert!(tried >= 20, "only {tried} earlier ends were tried");
}

#[test]
fn every_token_replays_to_the_same_counterexample() {
    for (scenario, found) in counterexamples() {
        let replay = Strategy::Replay { token: found.token.clone() };
        let report = scenario.run(&scenario.check().strategy(replay)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(report.verdict, Verdict::Violated, "{}", scenario.name());
        assert_eq!(report.violation.as_ref(), Some(&found), "{}", scenario.name());
    }
}

#[test]
fn a_token_is_refused_by_another_scenario() {
    let all = counterexamples();
    let (_, found) = all.iter().find(|(scenario, _)| scenario.name() == "memory/serialized-value").unwrap();
    let (other, _) = all.iter().find(|(scenario, _)| scenario.name() == "memory/replace-hash").unwrap();
    let replay = Strategy::Replay { token: found.token.clone() };
    let refused = other.run(&other.check().strategy(replay));
    assert!(matches!(refused, Err(Error::Token { .. })), "{refused:?}");
}

#[test]
fn the_audit_finds_no_hidden_dependence() {
    for (path, scenario) in catalogue() {
        let report = scenario.run(&scenario.check().audit(100)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(report.verdict, scenario.expect().unwrap().verdict, "{path}");
    }
}

#[test]
fn sampling_agrees_and_never_says_verified() {
    for (path, scenario) in catalogue() {
        let check = scenario.check().strategy(Strategy::Random { seed: 1 }).max_executions(50);
        let report = scenario.run(&check).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_ne!(report.verdict, Verdict::Verified, "{path}");
        if scenario.expect().unwrap().verdict == Verdict::Verified {
            assert_eq!(report.verdict, Verdict::NoViolationFound, "{path}");
        }
    }
}
