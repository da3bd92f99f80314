//! What an executed command touched.
//!
//! Objects form a hierarchy (keyspace ⊃ key ⊃ hash field), and accesses follow the rule of multi-granularity locking:
//! whoever touches a part of an object declares an *intent* on the whole. `HGET h f` reads the field and intends a read
//! on the key; `HGETALL h` reads the key; `HSET h f v` on a new field writes the field and intends a write on the key.
//! So two commands on different fields do not conflict, and a command on a field conflicts with one on the whole.

use bytes::Bytes;
use smallvec::SmallVec;

use crate::SessionId;

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
    /// The libraries of functions.
    Functions,
    /// Users and what they may do. Read by commands that read nothing else of the server's state.
    Users,
    /// Who subscribed to what (`PUBSUB CHANNELS`).
    Subscriptions,
    /// Who subscribed to a channel. Whoever publishes there reads it.
    Channel(Bytes),
    /// As [`Self::Channel`], of `SSUBSCRIBE`.
    ShardChannel(Bytes),
    /// Who subscribed to which patterns. Whoever publishes anywhere reads it.
    Patterns,
    /// Who is to be told of changes of which keys (`CLIENT TRACKING`). Each name is a part of it.
    Tracking,
    /// Who is to be told of the next change of a key of that name, in whichever database.
    Tracked(Bytes),
    /// What a session is sent beside its replies: whoever sends it something writes, and its own commands read while it
    /// can be sent something, since it sees their replies among the messages.
    Inbox(SessionId),
    /// How much memory is in use and how keys were used, where there is a `maxmemory` or
    /// [`Options::access_times`](crate::Options::access_times) is set; otherwise nobody touches it.
    Memory,
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

/// The accesses of one executed command, each object at most once per kind of access. (In a footprint of more than
/// [`LOOKED_AT`](Footprint::LOOKED_AT) accesses an object may come again, so that commands on many keys take linear
/// time.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    accesses: SmallVec<[(Object, Access); 4]>,
    /// Nothing is kept: nobody will ask.
    ignores: bool,
}

impl Footprint {
    /// How many known accesses a new one is compared with.
    pub const LOOKED_AT: usize = 64;

    /// A footprint that stays empty, for those who execute commands one after the other and never swap two.
    #[must_use]
    pub fn ignoring() -> Self {
        Self { ignores: true, ..Self::default() }
    }

    /// Whether what is added is not kept: it need not be made.
    pub(crate) const fn ignores(&self) -> bool {
        self.ignores
    }

    /// Adds an access. An access that another one already implies is not repeated.
    #[inline]
    pub fn add(&mut self, object: Object, access: Access) {
        if !self.ignores {
            self.keep(object, access);
        }
    }

    fn keep(&mut self, object: Object, access: Access) {
        if !self.absorb(access, |known| *known == object) {
            self.accesses.push((object, access));
        }
    }

    /// [`Self::add`] of a key. The name is cloned only if it is new here, which it mostly is not.
    #[inline]
    pub(crate) fn add_key(&mut self, db: u32, name: &Bytes, access: Access) {
        if !self.ignores {
            self.keep_key(db, name, access);
        }
    }

    fn keep_key(&mut self, db: u32, name: &Bytes, access: Access) {
        if !self.absorb(access, |known| matches!(known, Object::Key(of, key) if *of == db && key == name)) {
            self.accesses.push((Object::Key(db, name.clone()), access));
        }
    }

    /// Merges an access into those to the same object; `false` if it has to be stored of its own.
    fn absorb(&mut self, access: Access, is_same: impl Fn(&Object) -> bool) -> bool {
        // The databases and the clock come first, what a command is at work on comes last.
        const FIRST: usize = 4;
        let len = self.accesses.len();
        let from = if len > Self::LOOKED_AT { len - (Self::LOOKED_AT - FIRST) } else { 0 };
        let (older, recent) = self.accesses.split_at_mut(from);
        let first = older.len().min(FIRST);
        for (known, held) in older[..first].iter_mut().chain(recent) {
            if !is_same(known) {
                continue;
            }
            if *held == access || *held == Access::Write {
                return true;
            }
            if access == Access::Write || (*held == Access::IntentRead) {
                *held = access;
                return true;
            }
            if access == Access::IntentRead {
                return true;
            }
        }
        false
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
    #[inline]
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
