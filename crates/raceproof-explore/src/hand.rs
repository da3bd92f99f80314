//! The clock in a client's hand: a test that plays the operator moves time itself.

use crate::mailbox::{ClockCall, Op, Port};

/// The clock of the explored world. Every call is one step, ordered with all that depends on time.
#[derive(Clone, Debug)]
pub struct ClockHand {
    port: Port,
}

impl ClockHand {
    pub(crate) const fn new(port: Port) -> Self {
        Self { port }
    }

    /// Moves all clocks forward by `ms` milliseconds: keys whose time is over expire, sleeps that are over end. This is
    /// no pause, and costs nothing of that budget.
    pub async fn advance(&self, ms: u64) {
        self.ask(ClockCall::Advance(ms)).await;
    }

    /// Steps the server's clock back by `ms` milliseconds, as an administrator or a time server may: deadlines of keys
    /// come so much later. The clients' clocks go on, as clocks do that count from the start of the machine.
    pub async fn rewind(&self, ms: u64) {
        self.ask(ClockCall::Rewind(ms)).await;
    }

    /// Stops time, until [`Self::resume`] or [`Self::advance`]s: neither does it pass by itself when every client
    /// waits, nor in a pause. Clients that then only sleep are a deadlock, and reported as one.
    pub async fn freeze(&self) {
        self.ask(ClockCall::Freeze).await;
    }

    /// Lets time pass again.
    pub async fn resume(&self) {
        self.ask(ClockCall::Resume).await;
    }

    async fn ask(&self, call: ClockCall) {
        drop(self.port.ask(Op::Clock(call)).await);
    }
}
