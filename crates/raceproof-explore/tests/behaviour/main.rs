//! What a user of the crate may rely on, by subject, through its public API alone.

mod backend;
mod checks;
mod env;
mod errors;
mod faults;
mod hand;
mod history;
mod linearizable;
mod messages;
mod redis_client;
mod replicas;
mod sampling;
mod serializable;
mod server_faults;
mod shrink;
mod sql;
mod sql_lock;
mod state;
mod strategies;
mod time;
mod tokens;
mod violations;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use raceproof_explore::{Bounds, Check, Counterexample, Report, Strategy, Verdict, World};

/// Runs a search that must end in a report.
fn explore(check: &Check, body: impl Fn(&mut World) + Sync) -> Report {
    check.run(body).unwrap_or_else(|error| panic!("{}: {error}", check.name()))
}

/// Runs an exhaustive search that must verify everything; gives the number of executions.
fn verified(check: &Check, body: impl Fn(&mut World) + Sync) -> u64 {
    let report = explore(&check.clone().audit(50), body);
    assert_eq!(report.violation, None);
    assert_eq!(report.verdict, Verdict::Verified);
    assert_eq!((report.redundant, report.impossible), (0, 0), "no execution is started in vain");
    report.executions
}

/// Runs a search that must find a violation, and replays its token: the same counterexample must come of it, whatever
/// the bounds of the replay.
fn violated(check: &Check, body: impl Fn(&mut World) + Sync) -> Counterexample {
    let report = explore(check, &body);
    assert_eq!(report.verdict, Verdict::Violated, "{} finds nothing", check.name());
    let found = report.violation.expect("a violated verdict comes with its counterexample");
    for bounds in [report.bounds, Bounds { steps_per_client: report.bounds.steps_per_client, ..Bounds::default() }] {
        let replay = check.clone().bounds(bounds).strategy(Strategy::Replay { token: found.token.clone() });
        let again = explore(&replay, &body);
        assert_eq!((again.verdict, again.executions, again.exhaustive), (Verdict::Violated, 1, false));
        assert_eq!(again.violation.as_ref(), Some(&found), "{} replays as something else", found.token);
    }
    found
}

/// The steps of a counterexample, one line each: `client: text → reply`.
fn lines(found: &Counterexample) -> Vec<String> {
    let line = |step: &raceproof_explore::Step| match step.reply.as_str() {
        "" => format!("{}: {}", step.client, step.text),
        reply => format!("{}: {} → {reply}", step.client, step.text),
    };
    found.steps.iter().map(line).collect()
}

/// What a step changed, one line each: `item: before → after`.
fn changes(step: &raceproof_explore::Step) -> Vec<String> {
    let gone = || "gone".to_owned();
    let line = |change: &raceproof_explore::state::Change| {
        let before = change.before.as_ref().map_or_else(gone, |content| content.value.to_string());
        let after = change.after.as_ref().map_or_else(gone, |content| content.shown(step.clock_ms));
        let hidden = if change.uncommitted { " (uncommitted)" } else { "" };
        format!("{}: {before} → {after}{hidden}", change.item)
    };
    step.changes.iter().map(line).collect()
}

/// What came of the executions of a search, each with how often; filled in by clients and checks.
#[derive(Clone, Default)]
struct Tally(Arc<Mutex<BTreeMap<String, u32>>>);

impl Tally {
    fn add(&self, what: impl ToString) {
        *self.0.lock().unwrap().entry(what.to_string()).or_default() += 1;
    }

    fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }
}
