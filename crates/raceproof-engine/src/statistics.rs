//! What a server counts: for `INFO`, `SLOWLOG` and `LATENCY HISTOGRAM`.

use std::{
    collections::{BTreeMap, VecDeque},
    hash::{Hash, Hasher},
};

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::{Reply, session::Session};

/// Counts since the start, or since `CONFIG RESETSTAT`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statistics {
    pub(crate) connections: u64,
    pub(crate) commands: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) expired: u64,
    pub(crate) evicted: u64,
    pub(crate) error_replies: u64,
    /// What was changed since the last `SAVE`: elements, fields, members, keys.
    pub(crate) changes: u64,
    pub(crate) saves: u64,
    /// How often `BGREWRITEAOF` was called.
    pub(crate) rewrites: u64,
    /// By where the name of the command lies, which is quicker to find than by the name. A name may lie in several places.
    by_command: FxHashMap<usize, (&'static str, Calls)>,
    /// By the first word of the error.
    pub(crate) errors: BTreeMap<Bytes, u64>,
    /// The latest first.
    pub(crate) slow: VecDeque<Slow>,
    /// The number of the next entry of the slow log.
    pub(crate) next_slow: i64,
    /// What took longer than `latency-monitor-threshold`, by the kind of event.
    pub(crate) spikes: BTreeMap<&'static str, Spikes>,
}

/// The latest events of one kind that took long.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Spikes {
    /// When (Unix s), and for how long (ms); the latest last, one for each second.
    pub(crate) latest: VecDeque<(i64, i64)>,
    /// The longest since the monitor was reset (ms).
    pub(crate) longest_ms: i64,
}

/// How many events of a kind are kept.
const SPIKES: usize = 160;

impl Spikes {
    fn add(&mut self, at_s: i64, took_ms: i64) {
        self.longest_ms = self.longest_ms.max(took_ms);
        match self.latest.back_mut() {
            Some((last_s, longest_ms)) if *last_s == at_s => *longest_ms = (*longest_ms).max(took_ms),
            _ => self.latest.push_back((at_s, took_ms)),
        }
        if self.latest.len() > SPIKES {
            self.latest.pop_front();
        }
    }
}

/// How often a command was called.
#[derive(Clone, Copy, Debug, Default, Hash)]
pub(crate) struct Calls {
    pub(crate) made: u64,
    pub(crate) took_us: u64,
    /// Refused before it was executed.
    pub(crate) rejected: u64,
    /// Executed with an error for its reply.
    pub(crate) failed: u64,
}

/// An entry of the slow log.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Slow {
    pub(crate) id: i64,
    pub(crate) at_s: i64,
    pub(crate) took_us: i64,
    pub(crate) args: Vec<Bytes>,
    pub(crate) client: Bytes,
    pub(crate) address: Bytes,
}

/// Where the code of an error must have ended for it to count as one.
const LONGEST_CODE: usize = 31;

/// How many arguments an entry of the slow log has at most, and how many bytes of each.
const SLOW_ARGS: usize = 32;
const SLOW_ARG: usize = 128;

impl Statistics {
    /// Forgets all counts; the slow log and the latency monitor stay, and so does what was changed since the last save.
    pub(crate) fn reset(&mut self) {
        let Self { changes, slow, next_slow, spikes, .. } = std::mem::take(self);
        *self = Self { changes, slow, next_slow, spikes, ..Self::default() };
    }

    /// The calls of each command, by its name.
    pub(crate) fn calls(&self) -> BTreeMap<&'static str, Calls> {
        let mut all: BTreeMap<&'static str, Calls> = BTreeMap::new();
        for (name, Calls { made, took_us, rejected, failed }) in self.by_command.values() {
            let calls = all.entry(name).or_default();
            calls.made += made;
            calls.took_us += took_us;
            calls.rejected += rejected;
            calls.failed += failed;
        }
        all
    }

    fn calls_mut(&mut self, command: &'static str) -> &mut Calls {
        &mut self.by_command.entry(command.as_ptr().addr()).or_insert_with(|| (command, Calls::default())).1
    }

    /// A command was refused before it was executed.
    pub(crate) fn count_rejected(&mut self, command: &'static str) {
        self.calls_mut(command).rejected += 1;
    }

    /// A command was executed.
    pub(crate) fn count(&mut self, command: &'static str, failed: bool, took_us: i64) {
        self.commands += 1;
        let calls = self.calls_mut(command);
        calls.made += 1;
        calls.took_us += took_us.unsigned_abs();
        calls.failed += u64::from(failed);
    }

    /// An error was replied.
    pub(crate) fn count_error(&mut self, reply: &Reply) {
        if let Reply::Error(text) = reply {
            self.error_replies += 1;
            let code = text.iter().take(LONGEST_CODE).position(|byte| *byte == b' ').map(|end| text.slice(..end));
            *self.errors.entry(code.unwrap_or(Bytes::from_static(b"ERR"))).or_default() += 1;
        }
    }

    /// Something took long enough for the latency monitor.
    pub(crate) fn add_spike(&mut self, event: &'static str, at_s: i64, took_ms: i64) {
        self.spikes.entry(event).or_default().add(at_s, took_ms);
    }

    /// Puts a command into the slow log, cut where it is long.
    pub(crate) fn log(&mut self, args: &[Bytes], at_s: i64, took_us: i64, by: &Session, longest: usize) {
        let shown = if args.len() > SLOW_ARGS { SLOW_ARGS - 1 } else { args.len() };
        let mut kept: Vec<Bytes> = args[..shown].iter().map(cut).collect();
        if shown < args.len() {
            kept.push(format!("... ({} more arguments)", args.len() - shown).into());
        }
        self.slow.push_front(Slow {
            id: self.next_slow,
            at_s,
            took_us,
            args: kept,
            client: by.name.clone(),
            address: Bytes::copy_from_slice(by.peer()),
        });
        self.next_slow += 1;
        self.slow.truncate(longest);
    }
}

impl Hash for Statistics {
    /// The calls in the order of their names: that of the table is made by chance.
    fn hash<H: Hasher>(&self, to: &mut H) {
        let Self {
            connections,
            commands,
            hits,
            misses,
            expired,
            evicted,
            error_replies,
            changes,
            saves,
            rewrites,
            by_command: _,
            errors,
            slow,
            next_slow,
            spikes,
        } = self;
        (connections, commands, hits, misses, expired, evicted, error_replies, changes, saves, rewrites).hash(to);
        (self.calls(), errors, slow, next_slow, spikes).hash(to);
    }
}

fn cut(arg: &Bytes) -> Bytes {
    if arg.len() <= SLOW_ARG {
        return arg.clone();
    }
    let mut text = arg[..SLOW_ARG].to_vec();
    text.extend_from_slice(format!("... ({} more bytes)", arg.len() - SLOW_ARG).as_bytes());
    text.into()
}
