//! .

mod backend;

pub use backend::{Backend, BackendError};
pub use raceproof_engine::{Protocol, Reply};
