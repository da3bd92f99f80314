//! Databases: keys, their values and their deadlines.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroI64,
    ops::Bound,
    sync::Arc,
};

use bytes::Bytes;

use crate::{
    access::Used,
    blob::Blob,
    hash::Hash,
    key::{Key, Name, Placed},
    list::List,
    memory, number,
    set::Set,
    stream::Stream,
    zset::Zset,
};

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
    pub(crate) data: Blob,
    pub(crate) encoding: Encoding,
}

impl Text {
    /// The longest string that Redis keeps in one allocation with its header.
    const EMBSTR_LIMIT: usize = 44;

    /// A string as a client sets it.
    pub(crate) fn new(data: &Bytes) -> Self {
        let integer = data.len() <= number::MAX_DECIMAL_LEN && number::parse_integer(data).is_some();
        let encoding = if integer { Encoding::Int } else { Self::by_length(data) };
        Self { data: data.into(), encoding }
    }

    /// A string that is not looked at for being a number.
    pub(crate) fn of_float(data: &Bytes) -> Self {
        Self { data: data.into(), encoding: Self::by_length(data) }
    }

    /// A string that was edited in place.
    pub(crate) fn raw(data: Bytes) -> Self {
        Self { data: data.into(), encoding: Encoding::Raw }
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
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    deadline: Option<Moment>,
    /// When, or how often, the key was used, if that is kept (`access.rs`).
    pub(crate) used: Used,
}

/// The same value and deadline; how it was used is no part of the data.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value && self.deadline == other.deadline
    }
}

impl Eq for Entry {}

impl Entry {
    /// Unix ms; the key lives through that millisecond.
    pub(crate) fn deadline(&self) -> Option<i64> {
        self.deadline.map(Moment::ms)
    }
}

/// Unix ms in eight bytes, none included: the earliest moment of all is that much later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Moment(NonZeroI64);

impl Moment {
    const FIRST: NonZeroI64 = NonZeroI64::new(1).unwrap();

    fn new(ms: i64) -> Self {
        Self(NonZeroI64::new(ms ^ i64::MIN).unwrap_or(Self::FIRST))
    }

    const fn ms(self) -> i64 {
        self.0.get() ^ i64::MIN
    }
}

/// One database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Database {
    pub(crate) keys: BTreeMap<Name, Entry>,
}

/// All databases and the index of their deadlines. Databases that were never written are not stored.
#[derive(Debug, Default)]
pub(crate) struct Databases {
    list: Vec<Database>,
    deadlines: BTreeSet<(i64, u32, Bytes)>,
    /// The earliest deadline of a field, for every hash that has one.
    field_deadlines: BTreeSet<(i64, u32, Bytes)>,
    /// The sum of `memory::in_use` over all keys, if account is kept of it.
    in_use: Option<usize>,
}

/// The indices and the account follow from the keys.
impl PartialEq for Databases {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl Eq for Databases {}

impl Clone for Databases {
    fn clone(&self) -> Self {
        let Self { list, deadlines, field_deadlines, in_use } = self;
        Self {
            list: list.clone(),
            deadlines: deadlines.clone(),
            field_deadlines: field_deadlines.clone(),
            in_use: *in_use,
        }
    }

    fn clone_from(&mut self, source: &Self) {
        let Self { list, deadlines, field_deadlines, in_use } = source;
        self.list.clone_from(list);
        // Mostly there is none in either, and to copy that costs more than to see it.
        for (mine, theirs) in [(&mut self.deadlines, deadlines), (&mut self.field_deadlines, field_deadlines)] {
            if !(mine.is_empty() && theirs.is_empty()) {
                mine.clone_from(theirs);
            }
        }
        self.in_use = *in_use;
    }
}

impl Database {
    /// The keys from a position on, in the order of scans.
    pub(crate) fn starting_at(&self, position: u64) -> impl Iterator<Item = (&Name, &Entry)> {
        let first = Key::first_at(position);
        self.keys.range::<dyn Placed, _>((Bound::Included(&first as &dyn Placed), Bound::Unbounded))
    }

    fn in_use(&self) -> usize {
        self.keys.iter().map(|(name, entry)| memory::in_use(name.bytes(), entry)).sum()
    }

    fn entry(&self, key: &Key) -> Option<&Entry> {
        self.keys.get(key as &dyn Placed)
    }

    fn entry_mut(&mut self, key: &Key) -> Option<&mut Entry> {
        self.keys.get_mut(key as &dyn Placed)
    }
}

/// Changes an entry, and the account with it if one is kept.
fn weighed<T>(account: &mut Option<usize>, key: &Key, entry: &mut Entry, change: impl FnOnce(&mut Entry) -> T) -> T {
    let Some(in_use) = account else { return change(entry) };
    *in_use -= memory::in_use(&key.name, entry);
    let result = change(entry);
    *in_use += memory::in_use(&key.name, entry);
    result
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
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u32, &Name, &Entry)> {
        (0..)
            .zip(&self.list)
            .flat_map(|(db, database)| database.keys.iter().map(move |(name, entry)| (db, name, entry)))
    }

    pub(crate) fn entry(&self, db: u32, key: &Key) -> Option<&Entry> {
        self.list.get(db as usize)?.entry(key)
    }

