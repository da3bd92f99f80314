//! Race-proof primitives for state kept in Redis beside a database.
//!
//! A primitive is its Lua scripts as files, a pure part that builds requests and reads replies, a thin async part, and
//! typed errors. It runs on any [`redis::aio::ConnectionLike`] that is `Clone`, and takes everything else from the
//! traits of [`raceproof_env`]; so the code that ships is the code that raceproof's explorer runs through every
//! interleaving (`tests/*_explored`, each with mutants of the scripts that it must catch).
//!
//! What holds for all of them:
//! - **Ambiguity is a type.** An operation whose reply was lost is `Uncertain`, never "failed". It carries its operation
//!   id; asking again with the same id resolves it.
//! - **Scripts are idempotent by that id**, since clients and cluster drivers resend.
//! - **An invariant has a name** (M1, M2, …), the same in docs, code, tests and mutants.
//! - The key layout and the scripts are a documented wire format (`docs/`): another language can implement it.
//!
//! | module | what it keeps |
//! |---|---|
//! | [`memory`] | session memories: many fields, many writers, one life time |
#![forbid(unsafe_code)]

pub mod memory;

pub use raceproof_env as env;
