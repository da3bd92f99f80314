//! How far a search has come, for whoever watches it from another thread.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a running search tells of itself.
#[derive(Debug, Default)]
pub struct Progress {
    executions: AtomicU64,
    /// 0: not known.
    traces: AtomicU64,
    violated: AtomicBool,
}

impl Progress {
    /// The executions so far.
    #[must_use]
    pub fn executions(&self) -> u64 {
        self.executions.load(Ordering::Relaxed)
    }

    /// Roughly how many executions an exhaustive search will have run when it is done, judged by what it has seen; it
    /// has seen little at first, and the number rather grows. `None` before there is anything to judge by, and for
    /// other searches.
    #[must_use]
    pub fn traces(&self) -> Option<u64> {
        Some(self.traces.load(Ordering::Relaxed)).filter(|traces| *traces > 0)
    }

    /// Whether a violation has been found.
    #[must_use]
    pub fn violated(&self) -> bool {
        self.violated.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, executions: u64, violated: bool) {
        self.executions.store(executions, Ordering::Relaxed);
        self.violated.store(violated, Ordering::Relaxed);
    }

    pub(crate) fn set_traces(&self, traces: f64) {
        // A float that is too large, or no number, becomes the nearest integer there is.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating, and never negative")]
        self.traces.store(traces.round() as u64, Ordering::Relaxed);
    }
}
