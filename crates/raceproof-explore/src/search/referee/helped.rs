//! A search that others run ahead of is the same search: the same executions in the same order.
//!
//! The helper works here between two executions of the lead, on its own stores, so that a test does the same each time.

use std::sync::Arc;

use super::*;
use crate::search::crew::{Board, Crew, run_ahead};
use crate::search::token::Encoded;

/// The executions of a search, in order, and those that were given up.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Searched {
    executions: Vec<(Vec<Encoded>, Option<String>)>,
    redundant: u64,
}

/// Searches with a helper that records `most_steps` below each branch, or alone. Also tells how many executions were
/// found recorded.
pub(super) fn searched(body: Body<'_>, bounds: Bounds, most_steps: Option<usize>) -> (Searched, u64) {
    let mut worker = Worker::new();
    let mut beside = Worker::beside(worker.numbers().clone());
    let board: std::cell::RefCell<Option<Arc<Board>>> = std::cell::RefCell::default();
    let start = Box::new(|posted| drop(board.replace(Some(posted))));
    let aside = if most_steps.is_some() { Aside::Crew(Crew::new(1, start)) } else { Aside::Nobody };
    let mut bench = Bench { worker: &mut worker, body, bounds, mode: mode(), aside };
    let mut helper = Bench { worker: &mut beside, body, bounds, mode: mode(), aside: Aside::Nobody };
    'again: loop {
        let mut tree = Optimal::new(bounds);
        let mut found = Searched::default();
        if let Aside::Crew(crew) = &mut bench.aside {
            crew.forget();
        }
        loop {
            let run = bench.next(&mut tree).expect("the program runs").expect("the setup works");
            let more = tree.advance(&run, &mut bench).expect("the program runs");
            if std::mem::take(&mut bench.worker.restart) {
                continue 'again;
            }
            let cast = crate::execution::Cast::of(&run, bench.worker);
            let choices = run.events.iter().map(|event| Encoded::of(event.footprint.choice, &cast)).collect();
            found.executions.push((choices, run.violation.as_ref().map(|violation| violation.message.clone())));
            if !more {
                found.redundant = tree.redundant;
                let taken = if let Aside::Crew(crew) = &bench.aside { crew.taken } else { 0 };
                return (found, taken);
            }
            if let (Aside::Crew(crew), Some(most_steps)) = (&mut bench.aside, most_steps) {
                crew.share(&tree, &run, bench.worker, u64::MAX);
                while let Some(task) = board.borrow().as_ref().and_then(|board| board.posted()) {
                    run_ahead(&task, &mut helper, most_steps);
                }
            }
        }
    }
}

/// Whether a search with a helper differs in nothing from one without.
pub(super) fn same(body: Body<'_>, bounds: Bounds) -> Result<(), TestCaseError> {
    let (alone, _) = searched(body, bounds, None);
    // Below some branches all is recorded, below others the beginning only.
    let most_steps = if alone.executions.len() % 2 == 0 { usize::MAX } else { 6 };
    let (helped, _) = searched(body, bounds, Some(most_steps));
    prop_assert_eq!(&helped, &alone, "with a helper that records {} steps", most_steps);
    Ok(())
}

fn clients(world: &mut World) {
    for client in ["a", "b", "c"] {
        world.client(client, move |ctx| async move {
            let mut redis = ctx.redis();
            redis.get::<_, Option<String>>("k").await?;
            redis.incr::<_, _, ()>("k", 1).await?;
            redis.set::<_, _, ()>("k", 1).await
        });
    }
}

#[test]
fn what_a_helper_has_recorded_is_not_run_again() {
    let (alone, none) = searched(&clients, NO_FAULTS, None);
    let (helped, taken) = searched(&clients, NO_FAULTS, Some(usize::MAX));
    assert_eq!(helped, alone);
    let executions = u64::try_from(alone.executions.len()).expect("a count");
    assert_eq!(none, 0);
    assert!(taken * 2 > executions, "{taken} of {executions}");
}
