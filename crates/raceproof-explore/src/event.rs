//! Executed steps, and when two of them depend on each other.
//!
//! Everything that one step can do and another can notice is an *object*; an event lists the objects that it touched.
//! [`dependent`] is the one definition of dependence: the reduction, the sleep sets, the audit and the shrinker all use
//! it.

mod outcome;
mod touched;

use std::sync::Arc;

use bytes::Bytes;
use raceproof_engine::{Access, Object};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::execution::Delivered;
use crate::mailbox::CellId;
use crate::numbers::{Named, Numbers};
use crate::sql::SqlAccess;

pub(crate) use outcome::{Kept, Outcome, evicted};
pub(crate) use touched::Touched;

/// A number for a [`Process`], the same in every execution of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ProcessId(pub(crate) u16);

/// A number for a client, the same in every execution of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ClientId(pub(crate) u16);

/// One choice of the scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Choice {
    pub(crate) process: ProcessId,
    pub(crate) outcome: Outcome,
}

/// The clock's process. Clients' lanes are numbered from 1.
pub(crate) const CLOCK: ProcessId = ProcessId(0);

/// The process of all faults that strike by themselves. It is one, since each that strikes leaves less for the others.
pub(crate) const FAULTS: ProcessId = ProcessId(u16::MAX);

/// The process whose one step is the end: where faults may strike by themselves they may do so after the last client
/// has ended as well, before the checks look.
pub(crate) const END: ProcessId = ProcessId(u16::MAX - 1);

/// Something that more than one step can touch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Thing {
    SqlLock,
    SqlDatabase,
    SqlTable(Arc<str>),
    SqlRow(Arc<str>, i64),
    /// Operations on objects: starts read, ends and commits intend to write.
    History,
    /// Entering and leaving one critical section.
    Section(String),
    Cell(CellId),
    /// What a connection (a client's, by its number) is sent beside its replies: whoever sends it something writes, and so
    /// does who receives; who is told a reply meanwhile reads.
    Inbox(ClientId, u32),
    /// What a client makes of the replies to requests that are on their way, when it is woken before they come.
    Waiting(ClientId),
    /// What clients that waited on the server make of the replies that others bring them.
    Served,
    /// Steps that write what an `always` check reads.
    Observed,
    /// Steps after which their client waits or has ended: they decide whether a clock step is a pause.
    Running,
    /// The life of the Redis server: commands read it, a restart writes it.
    Life,
    /// What the server has written to its log, in order.
    Log,
    /// How much of the log the replica has shown, and how often it may still lag behind.
    Replica,
    /// A command that is on its way: whoever sent it, and its arrival.
    OnItsWay(ProcessId),
}

pub(crate) type ThingId = u32;

/// How many objects of Redis are looked through before any is sought by its hash.
const FIRST: usize = 4;

/// Things by number. A number stays for a whole search and means the same to all its workers.
#[derive(Debug, Default)]
pub(crate) struct Things {
    numbers: Numbers,
    redis: FxHashMap<Object, ThingId>,
    /// The first of those, which are found without a hash.
    first: SmallVec<[(Object, ThingId); FIRST]>,
    other: FxHashMap<Thing, ThingId>,
    /// The first keyspace.
    keyspace: Option<ThingId>,
    /// By number, as far as this worker knows them.
    kinds: Vec<Kind>,
    seen: Seen,
    /// How often that was replaced.
    era: u32,
    /// Steps were tried out as if nothing but Redis were ever touched.
    only_redis: bool,
}

/// What steps have touched so far, as far as it decides what is known of steps that were not executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Something that a step may touch or not, depending on what its client makes of the reply: history, shared state,
    /// an observed object. Then nothing is known of a step in a state in which it was not executed.
    local: bool,
    /// Someone read a keyspace as a whole.
    keyspace_read: bool,
    /// Someone is told of keys that are changed, or there is a limit to memory, so that whoever changes or reads a key touches
    /// more than that.
    tracks: bool,
    /// Something that is not Redis was touched.
    beside: bool,
    /// Someone asked the server about itself, which may be about its connections.
    sessions: bool,
}

