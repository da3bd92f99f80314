//! Mutual exclusion: stays in one critical section do not overlap.

use super::Finding;
use crate::history::{History, Operation, OperationKind};

pub(crate) fn check(history: &History, section: &str) -> Option<Finding> {
    let stays: Vec<&Operation> = history
        .operations
        .iter()
        .filter(|stay| stay.kind == OperationKind::Inside && stay.object == section && stay.started.is_some())
        .collect();
    for (at, first) in stays.iter().enumerate() {
        for second in &stays[at + 1..] {
            if first.client != second.client && overlap(first, second) {
                let (earlier, later) = if first.started <= second.started { (first, second) } else { (second, first) };
                return Some(Finding {
                    message: format!("two clients inside {section}"),
                    story: format!(
                        "{} was inside {section} from step {}; {} came in at step {}, before it had left.",
                        earlier.client,
                        earlier.started.unwrap_or_default(),
                        later.client,
                        later.started.unwrap_or_default(),
                    ),
                });
            }
        }
    }
    None
}

/// A client that died inside never leaves, but it does nothing there any more either: its stay ends with its last step.
fn overlap(a: &Operation, b: &Operation) -> bool {
    let end = |stay: &Operation| stay.ended.or(stay.crashed).unwrap_or(usize::MAX);
    a.started.unwrap_or_default() < end(b) && b.started.unwrap_or_default() < end(a)
}
