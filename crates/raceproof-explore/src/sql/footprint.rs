//! What a statement touches: tables, and rows where the plan shows an equality lookup by row id.
//!
//! The authorizer names the tables and whether they are read or written; the update hook names the rows that a write
//! really changed; the bytecode shows whether a read is a lookup by row id of a value known before it runs. Whatever
//! none of them can show counts as the whole table.

use std::sync::{Arc, Mutex, PoisonError};

use raceproof_engine::Access;
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::SqlValue;

/// One access of a statement to committed data.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum SqlAccess {
    Database(Access),
    Table(Arc<str>, Access),
    Row(Arc<str>, i64, Access),
}

impl SqlAccess {
    /// Whether something was written, or a part of it.
    pub(crate) const fn writes(&self) -> bool {
        let (Self::Database(access) | Self::Table(_, access) | Self::Row(_, _, access)) = self;
        access.writes()
    }
}

/// What can be said of a statement before it runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) reads: Vec<Arc<str>>,
    pub(crate) writes: Vec<Arc<str>>,
    /// The schema is changed: everything is touched.
    pub(crate) schema: bool,
    /// It may delete rows that it does not name, to make room for those that it writes (`REPLACE`).
    pub(crate) replaces: bool,
    /// `BEGIN`, `COMMIT`, … written out as a statement.
    pub(crate) transaction: bool,
    /// Something that only its connection sees and that would outlive the execution.
    temporary: bool,
    /// Settings and other files.
    outside: bool,
    lookups: Vec<Lookup>,
}

/// A read of a table that only ever seeks one row id.
#[derive(Clone, Debug)]
struct Lookup {
    table: Arc<str>,
    key: Key,
}

#[derive(Clone, Debug)]
enum Key {
    Constant(i64),
    /// The parameter with this number, from 1.
    Parameter(usize),
}

/// Collects what the authorizer sees while a statement is prepared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watcher(Arc<Mutex<Shape>>);

impl Watcher {
    pub(crate) fn install(connection: &mut Connection) -> rusqlite::Result<Self> {
        let watcher = Self::default();
        let seen = watcher.0.clone();
        connection.authorizer(Some(move |context: AuthContext<'_>| {
            note(&mut seen.lock().unwrap_or_else(PoisonError::into_inner), &context.action);
            Authorization::Allow
        }))?;
        Ok(watcher)
    }

    /// Prepares the statement once and gives its shape.
    pub(crate) fn shape(&self, connection: &Connection, sql: &str) -> rusqlite::Result<Shape> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Shape::default();
        drop(connection.prepare(sql)?);
        let mut shape = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if !shape.schema && !shape.transaction && !shape.reads.is_empty() {
            shape.lookups = lookups(connection, sql, &shape)?;
        }
        shape.replaces = !shape.writes.is_empty() && may_replace(connection, sql)?;
        Ok(shape)
    }
}

/// Whether the statement, a constraint of a table or a trigger says `REPLACE`. A column of that name does no harm: the
/// write then counts as one of the whole table.
fn may_replace(connection: &Connection, sql: &str) -> rusqlite::Result<bool> {
    if sql.to_ascii_lowercase().contains("replace") {
        return Ok(true);
    }
    let schema = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE sql LIKE '%replace%')";
    connection.query_row(schema, [], |row| row.get(0))
}

fn note(shape: &mut Shape, action: &AuthAction<'_>) {
    let add = |list: &mut Vec<Arc<str>>, table: &str| {
        if !list.iter().any(|known| known.as_ref() == table) {
            list.push(table.into());
        }
    };
    match action {
        AuthAction::Read { table_name, .. } => add(&mut shape.reads, table_name),
        AuthAction::Insert { table_name }
        | AuthAction::Delete { table_name }
        | AuthAction::Update { table_name, .. } => {
            add(&mut shape.writes, table_name);
        }
        AuthAction::Select | AuthAction::Function { .. } | AuthAction::Recursive => {}
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => shape.transaction = true,
        AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. } => shape.temporary = true,
        AuthAction::Attach { .. } | AuthAction::Detach { .. } | AuthAction::Pragma { .. } => shape.outside = true,
        _ => shape.schema = true,
    }
}

