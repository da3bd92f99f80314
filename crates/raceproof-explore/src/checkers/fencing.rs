//! Fencing tokens rise at the resource: once it has accepted a token, it accepts no lower one, and two clients never
//! come with the same.

use super::Finding;
use super::versions::on;
use crate::history::{History, Operation, OperationKind};

pub(crate) fn check(history: &History, resource: &str) -> Option<Finding> {
    let token = |operation: &Operation| match operation.kind {
        OperationKind::Fenced(token) => Some(token),
        _ => None,
    };
    let mut highest: Option<(&Operation, i64)> = None;
    for accepted in on(history, resource) {
        let Some(given) = token(accepted) else { continue };
        let Some((before, known)) = highest else {
            highest = Some((accepted, given));
            continue;
        };
        let what = if given < known {
            Some(format!("{resource} accepted a fencing token that is lower than one before"))
        } else if given == known && before.client != accepted.client {
            Some(format!("{resource} accepted one fencing token from two clients"))
        } else {
            None
        };
        if let Some(message) = what {
            return Some(Finding {
                message,
                story: format!(
                    "{resource} accepted {known} from {} at {} and {given} from {} at {}.",
                    before.client,
                    history.when(before.ended, before.ended_ms),
                    accepted.client,
                    history.when(accepted.ended, accepted.ended_ms),
                ),
            });
        }
        highest = Some((accepted, given));
    }
    None
}
