//! What a primitive needs of its surroundings besides Redis.
//!
//! A primitive is explored in simulation and run in production as one piece of code. All that it may not take from the
//! language alone (time, waiting, tasks, waking, unique tokens, a database, files) it takes from the traits here. In
//! production `TokioEnv` (feature `tokio`) implements them; under exploration the explorer's context does, with its
//! own clock, scheduler and faults.
//!
//! Each trait is one need, so that a primitive's signature says what it uses: `Memory<C, E: Tokens>` cannot look at a
//! clock. An environment is `Clone`, cheap to clone, and its clones share everything.
//!
//! | trait | need | unit |
//! |---|---|---|
//! | [`Clock`] | the wall clock, and one that never stops or goes back | ms |
//! | [`Sleep`] | waiting | ms |
//! | [`Spawn`] | a task in the background | |
//! | [`Notify`] | waking tasks of the same process, without lost wakeups | |
//! | [`Tokens`] | text that nobody else has | 128 random bits |
//! | [`Sql`] | one connection to a SQL database | |
//! | [`Files`] | reading, atomic replacing and locking of small files | |
//!
//! **Send.** No trait demands it: a simulation runs on one thread. The futures that code generic over its environment
//! puts into background tasks have names ([`Sleep::Sleeping`], [`Bell::Ringing`]), so that it can demand
//! `E::Sleeping: Send` where it spawns. Those of `TokioEnv` are `Send`.
#![forbid(unsafe_code)]

mod clock;
mod files;
mod notify;
mod spawn;
mod sql;
mod tokens;
#[cfg(feature = "tokio")]
mod tokio;

pub use clock::{Clock, Sleep};
pub use files::Files;
pub use notify::{Bell, Notify};
pub use spawn::Spawn;
pub use sql::{Consequence, Sql, SqlError, SqlRows, SqlValue};
pub use tokens::Tokens;

#[cfg(feature = "tokio")]
pub use self::tokio::{FileLock, Sleeping, TokioBell, TokioEnv};
