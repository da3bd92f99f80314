//! Tasks in the background.

use std::future::Future;

/// Starts tasks that outlive the call that starts them: a lock's renewal, a release after a drop.
pub trait Spawn {
    /// Starts `task` and returns without waiting for it. Whoever must know of its end, or stop it, shares a
    /// [`Bell`](crate::Bell) with it. `name` is shown in reports and traces ("lock renewal").
    fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static);
}
