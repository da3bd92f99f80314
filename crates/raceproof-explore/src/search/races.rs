//! Happens-before and races of one execution.
//!
//! For every event, the events that happen before it are collected walking backwards: the first dependent event that is
//! not yet below the event is an *immediate* dependence, and everything below that one comes with it. An immediate
//! dependence on an event of another process is a race, if the later event was enabled before the earlier one.
//!
//! A request that waited for a lock was not enabled just before the release that let it go on; for it the race is with
//! the event that had closed the way, the acquisition. That is so for the release alone: what else was done while the
//! lock was held can come after the release as well.

use crate::event::{Event, EventSet, FAULTS, Outcome, dependent};

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

    /// The order of `events`, and its races. `places` are the numbers of events before each; for one that never
    /// happened that is where it could have come, and it takes part as the second event of a race only.
    pub(crate) fn of(events: &[&Event], places: &[usize], races: &mut Vec<Race>) -> Self {
        races.clear();
        let mut before: Vec<EventSet> = Vec::with_capacity(events.len());
        for (second, event) in events.iter().enumerate() {
            let mut below = EventSet::default();
            for first in (0..places[second]).rev() {
                if below.contains(first) {
                    continue;
                }
                let posted = event.posted_after == Some(first);
                if !posted && !dependent(&events[first].footprint, &event.footprint) {
                    continue;
                }
                if !posted {
                    races.extend(reversible(events, &before, first, (second, places[second])));
                }
                if event.optional {
                    // What it races with next may leave it nothing to do (no deadline is pending there), and hide what
                    // lies before: every dependence is looked at, not only the immediate ones.
                    let earlier = (0..first).rev().filter(|at| before[first].contains(*at));
                    races.extend(
                        earlier
                            .filter(|at| dependent(&events[*at].footprint, &event.footprint))
                            .filter_map(|at| reversible(events, &before, at, (second, places[second]))),
                    );
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
fn reversible(events: &[&Event], before: &[EventSet], first: usize, (second, place): (usize, usize)) -> Option<Race> {
    let (one, other) = (&events[first], &events[second]);
    let apart = |earlier: usize| {
        let earlier = &events[earlier].footprint;
        // Time that passes by itself passes when nothing else can happen; nothing but what need not happen comes before it,
        // or before the end.
        let need_not_happen =
            other.footprint.choice.process == FAULTS || other.footprint.choice.outcome == Outcome::Arrives;
        earlier.choice.process != other.footprint.choice.process && (!earlier.barrier || need_not_happen)
    };
    if one.footprint.choice.process == other.footprint.choice.process || other.footprint.barrier {
        return None;
    }
    // The request is sent after its client has gone on from `posted_after`: what that follows cannot come later.
    let needs =
        |earlier: usize| other.posted_after.is_some_and(|posted| posted == earlier || before[posted].contains(earlier));
    if needs(first) {
        return None;
    }
    let enabled_by = other.waited.last();
    if enabled_by.is_some_and(|last| *last >= place) && other.waited.contains(&first) {
        // It never came about.
        return None;
    }
    if enabled_by == Some(&first) {
        // What it waits for may have been there before, and somebody else took it away: the race is with that step.
        let closer = (0..first).rev().find(|at| !other.waited.contains(at))?;
        let dependent = dependent(&events[closer].footprint, &other.footprint);
        return (dependent && apart(closer) && !needs(closer)).then_some(Race { first: closer, second });
    }
    // What gave the lock back may be time that passed, which nothing can come before; what took it was a step.
    let first = match one.unlocks {
        Some(closer) if other.needs_lock && events[closer].footprint.client != other.footprint.client => closer,
        _ => first,
    };
    (apart(first) && !needs(first)).then_some(Race { first, second })
}
