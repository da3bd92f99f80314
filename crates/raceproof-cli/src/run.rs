//! Searches run side by side; results come in the order of the selection.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use raceproof_explore::scenario::Scenario;
use raceproof_explore::{Error, Progress, Report};

use crate::args::Plan;
use crate::real::{Real, hold_against};
use crate::select::Selected;

/// How often whoever watches is told how far the searches are.
const TICK: Duration = Duration::from_millis(100);
/// A thread's stack: as much as the main thread has, since Lua and SQLite recurse on it.
pub(crate) const STACK_BYTES: usize = 8 << 20;

/// What became of one scenario.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) report: Report,
    /// What a real server did, if it was asked.
    pub(crate) real: Option<Real>,
}

/// Is told what happens.
pub(crate) trait Watch {
    /// A scenario is done; called in the order of the selection.
    fn done(&mut self, number: usize, result: Result<Finding, String>);
    /// A scenario was not begun, because the command was interrupted.
    fn skipped(&mut self);
    /// Time has passed: so many scenarios are done, and so far have they come.
    fn tick(&mut self, done: usize, progress: &[Arc<Progress>]);
}

/// Runs every scenario, by `plan.jobs` threads in all, until `stop` is set.
pub(crate) fn run(scenarios: &[Selected], plan: &Plan, stop: &Arc<AtomicBool>, watch: &mut dyn Watch) {
    let next = AtomicUsize::new(0);
    let counters: Vec<Arc<Progress>> = scenarios.iter().map(|_| Arc::default()).collect();
    let (sender, results) = mpsc::channel();
    // Several scenarios keep the threads busy; a single one shares them out inside.
    let threads = (plan.jobs / scenarios.len().max(1)).max(1);
    std::thread::scope(|scope| {
        for _ in 0..plan.jobs.min(scenarios.len()) {
            let (sender, next, counters) = (sender.clone(), &next, &counters);
            let work = move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(selected) = scenarios.get(number).filter(|_| !stop.load(Ordering::Relaxed)) else {
                        return;
                    };
                    let result = guarded(&selected.scenario, plan, threads, counters[number].clone(), stop.clone());
                    if sender.send((number, result)).is_err() {
                        return;
                    }
                }
            };
            if std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).is_err() {
                // The system allows no more threads: those that run share the work.
                break;
            }
        }
        drop(sender);
        let mut waiting: Vec<Option<Result<Finding, String>>> = scenarios.iter().map(|_| None).collect();
        let (mut told, mut done) = (0, 0);
        loop {
            match results.recv_timeout(TICK) {
                Ok((number, result)) => {
                    waiting[number] = Some(result);
                    done += 1;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            while let Some(result) = waiting.get_mut(told).and_then(Option::take) {
                watch.done(told, result);
                told += 1;
            }
            watch.tick(done, &counters);
        }
        for (number, result) in waiting.into_iter().enumerate().skip(told) {
            match result {
                Some(result) => watch.done(number, result),
                None if stop.load(Ordering::Relaxed) => watch.skipped(),
                None => watch.done(number, Err("the system allows no thread to run it".to_owned())),
            }
        }
    });
}

/// A panic of the search is a defect of raceproof: it is reported for its scenario and the others go on.
fn guarded(
    scenario: &Scenario,
    plan: &Plan,
    threads: usize,
    progress: Arc<Progress>,
    stop: Arc<AtomicBool>,
) -> Result<Finding, String> {
    catch_unwind(AssertUnwindSafe(|| one(scenario, plan, threads, progress, stop))).unwrap_or_else(|_| {
        let ask = "this is a defect of raceproof: please report it with the scenario";
        Err(format!("the search for {} panicked\n  └ {ask}", scenario.name()))
    })
}

fn one(
    scenario: &Scenario,
    plan: &Plan,
    threads: usize,
    progress: Arc<Progress>,
    stop: Arc<AtomicBool>,
) -> Result<Finding, String> {
    let in_words = |error: Error| match error {
        // It names its file.
        Error::Scenario(text) => text,
        error => format!("{error}\n  └ {}", scenario.file()),
    };
    let mut check =
        scenario.check().strategy(plan.strategy.clone()).progress(progress).stop_when(stop).threads(threads);
    if plan.first {
        check = check.stop_at_first();
    }
    if let Some(then) = &plan.then {
        check = check.then_sample(then.clone());
    }
    if let Some(executions) = plan.executions {
        check = check.max_executions(executions);
    }
    if let Some(preemptions) = plan.preemptions {
        check = check.preemptions(preemptions);
    }
    if let Some(depth) = plan.depth {
        check = check.depth(depth);
    }
    if let Some(time) = plan.time {
        check = check.max_time(time);
    }
    let report = scenario.run(&check).map_err(in_words)?;
    let real = if plan.confirm { hold_against(scenario, scenario.check(), &report).map_err(in_words)? } else { None };
    Ok(Finding { report, real })
}
