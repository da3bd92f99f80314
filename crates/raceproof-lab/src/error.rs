//! What can go wrong between us and a server.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use crate::binary::{INSTALL_HINT, SERVER_VARIABLE};
use crate::resp::RespError;

/// An error of the lab. Error *replies* of a server are no errors here, they are replies.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// There is no redis-server on PATH.
    #[error("redis-server is not on PATH; {INSTALL_HINT}")]
    NotInstalled,
    /// The named program cannot be run, or is no redis-server.
    #[error("{path:?} does not run as a redis-server: {why}; {SERVER_VARIABLE} or PATH names it")]
    NotAServer {
        /// The program.
        path: PathBuf,
        /// What happened instead.
        why: String,
    },
    /// A line break in a configuration value would start another directive.
    #[error("the configuration value of {key:?} holds a line break")]
    BadConfig {
        /// The directive.
        key: String,
    },
    /// The server ended before it answered, e.g. because it refuses its configuration.
    #[error("redis-server ended while starting ({status}); it said:\n{log}")]
    EndedAtStart {
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// The server runs but does not answer.
    #[error("redis-server did not answer PING within {waited:?}; it said:\n{log}")]
    NoAnswer {
        /// How long we waited.
        waited: Duration,
        /// The end of its log.
        log: String,
    },
    /// A command was sent and no whole reply came in time. It may have been applied.
    #[error("no reply to {command} within {waited:?}")]
    TimedOut {
        /// The command's name.
        command: String,
        /// How long we waited.
        waited: Duration,
    },
    /// The connection ended before the reply was read. The command may have been applied.
    #[error("the server closed the connection before it replied to {command}")]
    Closed {
        /// The command's name.
        command: String,
    },
    /// The server sent something that is not its protocol.
    #[error("the reply to {command} cannot be read: {cause}")]
    Resp {
        /// The command's name.
        command: String,
        /// What is wrong with the bytes.
        #[source]
        cause: RespError,
    },
    /// A command that the lab itself needs got an error reply.
    #[error("the server refused {command}: {text}")]
    Refused {
        /// The command, with its arguments.
        command: String,
        /// The error reply.
        text: String,
    },
    /// A command that depends on the server's clock, which is not held: see [`HeldClock`](crate::HeldClock).
    #[error("{what} needs the lab's clock")]
    NeedsClock {
        /// The command, and what it does with the clock.
        what: String,
    },
    /// A pause of the clients, of which the lab is one.
    #[error("CLIENT PAUSE cannot be played: it would hold the lab's own commands")]
    Paused,
    /// The server does not take the lab's clock.
    #[error("the server's clock cannot be held: {why}")]
    ClockNotHeld {
        /// Why not.
        why: String,
    },
    /// A time that no clock of the system shows.
    #[error("no clock can be set to {ms} ms since 1970: it is before that or after 2262")]
    NoSuchTime {
        /// Unix time, in ms.
        ms: i64,
    },
    /// What the lab has to do to other keys would be told to those who track them.
    #[error("an eviction beside keys with deadlines, such as {key:?}, cannot be played while somebody tracks keys")]
    Told {
        /// One of the keys, its bytes escaped.
        key: String,
    },
    /// The machine was too slow to tell on which side of a deadline a step of the clock ends.
    #[error(
        "{key:?} was given its deadline within {slack_ms} ms, too imprecise for the step of the clock; play it again"
    )]
    Imprecise {
        /// The key, its bytes escaped.
        key: String,
        /// How far apart the earliest and the latest possible deadline are.
        slack_ms: i64,
    },
    /// The machine was so slow that a key reached its deadline in real time while the server was down.
    #[error("{key:?} ended in real time before the server was back; play it again")]
    Late {
        /// The key, its bytes escaped.
        key: String,
    },
    /// The log cannot be cut there.
    #[error("the server cannot be brought back after entry {entries} of its log: {why}")]
    NoSuchLog {
        /// The entries that were to be kept.
        entries: usize,
        /// Why not.
        why: &'static str,
    },
    /// What a replica lacks is played from the start, with one that is held back, and the replies were other ones.
    #[error("played again with a replica, {command} gives another reply, so what the replica lacks cannot be played")]
    PlaysOtherwise {
        /// The command's name.
        command: String,
    },
    /// The lab has one replica that is read, which follows its primary or does not.
    #[error("{what} cannot be played: the lab has one replica to read, which follows its primary or does not")]
    OneReplica {
        /// What would take more.
        what: &'static str,
    },
    /// A replica did not come as far as its primary.
    #[error("the replica did not catch up within {waited:?}")]
    ReplicaLags {
        /// How long we waited.
        waited: Duration,
    },
    /// The server evicted something else than it was to evict.
    #[error("the server did not evict {key:?} alone: evicted_keys rose by {evicted}")]
    NotEvicted {
        /// The key, its bytes escaped.
        key: String,
        /// How many keys it did evict.
        evicted: i64,
    },
    /// A command that waits in simulation was replied to.
    #[error("{command} does not wait on the server")]
    DoesNotWait {
        /// The command's name.
        command: String,
    },
    /// A session that was never opened, or is closed.
    #[error("session {0} is not open")]
    NoSession(u32),
    /// The operating system refused something.
    #[error("{what}: {cause}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        cause: io::Error,
    },
}

impl LabError {
    /// Whether the machine was too slow, so that it may go well another time.
    pub(crate) const fn was_too_slow(&self) -> bool {
        matches!(self, Self::Imprecise { .. } | Self::Late { .. })
    }

    /// For `map_err`: an error of the operating system with what was tried.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |cause| Self::Io { what, cause }
    }
}
