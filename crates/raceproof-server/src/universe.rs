//! A universe: a server of its own among those that share a process, with its keys, its clock and its faults.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;
use raceproof_engine::{Delivery, Effect, Engine, LuaHost, Options, Outcome, SessionId, Timestamp};

use crate::clock::Clock;
use crate::connection::Addresses;
use crate::durability::{Durability, Persistence};
use crate::faults::Faults;
use crate::history::History;
use crate::limits::Limits;
use crate::replication::Replicas;

/// No connection has this place.
pub(crate) const NOBODY: usize = usize::MAX;

/// A moment to which `REWIND` goes back.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) engine: Engine,
    pub(crate) durability: Durability,
    pub(crate) saved: Option<Engine>,
    pub(crate) now: Timestamp,
}

/// Replies that a fault, or `DEBUG SLEEP`, holds back until their time has come.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// By the time at which they go out (Unix ms), then in the order in which they were made.
    replies: BTreeMap<(i64, u64), (usize, Vec<u8>)>,
    count: u64,
}

impl Held {
    pub(crate) fn push(&mut self, until_ms: i64, connection: usize, bytes: Vec<u8>) {
        self.count += 1;
        self.replies.insert((until_ms, self.count), (connection, bytes));
    }

    fn next_ms(&self) -> Option<i64> {
        self.replies.keys().next().map(|(until_ms, _)| *until_ms)
    }

    fn pop_due(&mut self, now_ms: i64) -> Option<(usize, Vec<u8>)> {
        let first = self.replies.first_entry().filter(|entry| entry.key().0 <= now_ms)?;
        Some(first.remove())
    }

    pub(crate) fn forget(&mut self, connection: usize) {
        self.replies.retain(|_, (of, _)| *of != connection);
    }
}

/// What the passing of time sends out.
#[derive(Debug)]
pub(crate) enum Due {
    Delivery(Delivery),
    /// The output of a connection, by its place.
    Reply(usize, Vec<u8>),
    /// `DEBUG SLEEP` is over.
    Awake,
}

/// Opens a session for a connection, whose place is put among those of the sessions.
pub(crate) fn connect(
    engine: &mut Engine,
    places: &mut Vec<usize>,
    connection: usize,
    addresses: Addresses,
    now: Timestamp,
) -> SessionId {
    let session = engine.connect();
    engine.set_connected(session, now);
    engine.set_addresses(session, addresses.peer, addresses.local);
    let place = session.0 as usize;
    if places.len() <= place {
        places.resize(place + 1, NOBODY);
    }
    places[place] = connection;
    session
}

/// One universe.
#[derive(Debug)]
pub(crate) struct Universe {
    pub(crate) engine: Engine,
    pub(crate) clock: Clock,
    /// The place of each session's connection.
    pub(crate) connections: Vec<usize>,
    pub(crate) limits: Limits,
    pub(crate) durability: Durability,
    /// What the last `SAVE` wrote.
    pub(crate) saved: Option<Engine>,
    pub(crate) faults: Faults,
    pub(crate) history: History,
    pub(crate) held: Held,
    pub(crate) replicas: Replicas,
    /// What the choices of crashes are made from.
    pub(crate) choices: u64,
    pub(crate) snapshots: BTreeMap<Bytes, Snapshot>,
    /// Until when `DEBUG SLEEP` keeps it from doing anything (Unix ms).
    pub(crate) asleep_until_ms: Option<i64>,
    /// Before this time (Unix ms) no connection has been idle for too long.
    pub(crate) idle_from_ms: i64,
    /// When time has something to do here, by the machine's clock (µs).
    pub(crate) alarm: Option<i64>,
    /// Whether its alarm has to be set anew.
    pub(crate) is_touched: bool,
}

impl Universe {
    pub(crate) fn new(options: Options, clock: Clock, persistence: Persistence) -> Self {
        let choices = options.seed;
        let engine = Engine::new(options);
        Self {
            durability: Durability::new(persistence, &engine),
            limits: Limits::of(&engine),
            engine,
            clock,
            connections: Vec::new(),
            saved: None,
            faults: Faults::default(),
            history: History::default(),
            held: Held::default(),
            replicas: Replicas::default(),
            choices,
            snapshots: BTreeMap::new(),
            asleep_until_ms: None,
            idle_from_ms: i64::MIN,
            alarm: None,
            is_touched: false,
        }
    }

