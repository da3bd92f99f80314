//! The clock of a universe: the machine's, shifted or stopped.

use raceproof_engine::Timestamp;

/// What time it is in a universe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// It runs with the machine's, so many microseconds ahead of it (or behind, if negative).
    Running {
        /// Microseconds ahead of the machine's clock.
        ahead_us: i64,
    },
    /// It stands still until somebody moves it.
    Frozen {
        /// Microseconds since the Unix epoch.
        at_us: i64,
    },
}

impl Clock {
    /// The machine's clock as it is.
    pub const REAL: Self = Self::Running { ahead_us: 0 };
    /// The latest time that a clock shows (ms): the year 9999, so that sums of it with any time to live stay in range.
    pub const LATEST_MS: i64 = LATEST_MS;

    /// A clock that stands still at this moment.
    #[must_use]
    pub fn frozen_now() -> Self {
        Self::Frozen { at_us: machine_us() }
    }

    /// The time, given the machine's.
    pub(crate) const fn now(self, machine_us: i64) -> Timestamp {
        match self {
            Self::Running { ahead_us } => Timestamp { unix_us: machine_us.saturating_add(ahead_us) },
            Self::Frozen { at_us } => Timestamp { unix_us: at_us },
        }
    }

    /// The same clock, showing another time at this moment. It runs on if it was running.
    pub(crate) const fn moved_to(self, at: Timestamp, machine_us: i64) -> Self {
        match self {
            Self::Running { .. } => Self::Running { ahead_us: at.unix_us.saturating_sub(machine_us) },
            Self::Frozen { .. } => Self::Frozen { at_us: at.unix_us },
        }
    }

    pub(crate) const fn frozen(self, machine_us: i64) -> Self {
        Self::Frozen { at_us: self.now(machine_us).unix_us }
    }

    pub(crate) const fn resumed(self, machine_us: i64) -> Self {
        Self::Running { ahead_us: self.now(machine_us).unix_us.saturating_sub(machine_us) }
    }

    /// When this clock will show a time, by the machine's clock. Never, if it stands still.
    pub(crate) const fn machine_time_of(self, unix_ms: i64) -> Option<i64> {
        match self {
            Self::Running { ahead_us } => Some(unix_ms.saturating_mul(1000).saturating_sub(ahead_us)),
            Self::Frozen { .. } => None,
        }
    }
}

/// The machine's clock: microseconds since the Unix epoch.
pub(crate) fn machine_us() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

pub(crate) const LATEST_MS: i64 = 253_402_300_799_999;

/// A span of time as people write it: `1500` (ms), `250ms`, `90s`, `5m`, `1h`, `7d`.
pub(crate) fn span_ms(text: &[u8]) -> Option<i64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number: i64 = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
    let unit = match text[digits..].to_ascii_lowercase().as_slice() {
        b"" | b"ms" => 1,
        b"s" => 1000,
        b"m" => 60_000,
        b"h" => 3_600_000,
        b"d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(unit).filter(|span| *span <= LATEST_MS)
}
