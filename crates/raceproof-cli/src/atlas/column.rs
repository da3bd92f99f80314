//! What may go wrong: the columns of the atlas.

use std::fmt;
use std::str::FromStr;

use raceproof_explore::{Bounds, Fault, Faults};

/// One thing that may go wrong, once, in an execution of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Nothing goes wrong: only the order is free.
    Calm,
    /// Time passes although a client could go on.
    Pause,
    /// A fault strikes.
    Fault(Fault),
}

impl Column {
    /// All of them, in the order in which they are shown.
    pub(crate) const ALL: [Self; 16] = [
        Self::Calm,
        Self::Pause,
        Self::Fault(Fault::Crash),
        Self::Fault(Fault::LostReply),
        Self::Fault(Fault::Late),
        Self::Fault(Fault::Partition),
        Self::Fault(Fault::CommitUnknown),
        Self::Fault(Fault::SqlAbort),
        Self::Fault(Fault::Restart),
        Self::Fault(Fault::PowerLoss),
        Self::Fault(Fault::Failover),
        Self::Fault(Fault::Lag),
        Self::Fault(Fault::Evict),
        Self::Fault(Fault::Flush),
        Self::Fault(Fault::ScriptFlush),
        Self::Fault(Fault::ClockJump),
    ];

    /// The name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Calm => "none",
            Self::Pause => "pause",
            Self::Fault(fault) => fault.name(),
        }
    }

    /// The options of `raceproof check` that let it happen.
    pub(crate) fn options(self) -> String {
        match self {
            Self::Calm => String::new(),
            Self::Pause => "--pauses 1".to_owned(),
            Self::Fault(fault) => format!("--faults {fault}=1"),
        }
    }

    /// The title of the column: short, since there are many.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Calm => "none",
            Self::Pause => "pause",
            Self::Fault(Fault::Crash) => "crash",
            Self::Fault(Fault::LostReply) => "reply",
            Self::Fault(Fault::Late) => "late",
            Self::Fault(Fault::Partition) => "cut",
            Self::Fault(Fault::CommitUnknown) => "commit",
            Self::Fault(Fault::SqlAbort) => "abort",
            Self::Fault(Fault::Restart) => "restart",
            Self::Fault(Fault::PowerLoss) => "power",
            Self::Fault(Fault::Failover) => "failover",
            Self::Fault(Fault::Lag) => "lag",
            Self::Fault(Fault::Evict) => "evict",
            Self::Fault(Fault::Flush) => "flush",
            Self::Fault(Fault::ScriptFlush) => "script",
            Self::Fault(Fault::ClockJump) => "clock",
        }
    }

    /// Two letters, for narrow terminals.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Calm => "no",
            Self::Pause => "pa",
            Self::Fault(Fault::Crash) => "cr",
            Self::Fault(Fault::LostReply) => "lr",
            Self::Fault(Fault::Late) => "la",
            Self::Fault(Fault::Partition) => "pt",
            Self::Fault(Fault::CommitUnknown) => "cu",
            Self::Fault(Fault::SqlAbort) => "sa",
            Self::Fault(Fault::Restart) => "rs",
            Self::Fault(Fault::PowerLoss) => "pl",
            Self::Fault(Fault::Failover) => "fo",
            Self::Fault(Fault::Lag) => "lg",
            Self::Fault(Fault::Evict) => "ev",
            Self::Fault(Fault::Flush) => "fl",
            Self::Fault(Fault::ScriptFlush) => "sf",
            Self::Fault(Fault::ClockJump) => "cj",
        }
    }

    /// What happens, in words.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Calm => "nothing goes wrong: only the order of the steps is free",
            Self::Pause => "all clients are held up once, to the next deadline or just past it",
            Self::Fault(Fault::Crash) => "a client dies, before a step or after it took effect",
            Self::Fault(Fault::LostReply) => "a client gets no reply to a command, which took effect or did not",
            Self::Fault(Fault::Late) => "a client gets no reply to a command, which arrives later, or never",
            Self::Fault(Fault::Partition) => "from one of its commands on a client does not reach Redis any more",
            Self::Fault(Fault::CommitUnknown) => "a client learns nothing of a commit, which took effect or did not",
            Self::Fault(Fault::SqlAbort) => "the database ends a transaction (deadlock, serialization failure)",
            Self::Fault(Fault::Restart) => "the Redis process ends and starts again, with all that was acknowledged",
            Self::Fault(Fault::PowerLoss) => "the machine goes down: any number of the writes of the last 2 s are lost",
            Self::Fault(Fault::Failover) => "a replica that lags behind becomes the primary",
            Self::Fault(Fault::Lag) => "a read from the replica shows an earlier state",
            Self::Fault(Fault::Evict) => "Redis evicts a key, any that there is",
            Self::Fault(Fault::Flush) => "somebody sends FLUSHALL",
            Self::Fault(Fault::ScriptFlush) => "somebody sends SCRIPT FLUSH",
            Self::Fault(Fault::ClockJump) => "the server's clock is stepped: past a key's deadline, or an hour back",
        }
    }

    /// How many times as many executions there are with this fault if it can do nothing to a protocol. One that can
    /// strike at any time has struck or has not, and commutes with every step then; the others need something to strike.
    pub(crate) const fn idle(self) -> u64 {
        match self {
            Self::Fault(
                Fault::Restart | Fault::PowerLoss | Fault::Failover | Fault::ScriptFlush | Fault::ClockJump,
            ) => 2,
            Self::Calm | Self::Pause | Self::Fault(_) => 1,
        }
    }

    /// The bounds of a scenario with this going wrong once, and nothing else.
    pub(crate) fn bounds(self, own: Bounds) -> Bounds {
        let (pauses, faults) = match self {
            Self::Calm => (0, Faults::NONE),
            Self::Pause => (1, Faults::NONE),
            Self::Fault(fault) => (0, Faults::NONE.with(fault, 1)),
        };
        Bounds { pauses, faults, ..own }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Column {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|column| column.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("nothing called '{text}' can go wrong: there are {names}")
        })
    }
}
