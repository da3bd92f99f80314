//! Ready-made checks over the recorded history. Each is prefix-closed: once violated, it stays so, whatever the clients
//! do afterwards. What objects hold at the end is part of the history as well (`World::value`), so a check that asks
//! for it says nothing before.

mod at_most_once;
mod exclusion;
mod fencing;
mod fresh;
mod linearizable;
mod lost_update;
pub(crate) mod serializable;
mod sessions;
mod survival;
mod versions;

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

impl Since {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Acknowledged => ("an", "acknowledged"),
            Self::Committed => ("a", "committed"),
        }
    }
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
    /// No change overwrites one that it has not seen.
    NoLostUpdate {
        /// The object whose changes are checked.
        object: String,
    },
    /// No read returns what has been out of date for long.
    Staleness {
        /// The object whose reads and writes are checked.
        object: String,
        /// From when on a write counts.
        since: Since,
        /// For how long a value may be out of date when a read begins (virtual ms).
        most_ms: u64,
    },
    /// The reads of one client do not go back to older values.
    MonotonicReads {
        /// The object whose reads are checked.
        object: String,
    },
    /// A client sees its own writes.
    ReadYourWrites {
        /// The object whose reads and writes are checked.
        object: String,
    },
    /// A resource accepts no fencing token that is lower than one before.
    Fencing {
        /// The resource.
        resource: String,
    },
    /// What was acknowledged is there at the end.
    Survival {
        /// The object whose writes are checked.
        object: String,
        /// Within how many virtual ms before a fault of the server a write may be lost; `None`: never.
        lost_ms: Option<u64>,
    },
    /// An effect happens once for each key.
    AtMostOnce {
        /// The effect.
        effect: String,
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

    /// No change of `object` overwrites one that it has not seen. A client's write that follows a read of its own is a
    /// change of what it read; increments, members and entries are changes as they are. With [`crate::World::value`] the
    /// value at the end counts as well.
    #[must_use]
    pub fn no_lost_update(object: impl Into<String>) -> Self {
        Self::NoLostUpdate { object: object.into() }
    }

    /// No read of `object` returns a value that, when the read began, had been out of date for more than `most_ms`
    /// virtual ms: counted from the acknowledgement of the first write that it missed.
    #[must_use]
    pub fn staleness(object: impl Into<String>, most_ms: u64) -> Self {
        Self::Staleness { object: object.into(), since: Since::Acknowledged, most_ms }
    }

    /// As [`Self::staleness`], counted from the commit, acknowledged or not.
    #[must_use]
    pub fn staleness_since_commit(object: impl Into<String>, most_ms: u64) -> Self {
        Self::Staleness { object: object.into(), since: Since::Committed, most_ms }
    }

    /// No read of `object` by a client returns an older value than an earlier read of that client did.
    #[must_use]
    pub fn monotonic_reads(object: impl Into<String>) -> Self {
        Self::MonotonicReads { object: object.into() }
    }

    /// A read of `object` that follows a write of the same client returns that write or a later one.
    #[must_use]
    pub fn read_your_writes(object: impl Into<String>) -> Self {
        Self::ReadYourWrites { object: object.into() }
    }

    /// The fencing tokens that `resource` accepts (`ctx.fenced`) never fall, and no two clients come with the same.
    #[must_use]
    pub fn fencing(resource: impl Into<String>) -> Self {
        Self::Fencing { resource: resource.into() }
    }

    /// What `object` holds at the end, as [`crate::World::value`] reads it, is what the last acknowledged writes left
    /// there or something later; of sets, maps and counters, every acknowledged change is there.
    #[must_use]
    pub fn survival(object: impl Into<String>) -> Self {
        Self::Survival { object: object.into(), lost_ms: None }
    }

    /// As [`Self::survival`], but the server may lose what was acknowledged within `lost_ms` virtual ms before it failed.
    #[must_use]
    pub fn survival_but_for(object: impl Into<String>, lost_ms: u64) -> Self {
        Self::Survival { object: object.into(), lost_ms: Some(lost_ms) }
    }

    /// No two steps had the same effect (`ctx.effect`) with one key.
    #[must_use]
    pub fn at_most_once(effect: impl Into<String>) -> Self {
        Self::AtMostOnce { effect: effect.into() }
    }

    /// Whether its verdict depends on when, in virtual time, operations started and ended.
    pub(crate) const fn reads_the_clock(&self) -> bool {
        matches!(self, Self::Staleness { .. } | Self::Survival { lost_ms: Some(_), .. })
    }

    /// What the check makes of a history, wherever that comes from.
    #[must_use]
    pub fn judge(&self, history: &History) -> Judgement {
        match self {
            Self::Fresh { object, since } => fresh::check(history, object, *since).into(),
            Self::Exclusion { section } => exclusion::check(history, section).into(),
            Self::Linearizable { object, model } => linearizable::check(history, object, *model),
            Self::NoLostUpdate { object } => lost_update::check(history, object),
            Self::Staleness { object, since, most_ms } => fresh::within(history, object, *since, *most_ms).into(),
            Self::MonotonicReads { object } => sessions::monotonic_reads(history, object).into(),
            Self::ReadYourWrites { object } => sessions::read_your_writes(history, object).into(),
            Self::Fencing { resource } => fencing::check(history, resource).into(),
            Self::Survival { object, lost_ms } => survival::check(history, object, *lost_ms),
            Self::AtMostOnce { effect } => at_most_once::check(history, effect).into(),
        }
    }
}
