//! No stale read: a read that starts after a write was acknowledged (or committed) returns that write or a later one.
//!
//! Writes are ordered by the step that committed them in the database, or by their last step where no database is
//! involved. A value that no write wrote is the one from before them all.

use super::{Finding, Since};
use crate::history::{History, Operation, OperationKind};

pub(crate) fn check(history: &History, object: &str, since: Since) -> Option<Finding> {
    let on_object = || history.operations.iter().filter(|operation| operation.object == object);
    for read in on_object().filter(|operation| operation.kind == OperationKind::Read) {
        let (Some(started), Some(_)) = (read.started, read.ended) else { continue };
        let returned = on_object().filter(|write| wrote(write, read.value.as_deref())).map(order).max().flatten();
        let missed = on_object()
            .filter(|write| visible_at(write, since).is_some_and(|step| step < started))
            .filter(|write| !wrote(write, read.value.as_deref()) && order(write) > returned)
            .max_by_key(|write| order(write));
        if let Some(write) = missed {
            return Some(finding(read, write, since));
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

/// The place of a write in the order of all writes; `None` for one that has not taken effect, and for the value from
/// before all writes.
fn order(write: &Operation) -> Option<usize> {
    write.committed.or(write.last_step)
}

fn finding(read: &Operation, write: &Operation, since: Since) -> Finding {
    let OperationKind::Write(value) = &write.kind else { unreachable!("only writes are missed") };
    let returned = read.value.as_deref().unwrap_or("nothing");
    let (article, how, step) = match since {
        Since::Acknowledged => ("an", "acknowledged", write.ended),
        Since::Committed => ("a", "committed", write.committed),
    };
    Finding {
        message: format!("stale read: {article} {how} write of {} was not seen", read.object),
        story: format!(
            "{}'s write of {value} was {how} at step {}; {}'s read began after it, at step {}, and returned {returned}.",
            write.client,
            step.unwrap_or_default(),
            read.client,
            read.started.unwrap_or_default(),
        ),
    }
}
