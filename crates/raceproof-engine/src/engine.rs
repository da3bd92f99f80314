//! The engine: databases, sessions, and the one entry through which commands come in.

use bytes::Bytes;

use crate::{Effect, Footprint, Reply, ScriptHost};

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

/// What an engine is started with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The version whose commands exist.
    pub version: Version,
    /// The seed of every random choice (`RANDOMKEY`, `HRANDFIELD`, …).
    pub seed: u64,
    /// Whether replies that reveal insertion or hash-table order (`HGETALL`, `HKEYS`, `SCAN`, `KEYS`, …) are sorted.
    /// Exploration wants them sorted, since two writes of different fields commute but for that order; elsewhere
    /// Redis's own order is kept.
    pub sorted_replies: bool,
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
}

impl Default for Outcome {
    fn default() -> Self {
        Self { reply: Reply::Null, footprint: Footprint::default(), effects: Vec::new() }
    }
}

/// A Redis server as plain data. `Clone` is a snapshot.
#[derive(Clone, Debug)]
pub struct Engine {}

impl Engine {
    /// An empty server.
    #[must_use]
    pub fn new(_options: Options) -> Self {
        Self {}
    }

    /// Opens a connection.
    pub fn connect(&mut self) -> SessionId {
        SessionId(0)
    }

    /// Closes a connection: its transaction and its watched keys are dropped.
    pub fn disconnect(&mut self, _session: SessionId) {}

    /// Executes one command of a session at a time.
    pub fn execute(
        &mut self,
        _scripts: &mut dyn ScriptHost,
        _session: SessionId,
        _args: &[Bytes],
        _now: Timestamp,
        _out: &mut Outcome,
    ) {
    }

    /// The earliest deadline among all keys (ms since the Unix epoch). The key lives through that millisecond.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<i64> {
        None
    }

    /// Removes every key whose deadline has passed, as the server's own cycle does, and reports the `DEL`s.
    pub fn expire_due(&mut self, _now: Timestamp, _out: &mut Outcome) {}
}
