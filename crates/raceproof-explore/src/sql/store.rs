//! SQLite, one set of connections per worker, reused from execution to execution.
//!
//! A file in WAL mode in a temporary folder, memory-backed where there is one: with a shared in-memory database readers
//! would be BUSY during an uncommitted write (which hides the windows that are looked for), and with a rollback journal
//! `COMMIT` and `UPDATE` can each wait for the other for ever. The write lock is tracked here, so that a statement which
//! would be BUSY is known before it runs. After the setup the database is copied; every execution starts from the copy.

mod look;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use raceproof_engine::Access;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode};
use tempfile::TempDir;

use super::contents;
use super::footprint::{Shape, SqlAccess, Watcher};
use super::value::{Bound, from_row};
use super::{SqlCall, SqlError, SqlReply, SqlResult, SqlValue};

pub(crate) use look::Rows;

type Failure = rusqlite::Error;
/// The rows that the update hook has seen since the last look: table and row id.
type Changes = Arc<Mutex<Vec<(String, i64)>>>;

/// What the scheduler has to know of a statement that has run.
#[derive(Debug, Default)]
pub(crate) struct Statement {
    pub(crate) accesses: Vec<SqlAccess>,
    /// The write lock was taken or given back.
    pub(crate) lock: bool,
    /// Rows were committed.
    pub(crate) committed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transaction {
    None,
    Deferred {
        snapshot: bool,
    },
    /// Holds the write lock.
    Writing,
}

struct Slot {
    connection: Connection,
    watcher: Watcher,
    changes: Changes,
    transaction: Transaction,
    /// What the open transaction will have written when it commits.
    pending: Vec<SqlAccess>,
}

struct Files {
    folder: TempDir,
    template: Connection,
}

/// The database of one worker.
#[derive(Default)]
pub(crate) struct SqlStore {
    files: Option<Files>,
    slots: Vec<Slot>,
    /// A connection that no client has.
    looker: Option<Slot>,
    used: usize,
    writer: Option<usize>,
    shapes: HashMap<String, Shape>,
    /// Whether something was committed since the last restore.
    changed: bool,
    /// Whether a statement changed the schema since the last restore: shapes are not kept then.
    migrated: bool,
}

impl SqlStore {
    /// Forgets everything: an empty database.
    pub(crate) fn clear(&mut self) -> Result<(), Failure> {
        self.close_all()?;
        if let Some(files) = &mut self.files {
            files.template = Connection::open_in_memory()?;
            self.changed = true;
            self.restore()?;
        }
        self.shapes.clear();
        Ok(())
    }

    /// Keeps the present state as the one that [`Self::restore`] returns to.
    pub(crate) fn keep(&mut self) -> Result<(), Failure> {
        self.close_all()?;
        if let (Some(files), Some(slot)) = (&mut self.files, self.slots.first()) {
            copy(&slot.connection, &mut files.template)?;
            self.slots.truncate(1);
        }
        self.changed = false;
        self.migrated = false;
        self.shapes.clear();
        Ok(())
    }

    /// Returns to the kept state, with no connection open.
    pub(crate) fn restore(&mut self) -> Result<(), Failure> {
        self.close_all()?;
        if !self.changed {
            return Ok(());
        }
        if let (Some(files), Some(slot)) = (&self.files, self.slots.first_mut()) {
            copy(&files.template, &mut slot.connection)?;
        }
        self.changed = false;
        if std::mem::take(&mut self.migrated) {
            // A connection prepares statements by the schema that it has in mind, which is now another execution's.
            self.slots.truncate(1);
            self.shapes.clear();
        }
        Ok(())
    }

    fn close_all(&mut self) -> Result<(), Failure> {
        for slot in 0..self.used {
            self.close(slot)?;
        }
        self.used = 0;
        self.writer = None;
        Ok(())
    }

    /// Opens a connection for this execution.
    pub(crate) fn open(&mut self) -> Result<usize, Failure> {
        if self.used == self.slots.len() {
            let slot = self.new_slot()?;
            self.slots.push(slot);
        }
        self.used += 1;
        Ok(self.used - 1)
    }

