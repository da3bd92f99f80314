//! Writes of one object as versions: which one a read returned, and which of two is older.
//!
//! Writes are ordered by the step that committed them in the database. Where one of two did not commit, only a write
//! that was over before the other began is older: nothing else tells them apart in all executions of a trace. A value
//! that no write wrote is the one from before them all.

use crate::history::{History, Operation, OperationKind};

/// The operations on the object.
pub(super) fn on<'h>(history: &'h History, object: &'h str) -> impl Iterator<Item = &'h Operation> + Clone {
    history.operations.iter().filter(move |operation| operation.object == object)
}

/// The reads of the object that are over.
pub(super) fn reads<'h>(history: &'h History, object: &'h str) -> impl Iterator<Item = &'h Operation> + Clone {
    on(history, object)
        .filter(|read| read.kind == OperationKind::Read && read.started.is_some() && read.ended.is_some())
}

/// The value that a read returned, as text.
pub(super) fn returned(read: &Operation) -> Option<String> {
    read.value.as_ref().map(ToString::to_string)
}

/// What a story says that a read returned.
pub(super) fn shown(read: &Operation) -> String {
    returned(read).unwrap_or_else(|| "nothing".to_owned())
}

/// The value that a write wrote.
pub(super) fn written(operation: &Operation) -> Option<&str> {
    match &operation.kind {
        OperationKind::Write(value) => Some(value),
        _ => None,
    }
}

pub(super) fn wrote(operation: &Operation, value: Option<&str>) -> bool {
    written(operation).is_some_and(|written| Some(written) == value)
}

/// Whether a write is older than another one.
pub(super) fn older(one: &Operation, other: &Operation) -> bool {
    match (one.committed, other.committed) {
        (Some(one), Some(other)) => one < other,
        _ => match (one.ended.or(one.crashed), other.started) {
            (Some(over), Some(began)) => over < began,
            _ => false,
        },
    }
}

/// The writes that a read had to see and did not: from a step before its start on they were to be seen, as `since` says,
/// and all writes of the value that it returned are older.
pub(super) fn missed<'h>(
    history: &'h History,
    read: &'h Operation,
    since: impl Fn(&Operation) -> Option<usize> + 'h,
) -> impl Iterator<Item = &'h Operation> {
    let value = returned(read);
    let of_value = value.clone();
    let sources: Vec<&Operation> =
        on(history, &read.object).filter(|write| wrote(write, value.as_deref()) && write.started.is_some()).collect();
    on(history, &read.object)
        .filter(move |write| written(write).is_some() && since(write) < read.started && since(write).is_some())
        .filter(move |write| !wrote(write, of_value.as_deref()))
        .filter(move |write| sources.iter().all(|source| older(source, write)))
}

/// Whether one client did both, one after the other.
pub(super) fn follows(history: &History, one: &Operation, other: &Operation) -> bool {
    let place = |operation: &Operation| history.operations.iter().position(|known| std::ptr::eq(known, operation));
    // What takes no step comes after what ended with the step before it, if it was begun later.
    let apart = one.ended < other.started || (one.ended == other.started && other.started == other.ended);
    one.client == other.client && one.ended.is_some() && apart && place(one) < place(other)
}
