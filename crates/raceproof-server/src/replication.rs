//! Replicas: who says `SYNC` or `PSYNC` gets a snapshot, and from then on every effect.
//!
//! A Redis may be a replica of a universe (`REPLICAOF 127.0.0.1 6399`), and so may a test that wants to see what is
//! propagated. From the first replica on the latest bytes of the stream are kept (`repl-backlog-size`), so that one which comes
//! back soon goes on where it was. What replicas acknowledge (`REPLCONF ACK`) is told the engine, whose `WAIT` goes by it.

use std::collections::VecDeque;

use bytes::Bytes;
use raceproof_engine::{Effect, Replica, Reply, SessionId, Stream, Timestamp};

use crate::request::write;
use crate::server::Server;
use crate::universe::Universe;

/// What a replica says of itself with `REPLCONF`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Announced {
    port: u16,
    host: Option<String>,
    /// Whether it understands which history it goes on with.
    knows_histories: bool,
}

/// One of those who get the effects.
#[derive(Clone, Copy, Debug)]
struct Fed {
    /// The place of its connection.
    place: usize,
    /// How much it has acknowledged (bytes of the stream), and when it last did (Unix ms).
    acknowledged: i64,
    heard_ms: i64,
    /// Whether it has what it was sent at first.
    is_online: bool,
}

/// Those who get the effects of a universe.
#[derive(Debug, Default)]
pub(crate) struct Replicas {
    fed: Vec<Fed>,
    /// What was propagated and is not handed out yet.
    stream: Vec<u8>,
    /// The database that the stream has selected.
    db: Option<u32>,
    /// When they are told that the universe is still there (Unix ms).
    ping_ms: i64,
    /// How many bytes of the stream there have been.
    offset: i64,
    /// The latest of them, from the first replica on.
    backlog: Option<VecDeque<u8>>,
    /// Since when there has been no replica (Unix ms).
    alone_since_ms: i64,
    /// How many histories there were before this one.
    epoch: u64,
}

impl Replicas {
    pub(crate) const fn is_empty(&self) -> bool {
        self.fed.is_empty()
    }

    /// Whether the stream goes on: for those who are there, or may come back.
    pub(crate) const fn is_kept(&self) -> bool {
        !self.fed.is_empty() || self.backlog.is_some()
    }

    pub(crate) const fn offset(&self) -> i64 {
        self.offset
    }

    pub(crate) fn forget(&mut self, place: usize, now_ms: i64) {
        let before = self.fed.len();
        self.fed.retain(|known| known.place != place);
        if self.fed.is_empty() && before > 0 {
            self.alone_since_ms = now_ms;
        }
    }

    /// Keeps the end of the stream no longer if nobody came back for it.
    pub(crate) fn expire_backlog(&mut self, now_ms: i64, ttl_s: i64) {
        if self.fed.is_empty() && ttl_s > 0 && now_ms - self.alone_since_ms > ttl_s.saturating_mul(1000) {
            self.backlog = None;
        }
    }

    /// Counts what is handed out, and keeps the end of it.
    fn keep(&mut self, bytes: &[u8], most: usize) {
        self.offset += bytes.len() as i64;
        if let Some(backlog) = &mut self.backlog {
            backlog.extend(bytes);
            let over = backlog.len().saturating_sub(most);
            backlog.drain(..over);
        }
    }

