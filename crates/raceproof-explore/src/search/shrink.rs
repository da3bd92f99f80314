//! Shrinking: the same violation with as few clients, faults, context switches and steps as it takes.
//!
//! Clients and budgets are taken away first, as far as the broken check still means something without them: a smaller
//! world is searched by the reduction, which is exact. In the smallest world that still shows the violation, the
//! schedules are enumerated by context switches, and of those with the fewest the one with the fewest steps is kept. It
//! is then run once more in fresh stores: what is reported has happened twice.

use std::collections::HashSet;

use super::bounded::Bounded;
use super::driver::{Bench, Body, counterexample, execute, replay_schedule, schedule};
use super::optimal::Optimal;
use super::token::Encoded;
use crate::Error;
use crate::event::ClientId;
use crate::execution::{End, Mode, Violation, Worker};
use crate::faults::Faults;
use crate::report::{Bounds, Broken, Counterexample};

/// How many executions one smaller world may take to search, and all schedules with one number of switches.
const MOST_EXECUTIONS: u64 = 20_000;

/// Up to how many faults of a kind, and how many pauses, fewer of them are tried one by one.
const MOST_FAULTS: u32 = 4;

/// A world with parts taken away.
#[derive(Clone, Debug)]
struct Smaller {
    bounds: Bounds,
    absent: Vec<u16>,
}

impl Smaller {
    fn mode(&self) -> Mode {
        Mode {
            stop_at_violation: true,
            absent: self.absent.iter().copied().map(ClientId).collect::<HashSet<_>>(),
            ..Mode::default()
        }
    }
}

pub(crate) fn shrink(
    bounds: Bounds,
    body: Body<'_>,
    violation: &Violation,
    found: &[Encoded],
) -> Result<(Counterexample, bool), Error> {
    let mut worker = Worker::new();
    let mut smaller = Smaller { bounds, absent: Vec::new() };
    let mut best = found.to_vec();
    let mut complete = true;
    for candidate in candidates(&mut worker, bounds, body, violation)? {
        match search(&mut worker, body, &candidate, violation)? {
            Searched::Found(schedule) => {
                (smaller, best) = (candidate, schedule);
                break;
            }
            Searched::Nothing => {}
            Searched::TooMuch => complete = false,
        }
    }
    match fewest_switches(&mut worker, body, &smaller, violation)? {
        Some((schedule, all)) => {
            best = schedule;
            complete &= all;
        }
        None => complete = false,
    }
    let replayed = replay_schedule(body, smaller.bounds, &smaller.absent, &best, None)?;
    let steps = best.len();
    match replayed {
        Ok(replayed) => match replayed.run.violation.clone() {
            Some(again) if same(&again, violation) => {
                Ok((counterexample(replayed.run, again, smaller.absent, best), complete))
            }
            _ => Err(Error::NotDeterministic { step: steps, detail: " (the violation did not come again)".to_owned() }),
        },
        Err(failure) => Err(Error::NotDeterministic { step: 0, detail: format!(" (the setup: {})", failure.message) }),
    }
}

fn same(a: &Violation, b: &Violation) -> bool {
    a.broken == b.broken && a.check == b.check && a.message == b.message
}

/// The smaller worlds to try, smallest first; the last is the whole.
fn candidates(
    worker: &mut Worker,
    bounds: Bounds,
    body: Body<'_>,
    violation: &Violation,
) -> Result<Vec<Smaller>, Error> {
    let clients = match worker.world(body)? {
        Ok(world) => u16::try_from(world.clients.len()).unwrap_or(u16::MAX),
        Err(_) => 0,
    };
    let may_leave_out = violation.broken != Broken::Finally && clients <= 8;
    let mut sets: Vec<Vec<u16>> = vec![Vec::new()];
    if may_leave_out {
        for client in 0..clients {
            let with: Vec<Vec<u16>> = sets.iter().map(|set| set.iter().copied().chain([client]).collect()).collect();
            sets.extend(with);
        }
        sets.retain(|set| set.len() < usize::from(clients));
        sets.sort_by_key(|set| (usize::from(clients) - set.len(), set.clone()));
        // Of two clients that do the same, the first is kept.
        sets.sort_by_key(|set| (usize::from(clients) - set.len(), std::cmp::Reverse(set.clone())));
    }
    let mut smaller = Vec::new();
    let budgets = budgets(bounds);
    for absent in sets {
        smaller.extend(budgets.iter().map(|bounds| Smaller { bounds: *bounds, absent: absent.clone() }));
    }
    if budgets.last() != Some(&bounds) {
        smaller.push(Smaller { bounds, absent: Vec::new() });
    }
    Ok(smaller)
}