    fn new_slot(&mut self) -> Result<Slot, Failure> {
        if self.files.is_none() {
            let memory = Path::new("/dev/shm");
            let mut folder = tempfile::Builder::new();
            folder.prefix("raceproof-");
            let folder = if memory.is_dir() { folder.tempdir_in(memory) } else { folder.tempdir() };
            let folder = folder.map_err(|error| cannot_open(&error))?;
            self.files = Some(Files { folder, template: Connection::open_in_memory()? });
        }
        let path = self.files.as_ref().map(|files| files.folder.path().join("database")).unwrap_or_default();
        let mut connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "off")?;
        connection.busy_timeout(std::time::Duration::ZERO)?;
        connection.set_prepared_statement_cache_capacity(64);
        let watcher = Watcher::install(&mut connection)?;
        let changes = Changes::default();
        let seen = changes.clone();
        connection.update_hook(Some(move |_, _: &str, table: &str, row| {
            seen.lock().unwrap_or_else(PoisonError::into_inner).push((table.to_owned(), row));
        }))?;
        Ok(Slot { connection, watcher, changes, transaction: Transaction::None, pending: Vec::new() })
    }

    /// Ends the connection's transaction, as a database does when its client is gone. True if it held the write lock.
    pub(crate) fn close(&mut self, slot: usize) -> Result<bool, Failure> {
        let held = self.slots[slot].transaction == Transaction::Writing;
        if self.slots[slot].transaction != Transaction::None {
            self.slots[slot].connection.execute_batch("ROLLBACK")?;
            self.end(slot);
        }
        Ok(held)
    }

    fn end(&mut self, slot: usize) {
        let ended = &mut self.slots[slot];
        ended.transaction = Transaction::None;
        ended.pending.clear();
        if self.writer == Some(slot) {
            self.writer = None;
        }
    }

    /// Whether the call needs the write lock and its connection does not hold it.
    pub(crate) fn needs_lock(&mut self, slot: usize, call: &SqlCall) -> bool {
        let transaction = self.slots[slot].transaction;
        match call {
            SqlCall::Begin { immediate } => *immediate && transaction == Transaction::None,
            SqlCall::Commit | SqlCall::Rollback => false,
            SqlCall::Statement { sql, .. } => match transaction_call(sql) {
                Some(Ok(call)) => self.needs_lock(slot, &call),
                Some(Err(_)) => false,
                None if transaction == Transaction::Writing => false,
                None => self.shape(slot, sql).is_ok_and(|shape| shape.schema || !shape.writes.is_empty()),
            },
        }
    }

    /// Whether there is a schema under which [`Self::needs_lock`] is true.
    pub(crate) fn may_need_lock(&self, slot: usize, call: &SqlCall) -> bool {
        let transaction = self.slots[slot].transaction;
        match call {
            SqlCall::Begin { immediate } => *immediate && transaction == Transaction::None,
            SqlCall::Commit | SqlCall::Rollback => false,
            SqlCall::Statement { sql, .. } => match transaction_call(sql) {
                Some(Ok(call)) => self.may_need_lock(slot, &call),
                Some(Err(_)) => false,
                None => transaction != Transaction::Writing && !only_reads(sql),
            },
        }
    }

    /// Whether the call commits something if it succeeds: a `COMMIT`, or a write that is a transaction of its own.
    pub(crate) fn may_commit(&self, slot: usize, call: &SqlCall) -> bool {
        let open = self.slots[slot].transaction != Transaction::None;
        match call {
            SqlCall::Begin { .. } | SqlCall::Rollback => false,
            SqlCall::Commit => open,
            SqlCall::Statement { sql, .. } => match transaction_call(sql) {
                Some(Ok(call)) => self.may_commit(slot, &call),
                Some(Err(_)) => false,
                None => !open && !only_reads(sql),
            },
        }
    }

    /// Whether the call is one of a transaction that the database may end there.
    pub(crate) fn may_be_aborted(&self, slot: usize, call: &SqlCall) -> bool {
        let open = self.slots[slot].transaction != Transaction::None;
        match call {
            SqlCall::Begin { .. } | SqlCall::Rollback => false,
            SqlCall::Commit => open,
            SqlCall::Statement { sql, .. } => match transaction_call(sql) {
                Some(Ok(call)) => self.may_be_aborted(slot, &call),
                Some(Err(_)) => false,
                None => open,
            },
        }
    }

    /// Whether some transaction holds the write lock.
    pub(crate) fn is_locked(&self) -> bool {
        self.writer.is_some()
    }

    /// Whether the connection's transaction holds the write lock.
    pub(crate) fn holds_lock(&self, slot: usize) -> bool {
        self.writer == Some(slot)
    }

    /// Whether the connection is in a transaction.
    pub(crate) fn in_transaction(&self, slot: usize) -> bool {
        self.slots[slot].transaction != Transaction::None
    }

    /// Whether the connection's transaction reads a snapshot, and has not got the write lock.
    pub(crate) fn reads_snapshot(&self, slot: usize) -> bool {
        self.slots[slot].transaction == Transaction::Deferred { snapshot: true }
    }

