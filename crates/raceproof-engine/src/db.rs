//! Databases: keys, their values and their deadlines.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;

use crate::{hash::Hash, key::Key, number, set::Set, stream::Stream, typed::List, zset::Zset};

/// How Redis holds a string; `OBJECT ENCODING` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Encoding {
    Int,
    Embstr,
    Raw,
}

/// A string value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Text {
    pub(crate) data: Bytes,
    pub(crate) encoding: Encoding,
}

impl Text {
    /// The longest string that Redis keeps in one allocation with its header.
    const EMBSTR_LIMIT: usize = 44;

    /// A string as a client sets it.
    pub(crate) fn new(data: Bytes) -> Self {
        let integer = data.len() <= number::MAX_DECIMAL_LEN && number::parse_integer(&data).is_some();
        let encoding = if integer { Encoding::Int } else { Self::by_length(&data) };
        Self { data, encoding }
    }

    /// A string that is not looked at for being a number.
    pub(crate) fn of_float(data: Bytes) -> Self {
        let encoding = Self::by_length(&data);
        Self { data, encoding }
    }

    /// A string that was edited in place.
    pub(crate) const fn raw(data: Bytes) -> Self {
        Self { data, encoding: Encoding::Raw }
    }

    const fn by_length(data: &Bytes) -> Encoding {
        if data.len() <= Self::EMBSTR_LIMIT { Encoding::Embstr } else { Encoding::Raw }
    }
}

/// What a key holds.
///
/// Collections are shared with snapshots until they are written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    Text(Text),
    Hash(Arc<Hash>),
    List(Arc<List>),
    Set(Arc<Set>),
    Zset(Arc<Zset>),
    Stream(Arc<Stream>),
}

impl Value {
    /// The earliest deadline of a field.
    pub(crate) fn first_deadline(&self) -> Option<i64> {
        match self {
            Self::Hash(hash) => hash.first_deadline(),
            _ => None,
        }
    }

    pub(crate) const fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Hash(_) => "hash",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Zset(_) => "zset",
            Self::Stream(_) => "stream",
        }
    }

    /// What `OBJECT ENCODING` says.
    pub(crate) fn encoding(&self) -> &'static str {
        match self {
            Self::Text(Text { encoding: Encoding::Int, .. }) => "int",
            Self::Text(Text { encoding: Encoding::Embstr, .. }) => "embstr",
            Self::Text(Text { encoding: Encoding::Raw, .. }) => "raw",
            Self::Hash(hash) => hash.encoding(),
            Self::List(_) => "quicklist",
            Self::Set(set) => set.encoding(),
            Self::Zset(zset) => zset.encoding(),
            Self::Stream(_) => "stream",
        }
    }
}

/// A key's value and deadline.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    /// Unix ms; the key lives through that millisecond.
    pub(crate) deadline: Option<i64>,
}

/// One database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Database {
    pub(crate) keys: BTreeMap<Key, Entry>,
}

/// All databases and the index of their deadlines. Databases that were never written are not stored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Databases {
    list: Vec<Database>,
    deadlines: BTreeSet<(i64, u32, Bytes)>,
    /// The earliest deadline of a field, for every hash that has one.
    field_deadlines: BTreeSet<(i64, u32, Bytes)>,
}

impl Clone for Databases {
    fn clone(&self) -> Self {
        let Self { list, deadlines, field_deadlines } = self;
        Self { list: list.clone(), deadlines: deadlines.clone(), field_deadlines: field_deadlines.clone() }
    }

    fn clone_from(&mut self, source: &Self) {
        let Self { list, deadlines, field_deadlines } = source;
        self.list.clone_from(list);
        self.deadlines.clone_from(deadlines);
        self.field_deadlines.clone_from(field_deadlines);
    }
}

static EMPTY: Database = Database { keys: BTreeMap::new() };

impl Databases {
    pub(crate) fn get(&self, db: u32) -> &Database {
        self.list.get(db as usize).unwrap_or(&EMPTY)
    }

