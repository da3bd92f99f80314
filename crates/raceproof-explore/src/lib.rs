//! Explores every interleaving of real Redis and SQL client code, with time and faults under control.
//!
//! A test body describes a small world: what is there at the start, the clients, and what must hold. The clients are
//! ordinary `async` blocks that use redis-rs and SQL. Every command and every statement stops at a gate; the explorer
//! decides which one is delivered next, when time passes and who dies, and re-runs the body for every schedule that can
//! make a difference. A violation is shrunk and shown as lanes, with a token that replays it.
//!
//! ```
//! use raceproof_explore::Check;
//! use redis::AsyncCommands;
//!
//! let report = Check::new("two devices").run(|world| {
//!     world.setup(|ctx| async move { ctx.redis().set::<_, _, ()>("user:123", "1,2").await });
//!     for me in ["web", "mobile"] {
//!         world.client(me, move |ctx| async move {
//!             let mut redis = ctx.redis();
//!             let memories: String = redis.get("user:123").await?;
//!             redis.set::<_, _, ()>("user:123", format!("{memories},{me}")).await
//!         });
//!     }
//!     world.finally(|ctx| async move {
//!         let memories: String = ctx.redis().get("user:123").await.unwrap();
//!         for me in ["web", "mobile"] {
//!             assert!(memories.contains(me), "memory of {me} lost");
//!         }
//!     });
//! })?;
//! let violation = report.violation.expect("GET, append, SET loses one of two concurrent memories");
//! assert_eq!(violation.steps.len(), 4);
//! # Ok::<(), raceproof_explore::Error>(())
//! ```
#![forbid(unsafe_code)]

mod backend;
mod check;
mod checkers;
mod command;
mod ctx;
mod error;
mod event;
mod execution;
mod faults;
mod hand;
mod history;
mod mailbox;
mod numbers;
mod panics;
mod progress;
mod recording;
mod redis_conn;
pub mod render;
mod report;
pub mod scenario;
mod search;
mod shared;
mod sim;
mod sql;
pub mod state;
mod watchdog;
mod wishes;
mod world;

pub use backend::{Backend, BackendError};
pub use check::{Check, Confirmation, Played};
pub use checkers::{Finding, HistoryCheck, Judgement, Model, Since};
pub use ctx::{Ctx, TimedOut};
pub use error::Error;
pub use faults::{EVERYSEC_WINDOW_MS, Fault, Faults, Persistence, UnknownFault, UnknownPersistence};
pub use hand::ClockHand;
pub use history::{Datum, FaultSeen, History, Note, Operation, OperationKind};
pub use progress::Progress;
pub use raceproof_engine::Reply;
pub use recording::{Record, Recorded};
pub use redis_conn::RedisConnection;
pub use report::{
    Bounds, Broken, Counterexample, Cover, Odds, Place, Report, Sampled, States, Step, StepKind, Stopped, Strategy,
    Traces, Verdict,
};
pub use shared::Shared;
pub use sim::{Disk, DiskLock, Ringing, SimBell, Sleeping};
pub use sql::{Database, IntoParams, SqlError, SqlReply, SqlValue, remove_temporary_folders, sqlite_version};
pub use world::{Failure, Finish, World};
