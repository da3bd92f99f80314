//! Serializability of clients that wait for each other on the server.
//!
//! A serial order is one in which each client runs to its end before the next one begins. Where a client would wait for ever
//! for one whose turn has not come there is no such order. Brute force finds the serial executions among all of them, by
//! that alone; the check runs the clients in turn. Both must say the same of every execution.

use super::*;
use crate::Error;
use crate::event::Thing;
use crate::execution::SerialOutcome;

/// Those who wait do so until they are served, so that no time passes.
fn waits() -> BoxedStrategy<Act> {
    prop_oneof![
        3 => Just(redis(&["BLPOP", "q", "0"])),
        1 => Just(redis(&["BLPOP", "q", "r", "0"])),
        1 => Just(redis(&["BLMOVE", "q", "r", "LEFT", "RIGHT", "0"])),
        3 => Just(redis(&["RPUSH", "q", "1"])),
        1 => Just(redis(&["RPUSH", "q", "2", "3"])),
        2 => Just(redis(&["RPUSH", "r", "4"])),
        1 => Just(redis(&["LLEN", "q"])),
        1 => Just(redis(&["GET", "b"])),
        1 => Just(redis(&["SET", "b", "2"])),
        1 => Just(Act::Atomic(vec![vec!["RPUSH", "r", "5"], vec!["RPUSH", "q", "6"]])),
    ]
    .boxed()
}

fn in_turns(program: &Program, world: &mut World) {
    build(program, world);
    world.serializable();
}

/// Every execution that comes to its end: its outcome, whether the clients took turns in it, and whether the check had a
/// word against it; `None` if there are too many, or no serial order at all.
fn judged(body: Body<'_>) -> Option<Vec<(SerialOutcome, bool, bool)>> {
    let mut worker = Worker::new();
    let mut chooser = Bounded::new(u32::MAX);
    let mut found = Vec::new();
    loop {
        let mut run = super::super::driver::run_once(&mut worker, body, NO_FAULTS, in_full(), &mut chooser)
            .expect("the program runs")
            .expect("the setup works");
        if let (End::Complete, None, Some(ending)) = (&run.end, &run.violation, &run.ending) {
            let outcome = ending.outcome.clone();
            let mut clients: Vec<_> = run.events.iter().map(|event| event.footprint.client).collect();
            clients.dedup();
            let changes = clients.len();
            clients.sort_unstable();
            clients.dedup();
            match super::super::serial::judge(&mut worker, body, NO_FAULTS, &mut run) {
                Err(Error::Misuse { .. }) => return None,
                judged => judged.expect("the program runs"),
            }
            // Who waited went on in the step of somebody else, who so began before the one before had ended.
            let served = worker.things.id(Thing::Served);
            let waited =
                run.events.iter().any(|event| event.footprint.touched.iter().any(|(thing, _)| *thing == served));
            found.push((outcome, changes == clients.len() && !waited, run.violation.is_some()));
        }
        if found.len() > MOST_INTERLEAVINGS {
            return None;
        }
        if !chooser.advance() {
            return Some(found);
        }
    }
}

fn same(body: Body<'_>) -> Result<bool, TestCaseError> {
    let Some(all) = judged(body) else { return Ok(false) };
    for (outcome, in_turns, told) in &all {
        let explained = all.iter().any(|(other, serial, _)| *serial && other == outcome);
        prop_assert_eq!(*told, !explained, "{:?} (in turns: {})", outcome, in_turns);
    }
    agree(body, NO_FAULTS)
}

fn referee(wanted: u32, clients: usize, most: usize, acts: BoxedStrategy<Act>) {
    let program = proptest::collection::vec(proptest::collection::vec(acts, 1..=most), clients);
    referee_all(wanted, program, |program| same(&|world: &mut World| in_turns(program, world)));
}

#[test]
fn clients_that_wait_for_each_other() {
    referee(200, 2, 3, waits());
    referee(100, 3, 2, waits());
}
