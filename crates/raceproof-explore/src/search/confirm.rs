//! Executions of the simulation, played on a real server: the same steps in the same order, the replies compared.

use super::driver::{Body, Replayed, Search, execute, replay_schedule, schedule, widen};
use super::random::Random;
use super::token::{Encoded, Token};
use crate::backend::Backend;
use crate::execution::{Mode, Violation, Worker};
use crate::report::Bounds;
use crate::world::Failure;
use crate::{BackendError, Confirmation, Error, Played};

/// Plays a counterexample.
pub(crate) fn confirm(
    search: &Search,
    text: &str,
    backend: Box<dyn Backend>,
    body: Body<'_>,
) -> Result<Confirmation, Error> {
    let token = Token::parse(text)?;
    let bounds = widen(search.bounds, &token);
    let expected = match replay_schedule(body, bounds, &token.absent, &token.choices, None)? {
        Ok(replayed) => replayed.run.violation,
        Err(_) => None,
    };
    let server = backend.name();
    let replayed = match on(backend, body, bounds, &token.absent, &token.choices)? {
        Ok(replayed) => replayed,
        Err(failure) => {
            let difference = Some(format!("the setup fails there: {}", failure.message));
            return Ok(Confirmation { server, same_outcome: false, difference });
        }
    };
    let difference = difference(&replayed, expected.as_ref());
    Ok(Confirmation { server, same_outcome: difference.is_none(), difference })
}

/// Plays random schedules, faults in budget among them, until one is played otherwise than in simulation.
pub(crate) fn play(
    search: &Search,
    executions: u64,
    seed: u64,
    mut backend: Box<dyn Backend>,
    body: Body<'_>,
) -> Result<Played, Error> {
    let mut worker = Worker::new();
    let mut played = Played { server: backend.name(), executions: 0, difference: None, refused: None };
    while played.executions < executions && played.difference.is_none() {
        let mode = Mode { stop_at_violation: true, ..Mode::default() };
        let mut chooser = Random::new(seed, played.executions);
        let run = match execute(&mut worker, body, search.bounds, mode, &mut chooser)? {
            Ok(run) => run,
            // Nothing can be played where not even the setup succeeds: that is the search's to tell.
            Err(_) => return Ok(played),
        };
        let replayed = match on(backend, body, search.bounds, &[], &schedule(&run, &worker)) {
            Ok(Ok(replayed)) => replayed,
            Ok(Err(failure)) => {
                played.difference = Some(format!("the setup fails there: {}", failure.message));
                return Ok(played);
            }
            Err(Error::Backend(reason)) => {
                played.refused = Some(reason);
                return Ok(played);
            }
            Err(error) => return Err(error),
        };
        played.difference = difference(&replayed, run.violation.as_ref());
        played.executions += 1;
        match replayed.backend {
            Some(again) => backend = again,
            None => break,
        }
    }
    Ok(played)
}

/// Follows a schedule on a server that is emptied first.
fn on(
    mut backend: Box<dyn Backend>,
    body: Body<'_>,
    bounds: Bounds,
    absent: &[u16],
    choices: &[Encoded],
) -> Result<Result<Replayed, Failure>, Error> {
    let failed = |error: BackendError| Error::Backend(error.to_string());
    backend.reset().map_err(failed)?;
    let start_ms = backend.now_ms().map_err(failed)?;
    replay_schedule(body, bounds, absent, choices, Some((backend, start_ms)))
}

/// The first difference from what happened in simulation.
fn difference(replayed: &Replayed, expected: Option<&Violation>) -> Option<String> {
    if replayed.difference.is_some() {
        return replayed.difference.clone();
    }
    let found = replayed.run.violation.as_ref();
    match (expected, found) {
        (Some(expected), Some(found)) if expected.broken == found.broken && expected.check == found.check => None,
        (None, None) => None,
        (_, found) => Some(format!(
            "the server's outcome differs: {}",
            found.map_or("no violation", |violation| violation.message.as_str())
        )),
    }
}
