//! Happens-before and races of one execution.
//!
//! For every event, the events that happen before it are collected walking backwards: the first dependent event that is
//! not yet below the event is an *immediate* dependence, and everything below that one comes with it. An immediate
//! dependence on an event of another process is a race, if the later event was enabled before the earlier one.
//!
//! A request that waited for a lock was not enabled just before the release that let it go on; for it the race is with
//! the event that had closed the way, the acquisition.

use crate::event::{Event, EventSet, dependent};

/// Two events that may have to be tried the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Race {
    pub(crate) first: usize,
    pub(crate) second: usize,
}

/// The happens-before order of an execution.
#[derive(Debug, Default)]
pub(crate) struct Order {
    before: Vec<EventSet>,
}

impl Order {
    /// Whether event `a` happens before event `b` (`a < b` as numbers).
    pub(crate) fn precedes(&self, a: usize, b: usize) -> bool {
        self.before[b].contains(a)
    }

    /// The order of `events`, and its races. The last events may be ones that never happened: they take part as the
    /// second event of a race only.
    pub(crate) fn of(events: &[&Event], happened: usize, races: &mut Vec<Race>) -> Self {
        races.clear();
        let mut before: Vec<EventSet> = Vec::with_capacity(events.len());
        for (second, event) in events.iter().enumerate() {
            let mut below = EventSet::default();
            for first in (0..second.min(happened)).rev() {
                if below.contains(first) {
                    continue;
                }
                let posted = event.posted_after == Some(first);
                if !posted && !dependent(&events[first].footprint, &event.footprint) {
                    continue;
                }
                if !posted {
                    races.extend(reversible(events, &before, first, second));
                }
                below.union(&before[first]);
                below.insert(first);
            }
            before.push(below);
        }
        Self { before }
    }
}

/// The race between an immediate dependence, or what stands for it.
fn reversible(events: &[&Event], before: &[EventSet], first: usize, second: usize) -> Option<Race> {
    let (one, other) = (&events[first], &events[second]);
    if one.footprint.choice.process == other.footprint.choice.process
        || one.footprint.barrier
        || other.footprint.barrier
    {
        return None;
    }
    // The request is sent after its client has gone on from `posted_after`: what that follows cannot come later.
    let needs =
        |earlier: usize| other.posted_after.is_some_and(|posted| posted == earlier || before[posted].contains(earlier));
    if needs(first) {
        return None;
    }
    let first = match other.disabled.iter().find(|(state, _)| *state == first) {
        None => first,
        Some((_, closer)) => {
            let closer = (*closer)?;
            if needs(closer) || events[closer].footprint.choice.process == other.footprint.choice.process {
                return None;
            }
            closer
        }
    };
    Some(Race { first, second })
}