/// What a thing is to [`Things::is_fixed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Key,
    /// A field or the cardinality of a key.
    Part,
    Keyspace,
    Clock,
    Local,
    /// Who subscribed to what: it ends with a client, and whether one ends depends on what it makes of a reply.
    Subscribed,
    /// Who is told of changes of keys, which ends with a client, too; and how much memory is in use.
    Tracked,
    /// Which connections there are, among other things.
    Server,
    /// Not Redis.
    Beside,
    Other,
}

impl Kind {
    fn of(named: &Named) -> Self {
        match named {
            Named::Redis(Object::Key(..)) => Self::Key,
            Named::Redis(Object::Field(..) | Object::Cardinality(..)) => Self::Part,
            Named::Redis(Object::Keyspace(_)) => Self::Keyspace,
            Named::Redis(Object::Clock | Object::Deadlines) => Self::Clock,
            // A limit to memory, too, makes every command touch more.
            Named::Redis(Object::Tracking | Object::Tracked(_) | Object::Memory) => Self::Tracked,
            Named::Redis(Object::Random | Object::Scripts | Object::Functions | Object::Users | Object::Inbox(_)) => {
                Self::Other
            }
            Named::Redis(Object::Server) => Self::Server,
            Named::Redis(Object::Subscriptions | Object::Channel(_) | Object::ShardChannel(_) | Object::Patterns) => {
                Self::Subscribed
            }
            Named::Other(
                Thing::History
                | Thing::Section(_)
                | Thing::Cell(_)
                | Thing::Observed
                | Thing::Served
                | Thing::Inbox(..),
            ) => Self::Local,
            Named::Other(_) => Self::Beside,
        }
    }
}

impl Things {
    pub(crate) fn new(numbers: Numbers) -> Self {
        Self { numbers, ..Self::default() }
    }

    pub(crate) fn redis(&mut self, object: &Object) -> ThingId {
        // Every command that names a key touches it.
        if let (Object::Keyspace(0), Some(id)) = (object, self.keyspace) {
            return id;
        }
        if let Some((_, id)) = self.first.iter().find(|(known, _)| known == object) {
            return *id;
        }
        match self.redis.get(object) {
            Some(id) => *id,
            None => self.meet(Named::Redis(object.clone())),
        }
    }

    pub(crate) fn id(&mut self, thing: Thing) -> ThingId {
        match self.other.get(&thing) {
            Some(id) => *id,
            None => self.meet(Named::Other(thing)),
        }
    }

    /// The number of something that this worker has not met: another one may have.
    fn meet(&mut self, named: Named) -> ThingId {
        let numbers = self.numbers.clone();
        let mut shared = numbers.lock();
        self.learn_from(&shared.things);
        let known = match &named {
            Named::Redis(object) => self.redis.get(object),
            Named::Other(thing) => self.other.get(thing),
        };
        if let Some(id) = known {
            return *id;
        }
        shared.things.push(named);
        self.learn_from(&shared.things);
        self.last()
    }

    /// Takes over the numbers that other workers have given.
    pub(crate) fn learn(&mut self) {
        let numbers = self.numbers.clone();
        self.learn_from(&numbers.lock().things);
    }

    fn learn_from(&mut self, shared: &[Named]) {
        for named in &shared[self.kinds.len()..] {
            self.kinds.push(Kind::of(named));
            let id = self.last();
            match named {
                Named::Redis(object) => {
                    if *object == Object::Keyspace(0) {
                        self.keyspace = Some(id);
                    } else if self.first.len() < FIRST {
                        self.first.push((object.clone(), id));
                    }
                    self.redis.insert(object.clone(), id);
                }
                Named::Other(thing) => drop(self.other.insert(thing.clone(), id)),
            }
        }
    }

    fn last(&self) -> ThingId {
        ThingId::try_from(self.kinds.len() - 1).unwrap_or(ThingId::MAX)
    }

