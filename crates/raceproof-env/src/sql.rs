//! One connection to a SQL database.
//!
//! Small on purpose: what a primitive does to a database is a handful of statements in one transaction. The statements
//! are in the database's own dialect; this module carries them and their consequences. There is no production
//! implementation here: a database driver brings one, and is the only one to know which of its errors mean what.

use std::fmt;
use std::future::Future;

/// A connection that one task uses at a time.
///
/// Outside [`Sql::begin`] … [`Sql::commit`] every statement is its own transaction. Dropping the connection inside a
/// transaction rolls it back.
pub trait Sql {
    /// Runs a statement that returns no rows; gives the number of rows it changed.
    fn execute(&mut self, statement: &str, params: &[SqlValue]) -> impl Future<Output = Result<u64, SqlError>>;

    /// Runs a statement that returns rows.
    fn query(&mut self, statement: &str, params: &[SqlValue]) -> impl Future<Output = Result<SqlRows, SqlError>>;

    /// Begins a transaction that will write. It is an error to begin inside a transaction.
    fn begin(&mut self) -> impl Future<Output = Result<(), SqlError>>;

    /// Commits. After an error whose consequence is [`Consequence::MaybeApplied`] nobody knows whether the transaction
    /// took place until its effects are looked for.
    fn commit(&mut self) -> impl Future<Output = Result<(), SqlError>>;

    /// Rolls back. Without a transaction it does nothing.
    fn rollback(&mut self) -> impl Future<Output = Result<(), SqlError>>;
}

/// A value in a row, or a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum SqlValue {
    /// `NULL`
    Null,
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl SqlValue {
    /// The integer, if it is one.
    #[must_use]
    pub const fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(n) => Some(*n),
            _ => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// As a literal of SQL.
impl fmt::Display for SqlValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Integer(n) => write!(f, "{n}"),
            Self::Real(x) => write!(f, "{x:?}"),
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Blob(bytes) => {
                f.write_str("x'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("'")
            }
        }
    }
}

impl From<i32> for SqlValue {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<i64> for SqlValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for SqlValue {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<&str> for SqlValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for SqlValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for SqlValue {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl<T: Into<Self>> From<Option<T>> for SqlValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What a query returned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SqlRows {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with one value per column.
    pub rows: Vec<Vec<SqlValue>>,
}

impl SqlRows {
    /// The value of a named column in a row; `None` if there is no such row or column.
    #[must_use]
    pub fn get(&self, row: usize, column: &str) -> Option<&SqlValue> {
        let at = self.columns.iter().position(|name| name == column)?;
        self.rows.get(row)?.get(at)
    }
}

/// What an error says about the effect of the operation that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Consequence {
    /// The operation never left this process: nothing happened.
    NotSent,
    /// The other side answered that it did not do it: nothing happened.
    Refused,
    /// It was sent and no answer came: it may have happened, or may still happen.
    MaybeApplied,
}

/// A SQL operation that gave an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError {
    /// What is known of its effect. In a transaction, `Refused` speaks of the statement, or, for the SQLSTATEs that end
    /// it (`40001` serialization failure, `40P01` deadlock), of the whole transaction.
    pub consequence: Consequence,
    /// The SQLSTATE, or the database's own code.
    pub code: Option<String>,
    /// What the database said.
    pub message: String,
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        f.write_str(match self.consequence {
            Consequence::NotSent => "; nothing was sent",
            Consequence::Refused => "; the database did not do it",
            Consequence::MaybeApplied => "; it may have been done",
        })
    }
}

impl std::error::Error for SqlError {}
