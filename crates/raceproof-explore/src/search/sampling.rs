//! Searches that run some executions of all that there are, each by itself from a seed and its number.

use std::time::Instant;

use super::crew::Bodies;
use super::driver::{Aside, Bench, Body, Found, Search, execute, over};
use super::pct;
use super::random::Random;
use super::uniform::{Tried, Walk, Weights};
use crate::Error;
use crate::execution::{End, Mode, Worker};
use crate::report::{Stopped, Strategy};

/// How many executions are made unless a limit is given.
const EXECUTIONS: u64 = 10_000;

/// Runs executions until a limit is reached, or one breaks a check.
pub(crate) fn sample(
    search: &Search,
    strategy: &Strategy,
    worker: &mut Worker,
    body: Body<'_>,
    bodies: &dyn Bodies,
    start: Instant,
) -> Result<Found, Error> {
    let limits = Search {
        max_executions: search.max_executions.or(search.max_time.is_none().then_some(EXECUTIONS)),
        ..search.clone()
    };
    match *strategy {
        Strategy::Uniform { seed } => {
            // Steps are tried out in the middle of an execution, with a body that is not at work there.
            let mut found = Ok(Found::default());
            bodies.with(&mut |beside| found = uniform(&limits, worker, (body, beside), seed, start));
            found
        }
        Strategy::Pct { seed, depth } => priorities(&limits, worker, body, seed, depth, start),
        Strategy::Random { seed } => random(&limits, worker, body, seed, start),
        Strategy::Exhaustive | Strategy::States | Strategy::Replay { .. } => Ok(Found::default()),
    }
}

fn random(limits: &Search, worker: &mut Worker, body: Body<'_>, seed: u64, start: Instant) -> Result<Found, Error> {
    let mut found = Found::default();
    loop {
        let mut chooser = Random::new(seed, found.executions);
        // Taken apart in one go: a run is large, and moving it costs.
        let run = match execute(worker, body, limits.bounds, Mode::default(), &mut chooser) {
            Ok(Ok(run)) => run,
            Ok(Err(failure)) => return Ok(found.with_failed_setup(failure)),
            Err(error) => return Err(error),
        };
        found.executions += 1;
        found.add(&run, worker);
        worker.recycle(run);
        if ended(&mut found, limits, start) {
            return Ok(found);
        }
    }
}

fn priorities(
    limits: &Search,
    worker: &mut Worker,
    body: Body<'_>,
    seed: u64,
    depth: u32,
    start: Instant,
) -> Result<Found, Error> {
    let mut found = Found::default();
    let mut series = pct::Series::new(seed, depth);
    loop {
        let mut chooser = series.chooser(found.executions);
        let run = match execute(worker, body, limits.bounds, Mode::default(), &mut chooser)? {
            Ok(run) => run,
            Err(failure) => return Ok(found.with_failed_setup(failure)),
        };
        series.add(&chooser);
        found.executions += 1;
        found.add(&run, worker);
        if ended(&mut found, limits, start) {
            found.cover.odds = Some(series.odds());
            return Ok(found);
        }
    }
}

fn uniform(
    limits: &Search,
    worker: &mut Worker,
    (body, body_beside): (Body<'_>, Body<'_>),
    seed: u64,
    start: Instant,
) -> Result<Found, Error> {
    let mut found = Found::default();
    let mut other = Worker::beside(worker.numbers().clone());
    let (bounds, mode) = (limits.bounds, Mode::default());
    let mut beside = Bench { worker: &mut other, body: body_beside, bounds, mode, aside: Aside::Nobody };
    let (mut tried, mut weights, mut walk) = (Tried::default(), Weights::default(), 0);
    loop {
        let mut chooser = Walk::new(seed, walk, &mut beside, &mut tried);
        let run = match execute(worker, body, limits.bounds, Mode::default(), &mut chooser)? {
            Ok(run) => run,
            Err(failure) => return Ok(found.with_failed_setup(failure)),
        };
        walk += 1;
        weights.add(chooser.weight);
        let grown = std::mem::take(&mut worker.restart) | std::mem::take(&mut beside.worker.restart);
        if grown {
            // What an `always` check reads is part of dependence: what was known before was for other traces.
            let more: Vec<_> =
                beside.worker.observed.iter().filter(|one| !worker.observed.contains(one)).copied().collect();
            worker.observed.extend(more);
            beside.worker.observed.clone_from(&worker.observed);
            tried.clear();
            weights = Weights::default();
        }
        // A walk that ended asleep is no execution, only a weight of nothing.
        if !matches!(run.end, End::Abandoned) {
            found.executions += 1;
        } else {
            found.redundant += 1;
        }
        found.add(&run, worker);
        if ended(&mut found, limits, start) {
            found.cover.traces = weights.traces();
            return Ok(found);
        }
    }
}

fn ended(found: &mut Found, limits: &Search, start: Instant) -> bool {
    found.cover.stopped = match found.violation {
        Some(_) => Some(Stopped::First),
        None => over(limits, found, start),
    };
    found.cover.stopped.is_some()
}
