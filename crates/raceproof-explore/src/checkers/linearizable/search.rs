//! The search for an order (Wing and Gong 1993, with Lowe's memory of what was tried, 2017): operations are put one
//! after another, each at a moment between its start and its end, so that each gives what it gave.
//!
//! An operation may come next if every operation that was over before it began has its place. Two ways to the same set
//! of placed operations and the same state lead to the same, so the second is not followed. Operations that never ended
//! may be placed or left out.

use rustc_hash::FxHashSet;
use smallvec::{SmallVec, smallvec};

use super::model::{Act, State};

/// An operation and what must come before it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) act: Act,
    /// It was over, so it must have its place.
    pub(super) over: bool,
    /// The items that were over before it began.
    pub(super) after: Vec<usize>,
}

/// Whether there is an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Exists,
    Impossible,
    /// It was not found within the bound on work.
    Unknown,
}

type Placed = SmallVec<[u64; 2]>;

fn place(placed: &Placed, item: usize) -> Placed {
    let mut next = placed.clone();
    next[item / 64] |= 1 << (item % 64);
    next
}

fn holds(placed: &Placed, item: usize) -> bool {
    placed[item / 64] & (1 << (item % 64)) != 0
}

/// Searches an order, looking at no more than so many pairs of placed operations and state.
pub(super) fn search(items: &[Item], initial: State, most: usize) -> Order {
    let empty: Placed = smallvec![0; items.len().div_ceil(64).max(1)];
    let mut must = empty.clone();
    for (at, _) in items.iter().enumerate().filter(|(_, item)| item.over) {
        must = place(&must, at);
    }
    let all_placed = |placed: &Placed| placed.iter().zip(&must).all(|(placed, must)| placed & must == *must);
    let mut seen: FxHashSet<(Placed, State)> = FxHashSet::default();
    let mut open = vec![(empty, initial)];
    while let Some((placed, state)) = open.pop() {
        if all_placed(&placed) {
            return Order::Exists;
        }
        // What is pushed last is tried first: operations that are over, in the order in which they were reached.
        let pending = items.iter().enumerate().rev().filter(|(_, item)| !item.over);
        let over = items.iter().enumerate().rev().filter(|(_, item)| item.over);
        for (at, item) in pending.chain(over) {
            if holds(&placed, at) || !item.after.iter().all(|earlier| holds(&placed, *earlier)) {
                continue;
            }
            let Some(next) = state.after(&item.act) else { continue };
            let reached = (place(&placed, at), next);
            if seen.insert(reached.clone()) {
                open.push(reached);
            }
        }
        if seen.len() > most {
            return Order::Unknown;
        }
    }
    Order::Impossible
}
