//! .
pub mod render;
mod report;
pub use report::{Bounds, Broken, Counterexample, Place, Report, Step, StepKind, Strategy, Verdict};
