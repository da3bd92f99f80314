//! Replicas: who says `SYNC` or `PSYNC` gets a snapshot, and from then on every effect.
//!
//! A Redis may be a replica of a universe (`REPLICAOF 127.0.0.1 6399`), and so may a test that wants to see what is
//! propagated. There is no backlog: who comes back begins anew.

use bytes::Bytes;
use raceproof_engine::{Effect, Reply, Timestamp};

use crate::request::write;
use crate::server::Server;
use crate::universe::Universe;

/// Those who get the effects of a universe.
#[derive(Debug, Default)]
pub(crate) struct Replicas {
    /// The places of their connections.
    places: Vec<usize>,
    /// What was propagated and is not handed out yet.
    stream: Vec<u8>,
    /// The database that the stream has selected.
    db: Option<u32>,
    /// When they are told that the universe is still there (Unix ms).
    ping_ms: i64,
}

impl Replicas {
    pub(crate) const fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(crate) fn forget(&mut self, place: usize) {
        self.places.retain(|known| *known != place);
    }

    /// Adds effects to the stream.
    pub(crate) fn feed(&mut self, effects: &[Effect]) {
        for effect in effects {
            // The end of a transaction is in whatever database the last command was in.
            let ends = matches!(&effect.args[..], [name] if name.as_ref() == b"EXEC");
            if !ends && self.db.replace(effect.db) != Some(effect.db) {
                write(&mut self.stream, &[Bytes::from_static(b"SELECT"), effect.db.to_string().into()]);
            }
            write(&mut self.stream, &effect.args);
        }
    }

    pub(crate) fn next_ping_ms(&self) -> Option<i64> {
        (!self.is_empty()).then_some(self.ping_ms)
    }

    /// Says that the universe is still there, if that is due.
    pub(crate) fn ping(&mut self, now: Timestamp, period_ms: i64) {
        if !self.is_empty() && self.ping_ms <= now.ms() {
            self.ping_ms = now.ms() + period_ms;
            write(&mut self.stream, &[Bytes::from_static(b"PING")]);
        }
    }
}

impl Server {
    /// `SYNC`, `PSYNC id offset` and `REPLCONF`. Tells whether the command is done; who is not allowed to see everything
    /// is answered by the engine, which knows none of them.
    pub(crate) fn replicate(&mut self, place: usize, args: &[Bytes]) -> bool {
        let Some(connection) = self.connections.get(place) else { return true };
        let (number, session) = (connection.universe, connection.session);
        let universe = &mut self.universes[number];
        let is = |name: &str| args[0].eq_ignore_ascii_case(name.as_bytes());
        let arity_fits = if is("psync") { args.len() == 3 } else { is("replconf") || args.len() == 1 };
        let engine = &universe.engine;
        if !arity_fits || !engine.may_see_everything(session) || engine.in_transaction(session) {
            return false;
        }
        if is("replconf") {
            let told = args.get(1).is_some_and(|option| option.eq_ignore_ascii_case(b"ack"));
            if args.len().is_multiple_of(2) {
                self.reply(place, &Reply::Error(Bytes::from_static(b"ERR syntax error")));
            } else if !told {
                self.reply(place, &Reply::Simple("OK"));
            }
            return true;
        }
        let now = universe.clock.now(self.machine_us);
        let snapshot = universe.engine.snapshot(now);
        if is("psync") {
            // Nobody ever goes on from an offset, so that one identity is as good as another.
            let identity = format!("+FULLRESYNC {:040x} 0\r\n", universe.choices);
            connection.output.extend_from_slice(identity.as_bytes());
        }
        connection.output.extend_from_slice(format!("${}\r\n", snapshot.len()).as_bytes());
        connection.output.extend_from_slice(&snapshot);
        let replicas = &mut universe.replicas;
        replicas.forget(place);
        replicas.places.push(place);
        replicas.db = None;
        replicas.ping_ms = now.ms() + universe.limits.ping_period_ms;
        self.touch(number);
        self.connections.mark_dirty(place);
        true
    }

    /// Ends the connections of replicas, which have to begin anew: their data is no longer the universe's.
    pub(crate) fn drop_replicas(&mut self, number: usize) {
        for place in std::mem::take(&mut self.universes[number].replicas.places) {
            if let Some(connection) = self.connections.get(place) {
                connection.end_after_output();
            }
            self.connections.mark_dirty(place);
        }
    }

    /// Hands out what was propagated in a universe.
    pub(crate) fn hand_out(&mut self, number: usize) {
        let replicas = &mut self.universes[number].replicas;
        if replicas.stream.is_empty() {
            return;
        }
        let stream = std::mem::take(&mut replicas.stream);
        for place in replicas.places.clone() {
            if let Some(connection) = self.connections.get(place) {
                connection.output.extend_from_slice(&stream);
                self.connections.mark_dirty(place);
            }
        }
    }
}

impl Universe {
    /// Whether effects have to be made at all.
    pub(crate) const fn wants_effects(&self) -> bool {
        self.durability.wants_effects() || !self.replicas.is_empty()
    }
}
