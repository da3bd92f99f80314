//! Real Redis servers: started privately, driven step by step, ended by force.
//!
//! A [`RedisServer`] is a redis-server process of one's own. It listens on a unix socket in a temporary folder (and on
//! a TCP port of the loopback interface if asked), keeps its files there, and is killed when it is dropped. Nothing it
//! does is seen by, or depends on, a server that already runs on the machine.
//!
//! A [`Connection`] is one blocking connection: a command goes out, its reply comes back as the very bytes the server
//! sent or as the engine's [`Reply`], whose type says more than a driver's converted value would.
//!
//! [`RealRedis`] plays an execution that was found in simulation on a real server: the same steps, in the same order,
//! each session on a connection of its own. The server has a clock that the lab holds ([`HeldClock`]), so a step of the
//! clock is one there too. Where that cannot be (another system than Linux, a statically linked server) it is played by
//! moving deadlines towards the present; `deadlines.rs` says how that is made exact to the millisecond, and
//! `clock_use.rs` what cannot be played that way and is refused. Faults of the server happen to it: it is killed and
//! loses the end of its log (`aof.rs`), a replica that was held back takes its place (`replica.rs`), it evicts a key.
//!
//! ```
//! use raceproof_lab::{RedisServer, Reply};
//!
//! let server = RedisServer::start()?;
//! let mut connection = server.connect()?;
//! assert_eq!(connection.call(&["INCR", "visits"])?, Reply::Integer(1));
//! # Ok::<(), raceproof_lab::LabError>(())
//! ```
#![forbid(unsafe_code)]

mod aof;
mod backend;
mod binary;
mod clock_use;
mod connection;
mod deadlines;
mod error;
mod held_clock;
mod player;
mod replica;
mod resp;
mod script_time;
mod server;

pub use backend::RealRedis;
pub use binary::{INSTALL_HINT, SERVER_VARIABLE, Version, installed_version};
pub use connection::Connection;
pub use error::LabError;
pub use held_clock::HeldClock;
pub use raceproof_explore::Reply;
pub use resp::{Reader, RespError};
pub use server::{Builder, RedisServer};
