//! No lost update: the changes of an object, and what it holds at the end, have an order in which each change starts
//! from what the one before it left.
//!
//! A client's write that follows a read of its own is a change of what was read, and starts where the read does; other
//! writes overwrite whatever is there. Increments, members and entries are changes as they are. Reads by themselves do
//! not count: they may be stale. So this is linearizability of the changes alone.

use super::linearizable::{self, Model};
use super::{Finding, Judgement};
use crate::history::{AT_THE_END, Datum, History, Operation, OperationKind};

pub(crate) fn check(history: &History, object: &str) -> Judgement {
    let model = model(history, object);
    let changes = if model == Model::Register { updates(history, object) } else { changes(history, object) };
    let whole = History {
        operations: changes,
        initial: history.initial.clone(),
        start_ms: history.start_ms,
        ..History::default()
    };
    match linearizable::check(&whole, object, model) {
        Judgement::Broken(finding) => {
            let story = same_start(history, &whole).unwrap_or(finding.story);
            Judgement::Broken(Finding { message: format!("lost update of {object}"), story })
        }
        other => other,
    }
}

/// The type of the object, by what is done to it.
fn model(history: &History, object: &str) -> Model {
    let done = |names: &[&str]| {
        history.operations.iter().any(|operation| {
            operation.object == object
                && matches!(&operation.kind, OperationKind::Call { name, .. } if names.contains(&name.as_str()))
        })
    };
    if done(&["inc", "dec"]) {
        Model::Counter
    } else if done(&["add", "contains", "size"]) {
        Model::Set
    } else if done(&["put", "get"]) {
        Model::Map
    } else {
        Model::Register
    }
}

/// What changes the object, and the read at the end.
fn changes(history: &History, object: &str) -> Vec<Operation> {
    let change = |operation: &&Operation| match &operation.kind {
        OperationKind::Read => operation.client == AT_THE_END,
        OperationKind::Call { name, .. } => !matches!(name.as_str(), "read" | "contains" | "size" | "get"),
        OperationKind::Write(_) => true,
        _ => false,
    };
    history.operations.iter().filter(|operation| operation.object == object).filter(change).cloned().collect()
}

/// The writes of a register, each together with the read that it came from.
fn updates(history: &History, object: &str) -> Vec<Operation> {
    let mut changes = changes(history, object);
    for change in &mut changes {
        let OperationKind::Write(new) = &change.kind else { continue };
        let mut before = history.operations.iter().filter(|other| {
            other.object == object
                && other.client == change.client
                && other.ended.is_some()
                && other.ended < change.started
        });
        // What the client did last with the object.
        let last = before.rfind(|other| !matches!(other.kind, OperationKind::Inside));
        let Some(read) = last.filter(|last| last.kind == OperationKind::Read) else { continue };
        let call = |name: &str, args: Vec<String>| OperationKind::Call { name: name.to_owned(), args };
        let kind = match (&read.value, change.ended) {
            (Some(old), None) => call("cas", vec![old.to_string(), new.clone()]),
            _ => call("swap", vec![new.clone()]),
        };
        change.value =
            read.value.clone().map(|value| Datum::Text(value.to_string())).filter(|_| change.ended.is_some());
        change.kind = kind;
        (change.started, change.started_ms) = (read.started, read.started_ms);
    }
    changes
}

/// Two acknowledged updates that came from one value.
fn same_start(history: &History, changes: &History) -> Option<String> {
    let swaps = || {
        changes.operations.iter().filter_map(|change| match &change.kind {
            OperationKind::Call { name, args } if name == "swap" && change.ended.is_some() => Some((change, &args[0])),
            _ => None,
        })
    };
    let written =
        |value: &Option<Datum>| swaps().any(|(_, new)| value.as_ref().map(ToString::to_string).as_ref() == Some(new));
    for (at, (one, first)) in swaps().enumerate() {
        for (other, second) in swaps().skip(at + 1) {
            if one.value == other.value && !written(&one.value) {
                let value = one.value.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
                let (step, at_step) =
                    (history.when(one.ended, one.ended_ms), history.when(other.ended, other.ended_ms));
                return Some(format!(
                    "{} read {value} and wrote {first}, acknowledged at {step}; {} read {value} as well and wrote {second}, \
                     acknowledged at {at_step}.",
                    one.client, other.client,
                ));
            }
        }
    }
    None
}