    /// Edits the hash of a key.
    pub(crate) fn edit_hash<T>(&mut self, db: u32, key: &Key, edit: impl FnOnce(&mut Hash) -> T) -> Option<T> {
        let entry = self.list.get_mut(db as usize)?.entry_mut(key)?;
        let (before, result, after) = weighed(&mut self.in_use, key, entry, |entry| {
            let Value::Hash(hash) = &mut entry.value else { return None };
            let before = hash.first_deadline();
            let hash = Arc::make_mut(hash);
            let result = edit(hash);
            Some((before, result, hash.first_deadline()))
        })?;
        self.index_fields(db, key, before, after);
        Some(result)
    }

    /// Edits the value of a key; not for hashes, whose fields' deadlines are indexed.
    pub(crate) fn edit<T>(&mut self, db: u32, key: &Key, edit: impl FnOnce(&mut Value) -> T) -> Option<T> {
        let entry = self.list.get_mut(db as usize)?.entry_mut(key)?;
        Some(weighed(&mut self.in_use, key, entry, |entry| edit(&mut entry.value)))
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
        self.grow(db);
        let database = &mut self.list[db as usize];
        let (before, put) = if let Some(entry) = database.entry_mut(key) {
            let old = weighed(&mut self.in_use, key, entry, |entry| std::mem::replace(&mut entry.value, value));
            (old.first_deadline(), Put::Replaced(entry.deadline()))
        } else {
            let entry = Entry { value, deadline: None, used: Used::default() };
            if let Some(in_use) = &mut self.in_use {
                *in_use += memory::in_use(&key.name, &entry);
            }
            database.keys.insert(key.into(), entry);
            (None, Put::Added)
        };
        self.index_fields(db, key, before, after);
        put
    }

    /// Sets, moves or removes the deadline of a key.
    pub(crate) fn set_deadline(&mut self, db: u32, key: &Key, deadline: Option<i64>) {
        let Some(entry) = self.list.get_mut(db as usize).and_then(|database| database.entry_mut(key)) else {
            return;
        };
        let old = entry.deadline();
        if old == deadline {
            return;
        }
        weighed(&mut self.in_use, key, entry, |entry| entry.deadline = deadline.map(Moment::new));
        if let Some(old) = old {
            self.deadlines.remove(&(old, db, key.name.clone()));
        }
        if let Some(new) = deadline {
            self.deadlines.insert((new, db, key.name.clone()));
        }
    }

    pub(crate) fn remove(&mut self, db: u32, key: &Key) -> Option<Entry> {
        let entry = self.list.get_mut(db as usize)?.keys.remove(key as &dyn Placed)?;
        if let Some(in_use) = &mut self.in_use {
            *in_use -= memory::in_use(&key.name, &entry);
        }
        if let Some(deadline) = entry.deadline() {
            self.deadlines.remove(&(deadline, db, key.name.clone()));
        }
        self.index_fields(db, key, entry.value.first_deadline(), None);
        Some(entry)
    }

    /// Empties a database.
    pub(crate) fn clear(&mut self, db: u32) {
        if let Some(database) = self.list.get_mut(db as usize) {
            if let Some(in_use) = &mut self.in_use {
                *in_use -= database.in_use();
            }
            database.keys.clear();
            self.deadlines.retain(|(_, of, _)| *of != db);
            self.field_deadlines.retain(|(_, of, _)| *of != db);
        }
    }

    /// Exchanges two databases.
    pub(crate) fn swap(&mut self, one: u32, other: u32) {
        self.grow(one.max(other));
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

    /// How a key was used.
    pub(crate) fn used_mut(&mut self, db: u32, key: &Key) -> Option<&mut Used> {
        Some(&mut self.list.get_mut(db as usize)?.entry_mut(key)?.used)
    }

    /// How many keys have a deadline.
    pub(crate) fn volatile(&self) -> usize {
        self.deadlines.len()
    }

    /// The key of the nth deadline, or of the last one.
    pub(crate) fn volatile_key(&self, nth: usize) -> Option<(u32, Key)> {
        let (_, db, name) = self.deadlines.iter().nth(nth.min(self.deadlines.len().checked_sub(1)?))?;
        Some((*db, Key::new(name)))
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

    fn grow(&mut self, db: u32) {
        let index = db as usize;
        if index >= self.list.len() {
            self.list.resize_with(index + 1, Database::default);
        }
    }

    /// Begins or ends to keep account of the memory in use.
    pub(crate) fn keep_account(&mut self, kept: bool) {
        self.in_use = kept.then(|| self.list.iter().map(Database::in_use).sum());
    }

    /// The account of the memory that the data uses, if one is kept.
    pub(crate) fn account(&self) -> Option<usize> {
        self.in_use.map(|_| self.in_use())
    }

    /// The bytes that all data would use in a Redis. Takes as long as there are keys unless account is kept.
    pub(crate) fn in_use(&self) -> usize {
        let keys = self.in_use.unwrap_or_else(|| self.list.iter().map(Database::in_use).sum());
        keys + memory::tables(self.list.iter().map(|database| database.keys.len()), self.volatile())
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
