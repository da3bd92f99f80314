//! What the engine's property tests share: random commands, a driver, a dump of the state, and readable output.
// Every test binary compiles this module and uses a part of it.
#![allow(dead_code)]

pub(crate) mod admin;
pub(crate) mod bits;
pub(crate) mod collections;
pub(crate) mod driver;
pub(crate) mod dump;
pub(crate) mod generate;
pub(crate) mod geo;
pub(crate) mod grammar;
pub(crate) mod messages;
pub(crate) mod pauses;
pub(crate) mod payloads;
pub(crate) mod pools;
pub(crate) mod search;
pub(crate) mod sequence;
pub(crate) mod show;
pub(crate) mod streams;
pub(crate) mod tracking;
