//! Wakeup trees: the beginnings of executions that still have to be explored from a state.
//!
//! A sequence is inserted along the branches that it can start with (*weak initials*); where it runs into a leaf, the
//! leaf already covers it. A branch whose process has more than one outcome open stands for its own outcome only, so it
//! can stand for a sequence that does not contain its process only if there is no other outcome: a sequence without the
//! process may go on with any of them.

use std::borrow::Borrow;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::event::{Choice, Footprint, dependent};

/// One step of a sequence to be explored.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) choice: Choice,
    /// What the step touches in its place; unknown for an outcome that has not been tried, and for a step that was
    /// executed in another state only.
    pub(crate) footprint: Option<Arc<Footprint>>,
    /// Whether the process has only this outcome, and must take it sometime.
    pub(crate) only: bool,
}

/// A branch, and what follows it.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    pub(crate) step: Planned,
    pub(crate) next: Vec<Branch>,
}

/// Whether `step` can be moved to the front of `sequence`: at which place it stands there, `None` if it does not and
/// commutes with all of it.
pub(crate) enum Initial {
    At(usize),
    Absent,
    No,
}

/// Whether a step (with its outcome) is a weak initial of a sequence. What is not known is taken for a dependence.
pub(crate) fn weak_initial(step: &Planned, sequence: &[impl Borrow<Planned>]) -> Initial {
    for (at, other) in sequence.iter().map(Borrow::borrow).enumerate() {
        if other.choice.process == step.choice.process {
            // The step's own footprint counts: that is how it is at the front.
            let first = sequence[..at].iter().all(|earlier| independent(earlier.borrow(), step));
            return if first && other.choice == step.choice { Initial::At(at) } else { Initial::No };
        }
    }
    if step.only && sequence.iter().all(|other| independent(step, other.borrow())) {
        Initial::Absent
    } else {
        Initial::No
    }
}

fn independent(a: &Planned, b: &Planned) -> bool {
    matches!((&a.footprint, &b.footprint), (Some(a), Some(b)) if !dependent(a, b))
}

/// Inserts a sequence behind `branches`. Nothing happens if a branch already covers it. `skip` branches at the front
/// are being explored and are left alone.
pub(crate) fn insert(branches: &mut Vec<Branch>, skip: usize, mut sequence: Vec<Planned>) {
    if sequence.is_empty() {
        return;
    }
    for branch in branches.iter_mut().skip(skip) {
        match weak_initial(&branch.step, &sequence) {
            Initial::No => continue,
            Initial::Absent => {}
            Initial::At(at) => {
                sequence.remove(at);
            }
        }
        if !branch.next.is_empty() {
            insert(&mut branch.next, 0, sequence);
        }
        return;
    }
    let mut chain: Vec<Branch> = Vec::new();
    while let Some(step) = sequence.pop() {
        chain = vec![Branch { step, next: chain }];
    }
    branches.append(&mut chain);
}

/// Whether a branch already covers the sequence, so that [`insert`] would change nothing.
pub(crate) fn covers(branches: &[Branch], mut sequence: SmallVec<[&Planned; 16]>) -> bool {
    if sequence.is_empty() {
        return true;
    }
    for branch in branches {
        match weak_initial(&branch.step, &sequence) {
            Initial::No => continue,
            Initial::Absent => {}
            Initial::At(at) => {
                sequence.remove(at);
            }
        }
        return branch.next.is_empty() || covers(&branch.next, sequence);
    }
    false
}
