//! What is propagated, made comparable.

use raceproof_engine::Effect;

use crate::support::show;

/// A log in which the order of neighbouring removals does not matter, since a scan removes the expired keys in the order
/// of a hash table; nor does the database of a frame, which applies to none.
pub(crate) fn canonical(log: &[Effect]) -> Vec<Effect> {
    let mut log: Vec<Effect> = log
        .iter()
        .map(|effect| Effect { db: if is_frame(effect) { 0 } else { effect.db }, args: effect.args.clone() })
        .collect();
    for removals in log.chunk_by_mut(|one, other| is_removal(one) && is_removal(other)) {
        removals.sort_by(|one, other| (one.db, &one.args).cmp(&(other.db, &other.args)));
    }
    // Members that are popped come in no order.
    for removals in log.chunk_by_mut(|one, other| is_of_member(one) && is_of_member(other) && one.db == other.db) {
        removals.sort_by(|one, other| one.args.cmp(&other.args));
    }
    log
}

/// The removal of one member of a set, as the server itself writes it.
fn is_of_member(effect: &Effect) -> bool {
    matches!(effect.args.as_slice(), [name, _, _] if name == "SREM")
}

/// A log as a person reads it.
pub(crate) fn shown(log: &[Effect]) -> String {
    let lines = log.iter().map(|effect| format!("\n    {} {}", effect.db, show::command(&effect.args)));
    format!("appends{}", lines.collect::<String>())
}

fn is_frame(effect: &Effect) -> bool {
    matches!(effect.args.as_slice(), [name] if name == "MULTI" || name == "EXEC")
}

/// A removal as the server itself writes it.
fn is_removal(effect: &Effect) -> bool {
    matches!(effect.args.as_slice(), [name, _] if name == "DEL" || name == "UNLINK")
}
