//! Linearizability: each operation seems to take effect at one moment between its start and its end.
//!
//! An operation whose client died, or that returned an error, may take effect at any moment after its start, or never.
//! The operations of one client follow each other as the client made them. Sets and maps are checked by member and by
//! key, one after another, which is the same (locality; Herlihy and Wing 1990), unless somebody looked at the whole.

mod model;
mod search;

use std::collections::BTreeMap;

pub use model::Model;
use model::{Act, State};
use search::{Item, Order, search};

use super::{Finding, Judgement, Since, fresh};
use crate::history::{AT_THE_END, History, Operation, OperationKind};

/// How many pairs of placed operations and state one search may look at: a tenth of a second.
const MOST_STATES: usize = 100_000;

pub(crate) fn check(history: &History, object: &str, model: Model) -> Judgement {
    let operations: Vec<&Operation> = of(history, object).collect();
    let initial = match State::initial(model, history.initial(object)) {
        Ok(initial) => initial,
        Err(wrong) => return misuse(object, &wrong),
    };
    match judge(&operations, model, &initial, usize::MAX) {
        Err(wrong) => misuse(object, &wrong),
        Ok(Order::Exists) => Judgement::Holds,
        Ok(Order::Unknown) => Judgement::Unknown(unknown(object, model)),
        Ok(Order::Impossible) => Judgement::Broken(finding(history, object, model, &operations, &initial)),
    }
}

fn misuse(object: &str, wrong: &str) -> Judgement {
    Judgement::Misuse(format!("cannot tell whether {object} is linearizable: {wrong}"))
}

fn unknown(object: &str, model: Model) -> String {
    format!(
        "whether {object} is linearizable as a {} is not known: its operations have too many orders to try them all",
        model.name()
    )
}

/// The operations on the object that others may have noticed.
pub(super) fn of<'h>(history: &'h History, object: &'h str) -> impl Iterator<Item = &'h Operation> {
    let wanted = |kind: &OperationKind| {
        matches!(kind, OperationKind::Read | OperationKind::Write(_) | OperationKind::Call { .. })
    };
    history
        .operations
        .iter()
        .filter(move |operation| operation.object == object && operation.started.is_some() && wanted(&operation.kind))
}

/// Whether the operations have an order, as things stood after the step `until`.
fn judge(operations: &[&Operation], model: Model, initial: &State, until: usize) -> Result<Order, String> {
    let mut acts: Vec<(&Operation, Act)> = Vec::with_capacity(operations.len());
    let cut: Vec<Operation> = operations.iter().filter_map(|operation| as_of(operation, until)).collect();
    for operation in &cut {
        if let Some(act) = model::act(model, operation)? {
            acts.push((operation, act));
        }
    }
    let mut order = Order::Exists;
    for (part, acts) in parts(acts) {
        match search(&items(&acts), at(initial, part.as_deref()), MOST_STATES) {
            Order::Impossible => return Ok(Order::Impossible),
            Order::Unknown => order = Order::Unknown,
            Order::Exists => {}
        }
    }
    Ok(order)
}

/// The operation as it was known after a step.
fn as_of(operation: &Operation, until: usize) -> Option<Operation> {
    if operation.started.is_none_or(|started| started > until) {
        return None;
    }
    let mut known = operation.clone();
    if known.ended.is_some_and(|ended| ended > until) {
        (known.ended, known.value) = (None, None);
    }
    Some(known)
}

type Acts<'o> = Vec<(&'o Operation, Act)>;

