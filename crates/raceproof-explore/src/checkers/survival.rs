//! Acknowledged writes survive: what an object holds at the end is what the last acknowledged writes left there, or
//! something that came after them. With a bound, writes may be lost that were acknowledged shortly before the server
//! failed.

use std::collections::BTreeMap;

use super::versions::{older, on};
use super::{Finding, Judgement};
use crate::history::{AT_THE_END, Datum, FaultSeen, History, Operation, OperationKind};
use crate::render::thousands;

/// A part of the object: the key of a map, the member of a set, the whole of anything else.
type Part = Option<String>;
/// What a part holds.
type Held = Option<String>;

pub(crate) fn check(history: &History, object: &str, most_ms: Option<u64>) -> Judgement {
    let Some(end) = on(history, object).find(|read| read.client == AT_THE_END) else { return Judgement::Holds };
    let is = |wanted: &str| {
        on(history, object).any(|done| matches!(&done.kind, OperationKind::Call { name, .. } if name == wanted))
    };
    if is("inc") || is("dec") {
        return counted(history, object, end, most_ms);
    }
    let mut writes: BTreeMap<Part, Vec<(&Operation, Held)>> = BTreeMap::new();
    for operation in on(history, object).filter(|operation| operation.started.is_some()) {
        if let Some((part, held)) = effect(operation) {
            writes.entry(part).or_default().push((operation, held));
        }
    }
    let is_map = is("put");
    let lost = writes.iter().flat_map(|(part, writes)| {
        let now = held(end, part.as_deref(), is_map);
        let sources: Vec<&Operation> =
            writes.iter().filter(|(_, left)| *left == now).map(|(source, _)| *source).collect();
        let gone = writes.iter().filter(move |(write, left)| write.ended.is_some() && *left != now);
        gone.map(|(write, _)| *write).filter(move |write| sources.iter().all(|source| older(source, write)))
    });
    let lost: Vec<&Operation> = lost.filter(|write| !excused(history, write, most_ms)).collect();
    let Some(first) = lost.iter().min_by_key(|write| (write.ended_ms, write.ended)) else { return Judgement::Holds };
    let holds = end.value.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
    Judgement::Broken(Finding {
        message: message(object, most_ms),
        story: format!("{}; at the end {object} holds {holds}.", told(history, first)),
    })
}

fn message(object: &str, most_ms: Option<u64>) -> String {
    match most_ms {
        None => format!("an acknowledged write of {object} is lost"),
        Some(ms) => {
            format!("an acknowledged write of {object} is lost, and not for a fault within {} ms of it", thousands(ms))
        }
    }
}

/// What an operation leaves in which part.
fn effect(operation: &Operation) -> Option<(Part, Held)> {
    match &operation.kind {
        OperationKind::Write(value) => Some((None, Some(value.clone()))),
        OperationKind::Call { name, args } => match (name.as_str(), &args[..]) {
            ("swap", [new, ..]) => Some((None, Some(new.clone()))),
            ("add", [member, ..]) => Some((Some(member.clone()), Some(member.clone()))),
            ("put", [key, value, ..]) => Some((Some(key.clone()), Some(value.clone()))),
            ("remove", [part, ..]) => Some((Some(part.clone()), None)),
            _ => None,
        },
        _ => None,
    }
}

/// What a part holds at the end.
fn held(end: &Operation, part: Option<&str>, is_map: bool) -> Held {
    match (&end.value, part) {
        (None, _) => None,
        (Some(value), None) => Some(value.to_string()),
        (Some(Datum::Text(text)), Some(part)) => (text == part).then(|| text.clone()),
        (Some(Datum::List(items)), Some(part)) if is_map => {
            items.chunks(2).find(|pair| pair.len() == 2 && pair[0] == part).map(|pair| pair[1].clone())
        }
        (Some(Datum::List(items)), Some(part)) => items.iter().find(|item| *item == part).cloned(),
    }
}

/// The server failed soon enough after the write for it to be allowed to go.
fn excused(history: &History, write: &Operation, most_ms: Option<u64>) -> bool {
    let Some(most_ms) = most_ms else { return false };
    after(history, write).any(|fault| distance(write, fault) <= most_ms)
}

fn after<'h>(history: &'h History, write: &Operation) -> impl Iterator<Item = &'h FaultSeen> {
    let ended = write.ended;
    history.faults.iter().filter(move |fault| ended.is_some_and(|ended| fault.step > ended))
}

fn distance(write: &Operation, fault: &FaultSeen) -> u64 {
    fault.at_ms.saturating_sub(write.ended_ms).unsigned_abs()
}

/// `web's write of 1 was acknowledged at step 2, 800 ms before the power loss: the last write is lost (step 5)`.
fn told(history: &History, write: &Operation) -> String {
    let what = match &write.kind {
        OperationKind::Write(value) => format!("write of {value}"),
        OperationKind::Call { name, args } => format!("{name}({})", args.join(", ")),
        _ => "operation".to_owned(),
    };
    let fault = after(history, write).next();
    let fault = fault.map_or_else(String::new, |fault| {
        format!(", {} ms before \"{}\" at step {}", thousands(distance(write, fault)), fault.what, fault.step)
    });
    format!("{}'s {what} was acknowledged at {}{fault}", write.client, history.when(write.ended, write.ended_ms))
}

/// A counter holds at least what was acknowledged.
fn counted(history: &History, object: &str, end: &Operation, most_ms: Option<u64>) -> Judgement {
    let number = |text: Option<String>| text.map_or(Some(0), |text| text.parse::<i64>().ok());
    let start = history.initial(object).flatten().map(ToString::to_string);
    let (Some(start), Some(now)) = (number(start), number(end.value.as_ref().map(ToString::to_string))) else {
        return Judgement::Misuse(format!("cannot tell what of {object} survives: its value is no whole number"));
    };
    let (mut owed, mut last) = (start, None);
    for operation in on(history, object) {
        let OperationKind::Call { name, args } = &operation.kind else { continue };
        let by = args.first().map_or(Some(1), |by| by.parse::<i64>().ok()).unwrap_or(0);
        let by = if name == "dec" { -by } else { by };
        let changes = matches!(name.as_str(), "inc" | "dec") && operation.started.is_some();
        if changes && operation.ended.is_some() && !(by > 0 && excused(history, operation, most_ms)) {
            owed += by;
            last = Some(operation);
        } else if changes && by < 0 {
            owed += by;
        }
    }
    match last {
        Some(last) if now < owed => Judgement::Broken(Finding {
            message: message(object, most_ms),
            story: format!(
                "{object} was {start}, and what was acknowledged makes it {owed} at least; at the end it holds {now}. {}.",
                told(history, last)
            ),
        }),
        _ => Judgement::Holds,
    }
}