    /// Appends the committed schema and rows to `out`: two databases with equal bytes answer alike.
    pub(crate) fn committed(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        if self.files.is_none() {
            return Ok(());
        }
        let looker = match self.looker.take() {
            Some(looker) => looker,
            None => self.new_slot()?,
        };
        let done = contents::write(&looker.connection, out);
        self.looker = Some(looker);
        done
    }

    /// Every table with its committed rows, in a fixed order.
    pub(crate) fn dump(&mut self) -> Result<Vec<(String, Vec<String>)>, Failure> {
        let Some(slot) = self.slots.first() else { return Ok(Vec::new()) };
        let run = |sql: &str| run(&slot.connection, sql, &[]).map(|reply| reply.rows);
        let tables = run("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
        let mut dump = Vec::with_capacity(tables.len());
        for table in tables.iter().flatten().filter_map(SqlValue::as_text) {
            let mut rows: Vec<String> = run(&format!("SELECT * FROM \"{}\"", table.replace('"', "\"\"")))?
                .iter()
                .map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join("|"))
                .collect();
            rows.sort();
            dump.push((table.to_owned(), rows));
        }
        Ok(dump)
    }

    fn shape(&mut self, slot: usize, sql: &str) -> Result<Shape, Failure> {
        if let Some(shape) = self.shapes.get(sql) {
            return Ok(shape.clone());
        }
        let shape = if self.slots[slot].transaction == (Transaction::Deferred { snapshot: false }) {
            self.shape_elsewhere(sql)?
        } else {
            self.slots[slot].watcher.shape(&self.slots[slot].connection, sql)?
        };
        if !self.migrated {
            self.shapes.insert(sql.to_owned(), shape.clone());
        }
        Ok(shape)
    }

    /// The shape of a statement by the committed schema, for a transaction that has read nothing yet: preparing the
    /// statement there could read the schema, and that would be the transaction's snapshot, before its time.
    fn shape_elsewhere(&mut self, sql: &str) -> Result<Shape, Failure> {
        let looker = match self.looker.take() {
            Some(looker) => looker,
            None => self.new_slot()?,
        };
        // A connection goes by the schema that it has seen last until a statement shows it another one.
        let seen = looker.connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
        let shape = seen.and_then(|()| looker.watcher.shape(&looker.connection, sql));
        self.looker = Some(looker);
        shape
    }

    /// Runs one call. The caller has seen to it that nothing blocks it.
    pub(crate) fn execute(&mut self, slot: usize, call: &SqlCall, done: &mut Statement) -> SqlResult {
        match call {
            SqlCall::Statement { sql, params } => match transaction_call(sql) {
                Some(Ok(call)) => self.execute(slot, &call, done),
                Some(Err(message)) => Err(SqlError {
                    sql: sql.clone(),
                    message: message.to_owned(),
                    stale_snapshot: false,
                    maybe_applied: false,
                }),
                None => self.statement(slot, sql, params, done).map_err(|failure| error(sql, &failure)),
            },
            SqlCall::Begin { immediate } => {
                let sql = if *immediate { "BEGIN IMMEDIATE" } else { "BEGIN DEFERRED" };
                if self.slots[slot].transaction != Transaction::None {
                    // SQLite itself would take the write lock first and refuse then, keeping the lock.
                    let message = "cannot start a transaction within a transaction".to_owned();
                    return Err(SqlError { sql: sql.to_owned(), message, stale_snapshot: false, maybe_applied: false });
                }
                self.slots[slot].connection.execute_batch(sql).map_err(|failure| error(sql, &failure))?;
                self.slots[slot].transaction = Transaction::Deferred { snapshot: false };
                if *immediate {
                    self.take_lock(slot, done);
                }
                Ok(SqlReply::default())
            }
            SqlCall::Commit => {
                self.slots[slot].connection.execute_batch("COMMIT").map_err(|failure| error("COMMIT", &failure))?;
                done.lock = self.slots[slot].transaction == Transaction::Writing;
                done.accesses = std::mem::take(&mut self.slots[slot].pending);
                done.committed = changes_rows(&done.accesses);
                self.changed |= done.committed;
                self.end(slot);
                Ok(SqlReply::default())
            }
            SqlCall::Rollback => {
                self.slots[slot].connection.execute_batch("ROLLBACK").map_err(|failure| error("ROLLBACK", &failure))?;
                done.lock = self.slots[slot].transaction == Transaction::Writing;
                self.end(slot);
                Ok(SqlReply::default())
            }
        }
    }

    fn take_lock(&mut self, slot: usize, done: &mut Statement) {
        self.slots[slot].transaction = Transaction::Writing;
        self.writer = Some(slot);
        done.lock = true;
    }

