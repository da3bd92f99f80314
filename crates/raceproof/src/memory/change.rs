//! What a caller asks for: operation ids, versions, changes.

use std::fmt;

/// The identity of one operation. Resending the operation with the same id is safe: within the ring of the last
/// [`op_window`](super::Options::op_window) operations of a session it is applied once (M2).
///
/// 1 to 128 bytes, unique per operation: a random token, or the id of the message that causes the change.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpId(String);

impl OpId {
    /// The id with this text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which session, and how far: its incarnation and its revision.
///
/// The incarnation is a random token that a session gets when its first merge creates it, so a session that expired and
/// was begun anew under the same id is another one. The revision counts its merges from 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    incarnation: String,
    rev: u64,
}

impl Version {
    /// A version from its parts, e.g. as a client kept them.
    #[must_use]
    pub fn new(incarnation: impl Into<String>, rev: u64) -> Self {
        Self { incarnation: incarnation.into(), rev }
    }

    /// The token of the session's incarnation.
    #[must_use]
    pub fn incarnation(&self) -> &str {
        &self.incarnation
    }

    /// The number of merges that this incarnation has had.
    #[must_use]
    pub const fn rev(&self) -> u64 {
        self.rev
    }
}

/// What the session must be for a change to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    Any,
    New,
    At(Version),
    After(Version),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    Set { field: String, value: Vec<u8> },
    SetIfRev { field: String, value: Vec<u8>, rev: u64 },
    Incr { field: String, by: i64 },
    Append { field: String, item: Vec<u8>, keep: u32 },
    Delete { field: String },
}

impl Edit {
    pub(crate) fn field(&self) -> &str {
        match self {
            Self::Set { field, .. }
            | Self::SetIfRev { field, .. }
            | Self::Incr { field, .. }
            | Self::Append { field, .. }
            | Self::Delete { field } => field,
        }
    }
}

/// A change of one session: edits of different fields that are applied all or not at all, under one operation id.
///
/// Keep it until [`merge`](super::Memory::merge) has given an answer other than
/// [`Uncertain`](super::Error::Uncertain), and give the same one again if it has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    op: OpId,
    expect: Expect,
    edits: Vec<Edit>,
}

impl Change {
    /// A change without edits, under an id of the caller's own. [`Memory::change`](super::Memory::change) takes a fresh
    /// random one.
    #[must_use]
    pub const fn new(op: OpId) -> Self {
        Self { op, expect: Expect::Any, edits: Vec::new() }
    }

    /// The operation's id.
    #[must_use]
    pub const fn op(&self) -> &OpId {
        &self.op
    }

    /// Sets a field.
    #[must_use]
    pub fn set(self, field: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.edit(Edit::Set { field: field.into(), value: value.into() })
    }

    /// Sets a field only if its own revision ([`Field::rev`](super::Field::rev)) is still `rev`; 0 means that it must be
    /// absent. Else the whole change fails with [`RevConflict`](super::Error::RevConflict).
    #[must_use]
    pub fn set_if_rev(self, field: impl Into<String>, value: impl Into<Vec<u8>>, rev: u64) -> Self {
        self.edit(Edit::SetIfRev { field: field.into(), value: value.into(), rev })
    }

    /// Adds to a whole number; an absent field counts as 0. Counters stay within ±(2⁵³ − 1).
    #[must_use]
    pub fn incr(self, field: impl Into<String>, by: i64) -> Self {
        self.edit(Edit::Incr { field: field.into(), by })
    }

    /// Appends an item to a list and drops its oldest items beyond `keep` (at least 1); an absent field counts as an
    /// empty list.
    #[must_use]
    pub fn append(self, field: impl Into<String>, item: impl Into<Vec<u8>>, keep: u32) -> Self {
        self.edit(Edit::Append { field: field.into(), item: item.into(), keep })
    }

    /// Deletes a field. Deleting an absent one is no error.
    #[must_use]
    pub fn delete(self, field: impl Into<String>) -> Self {
        self.edit(Edit::Delete { field: field.into() })
    }

    /// The change is for the session that was read at `version`, however far it has got since: if that session is gone
    /// the merge gives [`SessionGone`](super::Error::SessionGone) instead of beginning a new one. It also makes a late
    /// resend safe without limit: if the ring no longer reaches back to `version`, the merge gives
    /// [`OpWindowExceeded`](super::Error::OpWindowExceeded) instead of applying the change a second time.
    #[must_use]
    pub fn after(mut self, version: &Version) -> Self {
        self.expect = Expect::After(version.clone());
        self
    }

    /// The change is for the session exactly as it was at `version`: any merge since makes it a
    /// [`RevConflict`](super::Error::RevConflict).
    #[must_use]
    pub fn only_at(mut self, version: &Version) -> Self {
        self.expect = Expect::At(version.clone());
        self
    }

    /// The change must be the first of its session: a session that exists makes it a
    /// [`RevConflict`](super::Error::RevConflict), or, if it is so far on that its first operations have left the ring,
    /// [`OpWindowExceeded`](super::Error::OpWindowExceeded).
    #[must_use]
    pub fn only_new(mut self) -> Self {
        self.expect = Expect::New;
        self
    }

    fn edit(mut self, edit: Edit) -> Self {
        self.edits.push(edit);
        self
    }

    pub(crate) const fn expect(&self) -> &Expect {
        &self.expect
    }

    pub(crate) fn edits(&self) -> &[Edit] {
        &self.edits
    }
}

/// A request to forget a session, under one operation id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forget {
    op: OpId,
    only: Option<String>,
}

impl Forget {
    /// Forgets whatever session there is.
    #[must_use]
    pub const fn new(op: OpId) -> Self {
        Self { op, only: None }
    }

    /// Forgets only the incarnation that was read at `version`; one that lives under the same id since then stays.
    #[must_use]
    pub fn only(mut self, version: &Version) -> Self {
        self.only = Some(version.incarnation.clone());
        self
    }

    /// The operation's id.
    #[must_use]
    pub const fn op(&self) -> &OpId {
        &self.op
    }

    pub(crate) fn only_incarnation(&self) -> &str {
        self.only.as_deref().unwrap_or("")
    }
}
