//! Ready-made checks over the recorded history. Each is prefix-closed: once violated, it stays so, whatever the clients
//! do afterwards. What objects hold at the end is part of the history as well (`World::value`), so a check that asks
//! for it says nothing before.

mod exclusion;
mod fresh;
mod linearizable;
pub(crate) mod serializable;

pub use linearizable::Model;

use crate::history::History;

/// From when on a write must be seen by reads that start later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Since {
    /// From its acknowledgement: the whole function of the write has returned.
    #[default]
    Acknowledged,
    /// From the commit of its row, acknowledged or not.
    Committed,
}

/// A check over the history of one named object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistoryCheck {
    /// No read that starts after a write returns an older value.
    Fresh {
        /// The object whose reads and writes are checked.
        object: String,
        /// From when on a write counts.
        since: Since,
    },
    /// No two clients are in the critical section at one time.
    Exclusion {
        /// The critical section.
        section: String,
    },
    /// The operations behave as if each took effect at one moment between its start and its end.
    Linearizable {
        /// The object whose operations are checked.
        object: String,
        /// What each operation does.
        model: Model,
    },
}

/// What a history check found, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong, without the particulars of this execution: it is the same in all executions of a trace.
    pub message: String,
    /// Which operations, when.
    pub story: String,
}

/// What a check makes of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The history is as it should be.
    Holds,
    /// It is not.
    Broken(Finding),
    /// The bound on the work of the check was reached: in words.
    Unknown(String),
    /// The history is not one that the check can be asked about: why, and the way out.
    Misuse(String),
}

impl From<Option<Finding>> for Judgement {
    fn from(finding: Option<Finding>) -> Self {
        finding.map_or(Self::Holds, Self::Broken)
    }
}

impl HistoryCheck {
    /// No read of `object` that starts after a write was acknowledged returns an older value.
    #[must_use]
    pub fn fresh(object: impl Into<String>) -> Self {
        Self::Fresh { object: object.into(), since: Since::Acknowledged }
    }

    /// No read of `object` that starts after a write was committed returns an older value, acknowledged or not.
    #[must_use]
    pub fn fresh_since_commit(object: impl Into<String>) -> Self {
        Self::Fresh { object: object.into(), since: Since::Committed }
    }

    /// No two clients are in `section` at one time.
    #[must_use]
    pub fn exclusion(section: impl Into<String>) -> Self {
        Self::Exclusion { section: section.into() }
    }

    /// The operations on `object` behave like those of `model` done one at a time, each at one moment between its start
    /// and its end. One that was never acknowledged may have been done or not. If there are too many orders to try
    /// them all, the report says so in [`crate::Report::undecided`], and nothing is verified.
    #[must_use]
    pub fn linearizable(object: impl Into<String>, model: Model) -> Self {
        Self::Linearizable { object: object.into(), model }
    }

    /// Whether its verdict depends on when, in virtual time, operations started and ended.
    pub(crate) const fn reads_the_clock(&self) -> bool {
        match self {
            Self::Fresh { .. } | Self::Exclusion { .. } | Self::Linearizable { .. } => false,
        }
    }

    /// What the check makes of a history, wherever that comes from.
    #[must_use]
    pub fn judge(&self, history: &History) -> Judgement {
        match self {
            Self::Fresh { object, since } => fresh::check(history, object, *since).into(),
            Self::Exclusion { section } => exclusion::check(history, section).into(),
            Self::Linearizable { object, model } => linearizable::check(history, object, *model),
        }
    }
}
