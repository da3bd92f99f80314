//! What a process knows of its sockets, its replicas and itself, which the engine is told so that `INFO`, `CLIENT LIST`, `ROLE` and `WAIT`
//! can tell it. It is no part of the state: exploration has none of it.

use crate::{Access, Engine, Object, Outcome, SessionId, wait};

/// What a process counts since it started, or since `CONFIG RESETSTAT` where `INFO` shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessCounts {
    /// Bytes that came from clients.
    pub input_bytes: u64,
    /// Bytes that went to clients.
    pub output_bytes: u64,
    /// Bytes that went to replicas.
    pub replica_bytes: u64,
    /// How often a socket was read.
    pub reads: u64,
    /// How often a socket was written to.
    pub writes: u64,
    /// Connections refused for `maxclients`.
    pub rejected: u64,
    /// Connections closed for `maxmemory-clients`.
    pub evicted: u64,
    /// Replicas that were sent everything.
    pub full_syncs: u64,
    /// Replicas that went on from an offset.
    pub partial_syncs: u64,
    /// Replicas that asked to go on from an offset, and could not.
    pub refused_partial_syncs: u64,
}

impl ProcessCounts {
    fn since(self, base: Self) -> Self {
        Self {
            input_bytes: self.input_bytes.saturating_sub(base.input_bytes),
            output_bytes: self.output_bytes.saturating_sub(base.output_bytes),
            replica_bytes: self.replica_bytes.saturating_sub(base.replica_bytes),
            reads: self.reads.saturating_sub(base.reads),
            writes: self.writes.saturating_sub(base.writes),
            rejected: self.rejected.saturating_sub(base.rejected),
            evicted: self.evicted.saturating_sub(base.evicted),
            full_syncs: self.full_syncs.saturating_sub(base.full_syncs),
            partial_syncs: self.partial_syncs.saturating_sub(base.partial_syncs),
            refused_partial_syncs: self.refused_partial_syncs.saturating_sub(base.refused_partial_syncs),
        }
    }
}

/// The buffers of a connection, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buffers {
    /// The number of its file.
    pub file: i32,
    /// What has come in and is not executed; of the one whose command is being executed, the engine knows better.
    pub input: usize,
    /// The room of the input buffer, what has come in included.
    pub input_room: usize,
    /// Arguments of a command that is not complete.
    pub arguments: usize,
    /// The size of the reply buffer, and how much of it was in use at most of late.
    pub reply_buffer: usize,
    /// See above.
    pub reply_peak: usize,
    /// What waits in the reply buffer.
    pub output: usize,
    /// How many blocks wait behind it, and the memory that they take.
    pub output_blocks: usize,
    /// See above.
    pub output_memory: usize,
    /// Whether the socket does not take what is to go out.
    pub awaits_room: bool,
}

/// A replica of this server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replica {
    /// Its address, and the port that it listens on.
    pub host: String,
    /// See above.
    pub port: u16,
    /// How much of the stream it has acknowledged (bytes).
    pub acknowledged: i64,
    /// How long ago that was (s).
    pub lag_s: i64,
    /// Whether it has the snapshot, so that its lag counts.
    pub is_online: bool,
}

/// The stream that replicas are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// Those who get it.
    pub replicas: Vec<Replica>,
    /// The name of the history that it belongs to: 40 hexadecimal digits.
    pub identity: String,
    /// How many bytes have been sent.
    pub offset: i64,
    /// The bytes that are kept for replicas that come back, if any ever were: how many.
    pub backlog: Option<usize>,
}

impl Stream {
    /// How many replicas have acknowledged as much.
    fn acknowledged(&self, offset: i64) -> i64 {
        self.replicas.iter().filter(|replica| replica.is_online && replica.acknowledged >= offset).count() as i64
    }
}

/// The machine as a process meets it. Whoever wants equal replies in every run does not tell it.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// `process_id`
    pub id: u32,
    /// The path of the program.
    pub executable: String,
    /// The operating system, as `uname` names it.
    pub system: String,
    /// Processor time used by itself (µs): in the system, and in the program.
    pub system_us: i64,
    /// See above.
    pub user_us: i64,
    /// Resident memory, and the machine's (bytes).
    pub resident: usize,
    /// See above.
    pub memory: usize,
    /// What it has counted.
    pub counts: ProcessCounts,
    /// The buffers of each connection, by the number of its session.
    pub buffers: Vec<Buffers>,
}

