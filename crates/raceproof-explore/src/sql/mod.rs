//! The database side: SQLite under the scheduler.
//!
//! A statement is a step. Each handle is a connection of its own to one database in WAL mode, so readers go on while
//! a writer has not committed, as in the databases that teams run; a statement that would wait for the writer's lock is
//! not enabled until the holder ends its transaction.

mod contents;
mod folder;
mod footprint;
mod store;
mod value;

pub use folder::remove_temporary_folders;

use std::fmt;

pub(crate) use footprint::SqlAccess;
pub use raceproof_env::SqlValue;
pub(crate) use store::{Rows, SqlStore, Statement};

use crate::mailbox::{Answer, Op, Port};

/// The version of the embedded SQLite, e.g. `3.50.4`.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// What a client asks of its database connection.
#[derive(Clone, Debug)]
pub(crate) enum SqlCall {
    Statement { sql: String, params: Vec<SqlValue> },
    Begin { immediate: bool },
    Commit,
    Rollback,
}

impl SqlCall {
    /// As one would write it.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Statement { sql, .. } => sql,
            Self::Begin { immediate: true } => "BEGIN IMMEDIATE",
            Self::Begin { immediate: false } => "BEGIN DEFERRED",
            Self::Commit => "COMMIT",
            Self::Rollback => "ROLLBACK",
        }
    }
}

pub(crate) type SqlResult = Result<SqlReply, SqlError>;

/// The rows of a query, or the count of a change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SqlReply {
    /// The names of the columns; empty for a statement that returns none.
    pub columns: Vec<String>,
    /// The rows, one value for each column.
    pub rows: Vec<Vec<SqlValue>>,
    /// How many rows an `INSERT`, `UPDATE` or `DELETE` changed.
    pub changed: usize,
}

/// Why a statement failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError {
    /// The statement.
    pub sql: String,
    /// What the database says.
    pub message: String,
    /// Whether the transaction read a snapshot that another one has since replaced (`BUSY_SNAPSHOT`): waiting never
    /// helps, only rolling back and starting over does.
    pub stale_snapshot: bool,
    /// Whether the statement may have taken effect all the same: the connection broke while it committed.
    pub maybe_applied: bool,
}

/// What a client is told when the connection breaks while something commits.
pub(crate) const COMMIT_UNKNOWN: &str = "LOST the connection broke during the commit: it may have taken effect";

/// What a client is told when the database ends its transaction.
pub(crate) const ABORTED: &str = "ABORTED deadlock or serialization failure: the transaction was rolled back";

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.sql)
    }
}

impl std::error::Error for SqlError {}

/// A connection to the explored database. Every call is one step.
///
/// Not `Clone`: a connection holds at most one transaction, and two tasks sharing it would share that.
#[derive(Debug)]
pub struct Database {
    port: Port,
    connection: u32,
}

impl Database {
    pub(crate) fn new(port: &Port) -> Self {
        let mut mailbox = port.lock();
        let connection = mailbox.connections;
        mailbox.connections += 1;
        drop(mailbox);
        Self { port: *port, connection }
    }

    async fn ask(&self, call: SqlCall) -> SqlResult {
        match self.port.ask(Op::Sql { connection: self.connection, call: Box::new(call) }).await {
            Answer::Sql(result) => result,
            Answer::Reply(_) | Answer::Redis(_) | Answer::Lost(_) | Answer::Cell | Answer::Panic(_) => {
                Ok(SqlReply::default())
            }
        }
    }

    /// Runs one statement with its parameters (`?1`, `?2`, … or `?`).
    ///
    /// # Errors
    /// What SQLite says, with the statement.
    pub async fn run(&self, sql: &str, params: impl IntoParams) -> Result<SqlReply, SqlError> {
        self.ask(SqlCall::Statement { sql: sql.to_owned(), params: params.into_params() }).await
    }

    /// Runs a statement and gives the number of rows that it changed.
    ///
    /// # Errors
    /// What SQLite says, with the statement.
    pub async fn execute(&self, sql: &str, params: impl IntoParams) -> Result<usize, SqlError> {
        Ok(self.run(sql, params).await?.changed)
    }

    /// Runs a query and gives its rows.
    ///
    /// # Errors
    /// What SQLite says, with the statement.
    pub async fn query(&self, sql: &str, params: impl IntoParams) -> Result<Vec<Vec<SqlValue>>, SqlError> {
        Ok(self.run(sql, params).await?.rows)
    }

    /// Runs a query and gives the first column of its first row, if there is one.
    ///
    /// # Errors
    /// What SQLite says, with the statement.
    pub async fn query_value(&self, sql: &str, params: impl IntoParams) -> Result<Option<SqlValue>, SqlError> {
        let rows = self.query(sql, params).await?;
        Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()))
    }

    /// `BEGIN IMMEDIATE`: takes the write lock at once; not enabled while another transaction holds it.
    ///
    /// # Errors
    /// When the connection is in a transaction already.
    pub async fn begin(&self) -> Result<(), SqlError> {
        self.ask(SqlCall::Begin { immediate: true }).await.map(drop)
    }

    /// `BEGIN DEFERRED`: reads a snapshot from its first read on, takes the write lock at its first write, and fails
    /// there ([`SqlError::stale_snapshot`]) if another transaction has committed since.
    ///
    /// # Errors
    /// When the connection is in a transaction already.
    pub async fn begin_deferred(&self) -> Result<(), SqlError> {
        self.ask(SqlCall::Begin { immediate: false }).await.map(drop)
    }

    /// `COMMIT`.
    ///
    /// # Errors
    /// When the connection is in no transaction.
    pub async fn commit(&self) -> Result<(), SqlError> {
        self.ask(SqlCall::Commit).await.map(drop)
    }

    /// `ROLLBACK`.
    ///
    /// # Errors
    /// When the connection is in no transaction.
    pub async fn rollback(&self) -> Result<(), SqlError> {
        self.ask(SqlCall::Rollback).await.map(drop)
    }
}

/// Parameters of a statement: `()`, an array or vector of values, or a tuple.
pub trait IntoParams {
    /// The values in order.
    fn into_params(self) -> Vec<SqlValue>;
}

impl IntoParams for () {
    fn into_params(self) -> Vec<SqlValue> {
        Vec::new()
    }
}

impl<T: Into<SqlValue>, const N: usize> IntoParams for [T; N] {
    fn into_params(self) -> Vec<SqlValue> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<T: Into<SqlValue>> IntoParams for Vec<T> {
    fn into_params(self) -> Vec<SqlValue> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<A: Into<SqlValue>, B: Into<SqlValue>> IntoParams for (A, B) {
    fn into_params(self) -> Vec<SqlValue> {
        vec![self.0.into(), self.1.into()]
    }
}

impl<A: Into<SqlValue>, B: Into<SqlValue>, C: Into<SqlValue>> IntoParams for (A, B, C) {
    fn into_params(self) -> Vec<SqlValue> {
        vec![self.0.into(), self.1.into(), self.2.into()]
    }
}
