//! The faults that a search may inject, each with a budget of its own, and what a server keeps when it goes down.

use std::fmt;
use std::str::FromStr;

/// Something that goes wrong. Every kind is off unless it is given a budget: how often it may strike in one execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// A client dies: before one of its steps, or after it took effect and before the reply.
    Crash,
    /// A client gets no reply from Redis: at once, because the connection breaks, or after the library's time-out of
    /// 500 ms of virtual time. The command took effect or it did not.
    LostReply,
    /// A client gets no reply to a command, as with [`Fault::LostReply`], and goes on without one on a new connection,
    /// while the command is still on its way: it arrives at any later moment, or never.
    Late,
    /// From one of its commands on a client does not reach Redis any more; the others do.
    Partition,
    /// A client learns nothing of a `COMMIT`, or of a statement outside a transaction that writes: it took effect or it
    /// did not, and the connection is gone.
    CommitUnknown,
    /// The database ends a transaction at one of its statements (deadlock, serialization failure): it is rolled back.
    SqlAbort,
    /// The Redis process ends and starts again; the operating system lives. What it has kept is a matter of
    /// [`Persistence`]. Connections, scripts and watches are gone.
    Restart,
    /// As [`Fault::Restart`], and the operating system's buffers are lost as well.
    PowerLoss,
    /// A replica that lags behind becomes the primary: what it had not received is lost.
    Failover,
    /// A read from a replica shows an earlier state than the primary has, but none earlier than what was read from the
    /// replica before. Without a budget the replica is up to date.
    Lag,
    /// Redis evicts a key, any that there is.
    Evict,
    /// Somebody sends `FLUSHALL`.
    Flush,
    /// Somebody sends `SCRIPT FLUSH`.
    ScriptFlush,
    /// The clock of the Redis server is stepped: forward to just past the next deadline of a key, or an hour back. The
    /// clients' clocks are not.
    ClockJump,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Self; 14] = [
        Self::Crash,
        Self::LostReply,
        Self::Late,
        Self::Partition,
        Self::CommitUnknown,
        Self::SqlAbort,
        Self::Restart,
        Self::PowerLoss,
        Self::Failover,
        Self::Lag,
        Self::Evict,
        Self::Flush,
        Self::ScriptFlush,
        Self::ClockJump,
    ];

    /// The name on the command line and in scenario files, e.g. `lost-reply`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::LostReply => "lost-reply",
            Self::Late => "late",
            Self::Partition => "partition",
            Self::CommitUnknown => "commit-unknown",
            Self::SqlAbort => "sql-abort",
            Self::Restart => "restart",
            Self::PowerLoss => "power-loss",
            Self::Failover => "failover",
            Self::Lag => "lag",
            Self::Evict => "evict",
            Self::Flush => "flush",
            Self::ScriptFlush => "script-flush",
            Self::ClockJump => "clock-jump",
        }
    }

    const fn place(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFault(String);

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        write!(f, "unknown fault '{}': there are {}", self.0, names.join(", "))
    }
}

impl std::error::Error for UnknownFault {}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        Self::ALL.into_iter().find(|fault| fault.name() == text).ok_or_else(|| UnknownFault(text.to_owned()))
    }
}

/// How often each kind of fault may strike in one execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults([u32; Fault::ALL.len()]);

impl Faults {
    /// No faults.
    pub const NONE: Self = Self([0; Fault::ALL.len()]);

    /// The budget of one kind.
    #[must_use]
    pub const fn get(&self, fault: Fault) -> u32 {
        self.0[fault.place()]
    }

    /// The same with another budget of one kind.
    #[must_use]
    pub const fn with(mut self, fault: Fault, times: u32) -> Self {
        self.0[fault.place()] = times;
        self
    }

    /// How many faults may strike in all.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.0.iter().fold(0, |sum, times| sum.saturating_add(*times))
    }

    /// The kinds that have a budget, with it.
    pub fn iter(&self) -> impl Iterator<Item = (Fault, u32)> + '_ {
        Fault::ALL.into_iter().map(|fault| (fault, self.get(fault))).filter(|(_, times)| *times > 0)
    }

    /// Whether any may strike.
    pub(crate) fn may_strike(&self) -> bool {
        *self != Self::NONE
    }

    pub(crate) fn spend(&mut self, fault: Fault) {
        let left = &mut self.0[fault.place()];
        *left = left.saturating_sub(1);
    }

    /// Whether earlier states of the server may come back: every write then goes into a log.
    pub(crate) const fn keep_a_log(&self) -> bool {
        self.restart() || self.get(Fault::Lag) > 0
    }

    /// Whether the server may go down.
    pub(crate) const fn restart(&self) -> bool {
        self.get(Fault::Restart) > 0 || self.get(Fault::PowerLoss) > 0 || self.get(Fault::Failover) > 0
    }

    /// Whether something may still happen after the last client has ended.
    pub(crate) const fn go_on_to_the_end(&self) -> bool {
        self.strike_by_themselves() || self.get(Fault::Late) > 0
    }

    /// Whether a fault of the surroundings may strike, one that is no client's step.
    pub(crate) const fn strike_by_themselves(&self) -> bool {
        self.restart()
            || self.get(Fault::Evict) > 0
            || self.get(Fault::Flush) > 0
            || self.get(Fault::ScriptFlush) > 0
            || self.get(Fault::ClockJump) > 0
    }
}

/// `crash=1,restart=1`; `none` without faults.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.may_strike() {
            return f.write_str("none");
        }
        for (at, (fault, times)) in self.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(f, "{comma}{fault}={times}")?;
        }
        Ok(())
    }
}

/// What a Redis server has written where, and so what a restart and a power loss may cost.
///
/// What the setup wrote is durable under every policy but [`Persistence::None`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Persistence {
    /// `appendfsync always`: every acknowledged write is on disk. Nothing is lost.
    Always,
    /// `appendfsync everysec`: a power loss may lose the writes of the last [`EVERYSEC_WINDOW_MS`], a restart of the
    /// process loses none of what was acknowledged.
    #[default]
    EverySec,
    /// `appendfsync no`: a power loss may lose every write, a restart of the process loses none.
    No,
    /// Snapshots (RDB) only: both may lose every write since any earlier moment.
    Rdb,
    /// Nothing is kept: both lose everything, the setup included.
    None,
}

/// How old a write must be to survive a power loss under `appendfsync everysec` (virtual ms): the server gives the disk
/// up to two seconds before it holds its clients back. A disk that takes longer for an fsync loses more.
pub const EVERYSEC_WINDOW_MS: i64 = 2_000;

impl Persistence {
    /// All policies.
    pub const ALL: [Self; 5] = [Self::Always, Self::EverySec, Self::No, Self::Rdb, Self::None];

    /// The name on the command line and in scenario files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::EverySec => "everysec",
            Self::No => "no",
            Self::Rdb => "rdb",
            Self::None => "none",
        }
    }
}

impl fmt::Display for Persistence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no persistence policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPersistence(String);

impl fmt::Display for UnknownPersistence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Persistence::ALL.iter().map(|policy| policy.name()).collect();
        write!(f, "unknown persistence '{}': there are {}", self.0, names.join(", "))
    }
}

impl std::error::Error for UnknownPersistence {}

impl FromStr for Persistence {
    type Err = UnknownPersistence;

    fn from_str(text: &str) -> Result<Self, UnknownPersistence> {
        Self::ALL.into_iter().find(|policy| policy.name() == text).ok_or_else(|| UnknownPersistence(text.to_owned()))
    }
}
