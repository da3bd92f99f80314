//! No stale read: a read that starts after a write was acknowledged (or committed) returns that write or a later one.
//! And its measured form: a read may return what was superseded, but not too long ago.

use super::versions::{missed, reads, shown, written};
use super::{Finding, Since};
use crate::history::{History, Operation};
use crate::render::thousands;

pub(crate) fn check(history: &History, object: &str, since: Since) -> Option<Finding> {
    let (read, write) = reads(history, object).find_map(|read| {
        let missed = missed(history, read, move |write| visible(write, since).0);
        Some((read, missed.max_by_key(|write| visible(write, since))?))
    })?;
    let (article, how) = since.words();
    let (step, at_ms) = visible(write, since);
    Some(Finding {
        message: format!("stale read: {article} {how} write of {object} was not seen"),
        story: format!(
            "{}'s write of {} was {how} at {}; {} returned {}.",
            write.client,
            written(write).unwrap_or_default(),
            history.when(step, at_ms),
            history.later(read),
            shown(read),
        ),
    })
}

/// No read returns a value that had been superseded for more than `most_ms` when the read began.
pub(crate) fn within(history: &History, object: &str, since: Since, most_ms: u64) -> Option<Finding> {
    let (read, write, age_ms) = reads(history, object).find_map(|read| {
        let missed = missed(history, read, move |write| visible(write, since).0);
        let write = missed.min_by_key(|write| visible(write, since).1)?;
        let age_ms = read.started_ms.saturating_sub(visible(write, since).1).unsigned_abs();
        (age_ms > most_ms).then_some((read, write, age_ms))
    })?;
    let (_, how) = since.words();
    let (step, at_ms) = visible(write, since);
    Some(Finding {
        message: format!("stale read: {object} was out of date for more than {} ms", thousands(most_ms)),
        story: format!(
            "{}'s write of {} was {how} at {}; {} returned {}, out of date for {} ms.",
            write.client,
            written(write).unwrap_or_default(),
            history.when(step, at_ms),
            history.later(read),
            shown(read),
            thousands(age_ms),
        ),
    })
}

/// When a write must be visible from: the step after which that is owed, and its time.
const fn visible(write: &Operation, since: Since) -> (Option<usize>, i64) {
    match since {
        Since::Acknowledged => (write.ended, write.ended_ms),
        Since::Committed => (write.committed, write.committed_ms),
    }
}
