//! No stale read: a read that starts after a write was acknowledged (or committed) returns that write or a later one.
//!
//! Writes are ordered by the step that committed them in the database. Where one of two did not commit, only a write
//! that was over before the other began is older: nothing else tells them apart in all executions of a trace. A value
//! that no write wrote is the one from before them all.

use super::{Finding, Since};
use crate::history::{History, Operation, OperationKind};

pub(crate) fn check(history: &History, object: &str, since: Since) -> Option<Finding> {
    let on_object = || history.operations.iter().filter(|operation| operation.object == object);
    for read in on_object().filter(|operation| operation.kind == OperationKind::Read) {
        let (Some(started), Some(_)) = (read.started, read.ended) else { continue };
        let value = read.value.as_ref().map(ToString::to_string);
        let returned: Vec<&Operation> =
            on_object().filter(|write| wrote(write, value.as_deref()) && write.started.is_some()).collect();
        let missed = on_object()
            .filter(|write| visible_at(write, since).is_some_and(|step| step < started))
            .filter(|write| !wrote(write, value.as_deref()))
            .filter(|write| returned.iter().all(|older| precedes(older, write)))
            .max_by_key(|write| visible_at(write, since));
        if let Some(write) = missed {
            return Some(finding(history, read, write, since));
        }
    }
    None
}

/// When a write must be visible from: the step after which that is owed.
fn visible_at(operation: &Operation, since: Since) -> Option<usize> {
    if !matches!(operation.kind, OperationKind::Write(_)) {
        return None;
    }
    match since {
        Since::Acknowledged => operation.ended,
        Since::Committed => operation.committed,
    }
}

fn wrote(operation: &Operation, value: Option<&str>) -> bool {
    matches!(&operation.kind, OperationKind::Write(written) if Some(written.as_str()) == value)
}

/// Whether a write is older than another one.
fn precedes(older: &Operation, newer: &Operation) -> bool {
    match (older.committed, newer.committed) {
        (Some(older), Some(newer)) => older < newer,
        _ => match (older.ended.or(older.crashed), newer.started) {
            (Some(over), Some(began)) => over < began,
            _ => false,
        },
    }
}

fn finding(history: &History, read: &Operation, write: &Operation, since: Since) -> Finding {
    let OperationKind::Write(value) = &write.kind else { unreachable!("only writes are missed") };
    let returned = read.value.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let (article, how, at) = match since {
        Since::Acknowledged => ("an", "acknowledged", history.when(write.ended, write.ended_ms)),
        Since::Committed => ("a", "committed", history.when(write.committed, write.committed_ms)),
    };
    Finding {
        message: format!("stale read: {article} {how} write of {} was not seen", read.object),
        story: format!(
            "{}'s write of {value} was {how} at {at}; {} returned {returned}.",
            write.client,
            history.later(read)
        ),
    }
}