impl Shape {
    /// Why the statement cannot be run at all.
    pub(super) const fn refusal(&self) -> Option<&'static str> {
        if self.transaction {
            Some("write BEGIN, COMMIT and ROLLBACK without a comment in front, or use begin(), commit() and rollback()")
        } else if self.temporary {
            Some("temporary tables are not explored: use a table")
        } else if self.outside {
            Some("this statement would reach outside the explored database: leave it out")
        } else {
            None
        }
    }

    /// What the statement reads of committed data, given its parameters.
    pub(crate) fn read_accesses(&self, params: &[SqlValue]) -> Vec<SqlAccess> {
        let mut accesses = Vec::new();
        for table in &self.reads {
            match self.lookups.iter().find(|lookup| lookup.table == *table).and_then(|lookup| lookup.row(params)) {
                Some(row) => {
                    accesses.push(SqlAccess::Row(table.clone(), row, Access::Read));
                    accesses.push(SqlAccess::Table(table.clone(), Access::IntentRead));
                }
                None => accesses.push(SqlAccess::Table(table.clone(), Access::Read)),
            }
        }
        accesses
    }
}

impl Lookup {
    fn row(&self, params: &[SqlValue]) -> Option<i64> {
        match self.key {
            Key::Constant(row) => Some(row),
            Key::Parameter(number) => params.get(number - 1)?.as_integer(),
        }
    }
}

/// One instruction of SQLite's bytecode.
struct Instruction {
    opcode: String,
    p1: i64,
    p2: i64,
    p3: i64,
    p4: String,
}

/// The tables whose every cursor is only ever positioned by `NotExists`/`SeekRowid` on a constant or a parameter.
fn lookups(connection: &Connection, sql: &str, shape: &Shape) -> rusqlite::Result<Vec<Lookup>> {
    let mut statement = connection.prepare(&format!("EXPLAIN {sql}"))?;
    let mut rows = statement.raw_query();
    let mut program = Vec::new();
    while let Some(row) = rows.next()? {
        let p4: Option<String> = row.get(5).unwrap_or_default();
        program.push(Instruction {
            opcode: row.get(1)?,
            p1: row.get(2)?,
            p2: row.get(3)?,
            p3: row.get(4)?,
            p4: p4.unwrap_or_default(),
        });
    }
    drop(rows);
    let mut found = Vec::new();
    for table in &shape.reads {
        let root: Option<i64> = connection
            .query_row(
                "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?1",
                [table.as_ref()],
                |row| row.get(0),
            )
            .ok();
        if let Some(key) = root.and_then(|root| only_lookup(&program, root)) {
            found.push(Lookup { table: table.clone(), key });
        }
    }
    Ok(found)
}

/// The one key by which the table with this root page is looked up, if nothing else positions a cursor on the table.
/// A cursor on an index of the table has another root page: then columns may come from the index, so any second cursor
/// that the statement opens makes it a read of the whole.
fn only_lookup(program: &[Instruction], root: i64) -> Option<Key> {
    let mut opened = program.iter().filter(|step| matches!(step.opcode.as_str(), "OpenRead" | "OpenWrite"));
    let cursor = opened.next().filter(|step| step.p2 == root)?.p1;
    if opened.next().is_some() {
        return None;
    }
    let mut key = None;
    for step in program.iter().filter(|step| step.p1 == cursor) {
        match step.opcode.as_str() {
            "SeekRowid" | "NotExists" if key.is_none() => key = Some(step.p3),
            "SeekRowid" | "NotExists" | "Rewind" | "Last" | "Next" | "Prev" | "SeekGE" | "SeekGT" | "SeekLE"
            | "SeekLT" | "NewRowid" | "Found" | "NotFound" | "Count" | "Clear" => return None,
            _ => {}
        }
    }
    let register = key?;
    let mut sources = program.iter().filter(|step| match step.opcode.as_str() {
        "Integer" | "Int64" | "Variable" | "Null" | "Rowid" | "SCopy" | "Copy" => step.p2 == register,
        "Column" => step.p3 == register,
        _ => false,
    });
    let source = sources.next()?;
    if sources.next().is_some() {
        return None;
    }
    match source.opcode.as_str() {
        "Integer" => Some(Key::Constant(source.p1)),
        "Int64" => source.p4.parse().ok().map(Key::Constant),
        "Variable" => usize::try_from(source.p1).ok().map(Key::Parameter),
        _ => None,
    }
}