    /// The databases that hold keys, with their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &Database)> {
        self.list.iter().enumerate().filter(|(_, database)| !database.keys.is_empty())
    }

    /// Every key with the number of its database.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (u32, &Bytes)> {
        (0..).zip(&self.list).flat_map(|(db, database)| database.keys.keys().map(move |key| (db, &key.name)))
    }

    /// Whether a key is there and has a deadline.
    pub(crate) fn has_deadline(&self, db: u32, name: &Bytes) -> bool {
        self.entry(db, &Key::new(name)).is_some_and(|entry| entry.deadline.is_some())
    }

    pub(crate) fn entry(&self, db: u32, key: &Key) -> Option<&Entry> {
        self.list.get(db as usize)?.keys.get(key)
    }

    /// Edits the hash of a key.
    pub(crate) fn edit_hash<T>(&mut self, db: u32, key: &Key, edit: impl FnOnce(&mut Hash) -> T) -> Option<T> {
        let entry = self.list.get_mut(db as usize)?.keys.get_mut(key)?;
        let Value::Hash(hash) = &mut entry.value else { return None };
        let before = hash.first_deadline();
        let hash = Arc::make_mut(hash);
        let result = edit(hash);
        let after = hash.first_deadline();
        self.index_fields(db, key, before, after);
        Some(result)
    }

    /// The value of a key, to be edited; not for hashes, whose fields' deadlines are indexed.
    pub(crate) fn value_mut(&mut self, db: u32, key: &Key) -> Option<&mut Value> {
        Some(&mut self.list.get_mut(db as usize)?.keys.get_mut(key)?.value)
    }

    /// Keeps the index of field deadlines after the earliest one of a key has changed.
    fn index_fields(&mut self, db: u32, key: &Key, before: Option<i64>, after: Option<i64>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.field_deadlines.remove(&(before, db, key.name.clone()));
        }
        if let Some(after) = after {
            self.field_deadlines.insert((after, db, key.name.clone()));
        }
    }

    /// Replaces the value of a key, or adds the key without a deadline. Gives the deadline that it has.
    pub(crate) fn put(&mut self, db: u32, key: &Key, value: Value) -> Put {
        let after = value.first_deadline();
        let keys = &mut self.grown(db).keys;
        let (before, put) = if let Some(entry) = keys.get_mut(key) {
            let old = std::mem::replace(&mut entry.value, value);
            (old.first_deadline(), Put::Replaced(entry.deadline))
        } else {
            keys.insert(key.clone(), Entry { value, deadline: None });
            (None, Put::Added)
        };
        self.index_fields(db, key, before, after);
        put
    }

    /// Sets, moves or removes the deadline of a key.
    pub(crate) fn set_deadline(&mut self, db: u32, key: &Key, deadline: Option<i64>) {
        let Some(entry) = self.list.get_mut(db as usize).and_then(|database| database.keys.get_mut(key)) else {
            return;
        };
        if entry.deadline == deadline {
            return;
        }
        let old = std::mem::replace(&mut entry.deadline, deadline);
        if let Some(old) = old {
            self.deadlines.remove(&(old, db, key.name.clone()));
        }
        if let Some(new) = deadline {
            self.deadlines.insert((new, db, key.name.clone()));
        }
    }

    pub(crate) fn remove(&mut self, db: u32, key: &Key) -> Option<Entry> {
        let entry = self.list.get_mut(db as usize)?.keys.remove(key)?;
        if let Some(deadline) = entry.deadline {
            self.deadlines.remove(&(deadline, db, key.name.clone()));
        }
        self.index_fields(db, key, entry.value.first_deadline(), None);
        Some(entry)
    }

    /// Empties a database.
    pub(crate) fn clear(&mut self, db: u32) {
        if let Some(database) = self.list.get_mut(db as usize) {
            database.keys.clear();
            self.deadlines.retain(|(_, of, _)| *of != db);
            self.field_deadlines.retain(|(_, of, _)| *of != db);
        }
    }

    /// Exchanges two databases.
    pub(crate) fn swap(&mut self, one: u32, other: u32) {
        self.grown(one.max(other));
        self.list.swap(one as usize, other as usize);
        for index in [&mut self.deadlines, &mut self.field_deadlines] {
            let swapped = std::mem::take(index).into_iter().map(|(deadline, db, key)| {
                let db = match db {
                    _ if db == one => other,
                    _ if db == other => one,
                    _ => db,
                };
                (deadline, db, key)
            });
            *index = swapped.collect();
        }
    }

    /// The earliest deadline, with its database and key.
    pub(crate) fn first_deadline(&self) -> Option<&(i64, u32, Bytes)> {
        self.deadlines.first()
    }

    /// The earliest deadline of a field, with its database and key.
    pub(crate) fn first_field_deadline(&self) -> Option<&(i64, u32, Bytes)> {
        self.field_deadlines.first()
    }

    /// Whether a database has a key or a field with a deadline.
    pub(crate) fn is_volatile(&self, db: u32) -> bool {
        self.deadlines.iter().chain(&self.field_deadlines).any(|(_, of, _)| *of == db)
    }

    /// Whether some key or field has exactly this deadline.
    pub(crate) fn has_deadline_at(&self, ms: i64) -> bool {
        let from = (ms, 0, Bytes::new());
        let at = |index: &BTreeSet<(i64, u32, Bytes)>| index.range(&from..).next().is_some_and(|(at, ..)| *at == ms);
        at(&self.deadlines) || at(&self.field_deadlines)
    }

    /// The deadlines of one database.
    pub(crate) fn deadlines(&self, db: u32) -> impl Iterator<Item = i64> {
        self.deadlines.iter().filter(move |(_, of, _)| *of == db).map(|(deadline, _, _)| *deadline)
    }

    fn grown(&mut self, db: u32) -> &mut Database {
        let index = db as usize;
        if index >= self.list.len() {
            self.list.resize_with(index + 1, Database::default);
        }
        &mut self.list[index]
    }
}

/// What [`Databases::put`] did.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Put {
    /// The key is new.
    Added,
    /// The key existed, with this deadline.
    Replaced(Option<i64>),
}
