//! What the clients claim to have done, in the order in which others could tell.
//!
//! An operation starts when its first step is delivered, not when the client reached the call (else every first
//! operation would start at 0 and no read could ever be stale). It is acknowledged when the whole function of the
//! operation has returned. Both are positions in the execution, so the history is invariant under every swap that the
//! reduction makes: a start and an end are dependent on each other, two starts or two ends are not. A check may
//! therefore ask whether one operation was over before another began, and not which of two began first. Times are
//! invariant where a check asks for them: then starts and ends read the clock.

use std::fmt;

use crate::recording::Record;

/// What kind of claim an operation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// A write of a value.
    Write(String),
    /// A read; its value is known when it returns.
    Read,
    /// A stay in a critical section.
    Inside,
    /// An operation of a data type, such as `inc` of a counter or `add` of a set.
    Call {
        /// Its name.
        name: String,
        /// What it was given.
        args: Vec<String>,
    },
    /// The step just made was accepted by a resource under this fencing token.
    Fenced(i64),
    /// The step just made had the effect with this key.
    Effect(String),
    /// A write that was refused: it had no effect.
    Refused,
}

/// A value that was read, or that an operation gave back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Datum {
    /// One value.
    Text(String),
    /// Several: the members of a set, the fields and values of a map in turn.
    List(Vec<String>),
}

impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::List(items) => write!(f, "{{{}}}", items.join(", ")),
        }
    }
}

/// One operation of a client on a named object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The client's name.
    pub client: String,
    /// What it was about, e.g. the row's name.
    pub object: String,
    /// What was done.
    pub kind: OperationKind,
    /// The step (from 1) with which it started: its first step, the step that let it in for a critical section, and for
    /// one that needed no step the one that came before it. `None` if it never got to a step.
    pub started: Option<usize>,
    /// The last step of the operation that changed committed rows of the database.
    pub committed: Option<usize>,
    /// The step after whose reply the operation returned; `None` while it runs, and for ever if its client died or it
    /// returned an error.
    pub ended: Option<usize>,
    /// The step at which its client died inside the operation.
    pub crashed: Option<usize>,
    /// The value that it gave back (`None`: there was none).
    pub value: Option<Datum>,
    /// It returned an error: it may have taken effect or not, and nobody knows when.
    pub failed: bool,
    /// Virtual ms since the Unix epoch at which it started.
    pub started_ms: i64,
    /// Virtual ms since the Unix epoch at which it committed last.
    pub committed_ms: i64,
    /// Virtual ms since the Unix epoch at which it ended.
    pub ended_ms: i64,
}

impl Operation {
    /// One that a client has reached.
    pub(crate) const fn new(client: String, object: String, kind: OperationKind, now_ms: i64) -> Self {
        Self {
            client,
            object,
            kind,
            started: None,
            committed: None,
            ended: None,
            crashed: None,
            value: None,
            failed: false,
            started_ms: now_ms,
            committed_ms: now_ms,
            ended_ms: now_ms,
        }
    }

    /// Whether it was over before the other began. The same in all executions of a trace.
    pub(crate) fn precedes(&self, other: &Self) -> bool {
        matches!((self.ended, other.started), (Some(over), Some(began)) if over < began)
    }
}

/// Who reads an object when all clients are through.
pub(crate) const AT_THE_END: &str = "the read at the end";

/// All operations and notes of one execution.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// In the order in which the clients reached them.
    pub operations: Vec<Operation>,
    /// Free notes, with the step after which each was made.
    pub notes: Vec<Note>,
    /// The values of objects before the first step, where a reader of the object was given.
    pub initial: Vec<(String, Option<Datum>)>,
    /// What went wrong with the server, in order.
    pub faults: Vec<FaultSeen>,
    /// Virtual ms since the Unix epoch at which the clients started.
    pub start_ms: i64,
}

impl History {
    /// The value of an object before the first step, if somebody looked.
    pub(crate) fn initial(&self, object: &str) -> Option<Option<&Datum>> {
        self.initial.iter().find(|(known, _)| known == object).map(|(_, value)| value.as_ref())
    }

    /// `web's read began after it, at step 3, and`; for the read at the end, just that.
    pub(crate) fn later(&self, read: &Operation) -> String {
        if read.client == AT_THE_END {
            return AT_THE_END.to_owned();
        }
        format!("{}'s read began after it, at {}, and", read.client, self.when(read.started, read.started_ms))
    }

    /// `step 3 (1,200 ms)`; without the time if none has passed.
    pub(crate) fn when(&self, step: Option<usize>, at_ms: i64) -> String {
        let step = step.unwrap_or_default();
        match at_ms - self.start_ms {
            0 => format!("step {step}"),
            ms => format!("step {step} ({} ms)", crate::render::thousands(ms.unsigned_abs())),
        }
    }
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

/// A fault of the server, which may have lost what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultSeen {
    /// The step that it was.
    pub step: usize,
    /// What happened, in words.
    pub what: String,
    /// Virtual ms since the Unix epoch at which it struck.
    pub at_ms: i64,
}

/// What a client tells the scheduler about its operations, between two gates.
pub(crate) enum Mark {
    Begin {
        number: u32,
        object: String,
        kind: OperationKind,
    },
    End {
        number: u32,
        record: Record,
    },
    /// Something that the step just made did.
    Point {
        object: String,
        kind: OperationKind,
    },
    /// What a reader of an object, which is no client, has found.
    Observed(Option<Datum>),
    Note(String),
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin { object, .. } => write!(f, "begin {object}"),
            Self::End { number, .. } => write!(f, "end {number}"),
            Self::Point { object, .. } => write!(f, "at {object}"),
            Self::Observed(value) => write!(f, "observed {value:?}"),
            Self::Note(text) => write!(f, "note {text}"),
        }
    }
}
