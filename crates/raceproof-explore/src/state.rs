//! What stands in Redis and in the database, as a counterexample shows it.

use std::fmt;

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Item {
    /// A key of Redis's first database, escaped as redis-cli does.
    Key(String),
    /// A row of the database.
    Row {
        /// The table.
        table: String,
        /// The row's primary key with the names of its columns, `id 1`; without one its row id, `row 1`.
        row: String,
    },
}

/// A key's name; a row's table and key.
impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Row { table, row } => write!(f, "{table} {row}"),
        }
    }
}

/// What an item holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Content {
    /// Its value.
    pub value: Value,
    /// When it expires, in ms of virtual time since the clients started. It is gone in the millisecond after.
    pub expires_ms: Option<i64>,
}

/// The value of an item, in text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// One value, as redis-cli shows it on one line.
    Whole(String),
    /// The fields of a hash, or the columns of a row that are not of its primary key, each with its value.
    Fields(Vec<(String, String)>),
}

/// On one line, without the time that is left.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(text) => f.write_str(text),
            Self::Fields(fields) => {
                f.write_str("{")?;
                for (at, (field, value)) in fields.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    write!(f, "{comma}{field}: {value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

impl Content {
    /// The time that is left at `now_ms`, in words: `30 s`, `1 ms`.
    #[must_use]
    pub fn left(&self, now_ms: i64) -> Option<String> {
        let left = self.expires_ms?.saturating_sub(now_ms).max(0);
        Some(if left % 1000 == 0 { format!("{} s", left / 1000) } else { format!("{left} ms") })
    }

    /// On one line, with the time that is left at `now_ms`: `"A" (30 s)`.
    #[must_use]
    pub fn shown(&self, now_ms: i64) -> String {
        match self.left(now_ms) {
            Some(left) => format!("{} ({left})", self.value),
            None => self.value.to_string(),
        }
    }
}

/// An item and what it held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Where.
    pub item: Item,
    /// What.
    pub content: Content,
}

/// An item that a step changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub item: Item,
    /// What it held before the step; `None` if it was not there. For a `COMMIT`, what others saw before it.
    pub before: Option<Content>,
    /// What it holds after the step; `None` if it is not there.
    pub after: Option<Content>,
    /// Whether it is part of a transaction that has not committed: others do not see it.
    pub uncommitted: bool,
}
