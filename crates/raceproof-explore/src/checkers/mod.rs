//! Ready-made checks over the recorded history. Each is prefix-closed: once violated, it stays so.

mod exclusion;
mod fresh;

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
}

/// What a history check found, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What is wrong, without the particulars of this execution.
    pub(crate) message: String,
    /// Which operations, when.
    pub(crate) story: String,
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

    pub(crate) fn check(&self, history: &History) -> Option<Finding> {
        match self {
            Self::Fresh { object, since } => fresh::check(history, object, *since),
            Self::Exclusion { section } => exclusion::check(history, section),
        }
    }
}
