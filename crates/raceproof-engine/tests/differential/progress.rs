//! How far a long comparison is.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::support::search::number;

/// Says every so often how far it is. The test harness keeps it to itself but with `--nocapture`.
pub(crate) struct Progress {
    wanted: u64,
    begin: Instant,
    every: Duration,
    said: Cell<Instant>,
}

impl Progress {
    pub(crate) fn new(wanted: u64) -> Self {
        let now = Instant::now();
        let every = Duration::from_secs(number("RACEPROOF_DIFF_PROGRESS", 30));
        Self { wanted, begin: now, every, said: Cell::new(now) }
    }

    /// So many commands were compared.
    pub(crate) fn at(&self, commands: u64) {
        if self.said.get().elapsed() < self.every {
            return;
        }
        self.said.set(Instant::now());
        let elapsed = self.begin.elapsed();
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let (done, left) = (commands as f64, self.wanted.saturating_sub(commands) as f64);
        let to_go = elapsed.mul_f64(left / done.max(1.0));
        eprintln!(
            "{commands} of {} commands compared in {} s, about {} s to go",
            self.wanted,
            elapsed.as_secs(),
            to_go.as_secs()
        );
    }
}