    /// Whether a step would touch the same in any other state, as far as anyone can tell the difference: while nobody
    /// reads a keyspace as a whole nobody notices intents on it, and while there are no pauses nobody writes the clock.
    pub(crate) fn is_fixed(&self, footprint: &Footprint) -> bool {
        let whole = match footprint.reach {
            Reach::Reads => Access::Read,
            Reach::Writes => Access::Write,
            Reach::Anything => return false,
        };
        let fixed = |(thing, access): &(ThingId, Access)| match self.kind(*thing) {
            Kind::Key => *access == whole,
            Kind::Keyspace => !self.seen.keyspace_read,
            Kind::Clock => true,
            Kind::Part | Kind::Local | Kind::Subscribed | Kind::Tracked | Kind::Server | Kind::Beside | Kind::Other => {
                false
            }
        };
        !self.seen.local && !self.seen.tracks && footprint.touched.iter().all(fixed)
    }

    fn kind(&self, thing: ThingId) -> Kind {
        self.kinds.get(thing as usize).copied().unwrap_or(Kind::Other)
    }

    /// Whether nothing but Redis was ever touched. If that changes, [`Self::note`] tells.
    pub(crate) fn are_redis(&mut self) -> bool {
        self.only_redis = !self.seen.beside;
        self.only_redis
    }

    /// Notes what a step touched; doing that again changes nothing. True if [`Self::is_fixed`] or [`Self::are_redis`] would now deny what it may have granted.
    pub(crate) fn note(&mut self, touched: &Touched) -> bool {
        let mut seen = self.seen;
        for (thing, access) in touched.iter() {
            match self.kind(*thing) {
                Kind::Local => (seen.local, seen.beside) = (true, true),
                Kind::Subscribed if access.writes() => (seen.local, seen.beside) = (true, true),
                Kind::Beside => seen.beside = true,
                Kind::Tracked => (seen.tracks, seen.local, seen.beside) = (true, true, true),
                // A connection ends with its client, and whether one ends depends on what it makes of a reply.
                Kind::Server if matches!(access, Access::Read | Access::Write) => {
                    (seen.sessions, seen.local, seen.beside) = (true, true, true);
                }
                Kind::Keyspace => seen.keyspace_read |= matches!(access, Access::Read | Access::Write),
                Kind::Key | Kind::Part | Kind::Clock | Kind::Subscribed | Kind::Server | Kind::Other => {}
            }
        }
        let known = Seen { beside: self.seen.beside || (seen.beside && !self.only_redis), ..self.seen };
        self.seen = seen;
        self.only_redis &= !seen.beside;
        seen != known
    }

    /// As long as this is the same, what was noted is still noted.
    pub(crate) const fn era(&self) -> u32 {
        self.era
    }

    /// Whether anybody may notice which connections there are.
    pub(crate) const fn sessions_are_seen(&self) -> bool {
        self.seen.sessions
    }

    pub(crate) const fn seen(&self) -> Seen {
        self.seen
    }

    pub(crate) const fn set_seen(&mut self, seen: Seen) {
        self.seen = seen;
        self.era += 1;
    }

    /// What people call a thing that holds data: its key or its table. Slow: for the steps that are shown.
    pub(crate) fn name(&self, id: ThingId) -> Option<String> {
        let key = self.redis.iter().find(|(_, known)| **known == id).and_then(|(object, _)| match object {
            Object::Key(0, key) | Object::Field(0, key, _) => Some(String::from_utf8_lossy(key).into_owned()),
            _ => None,
        });
        key.or_else(|| match self.other.iter().find(|(_, known)| **known == id)?.0 {
            Thing::SqlTable(table) | Thing::SqlRow(table, _) => Some(table.to_string()),
            _ => None,
        })
    }

    /// As [`Self::name`], but rows and fields are told apart.
    pub(crate) fn full_name(&self, id: ThingId) -> Option<String> {
        let name = self.name(id)?;
        if let Some((Thing::SqlRow(_, row), _)) = self.other.iter().find(|(_, known)| **known == id) {
            return Some(format!("{name} (row {row})"));
        }
        let field = self.redis.iter().find(|(_, known)| **known == id).and_then(|(object, _)| match object {
            Object::Field(_, _, field) => Some(String::from_utf8_lossy(field)),
            _ => None,
        });
        Some(field.map_or(name.clone(), |field| format!("{name} (field {field})")))
    }

