//! What the clients claim to have done, in the order in which others could tell.
//!
//! An operation starts when its first step is delivered, not when the client reached the call (else every first
//! operation would start at 0 and no read could ever be stale). It is acknowledged when the whole function of the
//! operation has returned. Both are positions in the execution, so the history is invariant under every swap that the
//! reduction makes: a start and an end are dependent on each other, two starts or two ends are not.

use std::fmt;

/// What kind of claim an operation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// A write of a value.
    Write(String),
    /// A read; its value is known when it returns.
    Read,
    /// A stay in a critical section.
    Inside,
}

/// One operation of a client on a named object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The client's name.
    pub client: String,
    /// What it was about, e.g. the row's name.
    pub object: String,
    /// Write, read, or a stay in a critical section.
    pub kind: OperationKind,
    /// The step (from 1) with which it started: its first step for reads and writes, the step that let it in for a
    /// critical section. `None` if it never got to a step.
    pub started: Option<usize>,
    /// The last step of the operation that changed committed rows of the database.
    pub committed: Option<usize>,
    /// The step after whose reply the operation returned; `None` while it runs and for ever if its client died.
    pub ended: Option<usize>,
    /// The step at which its client died inside the operation.
    pub crashed: Option<usize>,
    /// The value that a read returned (`None`: there was none).
    pub value: Option<String>,
    /// Virtual ms since the Unix epoch at which it started.
    pub started_ms: i64,
    /// Virtual ms since the Unix epoch at which it ended.
    pub ended_ms: i64,
}

/// All operations and notes of one execution.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// In the order in which the clients reached them.
    pub operations: Vec<Operation>,
    /// Free notes, with the step after which each was made.
    pub notes: Vec<Note>,
}

/// A remark of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The client's name.
    pub client: String,
    /// The step after whose reply it was made; 0 before the first.
    pub step: usize,
    /// The text.
    pub text: String,
}

/// What a client tells the scheduler about its operations, between two gates.
pub(crate) enum Mark {
    Begin { number: u32, object: String, kind: OperationKind },
    End { number: u32, value: Option<String> },
    Note(String),
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin { object, .. } => write!(f, "begin {object}"),
            Self::End { number, .. } => write!(f, "end {number}"),
            Self::Note(text) => write!(f, "note {text}"),
        }
    }
}
