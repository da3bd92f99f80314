//! The audit: adjacent steps that are claimed independent are swapped and run again. If anything changes, the clients
//! share something that the explorer does not see, or a footprint is too small; then nothing that was skipped can be
//! trusted.

use super::driver::{Body, execute};
use super::replay::Replay;
use super::token::Encoded;
use crate::Error;
use crate::event::dependent;
use crate::execution::{Cast, Mode, Run, Worker};
use crate::report::Bounds;

pub(crate) fn audit(worker: &mut Worker, body: Body<'_>, bounds: Bounds, run: &Run) -> Result<(), Error> {
    let cast = Cast { worker, top: run.top, spawned: &run.spawned, lanes: &run.lanes };
    let choices: Vec<Encoded> = run.events.iter().map(|event| Encoded::of(event.footprint.choice, &cast)).collect();
    let Some(straight) = again(worker, body, bounds, &choices)? else { return Ok(()) };
    for at in 0..run.events.len().saturating_sub(1) {
        let (one, other) = (&run.events[at], &run.events[at + 1]);
        let independent = !dependent(&one.footprint, &other.footprint)
            && other.posted_after != Some(at)
            && !other.waited.contains(&at);
        // A spawned client's number depends on the order in which clients are started.
        if !independent || straight.spawned.len() > 1 {
            continue;
        }
        let mut swapped = choices.clone();
        swapped.swap(at, at + 1);
        let what = match again(worker, body, bounds, &swapped)? {
            None => Some("what the clients do"),
            Some(other) => difference(&straight, &other, at),
        };
        if let Some(what) = what {
            let name = |event: usize| {
                let client = straight.events[event].footprint.client;
                client.map_or_else(|| "the clock".to_owned(), |id| worker.client_name(id, &straight))
            };
            return Err(Error::HiddenState {
                first: name(at),
                second: name(at + 1),
                step: at + 1,
                what: what.to_owned(),
            });
        }
    }
    Ok(())
}

/// `None` if the schedule cannot be followed.
fn again(worker: &mut Worker, body: Body<'_>, bounds: Bounds, choices: &[Encoded]) -> Result<Option<Run>, Error> {
    let mode = Mode { fingerprint_state: true, ..Mode::default() };
    let mut chooser = Replay::new(choices);
    let run = execute(worker, body, bounds, mode, &mut chooser)?;
    Ok(run.ok().filter(|_| chooser.stuck_at.is_none()))
}

fn difference(straight: &Run, swapped: &Run, at: usize) -> Option<&'static str> {
    let place = |event: usize| match event {
        event if event == at => at + 1,
        event if event == at + 1 => at,
        event => event,
    };
    if straight.events.len() != swapped.events.len() {
        return Some("the number of steps");
    }
    let replies = (0..straight.events.len())
        .any(|event| straight.events[event].fingerprint != swapped.events[place(event)].fingerprint);
    if replies {
        return Some("a step or its reply");
    }
    if straight.final_state != swapped.final_state {
        return Some("the final state");
    }
    let message = |run: &Run| run.violation.as_ref().map(|violation| violation.message.clone());
    (message(straight) != message(swapped)).then_some("the outcome of a check")
}
