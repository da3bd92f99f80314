//! The engine: databases, sessions, and the one entry through which commands come in.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use smallvec::SmallVec;

use crate::{
    Access, Delivery, Effect, Footprint, Object, Protocol, Reply, ScriptHost,
    acl::Acl,
    channels::Channels,
    config::Config,
    context::{Context, Effects},
    db::Databases,
    dispatch,
    hash::Limits,
    key::Key,
    libraries::Libraries,
    rng::Random,
    scripts::ScriptCache,
    session::{Replies, Session, Watched},
    statistics::Statistics,
    wait::{self, Waiting},
};

/// A point in time, as the caller's clock gives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Microseconds since the Unix epoch. Redis keeps deadlines in milliseconds; only `TIME` shows more.
    pub unix_us: i64,
}

impl Timestamp {
    /// The timestamp at a number of milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_ms(unix_ms: i64) -> Self {
        Self { unix_us: unix_ms * 1000 }
    }

    /// Milliseconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.unix_us.div_euclid(1000)
    }
}

/// A connection to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u32);

/// The Redis version whose commands and behaviour the engine shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Redis 7.0, the reference.
    #[default]
    V7_0,
    /// Redis 7.4: per-field deadlines (`HEXPIRE` and its family).
    V7_4,
}

impl Version {
    pub(crate) const NEWEST: Self = Self::V7_4;
}

/// What an engine is started with.
#[derive(Clone, Debug, Default, Hash)]
pub struct Options {
    /// The version whose commands exist.
    pub version: Version,
    /// The seed of every random choice (`RANDOMKEY`, `HRANDFIELD`, …).
    pub seed: u64,
    /// Whether replies that reveal insertion or hash-table order (`HGETALL`, `HKEYS`, `SCAN`, `KEYS`, …) are sorted.
    /// Exploration wants them sorted, since two writes of different fields commute but for that order; elsewhere
    /// Redis's own order is kept.
    pub sorted_replies: bool,
    /// Whether the server counts commands, lookups, errors, …, for `INFO`, `SLOWLOG` and `LATENCY HISTOGRAM`. Counts tell in
    /// which order commands came that otherwise commute, and footprints do not declare them; so exploration, which
    /// needs neither, leaves them off: they are then all 0.
    pub statistics: bool,
}

/// How `SHUTDOWN` wants the server to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shutdown {
    /// Whether to save first, if it was said; otherwise as there are save points.
    pub save: Option<bool>,
    /// Without waiting for replicas.
    pub now: bool,
    /// Even if saving fails.
    pub force: bool,
}

/// What one command did. Reused between calls: [`Engine::execute`] clears it first.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The reply.
    pub reply: Reply,
    /// What was touched.
    pub footprint: Footprint,
    /// What is propagated to the append-only file and to replicas.
    pub effects: Vec<Effect>,
    /// Set by the caller, and kept by [`Self::clear`]: `effects` stays empty, which saves making them.
    pub without_effects: bool,
    /// Whether anything is propagated.
    pub wrote: bool,
    /// Whether the reply is not to be sent (`CLIENT REPLY OFF | SKIP`), or there is none (`SUBSCRIBE`, whose messages are
    /// `deliveries`). Deliveries are sent in any case.
    pub silent: bool,
    /// Whether the connection is to be closed once the reply is sent (`QUIT`).
    pub close: bool,
    /// Set if the server is to end (`SHUTDOWN`), without any reply.
    pub shutdown: Option<Shutdown>,
    /// Whether the session now waits: `reply` means nothing, and the reply comes as a [`Delivery::Reply`].
    pub waits: bool,
    /// What other sessions, and this one besides its reply, are sent, in the order in which Redis sends it.
    pub deliveries: Vec<Delivery>,
    /// How many of `deliveries` were made before the reply; what they hold for this session goes first.
    pub before_reply: usize,
}

impl Outcome {
    /// Forgets what an earlier command did, keeping the memory.
    pub fn clear(&mut self) {
        self.reply = Reply::Null;
        self.footprint.clear();
        self.effects.clear();
        self.wrote = false;
        self.silent = false;
        self.close = false;
        self.shutdown = None;
        self.waits = false;
        self.deliveries.clear();
        self.before_reply = 0;
    }
}

impl Default for Outcome {
    fn default() -> Self {
        Self {
            reply: Reply::Null,
            footprint: Footprint::default(),
            effects: Vec::new(),
            without_effects: false,
            wrote: false,
            silent: false,
            close: false,
            shutdown: None,
            waits: false,
            deliveries: Vec::new(),
            before_reply: 0,
        }
    }
}