/// The budgets of pauses and faults within the given ones, fewest first, each up to [`MOST_FAULTS`].
fn budgets(bounds: Bounds) -> Vec<Bounds> {
    let mut budgets = vec![Bounds { pauses: 0, faults: Faults::NONE, ..bounds }];
    for pauses in 1..=bounds.pauses.min(MOST_FAULTS) {
        budgets.push(Bounds { pauses, ..budgets[0] });
    }
    for (fault, times) in bounds.faults.iter() {
        let more: Vec<Bounds> = (1..=times.min(MOST_FAULTS))
            .flat_map(|times| budgets.iter().map(move |bounds| bounds.with(fault, times)))
            .collect();
        budgets.extend(more);
    }
    budgets.sort_by_key(|bounds| (bounds.pauses + bounds.faults.total(), bounds.pauses));
    budgets
}

/// What became of a smaller world.
enum Searched {
    /// A schedule of it shows the violation.
    Found(Vec<Encoded>),
    /// None does.
    Nothing,
    /// There are too many to tell.
    TooMuch,
}

/// A schedule of the smaller world that shows the violation, if there is one.
fn search(worker: &mut Worker, body: Body<'_>, smaller: &Smaller, violation: &Violation) -> Result<Searched, Error> {
    let mode = Mode { stop_at_violation: false, ..smaller.mode() };
    let mut bench = Bench { worker, body, bounds: smaller.bounds, mode };
    'again: loop {
        let mut tree = Optimal::new(smaller.bounds);
        let mut too_deep = false;
        loop {
            let Ok(run) = bench.run(&mut tree)? else { return Ok(Searched::Nothing) };
            if std::mem::take(&mut bench.worker.restart) {
                continue 'again;
            }
            if run.violation.as_ref().is_some_and(|found| same(found, violation)) {
                return Ok(Searched::Found(schedule(&run, bench.worker)));
            }
            too_deep |= matches!(run.end, End::TooDeep);
            let more = tree.advance(&run, &mut bench)?;
            if std::mem::take(&mut bench.worker.restart) {
                continue 'again;
            }
            if !more {
                return Ok(if too_deep { Searched::TooMuch } else { Searched::Nothing });
            }
            if tree.executions >= MOST_EXECUTIONS {
                return Ok(Searched::TooMuch);
            }
        }
    }
}

/// Of the schedules with the fewest context switches that show the violation, the one with the fewest steps, and whether
/// all of them were tried.
fn fewest_switches(
    worker: &mut Worker,
    body: Body<'_>,
    smaller: &Smaller,
    violation: &Violation,
) -> Result<Option<(Vec<Encoded>, bool)>, Error> {
    let mut executions = 0;
    for most in 0.. {
        let mut best: Option<Vec<Encoded>> = None;
        let mut chooser = Bounded::new(most);
        let mut cut = false;
        loop {
            let Ok(run) = execute(worker, body, smaller.bounds, smaller.mode(), &mut chooser)? else { return Ok(None) };
            cut |= matches!(run.end, End::Abandoned);
            executions += 1;
            if run.violation.as_ref().is_some_and(|found| same(found, violation)) {
                let steps = schedule(&run, worker);
                if best.as_ref().is_none_or(|best| steps.len() < best.len()) {
                    best = Some(steps);
                }
            }
            if !chooser.advance() {
                break;
            }
            if executions >= MOST_EXECUTIONS {
                return Ok(best.map(|best| (best, false)));
            }
        }
        if best.is_some() || !cut {
            return Ok(best.map(|best| (best, true)));
        }
    }
    Ok(None)
}
