//! What can go wrong with a memory, by what the caller can do about it.

use thiserror::Error;

use super::change::OpId;

/// Why a session is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gone {
    /// It was forgotten, and its tombstone still stands: nothing can be merged under this id until its life ends (M4).
    Forgotten,
    /// It is absent: it expired, or the server lost it.
    Expired,
    /// Another session lives under this id: the one that the caller knew is gone.
    Replaced,
}

impl Gone {
    const fn text(self) -> &'static str {
        match self {
            Self::Forgotten => "it was forgotten; a new one can begin under this id when the tombstone's life ends",
            Self::Expired => "it expired or was lost; merge without `after` or `only_at` to begin a new one",
            Self::Replaced => "another session lives under this id now; read it to know its version",
        }
    }
}

/// A failed operation of a [`Memory`](super::Memory).
///
/// All but [`Error::Uncertain`] say that the operation had no effect on the server. Nothing here ever means "the
/// session is empty": that is `Ok(None)`.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The session, or a field that was to be set only at a given revision, is at another revision.
    #[error("{} is at revision {rev}, not at the one the change was made for; read again and change that", place(.session, .field.as_deref()))]
    RevConflict {
        /// The session.
        session: String,
        /// The field whose own revision differs; `None` if it is the session's.
        field: Option<String>,
        /// The revision found; 0 for a field or session that is absent.
        rev: u64,
    },

    /// The session that the change was made for is no more.
    #[error("session {session:?} is gone: {}", .cause.text())]
    SessionGone {
        /// The session.
        session: String,
        /// Why.
        cause: Gone,
    },

    /// The operation is not in the ring of applied ones, and the ring no longer reaches back to when it was made: it
    /// may have been applied long ago, or never.
    #[error(
        "operation {op} on session {session:?} is older than the ring of applied operations, which begins after revision \
         {floor}: nobody knows whether it was applied; read the session and decide, or raise `Options::op_window`"
    )]
    OpWindowExceeded {
        /// The session.
        session: String,
        /// The operation.
        op: OpId,
        /// The ring knows every operation that made a later revision than this.
        floor: u64,
    },

    /// The operation id was used before, for another change.
    #[error("operation id {op} was already used on session {session:?} for another change; use a fresh id per change")]
    OpReused {
        /// The session.
        session: String,
        /// The operation.
        op: OpId,
    },

    /// A value, or the number of fields, would exceed its limit.
    #[error("session {session:?}: {what} would be {size}; the limit is {limit} (`Options::{option}`)")]
    TooLarge {
        /// The session.
        session: String,
        /// What is too large, with its unit.
        what: String,
        /// How large it would be.
        size: u64,
        /// How large it may be.
        limit: u64,
        /// The option that sets the limit.
        option: &'static str,
    },

    /// The value of the field is not of the shape that the change works on.
    #[error(
        "field {field:?} of session {session:?} does not hold {wanted}; delete or set it first, or use another field"
    )]
    WrongShape {
        /// The session.
        session: String,
        /// The field.
        field: String,
        /// The shape that the change needs ("an integer", "a list").
        wanted: String,
    },

    /// The counter would leave ±(2⁵³ − 1), the range of whole numbers in which scripts count exactly.
    #[error(
        "field {field:?} of session {session:?} would leave the range of counters, -9007199254740991 to 9007199254740991"
    )]
    CounterRange {
        /// The session.
        session: String,
        /// The field.
        field: String,
    },

    /// The arguments make no valid request.
    #[error(transparent)]
    BadInput(#[from] BadInput),

    /// The session's key holds something that no memory wrote.
    #[error(
        "the keys of session {session:?} ({key}) hold something else than a memory ({found}); set `Options::key_prefix`, or remove it"
    )]
    NotAMemory {
        /// The session.
        session: String,
        /// The key of the session's hash.
        key: String,
        /// What was found.
        found: String,
    },

    /// The server could not be asked, or refused. Nothing was changed; the same call may be made again.
    #[error("session {session:?}: Redis did not serve the request, and nothing was changed: {source}")]
    Unavailable {
        /// The session.
        session: String,
        /// What the driver reported.
        source: redis::RedisError,
    },

    /// The reply was lost or not understood: the operation may have been applied, may still be, or was not.
    ///
    /// Make the same call with the same [`Change`](super::Change) (or [`Forget`](super::Forget)) again: if it was
    /// applied, this gives the result of then, else it is applied now.
    #[error("session {session:?}: the reply to operation {op} was lost; make the same call again to know: {source}")]
    Uncertain {
        /// The session.
        session: String,
        /// The operation.
        op: OpId,
        /// What the driver reported.
        source: redis::RedisError,
    },
}

fn place(session: &str, field: Option<&str>) -> String {
    match field {
        Some(field) => format!("field {field:?} of session {session:?}"),
        None => format!("session {session:?}"),
    }
}

/// Arguments that make no valid request. Nothing was sent.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadInput {
    /// An option is out of its range.
    #[error("`Options::{name}` is {value}; {way_out}")]
    Option {
        /// The option.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it must be.
        way_out: &'static str,
    },
    /// A name (session, field, operation id) is empty or too long.
    #[error("the {what} {value:?} is {length} bytes long; give it 1 to {limit}")]
    NameLength {
        /// What is named.
        what: &'static str,
        /// The beginning of the name.
        value: String,
        /// Its length in bytes.
        length: usize,
        /// The longest that is allowed, in bytes.
        limit: usize,
    },
    /// A field name begins with an underscore.
    #[error(
        "the field name {name:?} begins with `_`, which marks the memory's own fields; choose another first letter"
    )]
    ReservedField {
        /// The name.
        name: String,
    },
    /// One change names a field twice, so that the order would matter.
    #[error("the field {name:?} is changed twice in one change; make one edit of it, or two changes")]
    DuplicateField {
        /// The name.
        name: String,
    },
    /// A request that names no field.
    #[error("the {what} names no field; name at least one{way_out}")]
    NothingToDo {
        /// The request.
        what: &'static str,
        /// What to do instead.
        way_out: &'static str,
    },
    /// A number in a change is out of its range.
    #[error("{what} of field {field:?} is {value}; {way_out}")]
    Number {
        /// What the number is.
        what: &'static str,
        /// The field.
        field: String,
        /// The number.
        value: i64,
        /// What it must be.
        way_out: &'static str,
    },
    /// A cursor that no page gave.
    #[error(
        "the cursor position {position:?} is no number; use the cursor of the page before, or none for the first page"
    )]
    BadCursor {
        /// The position.
        position: String,
    },
    /// A page of no fields.
    #[error("a page of 0 fields was asked for; ask for at least 1")]
    EmptyPage,
}