/// A Redis server as plain data. `clone` makes a snapshot, `clone_from` goes back to one in the memory that is there.
#[derive(Debug)]
pub struct Engine {
    pub(crate) options: Options,
    pub(crate) databases: Databases,
    pub(crate) sessions: Vec<Session>,
    /// The sessions that watch a key.
    pub(crate) watchers: BTreeMap<(u32, Key), SmallVec<[u32; 2]>>,
    /// The sessions that subscribed to a channel.
    pub(crate) channels: Arc<Channels>,
    pub(crate) waiting: Waiting,
    pub(crate) scripts: Arc<ScriptCache>,
    /// Part of the data.
    pub(crate) libraries: Arc<Libraries>,
    pub(crate) acl: Arc<Acl>,
    pub(crate) config: Arc<Config>,
    pub(crate) random: Random,
    /// The time of the first command: the server has been up since then.
    pub(crate) started: Option<Timestamp>,
    /// How often it has been restarted: each process has a `run_id` of its own.
    pub(crate) incarnation: u64,
    pub(crate) closed: Vec<u32>,
    pub(crate) connections: i64,
    /// Nothing where nothing is counted.
    pub(crate) statistics: Option<Box<Statistics>>,
    /// The time of the last `SAVE` (s since the Unix epoch).
    pub(crate) saved: Option<i64>,
}

impl Clone for Engine {
    fn clone(&self) -> Self {
        Self {
            options: self.options.clone(),
            databases: self.databases.clone(),
            sessions: self.sessions.clone(),
            watchers: self.watchers.clone(),
            channels: self.channels.clone(),
            waiting: self.waiting.clone(),
            scripts: self.scripts.clone(),
            libraries: self.libraries.clone(),
            acl: self.acl.clone(),
            config: self.config.clone(),
            random: self.random.clone(),
            started: self.started,
            incarnation: self.incarnation,
            closed: self.closed.clone(),
            connections: self.connections,
            statistics: self.statistics.clone(),
            saved: self.saved,
        }
    }

    fn clone_from(&mut self, source: &Self) {
        let Self {
            options,
            databases,
            sessions,
            watchers,
            channels,
            waiting,
            scripts,
            libraries,
            acl,
            config,
            random,
            started,
            incarnation,
            closed,
            connections,
            statistics,
            saved,
        } = source;
        self.options.clone_from(options);
        self.databases.clone_from(databases);
        self.sessions.clone_from(sessions);
        self.watchers.clone_from(watchers);
        self.channels.clone_from(channels);
        self.waiting.clone_from(waiting);
        self.scripts.clone_from(scripts);
        self.libraries.clone_from(libraries);
        self.acl.clone_from(acl);
        self.config.clone_from(config);
        self.random.clone_from(random);
        self.closed.clone_from(closed);
        self.statistics.clone_from(statistics);
        (self.started, self.saved) = (*started, *saved);
        (self.incarnation, self.connections) = (*incarnation, *connections);
    }
}

