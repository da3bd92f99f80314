//! Waking tasks of the same process.

use std::future::Future;

/// Makes bells.
pub trait Notify {
    /// What [`Notify::bell`] gives.
    type Bell: Bell;

    /// A bell that has not rung yet.
    fn bell(&self) -> Self::Bell;
}

/// A counter of events that can be awaited. Clones are the same bell.
///
/// No wakeup is ever lost and no permit can be stolen: a waiter says how many rings it has seen, looks at the state that
/// it waits for, and sleeps only while the count is still that. The same bell, rung once and never again, is a
/// cancellation token: `rings() > 0` is "cancelled", `after(0)` waits for it.
///
/// ```
/// # use raceproof_env::Bell;
/// async fn until(ready: impl Fn() -> bool, bell: &impl Bell) {
///     loop {
///         let seen = bell.rings();
///         if ready() {
///             return;
///         }
///         bell.after(seen).await; // at once, if it rang since
///     }
/// }
/// ```
pub trait Bell: Clone + 'static {
    /// What [`Bell::after`] gives.
    type Ringing: Future<Output = ()> + 'static;

    /// Rings: adds one, and wakes everyone who waits.
    fn ring(&self);

    /// How many times the bell has rung.
    fn rings(&self) -> u64;

    /// Ends once the bell has rung more than `seen` times, at once if it already has. Dropping the future loses
    /// nothing.
    fn after(&self, seen: u64) -> Self::Ringing;
}
