//! The engine over TCP and unix sockets, with a clock you hold.
//!
//! One thread owns everything: the engines, the connections, the Lua state. It waits for sockets that are ready, reads
//! each once, executes what has arrived, writes each connection's replies in one go, and waits again. There are no
//! locks, and what happens is a function of the order in which the sockets became ready: one client gets the same bytes
//! for the same commands in every run with the same seed and the same (stopped) clock.
//!
//! A *universe* is a server of its own in this process: an engine, a clock, a disk, faults and a history. There is one
//! from the start, and a client gets into another by authenticating with its name. Everything that is not Redis is
//! reached by one command, `RACEPROOF`, through the same connections (`control`).
//!
//! Data flows one way: socket → `request` → `control` or the engine → output of each connection → socket.
#![forbid(unsafe_code)]

mod buffers;
mod busy;
mod clock;
mod connection;
mod control;
mod doors;
mod durability;
mod execute;
mod faults;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod history;
mod limits;
mod listener;
mod login;
mod machine;
mod replication;
mod request;
mod server;
mod settings;
mod show;
mod universe;
mod watch;

pub use clock::Clock;
pub use durability::Persistence;
pub use listener::StartError;
pub use raceproof_engine::Version;
pub use server::{Server, Stopper};
pub use settings::Settings;