    fn statement(
        &mut self,
        slot: usize,
        sql: &str,
        params: &[SqlValue],
        done: &mut Statement,
    ) -> Result<SqlReply, Failure> {
        let shape = match self.shape(slot, sql) {
            Ok(shape) => shape,
            Err(failure) => {
                // It may be right once another client has changed the schema.
                done.accesses.push(SqlAccess::Database(Access::Read));
                return Err(failure);
            }
        };
        if let Some(reason) = shape.refusal() {
            return Err(refused(reason));
        }
        let writes = shape.schema || !shape.writes.is_empty();
        self.note_reads(slot, &shape, params, done);
        let before = self.slots[slot].connection.total_changes();
        self.slots[slot].changes.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let result = run(&self.slots[slot].connection, sql, params);
        if writes && self.slots[slot].transaction != Transaction::Writing {
            // A statement that fails has waited for the lock all the same.
            done.lock = true;
        }
        let count = self.slots[slot].connection.total_changes() - before;
        match result {
            Ok(reply) => {
                if writes {
                    self.note_writes(slot, &shape, count, done);
                }
                if shape.schema {
                    self.shapes.clear();
                    self.migrated = true;
                    // So that the next execution starts from the kept schema, also if this change is rolled back.
                    self.changed = true;
                }
                // SQLite keeps its count until the next statement that changes rows; triggers' rows are not in it.
                let changed = if count > 0 { self.slots[slot].connection.changes() } else { 0 };
                Ok(SqlReply { changed: usize::try_from(changed).unwrap_or(usize::MAX), ..reply })
            }
            Err(failure) => {
                self.note_failure(slot, &shape, &failure, count, done);
                Err(failure)
            }
        }
    }

    /// A statement that failed has told its client something of what others committed, may have kept some of its rows
    /// (`OR FAIL`), may have taken the write lock, and may have ended the transaction (`OR ROLLBACK`).
    fn note_failure(&mut self, slot: usize, shape: &Shape, failure: &Failure, count: u64, done: &mut Statement) {
        done.accesses.push(SqlAccess::Database(Access::Read));
        let transaction = self.slots[slot].transaction;
        if transaction != Transaction::None && self.slots[slot].connection.is_autocommit() {
            done.lock |= transaction == Transaction::Writing;
            self.end(slot);
        } else if count > 0 || (transaction != Transaction::None && self.has_written(slot, failure)) {
            self.note_writes(slot, shape, count, done);
        } else if !shape.writes.is_empty() {
            done.lock = true;
        }
    }

    /// Whether the open transaction holds SQLite's write lock, although its last statement failed.
    fn has_written(&self, slot: usize, failure: &Failure) -> bool {
        let busy = failure.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
        let state = self.slots[slot].connection.transaction_state(None::<&str>);
        !busy && matches!(state, Ok(rusqlite::TransactionState::Write))
    }

    fn note_reads(&mut self, slot: usize, shape: &Shape, params: &[SqlValue], done: &mut Statement) {
        match self.slots[slot].transaction {
            // The lock is held: nobody else can commit, so what is read here cannot change under anyone's hands.
            Transaction::Writing | Transaction::Deferred { snapshot: true } => {}
            Transaction::Deferred { snapshot: false } => {
                self.slots[slot].transaction = Transaction::Deferred { snapshot: true };
                done.accesses.push(SqlAccess::Database(Access::Read));
            }
            Transaction::None => {
                done.accesses.push(SqlAccess::Database(Access::IntentRead));
                done.accesses.extend(shape.read_accesses(params));
            }
        }
    }

    fn note_writes(&mut self, slot: usize, shape: &Shape, count: u64, done: &mut Statement) {
        let rows = std::mem::take(&mut *self.slots[slot].changes.lock().unwrap_or_else(PoisonError::into_inner));
        // A statement that changed no row may yet have written pages (DELETE without WHERE, on an empty table), and then
        // a transaction that reads an older snapshot can no longer write.
        let mut accesses = vec![SqlAccess::Database(if shape.schema { Access::Write } else { Access::IntentWrite })];
        if !shape.schema && (count > 0 || !rows.is_empty()) {
            if !shape.replaces && u64::try_from(rows.len()).is_ok_and(|seen| seen == count) {
                for (table, row) in rows {
                    let table: Arc<str> = table.into();
                    accesses.push(SqlAccess::Table(table.clone(), Access::IntentWrite));
                    accesses.push(SqlAccess::Row(table, row, Access::Write));
                }
            } else {
                // WITHOUT ROWID tables, the rows that REPLACE deletes and an unqualified DELETE pass the update hook by.
                accesses.extend(shape.writes.iter().map(|table| SqlAccess::Table(table.clone(), Access::Write)));
            }
        }
        if self.slots[slot].transaction == Transaction::None {
            done.committed = changes_rows(&accesses);
            self.changed |= done.committed;
            done.accesses.extend(accesses);
        } else {
            if self.slots[slot].transaction != Transaction::Writing {
                self.take_lock(slot, done);
            }
            self.slots[slot].pending.extend(accesses);
        }
    }
}

