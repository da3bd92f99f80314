//! At-most-once effect: what clients say that they did with one key, they did once.

use super::Finding;
use super::versions::on;
use crate::history::{History, Operation, OperationKind};

pub(crate) fn check(history: &History, effect: &str) -> Option<Finding> {
    let key = |operation: &Operation| match &operation.kind {
        OperationKind::Effect(key) => Some(key.clone()),
        _ => None,
    };
    let done: Vec<(&Operation, String)> = on(history, effect).filter_map(|done| Some((done, key(done)?))).collect();
    for (at, (again, key)) in done.iter().enumerate() {
        if let Some((first, _)) = done[..at].iter().find(|(_, known)| known == key) {
            return Some(Finding {
                message: format!("{effect} happened twice for one key"),
                story: format!(
                    "{} did it for {key} at {}, and {} at {}.",
                    first.client,
                    history.when(first.ended, first.ended_ms),
                    again.client,
                    history.when(again.ended, again.ended_ms),
                ),
            });
        }
    }
    None
}
