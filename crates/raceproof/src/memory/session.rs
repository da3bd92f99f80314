//! What a caller gets: sessions, fields, results.

use std::collections::BTreeMap;

use super::change::Version;

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// What was set, or a counter in decimal digits.
    Bytes(Vec<u8>),
    /// What was appended, the oldest first.
    List(Vec<Vec<u8>>),
}

/// A field of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The session's revision that last wrote this field.
    pub rev: u64,
    /// Its value.
    pub value: Value,
}

impl Field {
    /// The bytes, if it is no list.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.value {
            Value::Bytes(bytes) => Some(bytes),
            Value::List(_) => None,
        }
    }

    /// The text, if it is no list and UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// The number, if it is a whole one.
    #[must_use]
    pub fn integer(&self) -> Option<i64> {
        self.text()?.parse().ok()
    }

    /// The items, the oldest first, if it is a list.
    #[must_use]
    pub fn items(&self) -> Option<&[Vec<u8>]> {
        match &self.value {
            Value::List(items) => Some(items),
            Value::Bytes(_) => None,
        }
    }
}

/// A session as it was at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its incarnation and revision.
    pub version: Version,
    /// How long it lives from here on if it is not used, in ms.
    pub ttl_ms: u64,
    /// The fields: all, or those that were asked for and exist.
    pub fields: BTreeMap<String, Field>,
}

impl Session {
    /// A field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Field> {
        self.fields.get(field)
    }

    /// The text of a field, if there is such a field and it is text.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.get(field)?.text()
    }
}

/// Where the next page of a session begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) incarnation: String,
    pub(crate) position: String,
}

impl Cursor {
    /// A cursor from its parts, e.g. as a client kept them.
    #[must_use]
    pub fn new(incarnation: impl Into<String>, position: impl Into<String>) -> Self {
        Self { incarnation: incarnation.into(), position: position.into() }
    }

    /// The token of the session's incarnation.
    #[must_use]
    pub fn incarnation(&self) -> &str {
        &self.incarnation
    }

    /// The position, as Redis gave it: decimal digits.
    #[must_use]
    pub fn position(&self) -> &str {
        &self.position
    }
}

/// A part of a large session.
///
/// Pages are not one snapshot: a field that existed all the while is in at least one of them, a field that changed in
/// between may be in two, each time with the revision that wrote it: the higher one is the newer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The session's version when this page was read.
    pub version: Version,
    /// How long it lives from here on if it is not used, in ms.
    pub ttl_ms: u64,
    /// Some of the fields.
    pub fields: BTreeMap<String, Field>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// An acknowledged merge: visible to every read until the session ends (M1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The session's incarnation, and the revision that this change made.
    pub version: Version,
    /// Whether an earlier sending of the same operation had applied the change (M2).
    pub duplicate: bool,
    /// The values that the change's increments gave, in their order.
    pub counters: Vec<i64>,
    /// How long the session lives from here on if it is not used, in ms.
    pub ttl_ms: u64,
}

/// An acknowledged forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// Whether there was a session to forget.
    pub existed: bool,
}
