//! Strategies: which schedules are run.

mod audit;
mod bounded;
mod driver;
mod optimal;
mod races;
mod random;
#[cfg(test)]
mod referee;
mod replay;
mod serial;
mod shrink;
mod states;
mod token;
mod wakeup;

pub(crate) use driver::{Search, confirm, search};
pub(crate) use serial::Serial;
