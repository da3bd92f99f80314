//! The audit: a step is moved before steps that are claimed independent of it, before the one next to it and as far to
//! the front as the claim goes, and the schedule is run again. If anything changes, the clients
//! share something that the explorer does not see, or a footprint is too small; then nothing that was skipped can be
//! trusted.

use super::driver::{Body, execute};
use super::replay::Replay;
use super::token::Encoded;
use crate::Error;
use crate::event::dependent;
use crate::execution::{Cast, Mode, Run, Worker};
use crate::report::{Bounds, Broken};

pub(crate) fn audit(worker: &mut Worker, body: Body<'_>, bounds: Bounds, run: &Run) -> Result<(), Error> {
    let cast = Cast::of(run, worker);
    let choices: Vec<Encoded> = run.events.iter().map(|event| Encoded::of(event.footprint.choice, &cast)).collect();
    let Some(straight) = again(worker, body, bounds, &choices)? else { return Ok(()) };
    // A spawned client's number depends on the order in which clients are started.
    if straight.spawned.len() > 1 {
        return Ok(());
    }
    for from in 1..run.events.len() {
        let earliest = (0..from).rev().take_while(|to| commute(run, *to, from)).last();
        let mut places: Vec<usize> = earliest.into_iter().chain(earliest.map(|_| from - 1)).collect();
        places.dedup();
        for to in places {
            let mut moved = choices.clone();
            let choice = moved.remove(from);
            moved.insert(to, choice);
            let what = match again(worker, body, bounds, &moved)? {
                None => Some("what the clients do"),
                Some(other) => difference(&straight, &other, from, to),
            };
            if let Some(what) = what {
                let name = |event: usize| {
                    let client = straight.events[event].footprint.client;
                    client.map_or_else(|| "the clock".to_owned(), |id| worker.client_name(id, &straight))
                };
                return Err(Error::HiddenState {
                    first: name(to),
                    second: name(from),
                    step: to + 1,
                    moved: from + 1,
                    what: what.to_owned(),
                });
            }
        }
    }
    Ok(())
}

/// Whether the later of two events is claimed to be possible before the earlier, with no difference to anyone.
fn commute(run: &Run, earlier: usize, later: usize) -> bool {
    let (one, other) = (&run.events[earlier], &run.events[later]);
    // A request for the write lock cannot be delivered, nor its client die at it, while another one holds it.
    let held = other.needs_lock && (one.locked || one.needs_lock);
    !dependent(&one.footprint, &other.footprint)
        && other.posted_after != Some(earlier)
        && !other.waited.contains(&earlier)
        && !held
}

/// `None` if the schedule cannot be followed.
fn again(worker: &mut Worker, body: Body<'_>, bounds: Bounds, choices: &[Encoded]) -> Result<Option<Box<Run>>, Error> {
    let mode = Mode { fingerprint_state: true, ..Mode::default() };
    let mut chooser = Replay::new(choices);
    let run = execute(worker, body, bounds, mode, &mut chooser)?;
    Ok(run.ok().filter(|_| chooser.stuck_at.is_none()))
}

fn difference(straight: &Run, other: &Run, from: usize, to: usize) -> Option<&'static str> {
    let place = |event: usize| match event {
        event if event == from => to,
        event if (to..from).contains(&event) => event + 1,
        event => event,
    };
    if straight.events.len() != other.events.len() {
        return Some("the number of steps");
    }
    let replies = (0..straight.events.len())
        .any(|event| straight.events[event].fingerprint != other.events[place(event)].fingerprint);
    if replies {
        return Some("a step or its reply");
    }
    if straight.final_state != other.final_state {
        return Some("the final state");
    }
    outcomes_differ(straight, other).then_some("the outcome of a check")
}

/// Of several clients that fail, only the first is recorded, and which one that is may well differ.
fn outcomes_differ(straight: &Run, other: &Run) -> bool {
    match (&straight.violation, &other.violation) {
        (Some(one), Some(two)) => {
            let clients = matches!((&one.broken, &two.broken), (Broken::Client(_), Broken::Client(_)));
            one.message != two.message && !(clients && one.broken != two.broken)
        }
        (one, two) => one.is_some() != two.is_some(),
    }
}
