//! Wakeup trees: the beginnings of executions that still have to be explored from a state.
//!
//! A sequence is inserted along the branches that it can start with (*weak initials*); where it runs into a leaf, the
//! leaf already covers it.
//!
//! A step stands for its own outcome only. So it stands for a sequence without its process if the process must take that
//! outcome, or if it did in the execution from which the sequence was taken ([`Rest`]): what else is in the trace, with
//! the outcomes that it has, is what a search below the step finds out. Executions in which the process took another
//! outcome plan for themselves.

use std::borrow::Borrow;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::event::{Choice, Event, Footprint, dependent};

/// One step of a sequence to be explored.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) choice: Choice,
    /// What the step touches in its place; unknown for an outcome that has not been tried, and for a step that was
    /// executed in another state only.
    pub(crate) footprint: Option<Arc<Footprint>>,
    pub(crate) duty: Duty,
}

/// What is known of a step that can be made: whether it will be, and how it turns out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// It has no other outcome than this one, now and later, and must happen sometime.
    Only,
    /// It must happen sometime.
    Must,
    /// It need not happen.
    May,
    /// Its client may take it back and make another step instead.
    Fickle,
}

/// The execution from which a sequence is taken, from the state on in which the sequence begins.
#[derive(Clone, Copy)]
pub(crate) struct Rest<'a>(pub(crate) &'a [&'a Event]);

impl Rest<'_> {
    /// Whether the next step of that process was this one, with this outcome. Time that passes by itself is no pause.
    fn has(self, choice: Choice) -> bool {
        let mut footprints = self.0.iter().map(|event| &event.footprint);
        let first = footprints.find(|footprint| footprint.choice.process == choice.process);
        first.is_some_and(|footprint| footprint.choice == choice && !footprint.barrier)
    }
}

/// A branch, and what follows it.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    pub(crate) step: Planned,
    pub(crate) next: Vec<Branch>,
}

impl Branch {
    /// A branch of one step.
    pub(crate) const fn of(step: Planned) -> Self {
        Self { step, next: Vec::new() }
    }
}

/// Whether `step` can be moved to the front of `sequence`: at which place it stands there, `None` if it does not and
/// commutes with all of it.
pub(crate) enum Initial {
    At(usize),
    Absent,
    No,
}

/// Whether a step (with its outcome) is a weak initial of a sequence. What is not known is taken for a dependence.
pub(crate) fn weak_initial(step: &Planned, sequence: &[impl Borrow<Planned>], rest: Rest<'_>) -> Initial {
    for (at, other) in sequence.iter().map(Borrow::borrow).enumerate() {
        if other.choice.process == step.choice.process {
            // The step's own footprint counts: that is how it is at the front.
            let first = sequence[..at].iter().all(|earlier| independent(earlier.borrow(), step));
            return if first && other.choice == step.choice { Initial::At(at) } else { Initial::No };
        }
    }
    let commutes = || sequence.iter().all(|other| independent(step, other.borrow()));
    let covers = match step.duty {
        Duty::Only => commutes(),
        Duty::Must | Duty::May => commutes() && rest.has(step.choice),
        Duty::Fickle => false,
    };
    if covers { Initial::Absent } else { Initial::No }
}

fn independent(a: &Planned, b: &Planned) -> bool {
    matches!((&a.footprint, &b.footprint), (Some(a), Some(b)) if !dependent(a, b))
}

/// Inserts a sequence behind `branches`. Nothing happens if a branch already covers it. `skip` branches at the front
/// are being explored and are left alone.
pub(crate) fn insert(branches: &mut Vec<Branch>, skip: usize, mut sequence: Vec<Planned>, rest: Rest<'_>) {
    if sequence.is_empty() {
        return;
    }
    for branch in branches.iter_mut().skip(skip) {
        match weak_initial(&branch.step, &sequence, rest) {
            Initial::No => continue,
            Initial::Absent => {}
            Initial::At(at) => {
                sequence.remove(at);
            }
        }
        if !branch.next.is_empty() {
            insert(&mut branch.next, 0, sequence, rest);
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
pub(crate) fn covers(branches: &[Branch], mut sequence: SmallVec<[&Planned; 16]>, rest: Rest<'_>) -> bool {
    if sequence.is_empty() {
        return true;
    }
    for branch in branches {
        match weak_initial(&branch.step, &sequence, rest) {
            Initial::No => continue,
            Initial::Absent => {}
            Initial::At(at) => {
                sequence.remove(at);
            }
        }
        return branch.next.is_empty() || covers(&branch.next, sequence, rest);
    }
    false
}

/// Takes away the sequences that steps which sleep by now cover: outcomes of one step are explored together, and so before
/// sequences that were planned before them. False if nothing is left.
pub(crate) fn prune(branch: &mut Branch, sequence: &mut Vec<Planned>, sleep: &[Planned]) -> bool {
    sequence.push(branch.step.clone());
    let left = if branch.next.is_empty() {
        sleep.iter().all(|asleep| matches!(weak_initial(asleep, sequence, Rest(&[])), Initial::No))
    } else {
        branch.next.retain_mut(|next| prune(next, sequence, sleep));
        !branch.next.is_empty()
    };
    sequence.pop();
    left
}
