//! Time: two clocks, and waiting.

use std::future::Future;

/// The clocks of this machine.
pub trait Clock {
    /// Milliseconds since the Unix epoch, by the wall clock. It may be wrong and may jump, back too: good for logs and
    /// for values that people read, never for a deadline.
    fn unix_ms(&self) -> i64;

    /// Milliseconds since some fixed point, by a clock that never goes back and **runs on while the machine sleeps**
    /// (`CLOCK_BOOTTIME` on Linux). Local deadlines are kept by this one: a lease measured by a clock that stops
    /// during suspend (`std::time::Instant` on Linux) looks alive after the server has given it to somebody else.
    fn boot_ms(&self) -> u64;
}

/// Waiting for time to pass.
pub trait Sleep {
    /// What [`Sleep::sleep`] gives.
    type Sleeping: Future<Output = ()> + 'static;

    /// Ends once at least `ms` milliseconds have passed. It may end late (a paused process, a suspended machine), so
    /// whoever acts on a deadline afterwards asks the [`Clock`] again.
    fn sleep(&self, ms: u64) -> Self::Sleeping;
}