    /// Opens a session for a connection. `machine_us` is what the machine's clock shows.
    pub(crate) fn connect(&mut self, connection: usize, addresses: Addresses, machine_us: i64) -> SessionId {
        connect(&mut self.engine, &mut self.connections, connection, addresses, self.clock.now(machine_us))
    }

    /// Ends the session of a connection.
    pub(crate) fn disconnect(&mut self, session: SessionId, machine_us: i64) {
        self.engine.disconnect(session);
        let place = session.0 as usize;
        let connection = std::mem::replace(&mut self.connections[place], NOBODY);
        self.held.forget(connection);
        self.replicas.forget(connection, self.clock.now(machine_us).ms());
        self.history.forget(session);
    }

    /// A number by the seed, another one each time (splitmix64).
    pub(crate) fn choose(&mut self) -> u64 {
        self.choices = self.choices.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.choices;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// What the server holds is on disk now, whatever the policy.
    pub(crate) fn save(&mut self) {
        self.saved = Some(self.engine.clone());
    }

    /// Takes over what a command may have set.
    pub(crate) fn reread_settings(&mut self) {
        self.limits = Limits::of(&self.engine);
        self.idle_from_ms = i64::MIN;
    }

    /// The connection of a session.
    pub(crate) fn connection_of(&self, session: SessionId) -> Option<usize> {
        self.connections.get(session.0 as usize).copied().filter(|connection| *connection != NOBODY)
    }

    /// Whether commands need to be looked at before or after they are executed.
    pub(crate) const fn is_watched(&self) -> bool {
        self.history.is_on() || !self.faults.is_empty()
    }

    /// The next time (Unix ms) at which something happens by itself.
    pub(crate) fn next_event_ms(&self) -> Option<i64> {
        if self.asleep_until_ms.is_some() {
            return self.asleep_until_ms;
        }
        // A key lives, and a client waits, through the millisecond of its deadline.
        let after = |deadline: i64| deadline.saturating_add(1);
        // Nothing expires while clients are paused.
        let paused = self.engine.pause_end_ms().unwrap_or(i64::MIN);
        let expiry = self.engine.next_deadline_ms().filter(|_| self.engine.expires_by_itself());
        let expiry = expiry.map(|deadline| after(deadline.max(paused)));
        let timeout = self.engine.next_timeout_ms().map(after);
        let replicas = self.replicas.next_event_ms(self.limits.backlog_ttl_s);
        [expiry, timeout, self.held.next_ms(), replicas].into_iter().flatten().min()
    }

    /// Lets time pass from one moment to another and gives what it sends out, in the order of time. What is due at
    /// `from` or before happens at `from`. Tells whether a `SHUTDOWN` that a pause held is to end the server.
    pub(crate) fn pass(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        host: &mut LuaHost,
        out: &mut Outcome,
        due: &mut Vec<(Due, Timestamp)>,
    ) -> bool {
        let (mut now, mut ends) = (from, false);
        while let Some(next_ms) = self.next_event_ms()
            && next_ms <= to.ms()
        {
            now = now.max(Timestamp::from_ms(next_ms));
            if self.asleep_until_ms.take().is_some() {
                due.push((Due::Awake, now));
            }
            while let Some((connection, bytes)) = self.held.pop_due(now.ms()) {
                due.push((Due::Reply(connection, bytes), now));
            }
            if self.engine.expires_by_itself() {
                let began = Instant::now();
                self.engine.expire_due(now, out);
                self.engine.note_latency("expire-cycle", now, i64::try_from(began.elapsed().as_millis()).unwrap_or(0));
                self.take(now, host, out, due);
            }
            self.engine.time_out(host, now, out);
            ends |= out.shutdown.is_some();
            self.take(now, host, out, due);
            // Once is enough, however much time passes.
            self.replicas.ping(to, self.limits.ping_period_ms);
            self.replicas.expire_backlog(to.ms(), self.limits.backlog_ttl_s);
        }
        ends
    }

    /// Hands on what a command, or the passing of time, propagated.
    pub(crate) fn propagate(&mut self, effects: &mut Vec<Effect>, now: Timestamp, host: &mut LuaHost) {
        if self.replicas.is_kept() {
            self.replicas.feed(effects);
        }
        if self.durability.wants_effects() {
            self.durability.record(effects, now, host);
        } else {
            effects.clear();
        }
    }

    fn take(&mut self, now: Timestamp, host: &mut LuaHost, out: &mut Outcome, due: &mut Vec<(Due, Timestamp)>) {
        self.propagate(&mut out.effects, now, host);
        due.extend(out.deliveries.drain(..).map(|delivery| (Due::Delivery(delivery), now)));
    }
}