impl Engine {
    /// An empty server.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            random: Random::new(options.seed),
            statistics: options.statistics.then(Box::default),
            saved: None,
            options,
            databases: Databases::default(),
            sessions: Vec::new(),
            watchers: BTreeMap::new(),
            channels: Arc::default(),
            waiting: Waiting::default(),
            scripts: Arc::default(),
            libraries: Arc::default(),
            acl: Acl::first(),
            config: Config::first(),
            started: None,
            incarnation: 0,
            closed: Vec::new(),
            connections: 0,
        }
    }

    /// The process that takes the place of this one: it has loaded the keys and libraries of `kept`, an earlier state of the server
    /// or of its replica, or none. Connections, transactions, watches, scripts and settings are gone, and `run_id` is
    /// another one. Keys whose deadline has passed meanwhile go with [`Self::expire_due`].
    #[must_use]
    pub fn restarted(&self, kept: Option<&Self>) -> Self {
        let incarnation = self.incarnation + 1;
        Self {
            databases: kept.map_or_else(Databases::default, |kept| kept.databases.clone()),
            libraries: kept.map_or_else(Arc::default, |kept| kept.libraries.clone()),
            random: Random::new(self.options.seed ^ incarnation.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            incarnation,
            ..Self::new(self.options.clone())
        }
    }

    /// Whether both hold the same keys, with the same values and deadlines, and the same libraries of functions.
    #[must_use]
    pub fn same_data(&self, other: &Self) -> bool {
        self.databases == other.databases && self.libraries == other.libraries
    }

    /// Every key with the number of its database, in a fixed order.
    pub fn keys(&self) -> impl Iterator<Item = (u32, &Bytes)> {
        self.databases.keys()
    }

    /// The keys that `maxmemory-policy` lets the server evict: under `volatile-…` those that have a deadline, and
    /// otherwise all, since nothing else protects a key.
    pub fn evictable(&self) -> impl Iterator<Item = (u32, &Bytes)> {
        let spared = self.config.evicts_volatile_only();
        self.databases.keys().filter(move |(db, key)| !spared || self.databases.has_deadline(*db, key))
    }

    /// Opens a connection. The number of a closed one may be given again.
    pub fn connect(&mut self) -> SessionId {
        self.connections += 1;
        if let Some(statistics) = &mut self.statistics {
            statistics.connections += 1;
        }
        let session = Session::new(self.connections, self.acl.greets_everybody());
        if let Some(index) = self.closed.pop() {
            self.sessions[index as usize] = session;
            return SessionId(index);
        }
        self.sessions.push(session);
        SessionId(self.sessions.len() as u32 - 1)
    }

    /// Closes a connection: its transaction, its watched keys and its subscriptions are dropped. [`Self::touch_disconnect`]
    /// says what that touches.
    pub fn disconnect(&mut self, session: SessionId) {
        let index = session.0 as usize;
        if self.sessions.get(index).is_some_and(|session| session.open) {
            self.unwatch(index);
            self.unsubscribe_all(index);
            self.end_wait(index, &mut Footprint::default());
            self.sessions[index].open = false;
            self.sessions[index].transaction = None;
            self.closed.push(session.0);
        }
    }

    /// Makes the random choices to come those of another seed.
    pub fn reseed(&mut self, seed: u64) {
        self.random = Random::new(seed);
    }

    /// The protocol that a session has chosen, in which its replies are to be encoded.
    #[must_use]
    pub fn protocol(&self, session: SessionId) -> Protocol {
        self.sessions.get(session.0 as usize).map_or(Protocol::Resp2, |session| session.protocol)
    }

    /// Executes one command of a session at a time.
    ///
    /// The engine keeps the arguments that it stores as they are: a caller that cuts them out of a large buffer keeps
    /// that buffer alive.
    pub fn execute(
        &mut self,
        scripts: &mut dyn ScriptHost,
        session: SessionId,
        args: &[Bytes],
        now: Timestamp,
        out: &mut Outcome,
    ) {
        out.clear();
        let index = session.0 as usize;
        let Some(state) = self.sessions.get_mut(index).filter(|session| session.open) else {
            out.reply = Reply::Error(format!("ERR session {} is not connected", session.0).into());
            return;
        };
        if state.wait.is_some() {
            out.reply = Reply::Error(format!("ERR session {} waits for a reply", session.0).into());
            return;
        }
        if args.is_empty() {
            out.reply = Reply::Error(Bytes::from_static(b"ERR empty command"));
            return;
        }
        let skipped = state.replies == Replies::SkipNext;
        if skipped {
            state.replies = Replies::On;
        }
        let (db, replies, listens) = (state.db, state.replies, state.listens());
        if listens {
            out.footprint.add(Object::Inbox(session), Access::Read);
        }
        self.started.get_or_insert(now);
        let mut context = Context {
            engine: self,
            host: Some(scripts),
            session: index,
            db,
            now,
            footprint: &mut out.footprint,
            effects: Effects { list: &mut out.effects, wanted: !out.without_effects, any: &mut out.wrote },
            deliveries: &mut out.deliveries,
            actor: index,
            replied: None,
            reads: false,
            mute: skipped || replies == Replies::Off,
            script: None,
            close: false,
            shutdown: None,
            counts_lookups: false,
            script_error: None,
            may_wait: true,
            framed: true,
        };
        out.reply = dispatch::run(&mut context, args);
        out.close = context.close;
        out.shutdown = context.shutdown;
        let (framed, replied, mute) = (context.framed, context.replied, context.mute);
        out.before_reply = replied.unwrap_or(out.deliveries.len());
        out.silent = mute || out.reply == Reply::NONE;
        if out.wrote
            && let Some(statistics) = &mut self.statistics
        {
            statistics.changes += 1;
        }
        if framed {
            frame(&mut out.effects, 0);
        }
        out.waits = wait::silence(self, index, skipped);
        self.serve(Some(scripts), now, out);
    }

    /// The time of the last save, which is that of the start if there was none (s since the Unix epoch).
    pub(crate) fn last_save_s(&self) -> i64 {
        self.saved.unwrap_or_else(|| self.started.unwrap_or_default().ms().div_euclid(1000))
    }

    /// The earliest deadline among all keys and fields (ms since the Unix epoch). They live through that millisecond.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<i64> {
        let first = |deadline: Option<&(i64, u32, Bytes)>| deadline.map(|(deadline, _, _)| *deadline);
        let (key, field) = (first(self.databases.first_deadline()), first(self.databases.first_field_deadline()));
        key.into_iter().chain(field).min()
    }

    /// Whether a key or a field has exactly this deadline (ms since the Unix epoch).
    #[must_use]
    pub fn has_deadline_at(&self, ms: i64) -> bool {
        self.databases.has_deadline_at(ms)
    }

    /// Removes every key and every field whose deadline has passed, as the server's own cycle does, and reports the
    /// deletions.
    pub fn expire_due(&mut self, now: Timestamp, out: &mut Outcome) {
        out.clear();
        out.footprint.add(Object::Clock, Access::Read);
        out.footprint.add(Object::Deadlines, Access::Read);
        let mut context = Context {
            engine: self,
            host: None,
            session: usize::MAX,
            db: 0,
            now,
            footprint: &mut out.footprint,
            effects: Effects { list: &mut out.effects, wanted: !out.without_effects, any: &mut out.wrote },
            deliveries: &mut out.deliveries,
            actor: usize::MAX,
            replied: None,
            reads: false,
            mute: false,
            script: None,
            close: false,
            shutdown: None,
            counts_lookups: false,
            script_error: None,
            may_wait: false,
            framed: false,
        };
        let due = |first: Option<&(i64, u32, Bytes)>| {
            first.filter(|(deadline, _, _)| now.ms() > *deadline).map(|(_, db, name)| (*db, Key::new(name)))
        };
        while let Some((db, key)) = due(context.databases().first_deadline()) {
            context.touch(Object::Keyspace(db), Access::IntentRead);
            context.expire(db, &key);
        }
        while let Some((db, key)) = due(context.databases().first_field_deadline()) {
            context.touch(Object::Keyspace(db), Access::IntentRead);
            context.expire_fields(db, &key);
        }
        self.serve(None, now, out);
    }

    pub(crate) fn limits(&self) -> Limits {
        self.config.limits(self.options.sorted_replies)
    }

    // WATCH

    /// Adds a key to those whose change makes the session's next `EXEC` give null.
    pub(crate) fn watch(&mut self, session: usize, db: u32, key: Key, expired: bool) {
        let watched = &mut self.sessions[session].watched;
        if watched.iter().any(|known| known.db == db && known.key == key) {
            return;
        }
        watched.push(Watched { db, key: key.clone(), expired });
        self.watchers.entry((db, key)).or_default().push(session as u32);
    }

    /// Forgets the watched keys of a session, and that one of them was changed.
    pub(crate) fn unwatch(&mut self, session: usize) {
        self.sessions[session].dirty = false;
        for watched in std::mem::take(&mut self.sessions[session].watched) {
            let place = (watched.db, watched.key);
            if let Some(sessions) = self.watchers.get_mut(&place) {
                sessions.retain(|other| *other as usize != session);
                if sessions.is_empty() {
                    self.watchers.remove(&place);
                }
            }
        }
    }

    /// Marks the sessions that watch a key, which was just changed. The removal of a key that had expired before it
    /// was watched is no change.
    pub(crate) fn touch_watched(&mut self, db: u32, key: &Key) {
        let Some(sessions) = self.watchers.get(&(db, key.clone())) else { return };
        let exists = self.databases.entry(db, key).is_some();
        for &session in sessions {
            let session = &mut self.sessions[session as usize];
            let Some(watched) = session.watched.iter_mut().find(|known| known.db == db && known.key == *key) else {
                continue;
            };
            if watched.expired && !exists {
                watched.expired = false;
            } else {
                session.dirty = true;
            }
        }
    }

    /// Marks the sessions that watch a key of a database which is about to be emptied, or replaced by another one.
    pub(crate) fn touch_watched_in(&mut self, emptied: u32, replacement: Option<u32>, now_ms: i64) {
        let (databases, sessions) = (&self.databases, &mut self.sessions);
        for ((_, key), watching) in self.watchers.iter().filter(|((db, _), _)| *db == emptied) {
            let before = databases.entry(emptied, key).is_some();
            let after = replacement.and_then(|db| databases.entry(db, key));
            if !before && after.is_none() {
                continue;
            }
            let after_expired = after.is_some_and(|entry| entry.deadline.is_some_and(|deadline| now_ms > deadline));
            for &session in watching {
                let session = &mut sessions[session as usize];
                let Some(watched) = session.watched.iter_mut().find(|known| known.db == emptied && known.key == *key)
                else {
                    continue;
                };
                if watched.expired && after.is_none() {
                    watched.expired = false;
                } else if watched.expired && after_expired {
                    // It was expired when it was watched, and what comes in its place is expired as well.
                } else if !watched.expired && !before && after_expired {
                    watched.expired = true;
                } else {
                    session.dirty = true;
                }
            }
        }
    }
}

/// Frames what is propagated by `MULTI` and `EXEC` if it is more than one command: replicas and the append-only file
/// must take all of it or nothing. Effects before `from` are those of others.
pub(crate) fn frame(effects: &mut Vec<Effect>, from: usize) {
    if effects.len() > from + 1 {
        let db = effects[from].db;
        effects.insert(from, Effect { db, args: vec![Bytes::from_static(b"MULTI")] });
        effects.push(Effect { db, args: vec![Bytes::from_static(b"EXEC")] });
    }
}
