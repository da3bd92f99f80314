//! How a transition turns out.

use crate::faults::Fault;

/// How a transition turns out, where more than one way is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// A step takes effect and its client gets the reply.
    Done,
    /// The client dies before the step.
    CrashBefore,
    /// The step takes effect and the client dies before the reply.
    CrashAfter,
    /// The connection to Redis breaks before the command arrives.
    BrokenBefore,
    /// The command takes effect and the connection breaks before the reply.
    BrokenAfter,
    /// The command is lost, and its client waits for the reply until its time-out.
    SilenceBefore,
    /// The command takes effect, the reply is lost, and its client waits for it until its time-out.
    SilenceAfter,
    /// The connection breaks, and the command is still on its way.
    LateBroken,
    /// The client waits for the reply until its time-out, and the command is still on its way.
    LateSilence,
    /// A command that was on its way arrives.
    Arrives,
    /// The message that a client looks for is still on its way.
    NotArrived,
    /// The replica that is read has so many entries of the log, and there are more.
    Behind(u16),
    /// From this command on the client does not reach Redis.
    Unreachable,
    /// The connection to the database breaks before what would be committed is.
    UnknownBefore,
    /// The statement commits, and the connection to the database breaks before the client learns of it.
    UnknownAfter,
    /// The database rolls the transaction back instead.
    Aborted,
    /// The clock advances to the next deadline: a key still lives through it, a sleep ends.
    ToDeadline,
    /// The clock advances to the first millisecond after the next deadline.
    PastDeadline,
    /// The Redis process starts again, with so many entries of the log.
    Restart(Kept),
    /// So does the machine.
    PowerLoss(Kept),
    /// A replica that has so many entries of the log takes over.
    Failover(Kept),
    /// The key with this name (see [`evicted`]) is evicted.
    Evict(u32),
    /// `FLUSHALL`.
    Flush,
    /// `SCRIPT FLUSH`.
    ScriptFlush,
    /// The server's clock is stepped to just past the next deadline of a key.
    JumpForward,
    /// The server's clock is stepped back.
    JumpBack,
}

impl Outcome {
    /// What is left of the log, if the server starts again.
    pub(crate) const fn restarts(self) -> Option<Kept> {
        match self {
            Self::Restart(kept) | Self::PowerLoss(kept) | Self::Failover(kept) => Some(kept),
            _ => None,
        }
    }

    /// The fault that it is, if it is one.
    pub(crate) const fn fault(self) -> Option<Fault> {
        match self {
            Self::Done | Self::Arrives | Self::NotArrived | Self::ToDeadline | Self::PastDeadline => None,
            Self::CrashBefore | Self::CrashAfter => Some(Fault::Crash),
            Self::BrokenBefore | Self::BrokenAfter | Self::SilenceBefore | Self::SilenceAfter => Some(Fault::LostReply),
            Self::LateBroken | Self::LateSilence => Some(Fault::Late),
            Self::Behind(_) => Some(Fault::Lag),
            Self::Unreachable => Some(Fault::Partition),
            Self::UnknownBefore | Self::UnknownAfter => Some(Fault::CommitUnknown),
            Self::Aborted => Some(Fault::SqlAbort),
            Self::Restart(_) => Some(Fault::Restart),
            Self::PowerLoss(_) => Some(Fault::PowerLoss),
            Self::Failover(_) => Some(Fault::Failover),
            Self::Evict(_) => Some(Fault::Evict),
            Self::Flush => Some(Fault::Flush),
            Self::ScriptFlush => Some(Fault::ScriptFlush),
            Self::JumpForward | Self::JumpBack => Some(Fault::ClockJump),
        }
    }
}

/// How many entries of the log a server has that comes back: every write is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kept {
    /// Not even what the setup wrote.
    Nothing,
    Entries(u16),
}

/// A number for a key that means the same in every run: FNV-1a of its database and its name.
pub(crate) fn evicted(db: u32, key: &[u8]) -> u32 {
    let bytes = db.to_le_bytes().into_iter().chain(key.iter().copied());
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
