//! Serializability without a specification: every outcome must be one that the clients come to one after another.
//!
//! What they come to so is found out once: every order of the clients is run, and in it every choice that is left (faults
//! in budget, requests that one client makes at once, keys that expire at the very millisecond). The outcomes are
//! compared in full, never by hashes alone.

use std::collections::HashMap;

use super::bounded::Bounded;
use super::driver::{Body, run_once};
use crate::Error;
use crate::checkers::serializable;
use crate::event::ClientId;
use crate::execution::{End, Ending, Mode, Run, SerialOutcome, Violation, Worker};
use crate::faults::Fault;
use crate::report::{Bounds, Broken};

/// How many clients may take turns: 7 have 5,040 orders.
const MOST_CLIENTS: usize = 7;
/// How many executions all serial orders may take.
const MOST_EXECUTIONS: usize = 100_000;
/// The number of this check among those over the history.
pub(super) const CHECK: usize = usize::MAX;

/// How the executions end in which the clients take turns.
#[derive(Debug)]
pub(crate) struct Serial {
    bounds: Bounds,
    absent: Vec<u16>,
    /// By outcome; those in which time passed differ in their deadlines.
    endings: HashMap<SerialOutcome, Vec<Ending>>,
}

impl Serial {
    fn holds(&self, ending: &Ending) -> bool {
        self.endings.get(&ending.outcome).is_some_and(|known| known.iter().any(|known| known.agrees(ending)))
    }

    fn add(&mut self, ending: Ending) {
        let known = self.endings.entry(ending.outcome.clone()).or_default();
        if !known.iter().any(|known| known.timed == ending.timed && known.deadlines == ending.deadlines) {
            known.push(ending);
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Ending> {
        self.endings.values().flatten()
    }
}

/// Adds to a run the violation that its outcome is none of a serial order.
pub(crate) fn judge(worker: &mut Worker, body: Body<'_>, bounds: Bounds, run: &mut Run) -> Result<(), Error> {
    let Some(ending) = run.ending.take() else { return Ok(()) };
    if run.violation.is_some() || !matches!(run.end, End::Complete) {
        return Ok(());
    }
    let known = worker.serial.take();
    let fits = |serial: &Serial| serial.bounds == bounds && serial.absent == ending.absent;
    let serial = match known.filter(fits) {
        Some(serial) => serial,
        None => run_all(body, bounds, &ending.absent, run.top)?,
    };
    if !serial.holds(&ending) {
        let finding = serializable::finding(run, &ending, &serial, worker);
        run.violation = Some(Violation {
            broken: Broken::History,
            check: CHECK,
            message: finding.message,
            story: Some(finding.story),
            place: None,
            at: run.events.len(),
        });
    }
    worker.serial = Some(serial);
    Ok(())
}

fn misuse(what: String) -> Error {
    Error::Misuse { who: "the check of serializability".to_owned(), what }
}

/// Runs every serial order.
fn run_all(body: Body<'_>, bounds: Bounds, absent: &[u16], top: usize) -> Result<Serial, Error> {
    let clients: Vec<ClientId> = (0..top)
        .filter_map(|number| u16::try_from(number).ok())
        .filter(|id| !absent.contains(id))
        .map(ClientId)
        .collect();
    if clients.len() > MOST_CLIENTS {
        return Err(misuse(format!(
            "runs every order of the clients, of up to {MOST_CLIENTS}, and there are {}: leave some out, or state what \
             must hold in a finally check",
            clients.len()
        )));
    }
    // One pause holds up all clients at once; in turns it takes one for each. What a replica shows that lags behind is what
    // no order explains.
    let pauses = bounds.pauses.saturating_mul(u32::try_from(clients.len()).unwrap_or(u32::MAX));
    let in_turn = Bounds { pauses, ..bounds }.with(Fault::Lag, 0);
    let mut serial = Serial { bounds, absent: absent.to_vec(), endings: HashMap::new() };
    let mut worker = Worker::new();
    let mut executions = 0;
    for order in orders(&clients) {
        let mode =
            Mode { absent: absent.iter().copied().map(ClientId).collect(), in_turn: Some(order), ..Mode::default() };
        let mut chooser = Bounded::new(u32::MAX);
        loop {
            let Ok(mut run) = run_once(&mut worker, body, in_turn, mode.clone(), &mut chooser)? else { break };
            serial.endings_of(&mut run);
            executions += 1;
            if executions > MOST_EXECUTIONS {
                return Err(misuse(format!(
                    "would take more than {MOST_EXECUTIONS} executions of the clients one after another: take fewer \
                     clients, or smaller budgets of faults and pauses"
                )));
            }
            if !chooser.advance() {
                break;
            }
        }
    }
    if serial.endings.is_empty() {
        let what = "has nothing to compare with: in every order some client waits for one whose turn has not come, \
                    fails, or does not end";
        return Err(misuse(what.to_owned()));
    }
    Ok(serial)
}

impl Serial {
    fn endings_of(&mut self, run: &mut Run) {
        if let (End::Complete, Some(ending)) = (&run.end, run.ending.take()) {
            self.add(*ending);
        }
    }
}

/// All orders of the clients.
fn orders(clients: &[ClientId]) -> Vec<Vec<ClientId>> {
    let mut orders = vec![Vec::new()];
    for _ in clients {
        let longer = |order: Vec<ClientId>| {
            let next = clients.iter().filter(|client| !order.contains(client)).copied().collect::<Vec<_>>();
            next.into_iter().map(move |client| order.iter().copied().chain([client]).collect::<Vec<_>>())
        };
        orders = orders.into_iter().flat_map(longer).collect();
    }
    orders
}