/// What a process knows that an engine does not.
#[derive(Clone, Debug)]
pub struct Process {
    /// The machine, if it is told.
    pub machine: Option<Machine>,
    /// The stream of its replicas.
    pub stream: Stream,
    /// After how long the peak of a reply buffer is forgotten (ms), or never (`DEBUG REPLYBUFFER`).
    pub reply_peak_ms: Option<i64>,
    /// What was counted when the counts were reset.
    base: ProcessCounts,
    /// The most memory that the data was ever seen to take.
    pub(crate) peak: usize,
}

impl Process {
    /// After how long Redis forgets the peak of a reply buffer (ms).
    pub(crate) const REPLY_PEAK_MS: i64 = 5000;

    /// The counts since the last reset.
    pub(crate) fn counted(&self) -> ProcessCounts {
        self.machine.as_ref().map(|machine| machine.counts.since(self.base)).unwrap_or_default()
    }

    pub(crate) fn reset(&mut self) {
        self.base = self.machine.as_ref().map(|machine| machine.counts).unwrap_or_default();
    }

    /// The buffers of a session's connection, if they are told.
    pub(crate) fn buffers_of(&self, session: usize) -> Option<Buffers> {
        self.machine.as_ref()?.buffers.get(session).copied()
    }
}

impl Default for Process {
    fn default() -> Self {
        Self {
            machine: None,
            stream: Stream::default(),
            reply_peak_ms: Some(Self::REPLY_PEAK_MS),
            base: ProcessCounts::default(),
            peak: 0,
        }
    }
}

impl Engine {
    /// What the process has said of itself, to be said anew: before a command that shows it.
    pub fn process_mut(&mut self) -> &mut Process {
        self.process.get_or_insert_with(Box::default)
    }

    /// A connection is one to a replica of this server, which is sent all effects from now on: it counts as one in `CLIENT LIST`, may
    /// read and write no keys, and is never paused.
    pub fn make_fed(&mut self, session: SessionId) {
        if let Some(session) = self.sessions.get_mut(session.0 as usize) {
            session.fed = true;
        }
    }

    /// The offset that a session's `WAIT` waits for: how far the stream was when its last command had been executed.
    pub fn wrote_up_to(&mut self, session: SessionId, offset: i64) {
        if let Some(session) = self.sessions.get_mut(session.0 as usize) {
            session.wrote_up_to = offset;
        }
    }

    /// Whether some session waits for replicas (`WAIT`), which are then to be asked how far they are.
    #[must_use]
    pub fn waits_for_replicas(&self) -> bool {
        self.sessions.iter().any(|session| session.wait.as_ref().is_some_and(|wait| wait.is_for_replicas()))
    }

    /// Ends the waits (`WAIT`) for which as many replicas as are wanted have acknowledged what the session wrote; the others will
    /// tell as many as there are now when their time is over.
    pub fn acknowledged(&mut self, out: &mut Outcome) {
        out.clear();
        let Some(process) = self.process.take() else { return };
        for index in 0..self.sessions.len() {
            let session = &mut self.sessions[index];
            let Some(wait) = session.wait.as_mut().filter(|wait| wait.is_for_replicas()) else { continue };
            let count = process.stream.acknowledged(session.wrote_up_to);
            wait.late = crate::Reply::Integer(count);
            if wait.wanted_replicas().is_some_and(|wanted| count >= wanted)
                && let Some(wait) = self.end_wait(index, &mut out.footprint)
            {
                out.deliveries.push(wait::delivery(index, wait.silent, wait.late));
            }
        }
        out.footprint.add(Object::Server, Access::Write);
        self.process = Some(process);
    }

    /// How many replicas have acknowledged what a session wrote.
    pub(crate) fn acknowledgements(&self, session: usize) -> i64 {
        let offset = self.sessions.get(session).map_or(0, |session| session.wrote_up_to);
        self.process.as_ref().map_or(0, |process| process.stream.acknowledged(offset))
    }

    /// How many replicas count for `min-replicas-to-write`: those that were heard of within `min-replicas-max-lag`.
    pub(crate) fn good_replicas(&self) -> usize {
        let longest_s = self.config.longest_lag_s();
        let is_good = |replica: &&Replica| replica.is_online && replica.lag_s <= longest_s;
        self.process.as_ref().map_or(0, |process| process.stream.replicas.iter().filter(is_good).count())
    }

    /// Whether what is published is to be sent on to replicas.
    pub(crate) fn has_replicas(&self) -> bool {
        self.process.as_ref().is_some_and(|process| !process.stream.replicas.is_empty())
    }
}
