//! Strategies: which schedules are run.

mod audit;
mod bounded;
mod crew;
mod driver;
mod optimal;
mod races;
mod random;
#[cfg(test)]
mod referee;
mod replay;
mod shrink;
mod token;
mod told;
mod wakeup;

pub(crate) use crew::{Bodies, Same};
pub(crate) use driver::{Body, Search, confirm, search};
