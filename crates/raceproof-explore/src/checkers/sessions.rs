//! What a client may rely on for itself: its reads do not go back (monotonic reads), and it sees what it wrote (read
//! your writes). Other clients may see other versions at the same time.

use super::Finding;
use super::versions::{follows, missed, older, on, reads, returned, shown, written, wrote};
use crate::history::{History, Operation};

/// No read of a client returns a version older than one that an earlier read of it returned.
pub(crate) fn monotonic_reads(history: &History, object: &str) -> Option<Finding> {
    for later in reads(history, object) {
        let earlier = || reads(history, object).filter(|earlier| follows(history, earlier, later));
        let back = earlier().find(|earlier| went_back(history, earlier, later)).or_else(|| {
            // Whatever the order of two versions is: one, the other, and the one again goes back.
            let other = |first: &&Operation| {
                let between = |other: &Operation| {
                    follows(history, first, other)
                        && follows(history, other, later)
                        && returned(other) != returned(later)
                        && source(history, other).is_some()
                };
                returned(first) == returned(later) && source(history, first).is_some() && earlier().any(between)
            };
            earlier().find(other)
        });
        if let Some(first) = back {
            let between = earlier().filter(|one| returned(one) != returned(later)).last().unwrap_or(first);
            return Some(Finding {
                message: format!("reads of {object} go back: a client's later read returned an older value"),
                story: format!(
                    "{}'s read at {} returned {}; its read at {} returned {}, which is older.",
                    later.client,
                    history.when(between.ended, between.ended_ms),
                    shown(between),
                    history.when(later.started, later.started_ms),
                    shown(later),
                ),
            });
        }
    }
    None
}

/// A read of a client that follows a write of its own returns that write or a later one.
pub(crate) fn read_your_writes(history: &History, object: &str) -> Option<Finding> {
    let (read, write) = reads(history, object).find_map(|read| {
        let missed = missed(history, read, |write| write.ended.map(|step| step.saturating_sub(1)));
        let own = missed.filter(|write| follows(history, write, read));
        Some((read, own.max_by_key(|write| write.ended)?))
    })?;
    Some(Finding {
        message: format!("a client did not read its own write of {object}"),
        story: format!(
            "{}'s write of {} was acknowledged at {}; its read, which began at {}, returned {}.",
            write.client,
            written(write).unwrap_or_default(),
            history.when(write.ended, write.ended_ms),
            history.when(read.started, read.started_ms),
            shown(read),
        ),
    })
}

/// The write that a read returned, if there is exactly one of that value.
fn source<'h>(history: &'h History, read: &Operation) -> Option<&'h Operation> {
    let value = returned(read);
    let mut sources = history
        .operations
        .iter()
        .filter(|write| write.object == read.object && write.started.is_some() && wrote(write, value.as_deref()));
    sources.next().filter(|_| sources.next().is_none())
}

/// Whether the later read returned what is known to be older than what the earlier one returned.
fn went_back(history: &History, earlier: &Operation, later: &Operation) -> bool {
    let Some(seen) = source(history, earlier) else { return false };
    match source(history, later) {
        Some(now) => older(now, seen),
        // What nobody wrote was there before all writes.
        None => {
            let value = returned(later);
            !on(history, &later.object).any(|write| wrote(write, value.as_deref()))
        }
    }
}