    /// The key that [`Outcome::Evict`] names, if any step has touched it.
    pub(crate) fn evictable(&self, name: u32) -> Option<(u32, Bytes)> {
        self.redis.keys().find_map(|object| match object {
            Object::Key(db, key) if evicted(*db, key) == name => Some((*db, key.clone())),
            _ => None,
        })
    }

    pub(crate) fn sql(&mut self, access: SqlAccess) -> (ThingId, Access) {
        match access {
            SqlAccess::Database(access) => (self.id(Thing::SqlDatabase), access),
            SqlAccess::Table(table, access) => (self.id(Thing::SqlTable(table)), access),
            SqlAccess::Row(table, row, access) => (self.id(Thing::SqlRow(table, row)), access),
        }
    }
}

/// What else a step could touch if it were executed in another state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// A Redis command that reads the keys that it touched, whatever it finds.
    Reads,
    /// A Redis command that reads or writes the keys that it touched, whatever it finds.
    Writes,
    /// Anything: a script, a transaction, a statement of SQL.
    Anything,
}

/// What the reduction needs to know of an executed step; kept when the execution is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Footprint {
    pub(crate) choice: Choice,
    /// The client, unless the clock made the step.
    pub(crate) client: Option<ClientId>,
    pub(crate) touched: Touched,
    pub(crate) reach: Reach,
    /// A clock step that was taken because every client waited: it follows all that was before it and precedes all
    /// that comes after.
    pub(crate) barrier: bool,
}

/// One executed step.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) footprint: Arc<Footprint>,
    /// A hash of the text of the step and its reply, to see whether a re-run does the same.
    pub(crate) fingerprint: u64,
    /// The event after which the client posted the step (`None`: before the first event).
    pub(crate) posted_after: Option<usize>,
    /// The step need not have happened.
    pub(crate) optional: bool,
    /// The step needs the database's write lock and its client did not hold it: in a state in which another one does,
    /// it is not enabled.
    pub(crate) needs_lock: bool,
    /// Some transaction held the write lock just before this event.
    pub(crate) locked: bool,
    /// The event that had taken the write lock which this one gave back.
    pub(crate) unlocks: Option<usize>,
    /// How many entries of the server's log the step wrote, while one is kept.
    pub(crate) logged: u16,
    /// The states (= numbers of events executed before) in which the step was posted but had to wait for another
    /// client to signal.
    pub(crate) waited: Vec<usize>,
    /// The request, if it was one to Redis.
    pub(crate) delivered: Option<Delivered>,
}

impl Event {
    /// A step of nobody's request; [`Footprint::touched`] is filled in when it is over.
    pub(crate) fn new(choice: Choice, touched: Touched, barrier: bool) -> Self {
        let footprint = Footprint { choice, client: None, touched, reach: Reach::Anything, barrier };
        Self {
            footprint: Arc::new(footprint),
            fingerprint: 0,
            posted_after: None,
            optional: false,
            needs_lock: false,
            locked: false,
            unlocks: None,
            logged: 0,
            waited: Vec::new(),
            delivered: None,
        }
    }
}

/// Whether swapping two adjacent steps could be noticed.
pub(crate) fn dependent(a: &Footprint, b: &Footprint) -> bool {
    a.choice.process == b.choice.process
        || (a.client.is_some() && a.client == b.client)
        || a.barrier
        || b.barrier
        || a.touched.conflicts(&b.touched)
}

/// A set of event numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EventSet(SmallVec<[u64; 2]>);

impl EventSet {
    pub(crate) fn insert(&mut self, event: usize) {
        let word = event / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (event % 64);
    }

    pub(crate) fn contains(&self, event: usize) -> bool {
        self.0.get(event / 64).is_some_and(|word| word & (1 << (event % 64)) != 0)
    }

    pub(crate) fn union(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine |= theirs;
        }
    }
}
