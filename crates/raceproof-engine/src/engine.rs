//! The engine: databases, sessions, and the one entry through which commands come in.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use smallvec::SmallVec;

use crate::{
    Access, Delivery, Effect, Footprint, Object, Outcome, Protocol, Reply, ScriptHost,
    acl::Acl,
    busy::Busy,
    channels::Channels,
    commands::client,
    config::Config,
    context::Context,
    db::{Databases, Entry},
    dispatch,
    evict::Candidate,
    hash::Limits,
    key::Key,
    libraries::Libraries,
    pause::Paused,
    process::Process,
    rng::Random,
    scripts::ScriptCache,
    session::{Replies, Session},
    statistics::Statistics,
    tracking::Table,
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
    /// Redis 7.2: what client libraries say of themselves when they connect (`CLIENT SETINFO`), `CLIENT NO-TOUCH`.
    V7_2,
    /// Redis 7.4: per-field deadlines (`HEXPIRE` and its family).
    V7_4,
    /// Redis 8.0: values of fields with deadlines (`HGETEX`, `HSETEX`, `HGETDEL`).
    V8_0,
    /// Redis 8.4: compare and set, compare and delete (`SET … IFEQ`, `DELEX`, `DIGEST`), `MSETEX`.
    V8_4,
}

impl Version {
    pub(crate) const NEWEST: Self = Self::V8_4;
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
    /// Whether every key remembers when it was used last, or how often (`OBJECT IDLETIME`, `OBJECT FREQ`). A read that leaves
    /// such a trace does not commute with what looks at it, nor with the clock, so exploration leaves this off: keys then
    /// remember only while there is a `maxmemory` and a policy that evicts by use.
    pub access_times: bool,
    /// How many clients have been numbered before (`CLIENT ID`).
    pub clients_before: i64,
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
    /// Who is told of changes of keys; nothing before somebody asks for it.
    pub(crate) tracking: Option<Box<Table>>,
    pub(crate) waiting: Waiting,
    /// Whether clients are paused, and whose commands are held.
    pub(crate) paused: Paused,
    pub(crate) scripts: Arc<ScriptCache>,
    /// Part of the data.
    pub(crate) libraries: Arc<Libraries>,
    pub(crate) acl: Arc<Acl>,
    pub(crate) config: Arc<Config>,
    pub(crate) random: Random,
    /// The keys that are the next to be evicted, the best last; of use only where there is a limit to memory.
    pub(crate) candidates: Vec<Candidate>,
    /// The time of the first command: the server has been up since then.
    pub(crate) started: Option<Timestamp>,
    /// How often it has been restarted: each process has a `run_id` of its own.
    pub(crate) incarnation: u64,
    pub(crate) closed: Vec<u32>,
    /// How many sessions monitor.
    pub(crate) monitors: usize,
    /// Sessions that were killed, and whose connections are not closed yet.
    pub(crate) killed: Vec<u32>,
    pub(crate) connections: i64,
    /// Nothing where nothing is counted.
    pub(crate) statistics: Option<Box<Statistics>>,
    /// The time of the last `SAVE` (s since the Unix epoch).
    pub(crate) saved: Option<i64>,
    pub(crate) switches: Switches,
    /// The host and the port that `REPLICAOF` named: a primary that cannot be reached.
    pub(crate) primary: Option<Box<(Bytes, i64)>>,
    /// The script that runs, for those who ask meanwhile. Nothing between commands.
    pub(crate) busy: Option<Box<Busy>>,
    /// What the process that runs it has said of itself, if any did.
    pub(crate) process: Option<Box<Process>>,
}

/// What `DEBUG` turns off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Switches {
    /// Keys whose time is over go only when they are touched (`SET-ACTIVE-EXPIRE 0`).
    pub(crate) keeps_expired: bool,
    /// Scripts may call what is kept from them (`SET-DISABLE-DENY-SCRIPTS 1`).
    pub(crate) allows_in_scripts: bool,
}