/// Whether what a transaction wrote is more than pages that say the same as before.
fn changes_rows(written: &[SqlAccess]) -> bool {
    written.iter().any(|access| *access != SqlAccess::Database(Access::IntentWrite))
}

/// Runs a statement to its end; how many rows it changed is for the caller to tell.
fn run(connection: &Connection, sql: &str, params: &[SqlValue]) -> Result<SqlReply, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let width = columns.len();
    let mut rows = statement.query(rusqlite::params_from_iter(params.iter().map(Bound)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..width).map(|at| row.get_ref(at).map(from_row)).collect::<Result<_, _>>()?;
        found.push(values);
    }
    drop(rows);
    Ok(SqlReply { columns, rows: found, changed: 0 })
}

/// Whether a statement shows by its first word that it writes nothing.
fn only_reads(sql: &str) -> bool {
    let first = uncommented(sql).split_whitespace().next().unwrap_or_default();
    ["SELECT", "VALUES", "EXPLAIN"].iter().any(|word| first.eq_ignore_ascii_case(word))
}

/// A transaction statement written out as text.
fn transaction_call(sql: &str) -> Option<Result<SqlCall, &'static str>> {
    let mut words = uncommented(sql).split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    let first = words.next()?;
    let second = words.next().unwrap_or_default();
    let is = |word: &str, name: &str| word.eq_ignore_ascii_case(name);
    let controls = ["begin", "commit", "end", "rollback"].iter().any(|word| is(first, word));
    if controls && sql.trim_end().trim_end_matches(';').contains(';') {
        return Some(Err("a step is one statement: run what follows as a statement of its own"));
    }
    Some(Ok(if is(first, "begin") {
        SqlCall::Begin { immediate: is(second, "immediate") || is(second, "exclusive") }
    } else if is(first, "commit") || is(first, "end") {
        SqlCall::Commit
    } else if is(first, "rollback") && !is(second, "to") && !words.next().is_some_and(|third| is(third, "to")) {
        SqlCall::Rollback
    } else if is(first, "savepoint") || is(first, "release") || is(first, "rollback") {
        return Some(Err("savepoints are not explored: use one transaction, or two"));
    } else if is(first, "attach") || is(first, "detach") || is(first, "pragma") || is(first, "vacuum") {
        return Some(Err("this statement would reach outside the explored database: leave it out"));
    } else {
        return None;
    }))
}

/// A statement without the comments in front of it.
fn uncommented(sql: &str) -> &str {
    let sql = sql.trim_start();
    let rest = if sql.starts_with("--") {
        sql.split_once('\n').map_or("", |(_, rest)| rest)
    } else if let Some(comment) = sql.strip_prefix("/*") {
        comment.split_once("*/").map_or("", |(_, rest)| rest)
    } else {
        return sql;
    };
    uncommented(rest)
}

fn copy(from: &Connection, to: &mut Connection) -> Result<(), Failure> {
    let backup = Backup::new(from, to)?;
    match backup.step(-1)? {
        StepResult::Done => Ok(()),
        other => Err(cannot_open(&format!("the database could not be copied: {other:?}"))),
    }
}

fn cannot_open(reason: &dyn std::fmt::Display) -> Failure {
    Failure::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN), Some(reason.to_string()))
}

fn refused(reason: &str) -> Failure {
    Failure::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_AUTH), Some(reason.to_owned()))
}

fn error(sql: &str, failure: &Failure) -> SqlError {
    let (message, busy) = match failure {
        Failure::SqliteFailure(code, message) => {
            (message.clone().unwrap_or_else(|| failure.to_string()), code.code == ErrorCode::DatabaseBusy)
        }
        // The statement is named beside the message: rusqlite would name it twice.
        Failure::SqlInputError { msg, .. } => (msg.clone(), false),
        other => (other.to_string(), false),
    };
    let message = if busy {
        format!("{message}: another transaction has committed since this one's first read")
    } else {
        message
    };
    SqlError { sql: sql.to_owned(), message, stale_snapshot: busy, maybe_applied: false }
}