/// By member or key, if every operation is about one.
fn parts(acts: Acts<'_>) -> BTreeMap<Option<String>, Acts<'_>> {
    let apart = acts.iter().all(|(_, act)| model::part(act).is_some());
    let mut parts: BTreeMap<Option<String>, Acts<'_>> = BTreeMap::new();
    for (operation, act) in acts {
        let part = model::part(&act).filter(|_| apart).map(str::to_owned);
        parts.entry(part).or_default().push((operation, act));
    }
    parts
}

/// The state of one part of a whole.
fn at(initial: &State, part: Option<&str>) -> State {
    match (initial, part) {
        (State::Set(set), Some(part)) => State::Set(set.get(part).cloned().into_iter().collect()),
        (State::Map(map), Some(part)) => {
            State::Map(map.get_key_value(part).map(|(key, value)| (key.clone(), value.clone())).into_iter().collect())
        }
        (whole, _) => whole.clone(),
    }
}

fn items(acts: &[(&Operation, Act)]) -> Vec<Item> {
    let item = |(at, (operation, act)): (usize, &(&Operation, Act))| {
        let earlier = |other: &usize| {
            let (other, one) = (acts[*other].0, *other);
            // What one client does between two steps it does in the order in which it says so.
            let at_once = other.ended == operation.started && operation.started == operation.ended;
            let program = other.client == operation.client && one < at && at_once;
            other.ended.is_some() && (other.precedes(operation) || program)
        };
        let after = (0..acts.len()).filter(|other| *other != at).filter(earlier).collect();
        Item { act: act.clone(), over: operation.ended.is_some(), after }
    };
    acts.iter().enumerate().map(item).collect()
}

fn finding(history: &History, object: &str, model: Model, operations: &[&Operation], initial: &State) -> Finding {
    let message = format!("{object} is not linearizable as a {}", model.name());
    if model == Model::Register
        && let Some(stale) = fresh::check(history, object, Since::Acknowledged)
    {
        return Finding { message, story: stale.story };
    }
    // The first end after which no order is left tells which result cannot be explained.
    let mut ends: Vec<&Operation> = operations.iter().copied().filter(|operation| operation.ended.is_some()).collect();
    ends.sort_by_key(|operation| operation.ended);
    let impossible = |operation: &&&Operation| {
        judge(operations, model, initial, operation.ended.unwrap_or_default()) == Ok(Order::Impossible)
    };
    let Some(last) = ends.iter().find(impossible).or(ends.last()) else {
        return Finding { message, story: String::new() };
    };
    Finding { message, story: story(history, operations, last) }
}

/// How many operations a story lists.
const MOST_TOLD: usize = 8;

fn story(history: &History, operations: &[&Operation], last: &Operation) -> String {
    let mut before: Vec<&Operation> =
        operations.iter().copied().filter(|other| *other != last && other.started <= last.ended).collect();
    before.sort_by_key(|operation| operation.ended.unwrap_or(usize::MAX));
    let left_out = before.len().saturating_sub(MOST_TOLD);
    let list: Vec<String> = before[left_out..].iter().map(|operation| told(history, operation)).collect();
    let rest = if left_out == 0 { String::new() } else { format!(" (and {left_out} more before)") };
    let before = if list.is_empty() { "nothing".to_owned() } else { list.join("; ") };
    format!(
        "{}: no order of the operations, each at a moment between its start and its end, explains that. Before it or \
         beside it{rest}: {before}.",
        told(history, last)
    )
}

/// `web's read at steps 2–3 gave 5`.
fn told(history: &History, operation: &Operation) -> String {
    let steps = match (operation.started, operation.ended) {
        (Some(start), Some(end)) if start == end => format!("at {}", history.when(Some(end), operation.ended_ms)),
        (Some(start), Some(end)) => format!("from step {start} to {}", history.when(Some(end), operation.ended_ms)),
        (start, _) => format!("from step {}, never acknowledged,", start.unwrap_or_default()),
    };
    let gave = match (&operation.value, &operation.kind) {
        (Some(value), _) => format!(" gave {value}"),
        (None, OperationKind::Read) => " gave nothing".to_owned(),
        (None, _) => String::new(),
    };
    if operation.client == AT_THE_END {
        return format!("{AT_THE_END}{gave}");
    }
    format!("{}'s {} {steps}{gave}", operation.client, called(operation))
}

fn called(operation: &Operation) -> String {
    match &operation.kind {
        OperationKind::Write(value) => format!("write of {value}"),
        OperationKind::Call { name, args } if args.is_empty() => name.clone(),
        OperationKind::Call { name, args } => format!("{name}({})", args.join(", ")),
        _ => "read".to_owned(),
    }
}
