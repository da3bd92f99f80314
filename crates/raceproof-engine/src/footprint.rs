//! What an executed command touched.
//!
//! Objects form a hierarchy (keyspace ⊃ key ⊃ hash field), and accesses follow the rule of multi-granularity locking:
//! whoever touches a part of an object declares an *intent* on the whole. `HGET h f` reads the field and intends a read
//! on the key; `HGETALL h` reads the key; `HSET h f v` on a new field writes the field and intends a write on the key.
//! So two commands on different fields do not conflict, and a command on a field conflicts with one on the whole.

use bytes::Bytes;
use smallvec::SmallVec;

/// Something that a command can read or write, as far as another command can notice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Object {
    /// Which keys exist in a database (`SCAN`, `KEYS`, `DBSIZE`, `RANDOMKEY`, `FLUSHDB`).
    Keyspace(u32),
    /// A key with all that belongs to it: its value, its type, its deadline.
    Key(u32, Bytes),
    /// One field of a hash.
    Field(u32, Bytes, Bytes),
    /// How many members a collection has, hence whether its key lives on (a collection without members is no key).
    Cardinality(u32, Bytes),
    /// The time. Commands that behave differently at another time read it; only the owner of the clock writes it.
    Clock,
    /// The set of pending deadlines. Commands that add, move or remove one declare an intent to write; whoever moves
    /// the clock reads it.
    Deadlines,
    /// The random generator.
    Random,
    /// The script cache.
    Scripts,
    /// The configuration and statistics of the server (`CONFIG`, `INFO`, `CLIENT LIST`, …).
    Server,
}

/// How an object was touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// A part of the object was read.
    IntentRead,
    /// A part of the object was written.
    IntentWrite,
    /// The object was read as a whole.
    Read,
    /// The object was written as a whole.
    Write,
}

impl Access {
    /// Whether two accesses to one object fail to commute.
    #[must_use]
    pub const fn conflicts(self, other: Self) -> bool {
        use Access::{IntentRead, IntentWrite, Read, Write};
        match (self, other) {
            (IntentRead | IntentWrite, IntentRead | IntentWrite) | (IntentRead | Read, IntentRead | Read) => false,
            (Write, _) | (_, Write) | (Read, IntentWrite) | (IntentWrite, Read) => true,
        }
    }

    /// Whether the access can change what others read.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Self::IntentWrite | Self::Write)
    }
}

/// The accesses of one executed command, each object at most once per kind of access.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    accesses: SmallVec<[(Object, Access); 4]>,
}

impl Footprint {
    /// Adds an access. An access that another one already implies is not repeated.
    pub fn add(&mut self, object: Object, access: Access) {
        for (known, held) in &mut self.accesses {
            if *known != object {
                continue;
            }
            if *held == access || *held == Access::Write {
                return;
            }
            if access == Access::Write || (*held == Access::IntentRead) {
                *held = access;
                return;
            }
            if access == Access::IntentRead {
                return;
            }
        }
        self.accesses.push((object, access));
    }

    /// The accesses in the order in which they were first made.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &(Object, Access)> {
        self.accesses.iter()
    }

    /// Whether nothing was touched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accesses.is_empty()
    }

    /// Forgets all accesses, keeping the memory.
    pub fn clear(&mut self) {
        self.accesses.clear();
    }

    /// Whether two executed commands fail to commute: some object was touched by both, in ways that conflict.
    #[must_use]
    pub fn conflicts(&self, other: &Self) -> bool {
        self.accesses.iter().any(|(object, access)| {
            other.accesses.iter().any(|(theirs, how)| access.conflicts(*how) && object == theirs)
        })
    }
}