impl Clone for Engine {
    fn clone(&self) -> Self {
        Self {
            options: self.options.clone(),
            databases: self.databases.clone(),
            sessions: self.sessions.clone(),
            watchers: self.watchers.clone(),
            channels: self.channels.clone(),
            tracking: self.tracking.clone(),
            waiting: self.waiting.clone(),
            paused: self.paused.clone(),
            scripts: self.scripts.clone(),
            libraries: self.libraries.clone(),
            acl: self.acl.clone(),
            config: self.config.clone(),
            random: self.random.clone(),
            candidates: self.candidates.clone(),
            started: self.started,
            incarnation: self.incarnation,
            closed: self.closed.clone(),
            killed: self.killed.clone(),
            monitors: self.monitors,
            connections: self.connections,
            statistics: self.statistics.clone(),
            saved: self.saved,
            switches: self.switches,
            primary: self.primary.clone(),
            busy: None,
            process: self.process.clone(),
        }
    }

    fn clone_from(&mut self, source: &Self) {
        let Self {
            options,
            databases,
            sessions,
            watchers,
            channels,
            tracking,
            waiting,
            paused,
            scripts,
            libraries,
            acl,
            config,
            random,
            candidates,
            started,
            incarnation,
            closed,
            killed,
            monitors,
            connections,
            statistics,
            saved,
            switches,
            primary,
            busy: _,
            process,
        } = source;
        self.options.clone_from(options);
        self.databases.clone_from(databases);
        self.sessions.clone_from(sessions);
        self.watchers.clone_from(watchers);
        self.channels.clone_from(channels);
        self.tracking.clone_from(tracking);
        self.waiting.clone_from(waiting);
        self.paused.clone_from(paused);
        self.scripts.clone_from(scripts);
        self.libraries.clone_from(libraries);
        self.acl.clone_from(acl);
        self.config.clone_from(config);
        self.random.clone_from(random);
        self.candidates.clone_from(candidates);
        self.closed.clone_from(closed);
        self.killed.clone_from(killed);
        self.monitors = *monitors;
        self.statistics.clone_from(statistics);
        self.primary.clone_from(primary);
        self.process.clone_from(process);
        (self.started, self.saved, self.switches) = (*started, *saved, *switches);
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
            switches: Switches::default(),
            primary: None,
            busy: None,
            process: None,
            connections: options.clients_before,
            options,
            databases: Databases::default(),
            sessions: Vec::new(),
            watchers: BTreeMap::new(),
            channels: Arc::default(),
            tracking: None,
            waiting: Waiting::default(),
            paused: Paused::default(),
            scripts: Arc::default(),
            libraries: Arc::default(),
            acl: Acl::first(),
            config: Config::first(),
            candidates: Vec::new(),
            started: None,
            incarnation: 0,
            closed: Vec::new(),
            killed: Vec::new(),
            monitors: 0,
        }
    }

    /// The process that takes the place of this one: it has loaded the keys and libraries of `kept`, an earlier state of the server
    /// or of its replica, or none. Connections, transactions, watches, scripts and settings are gone, and `run_id` is
    /// another one. Keys whose deadline has passed meanwhile go with [`Self::expire_due`].
    #[must_use]
    pub fn restarted(&self, kept: Option<&Self>) -> Self {
        let incarnation = self.incarnation + 1;
        let mut databases = kept.map_or_else(Databases::default, |kept| kept.databases.clone());
        databases.keep_account(false);
        Self {
            databases,
            libraries: kept.map_or_else(Arc::default, |kept| kept.libraries.clone()),
            random: Random::new(self.options.seed ^ incarnation.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            incarnation,
            ..Self::new(self.options.clone())
        }
    }

    /// What `CONFIG SET` has changed and not changed back, by name.
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, &Bytes)> {
        self.config.changed().iter().map(|(name, value)| (*name, value))
    }

    /// Gives the server the settings of another one, as if both had been started with one configuration file.
    pub fn configure_like(&mut self, other: &Self) {
        self.config.clone_from(&other.config);
        if let Some(password) = self.config.changed().get("requirepass") {
            Arc::make_mut(&mut self.acl).require_password(password);
        }
        self.settle_account();
    }

    /// Whether both hold the same keys, with the same values and deadlines, and the same libraries of functions.
    #[must_use]
    pub fn same_data(&self, other: &Self) -> bool {
        self.databases == other.databases && self.libraries == other.libraries
    }

    /// Every key with the number of its database, in a fixed order.
    pub fn keys(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.databases.entries().map(|(db, name, _)| (db, name.bytes))
    }

    /// The keys that `maxmemory-policy` lets the server evict: under `volatile-…` those that have a deadline, and
    /// otherwise all, since nothing else protects a key. None while clients are paused.
    pub fn evictable(&self, now: Timestamp) -> impl Iterator<Item = (u32, &[u8])> {
        let spared = self.config.policy().volatile_only;
        let none = self.is_paused(now);
        let is_one = move |entry: &Entry| !none && (!spared || entry.deadline().is_some());
        let evictable = self.databases.entries().filter(move |(_, _, entry)| is_one(entry));
        evictable.map(|(db, name, _)| (db, name.bytes))
    }

    /// Opens a connection. The number of a closed one may be given again.
    pub fn connect(&mut self) -> SessionId {
        self.connect_as(self.connections + 1)
    }

    /// Opens a connection whose `CLIENT ID` the caller chooses, so that it does not depend on how many were opened before.
    /// No other one may have it.
    pub fn connect_as(&mut self, id: i64) -> SessionId {
        self.connections += 1;
        if let Some(statistics) = &mut self.statistics {
            statistics.connections += 1;
        }
        let mut session = Session::new(id, self.connections, self.acl.greets_everybody());
        session.activity = self.statistics.is_some().then(Box::default);
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
        if let Some(at) = self.killed.iter().position(|killed| *killed == session.0) {
            self.killed.swap_remove(at);
            self.closed.push(session.0);
        } else if self.sessions.get(session.0 as usize).is_some_and(|session| session.open) {
            self.end_session(session.0 as usize);
            self.closed.push(session.0);
        }
    }

    /// Ends all that a session has begun. Its place is not given again yet.
    fn end_session(&mut self, index: usize) {
        self.unwatch(index);
        self.unsubscribe_all(index);
        self.stop_tracking(index);
        self.end_wait(index, &mut Footprint::default());
        self.end_hold(index, &mut Footprint::default());
        self.stop_monitoring(index);
        let session = &mut self.sessions[index];
        (session.open, session.transaction) = (false, None);
    }

    /// A session is told of commands no more.
    pub(crate) fn stop_monitoring(&mut self, index: usize) {
        self.monitors -= usize::from(std::mem::take(&mut self.sessions[index].monitors));
    }

    /// Ends a session whose connection somebody else closes, from now on as far as anyone can see.
    pub(crate) fn kill(&mut self, index: usize, footprint: &mut Footprint, deliveries: &mut Vec<Delivery>) {
        let session = SessionId(index as u32);
        self.touch_disconnect(session, footprint);
        // What waits to go out to it goes nowhere.
        for pending in deliveries.iter_mut().filter(|pending| pending.session() == session) {
            *pending = Delivery::Close(session);
        }
        if self.end_wait(index, footprint).is_some() || self.end_hold(index, footprint) {
            deliveries.push(Delivery::NoReply(session));
        }
        self.end_session(index);
        self.killed.push(session.0);
        deliveries.push(Delivery::Close(session));
    }

    /// A session has sent a command of nothing: an empty line. Nothing is replied, and nothing is left of a
    /// `CLIENT REPLY SKIP` or `CLIENT CACHING` before it.
    pub fn pass_over(&mut self, session: SessionId) {
        let Some(state) = self.sessions.get_mut(session.0 as usize) else { return };
        if state.replies == Replies::SkipNext {
            state.replies = Replies::On;
        }
        if let Some(tracking) = state.tracking.as_mut().filter(|_| state.transaction.is_none()) {
            tracking.caching = false;
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
    /// The engine keeps elements of collections and strings of more than 1 KiB as they came: a caller that cuts arguments
    /// out of a large buffer keeps that buffer alive.
    pub fn execute(
        &mut self,
        scripts: &mut dyn ScriptHost,
        session: SessionId,
        args: &[Bytes],
        now: Timestamp,
        out: &mut Outcome,
    ) {
        out.clear();
        let account = self.databases.account();
        self.end_pause(now, &mut out.footprint);
        self.resume(scripts, now, out);
        self.execute_one(scripts, session, args, now, out);
        self.resume(scripts, now, out);
        self.touch_account(account, &mut out.footprint);
        self.broadcast(session.0 as usize, &mut out.footprint, &mut out.deliveries);
    }

    /// [`Self::execute`], with what others did before it in `out`.
    pub(crate) fn execute_one(
        &mut self,
        scripts: &mut dyn ScriptHost,
        session: SessionId,
        args: &[Bytes],
        now: Timestamp,
        out: &mut Outcome,
    ) {
        let index = session.0 as usize;
        let stood = (out.wrote && out.with_between).then(|| self.clone());
        let Some(state) = self.sessions.get_mut(index).filter(|session| session.open) else {
            // Somebody may have killed it, which is declared as a write of everything.
            out.footprint.add(Object::Users, Access::IntentRead);
            out.reply = Reply::Error(format!("ERR session {} is not connected", session.0).into());
            return;
        };
        if state.wait.is_some() || state.held.is_some() {
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
        let (before, wrote_before) = (out.effects.len(), std::mem::take(&mut out.wrote));
        let mut context = Context::new(self, Some(scripts), index, db, now, out);
        context.actor = index;
        context.mute = skipped || replies == Replies::Off;
        context.may_wait = true;
        context.framed = true;
        context.effects_before = before;
        let reply = dispatch::run(&mut context, args);
        context.replies_here();
        context.tell_pending();
        let Context { close, shutdown, framed, replied, mute, effects_before, took_us, .. } = context;
        out.reply = reply;
        out.close = close;
        out.shutdown = shutdown;
        out.took_us = took_us;
        out.before_reply = replied.unwrap_or(out.deliveries.len());
        out.silent = mute || matches!(&out.reply, Reply::Inline(values) if values.is_empty());
        out.between.extend(stood.filter(|_| out.wrote));
        out.wrote |= wrote_before;
        if framed {
            frame(&mut out.effects, effects_before);
        }
        let state = &mut self.sessions[index];
        if state.held.is_some() {
            // It is to be asked again.
            if skipped {
                state.replies = Replies::SkipNext;
            }
            out.waits = true;
            return;
        }
        out.waits = wait::silence(self, index, skipped);
        self.serve(Some(scripts), now, out);
        client::end_caching(self, index, args);
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

    /// Whether keys go by themselves when their time is over, which `DEBUG SET-ACTIVE-EXPIRE 0` ends. It is for those who
    /// call [`Self::expire_due`] as time passes to go by it.
    #[must_use]
    pub const fn expires_by_itself(&self) -> bool {
        !self.switches.keeps_expired
    }

    /// Whether a key or a field has exactly this deadline (ms since the Unix epoch).
    #[must_use]
    pub fn has_deadline_at(&self, ms: i64) -> bool {
        self.databases.has_deadline_at(ms)
    }

    /// Removes every key and every field whose deadline has passed, as the server's own cycle does, and reports the
    /// deletions. Nothing while clients are paused ([`Self::pause_end_ms`]).
    pub fn expire_due(&mut self, now: Timestamp, out: &mut Outcome) {
        out.clear();
        out.footprint.add(Object::Clock, Access::Read);
        out.footprint.add(Object::Deadlines, Access::Read);
        if self.is_paused(now) {
            return;
        }
        let mut context = Context::new(self, None, usize::MAX, 0, now, out);
        let due = |first: Option<&(i64, u32, Bytes)>| {
            first.filter(|(deadline, _, _)| now.ms() > *deadline).map(|(_, db, name)| (*db, Key::new(name)))
        };
        let account = context.databases().account();
        while let Some((db, key)) = due(context.databases().first_deadline()) {
            context.touch(Object::Keyspace(db), Access::IntentRead);
            context.expire(db, &key);
        }
        while let Some((db, key)) = due(context.databases().first_field_deadline()) {
            context.touch(Object::Keyspace(db), Access::IntentRead);
            context.expire_fields(db, &key);
        }
        self.serve(None, now, out);
        self.broadcast(usize::MAX, &mut out.footprint, &mut out.deliveries);
        self.touch_account(account, &mut out.footprint);
    }

    /// Declares a change of the account of memory.
    pub(crate) fn touch_account(&self, before: Option<usize>, footprint: &mut Footprint) {
        if self.databases.account() != before {
            footprint.add(Object::Memory, Access::Write);
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.config.limits(self.options.sorted_replies)
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