    /// What comes from an offset on, if it is kept.
    fn since(&self, next: i64) -> Option<Vec<u8>> {
        let backlog = self.backlog.as_ref()?;
        let missing = usize::try_from(self.offset.checked_add(1)?.checked_sub(next)?).ok()?;
        let from = backlog.len().checked_sub(missing)?;
        Some(backlog.range(from..).copied().collect())
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

    /// When the replicas are told something, or the end of the stream is kept no longer (Unix ms).
    pub(crate) fn next_event_ms(&self, backlog_ttl_s: i64) -> Option<i64> {
        if !self.fed.is_empty() {
            return Some(self.ping_ms);
        }
        let ends = backlog_ttl_s > 0 && self.backlog.is_some();
        ends.then(|| self.alone_since_ms.saturating_add(backlog_ttl_s.saturating_mul(1000)).saturating_add(1))
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
        let universe = &self.universes[number];
        let is = |name: &str| args[0].eq_ignore_ascii_case(name.as_bytes());
        let arity_fits = if is("psync") { args.len() == 3 } else { is("replconf") || args.len() == 1 };
        let engine = &universe.engine;
        if !arity_fits || !engine.may_see_everything(session) || engine.in_transaction(session) {
            return false;
        }
        if is("replconf") {
            self.configure_replica(place, number, args);
        } else if !connection.is_fed {
            self.feed(place, number, session, args);
        }
        true
    }

    /// `REPLCONF option value …`
    fn configure_replica(&mut self, place: usize, number: usize, args: &[Bytes]) {
        if args.len().is_multiple_of(2) {
            return self.reply(place, &Reply::Error(Bytes::from_static(b"ERR syntax error")));
        }
        for pair in args[1..].chunks_exact(2) {
            let Some(connection) = self.connections.get(place) else { return };
            let text = || String::from_utf8_lossy(&pair[1]).into_owned();
            match pair[0].to_ascii_lowercase().as_slice() {
                b"listening-port" => match text().parse() {
                    Ok(port) => connection.announced.port = port,
                    Err(_) => {
                        let text = b"ERR value is not an integer or out of range";
                        return self.reply(place, &Reply::Error(Bytes::from_static(text)));
                    }
                },
                b"ip-address" => connection.announced.host = Some(text()),
                b"capa" => connection.announced.knows_histories |= pair[1].eq_ignore_ascii_case(b"psync2"),
                b"ack" => return self.take_acknowledgement(place, number, text().parse().ok()),
                // What a replica is asked.
                b"getack" => return,
                b"rdb-only" | b"rdb-filter-only" => {}
                _ => {
                    let text = format!("ERR Unrecognized REPLCONF option: {}", String::from_utf8_lossy(&pair[0]));
                    return self.reply(place, &Reply::Error(text.into()));
                }
            }
        }
        self.reply(place, &Reply::Simple("OK"));
    }

    fn take_acknowledgement(&mut self, place: usize, number: usize, offset: Option<i64>) {
        let universe = &mut self.universes[number];
        let now = universe.clock.now(self.machine_us);
        let Some(fed) = universe.replicas.fed.iter_mut().find(|fed| fed.place == place) else { return };
        fed.acknowledged = fed.acknowledged.max(offset.unwrap_or(0));
        (fed.heard_ms, fed.is_online) = (now.ms(), true);
        self.tell_stream(number);
        self.universes[number].engine.acknowledged(&mut self.outcome);
        for delivery in std::mem::take(&mut self.outcome.deliveries) {
            self.deliver(number, &delivery, now);
        }
    }

    /// Makes a connection that of a replica: it gets what it lacks, and then every effect.
    fn feed(&mut self, place: usize, number: usize, session: SessionId, args: &[Bytes]) {
        let universe = &mut self.universes[number];
        let now = universe.clock.now(self.machine_us);
        let Some(connection) = self.connections.get(place) else { return };
        let identity = universe.engine.history_identity(universe.replicas.epoch);
        let asked = args.get(2).and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
        let known = args.get(1).is_some_and(|id| id.eq_ignore_ascii_case(identity.as_bytes()));
        let missing = asked.filter(|_| known).and_then(|next| universe.replicas.since(next));
        let acknowledged = missing.is_some().then(|| asked.unwrap_or(1) - 1);
        match &missing {
            Some(missing) => {
                self.counts.partial_syncs += 1;
                let name = if connection.announced.knows_histories { format!(" {identity}") } else { String::new() };
                connection.output.extend_from_slice(format!("+CONTINUE{name}\r\n").as_bytes());
                connection.output.extend_from_slice(missing);
            }
            None => {
                self.counts.full_syncs += 1;
                self.counts.refused_partial_syncs += u64::from(args.get(1).is_some_and(|id| id.as_ref() != b"?"));
                let snapshot = universe.engine.snapshot(now);
                if args.len() == 3 {
                    let text = format!("+FULLRESYNC {identity} {}\r\n", universe.replicas.offset);
                    connection.output.extend_from_slice(text.as_bytes());
                }
                connection.output.extend_from_slice(format!("${}\r\n", snapshot.len()).as_bytes());
                connection.output.extend_from_slice(&snapshot);
                connection.spared = connection.output.len();
            }
        }
        connection.is_fed = true;
        universe.engine.make_fed(session);
        let period_ms = universe.limits.ping_period_ms;
        let replicas = &mut universe.replicas;
        replicas.backlog.get_or_insert_default();
        replicas.forget(place, now.ms());
        let acknowledged = acknowledged.unwrap_or(0);
        replicas.fed.push(Fed { place, acknowledged, heard_ms: now.ms(), is_online: missing.is_some() });
        if missing.is_none() {
            replicas.db = None;
        }
        replicas.ping_ms = now.ms() + period_ms;
        self.tell_stream(number);
        self.touch(number);
        self.connections.mark_dirty(place);
    }

    /// Tells the engine of the replicas, and of what they have acknowledged.
    pub(crate) fn tell_stream(&mut self, number: usize) {
        let universe = &mut self.universes[number];
        let now_ms = universe.clock.now(self.machine_us).ms();
        let mut replicas = Vec::with_capacity(universe.replicas.fed.len());
        for fed in &mut universe.replicas.fed {
            let Some(connection) = self.connections.get(fed.place) else { continue };
            fed.is_online |= connection.pending_output() == 0;
            let peer = String::from_utf8_lossy(&connection.addresses.peer).into_owned();
            let host = peer.rsplit_once(':').map_or(peer.as_str(), |(host, _)| host);
            let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            replicas.push(Replica {
                host: connection.announced.host.clone().unwrap_or(host),
                port: connection.announced.port,
                acknowledged: fed.acknowledged,
                lag_s: now_ms.div_euclid(1000) - fed.heard_ms.div_euclid(1000),
                is_online: fed.is_online,
            });
        }
        let identity = universe.engine.history_identity(universe.replicas.epoch);
        universe.replicas.expire_backlog(now_ms, universe.limits.backlog_ttl_s);
        let backlog = universe.replicas.backlog.as_ref().map(VecDeque::len);
        let stream = Stream { replicas, identity, offset: universe.replicas.offset, backlog };
        universe.engine.process_mut().stream = stream;
    }

    /// Asks replicas how far they are, for those who wait for it.
    pub(crate) fn ask_replicas(&mut self, number: usize) {
        let universe = &mut self.universes[number];
        if universe.replicas.is_empty() || !universe.engine.waits_for_replicas() {
            return;
        }
        let words = [&b"REPLCONF"[..], b"GETACK", b"*"].map(Bytes::from_static);
        write(&mut universe.replicas.stream, &words);
        self.hand_out(number);
    }

    /// Ends the connections of replicas, which have to begin anew: their data is no longer the universe's.
    pub(crate) fn drop_replicas(&mut self, number: usize) {
        let replicas = &mut self.universes[number].replicas;
        (replicas.backlog, replicas.epoch) = (None, replicas.epoch + 1);
        for fed in std::mem::take(&mut replicas.fed) {
            if let Some(connection) = self.connections.get(fed.place) {
                connection.end_after_output();
            }
            self.connections.mark_dirty(fed.place);
        }
        self.tell_stream(number);
    }

    /// Hands out what was propagated in a universe.
    pub(crate) fn hand_out(&mut self, number: usize) {
        let universe = &mut self.universes[number];
        let replicas = &mut universe.replicas;
        if replicas.stream.is_empty() {
            return;
        }
        let stream = std::mem::take(&mut replicas.stream);
        replicas.keep(&stream, universe.limits.backlog);
        for fed in &replicas.fed {
            if let Some(connection) = self.connections.get(fed.place) {
                connection.output.extend_from_slice(&stream);
                self.connections.mark_dirty(fed.place);
            }
        }
    }
}

impl Universe {
    /// Whether effects have to be made at all.
    pub(crate) const fn wants_effects(&self) -> bool {
        self.durability.wants_effects() || self.replicas.is_kept()
    }
}
