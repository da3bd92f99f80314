//! What each step changed: the keys and rows after it are compared with those before it.
//!
//! Comparing is slow and misses nothing, whoever did it: a client, a script, a trigger, the clock, a fault. So it is done
//! only where an execution is recorded for people.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use raceproof_engine::{LuaHost, Outcome, Reply, SessionId, Timestamp};

use super::Execution;
use super::trace::{escape, reply};
use crate::Error;
use crate::sql::Rows;
use crate::state::{Change, Content, Held, Item, Value};

/// Of more keys and rows than these only those are kept of the start that some step changes.
const MOST_AT_START: usize = 100;

/// What stands in the stores.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    keys: BTreeMap<String, Content>,
    committed: Rows,
    /// The rows as the transaction sees them that holds the write lock.
    written: Option<Rows>,
}

impl Execution<'_> {
    /// Looks at the stores before the first step.
    pub(super) fn show_start(&mut self) -> Result<(), Error> {
        if self.mode.record {
            let seen = self.look()?;
            let keys = seen.keys.iter().map(|(key, content)| (Item::Key(key.clone()), content.clone()));
            let rows = seen.committed.iter().map(|((table, row), columns)| (row_item(table, row), of_row(columns)));
            self.start = keys.chain(rows).map(|(item, content)| Held { item, content }).collect();
            self.seen = Some(Box::new(seen));
        }
        Ok(())
    }

    /// What there was at the start, as far as it is of interest.
    pub(super) fn shown_start(&mut self) -> Vec<Held> {
        let mut start = std::mem::take(&mut self.start);
        if start.len() > MOST_AT_START {
            let changed: BTreeSet<&Item> =
                self.steps.iter().flat_map(|step| &step.changes).map(|change| &change.item).collect();
            start.retain(|held| changed.contains(&held.item));
        }
        start
    }

    /// Adds to the step that is shown last what has changed since the one before it.
    pub(super) fn show_changes(&mut self) -> Result<(), Error> {
        if self.mode.record {
            let after = self.look()?;
            let before = self.seen.take().unwrap_or_default();
            let changes = before.changes(&after);
            self.seen = Some(Box::new(after));
            if let Some(step) = self.steps.last_mut() {
                step.changes.extend(changes);
            }
        }
        Ok(())
    }

    fn look(&mut self) -> Result<Seen, Error> {
        // By the clients' clock, of which the server's may be ahead.
        let start_ms = self.worker.start_ms() + self.server_ahead_ms;
        let mut glass = Glass::new(self);
        let mut keys = BTreeMap::new();
        if let Reply::Array(found) = glass.ask(&[b"KEYS", b"*"]) {
            for key in found.iter().filter_map(bytes) {
                if let Some(content) = glass.content(&key, start_ms) {
                    keys.insert(escape(&key), content);
                }
            }
        }
        let (committed, written) = self.worker.sql.look().map_err(|error| Error::Database(error.to_string()))?;
        Ok(Seen { keys, committed, written })
    }
}

/// A copy of the engine: what is asked of it leaves no trace.
struct Glass<'e> {
    engine: raceproof_engine::Engine,
    lua: &'e mut LuaHost,
    session: SessionId,
    now: Timestamp,
    outcome: Outcome,
}

impl<'e> Glass<'e> {
    fn new(execution: &'e mut Execution<'_>) -> Self {
        let now = execution.server_time();
        let mut engine = execution.worker.engine.clone();
        let session = engine.connect();
        Self { engine, lua: &mut execution.worker.lua, session, now, outcome: Outcome::default() }
    }

    fn ask(&mut self, args: &[&[u8]]) -> Reply {
        let args: Vec<Bytes> = args.iter().map(|arg| Bytes::copy_from_slice(arg)).collect();
        self.engine.execute(self.lua, self.session, &args, self.now, &mut self.outcome);
        std::mem::replace(&mut self.outcome.reply, Reply::Null)
    }

    /// What a key holds; `None` if it is not there.
    fn content(&mut self, key: &[u8], start_ms: i64) -> Option<Content> {
        let kind = self.ask(&[b"TYPE", key]);
        let value = match kind {
            Reply::Simple("none") => return None,
            Reply::Simple("hash") => Value::Fields(fields(self.ask(&[b"HGETALL", key]))),
            Reply::Simple("string") => Value::Whole(reply(&self.ask(&[b"GET", key]))),
            Reply::Simple("list") => Value::Whole(reply(&self.ask(&[b"LRANGE", key, b"0", b"-1"]))),
            Reply::Simple("set") => Value::Whole(reply(&self.ask(&[b"SMEMBERS", key]))),
            Reply::Simple("zset") => Value::Fields(fields(self.ask(&[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"]))),
            Reply::Simple("stream") => Value::Whole(reply(&self.ask(&[b"XRANGE", key, b"-", b"+"]))),
            other => Value::Whole(format!("({})", reply(&other))),
        };
        let expires_ms = match self.ask(&[b"PEXPIRETIME", key]) {
            Reply::Integer(deadline) if deadline >= 0 => Some(deadline - start_ms),
            _ => None,
        };
        Some(Content { value, expires_ms })
    }
}

/// A flat list of fields and values, as pairs.
fn fields(reply: Reply) -> Vec<(String, String)> {
    let show = super::trace::reply;
    let name = |field: &Reply| bytes(field).map_or_else(|| show(field), |bytes| escape(&bytes));
    match reply {
        Reply::Array(items) => items.chunks_exact(2).map(|pair| (name(&pair[0]), show(&pair[1]))).collect(),
        Reply::Map(pairs) => pairs.iter().map(|(field, value)| (name(field), show(value))).collect(),
        _ => Vec::new(),
    }
}

fn bytes(reply: &Reply) -> Option<Bytes> {
    match reply {
        Reply::Bulk(bytes) => Some(bytes.clone()),
        _ => None,
    }
}

impl Seen {
    fn changes(&self, after: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for key in self.keys.keys().chain(after.keys.keys().filter(|key| !self.keys.contains_key(*key))) {
            let (old, new) = (self.keys.get(key), after.keys.get(key));
            if old != new {
                let item = Item::Key(key.clone());
                changes.push(Change { item, before: old.cloned(), after: new.cloned(), uncommitted: false });
            }
        }
        let (old, new) = (self.rows(), after.rows());
        let all = [old, &self.committed, new, &after.committed];
        let mut names: Vec<_> = all.into_iter().flat_map(BTreeMap::keys).collect();
        names.sort();
        names.dedup();
        for name in names {
            let (before, now) = (old.get(name), new.get(name));
            let (public_before, public) = (self.committed.get(name), after.committed.get(name));
            // What a transaction has written changes for others when it commits, and for itself when it is rolled back.
            let (before, now) = if before == now { (public_before, public) } else { (before, now) };
            if before != now {
                let content = |columns: Option<&Vec<_>>| columns.map(|columns| of_row(columns));
                let item = row_item(&name.0, &name.1);
                let uncommitted = now != public;
                changes.push(Change { item, before: content(before), after: content(now), uncommitted });
            }
        }
        changes
    }

    /// The rows with what the open transaction has made of them.
    fn rows(&self) -> &Rows {
        self.written.as_ref().unwrap_or(&self.committed)
    }
}

fn row_item(table: &str, row: &str) -> Item {
    Item::Row { table: table.to_owned(), row: row.to_owned() }
}

fn of_row(columns: &[(String, String)]) -> Content {
    Content { value: Value::Fields(columns.to_vec()), expires_ms: None }
}
