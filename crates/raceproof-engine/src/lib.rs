//! Redis 7 semantics as a pure state machine.
//!
//! [`Engine`] maps `(state, session, command, now)` to `(state, reply, footprint, effects)`. It does no I/O, starts no
//! thread, reads no clock and no global randomness: the caller passes the time and a seed, and equal inputs give equal
//! outputs, byte for byte, on every platform. That is what lets an explorer re-run, clone and rewind it at will.
//!
//! Every executed command reports a [`Footprint`]: which keys and hash fields it read and wrote, whether it read the
//! clock, changed a deadline or made a random choice. Two commands whose footprints do not conflict may be swapped
//! without anyone noticing; an explorer's reduction rests on that, so a footprint that is too small is a soundness bug
//! (`tests/footprint.rs` runs both orders of pairs that claim independence).
//!
//! Every executed command also reports its [`Effect`]s: what Redis would propagate to its append-only file and its
//! replicas, in the deterministic form. Durability and replication are models over that log.
#![forbid(unsafe_code)]

mod access;
mod acl;
mod blob;
mod busy;
mod channels;
mod command;
mod commands;
mod config;
mod context;
mod db;
mod delivery;
mod digest;
mod dispatch;
mod draw;
mod effect;
mod encode;
mod engine;
mod evict;
mod failure;
mod float;
mod footprint;
mod geo;
mod glob;
mod hash;
mod hyperloglog;
mod inspect;
mod key;
mod keys;
mod libraries;
mod list;
mod long_double;
mod lookup;
mod lua;
mod memory;
mod monitor;
mod notify;
mod number;
mod outcome;
mod pause;
mod process;
mod quicksort;
mod rdb;
mod replica;
mod reply;
mod rng;
mod scan;
mod script;
mod scripts;
mod session;
mod set;
mod settings;
mod sha256;
mod state;
mod statistics;
mod stream;
mod tracking;
mod tree;
mod typed;
mod wait;
mod watch;
mod zrange;
mod zset;

pub use delivery::Delivery;
pub use effect::Effect;
pub use engine::{Engine, Options, SessionId, Timestamp, Version};
pub use footprint::{Access, Footprint, Object};
pub use glob::matches as glob_matches;
pub use lua::{LuaHost, PatientHost};
pub use outcome::{Outcome, Shutdown};
pub use process::{Buffers, Machine, Process, ProcessCounts, Replica, Stream};
pub use replica::Reads;
pub use reply::{Protocol, Reply};
pub use script::{FunctionFlags, LibraryFunction, Script, ScriptCalls, ScriptHost};
