//! Strategies: which schedules are run.

mod audit;
mod bounded;
mod confirm;
mod crew;
mod driver;
mod optimal;
mod pct;
mod races;
mod random;
#[cfg(test)]
mod referee;
mod replay;
mod sampling;
mod serial;
mod shrink;
mod states;
mod token;
mod told;
mod uniform;
mod wakeup;

pub(crate) use confirm::{confirm, play};
pub(crate) use crew::{Bodies, Same};
pub(crate) use driver::{Body, Search, search};
pub(crate) use serial::Serial;
