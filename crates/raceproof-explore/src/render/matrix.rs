//! Protocols × faults: what is known of each protocol under each fault.
//!
//! The columns are the budgets that the searches had. A search without a violation says something of every fault that it
//! allowed, and of the world without faults; a counterexample says something of the faults that took place in it.

use super::entry::Entry;
use crate::report::{Bounds, Verdict};

/// What is known of one protocol under one fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// No search says anything of it.
    Unknown,
    /// No violation found, in so many executions; there are others.
    Sampled(u64),
    /// Verified with up to so many.
    Holds(u32),
    /// Broken: by which of the searches, and what else it takes.
    Broken { search: usize, with: Vec<&'static str> },
}

/// The faults that some search allowed.
pub(super) fn columns(entries: &[Entry]) -> Vec<&'static str> {
    let searches = || entries.iter().flat_map(|entry| &entry.searches);
    let allowed = |fault: &str| searches().any(|searched| budget(&searched.report.bounds, fault) > 0);
    Bounds::default().budgets().map(|(fault, _)| fault).filter(|fault| allowed(fault)).collect()
}

/// What is known of a protocol under one fault; `None`: without faults.
pub(super) fn cell(entry: &Entry, fault: Option<&'static str>) -> Cell {
    let broken = entry.searches.iter().enumerate().filter_map(|(search, searched)| {
        let found = searched.report.violation.as_ref()?;
        let used: Vec<&'static str> =
            found.used.budgets().filter(|(_, times)| *times > 0).map(|(name, _)| name).collect();
        let takes_part = fault.map_or(used.is_empty(), |fault| used.contains(&fault));
        takes_part.then(|| (search, used.into_iter().filter(|used| Some(*used) != fault).collect::<Vec<_>>()))
    });
    if let Some((search, with)) = broken.min_by_key(|(_, with)| with.len()) {
        return Cell::Broken { search, with };
    }
    let reports = entry.searches.iter().map(|searched| &searched.report);
    let about_it = reports.filter(|report| fault.is_none_or(|fault| budget(&report.bounds, fault) > 0));
    let (mut holds, mut sampled) = (None, None);
    for report in about_it {
        match report.verdict {
            Verdict::Verified => holds = holds.max(Some(fault.map_or(0, |fault| budget(&report.bounds, fault)))),
            Verdict::NoViolationFound => sampled = sampled.max(Some(report.executions)),
            Verdict::Violated => {}
        }
    }
    match (holds, sampled) {
        (Some(times), _) => Cell::Holds(times),
        (None, Some(executions)) => Cell::Sampled(executions),
        (None, None) => Cell::Unknown,
    }
}

fn budget(bounds: &Bounds, fault: &str) -> u32 {
    bounds.budgets().find(|(name, _)| *name == fault).map_or(0, |(_, times)| times)
}
