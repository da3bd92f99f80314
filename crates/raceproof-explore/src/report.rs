//! What a search found.

use std::time::Duration;

use crate::faults::{Fault, Faults, Persistence};
use crate::state::{Change, Held};

/// The answer to "is it race-proof?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Some execution breaks a check.
    Violated,
    /// Every trace within the stated bounds was run, and none breaks a check.
    Verified,
    /// None of the executions that were run breaks a check; there are others.
    NoViolationFound,
}

/// The budgets within which a verdict holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Clock steps taken while some client could go on.
    pub pauses: u32,
    /// What may go wrong, and how often.
    pub faults: Faults,
    /// What the server keeps when it restarts or loses its power.
    pub persistence: Persistence,
    /// Steps of one client; a client that needs more is cut off, and then nothing is verified.
    pub steps_per_client: u32,
    /// Context switches away from a client that could have gone on; `None`: any number.
    pub preemptions: Option<u32>,
    /// Steps of an execution; one that needs more is cut off, and then nothing is verified. `None`: any number.
    pub depth: Option<u32>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            pauses: 0,
            faults: Faults::NONE,
            persistence: Persistence::default(),
            steps_per_client: 1000,
            preemptions: None,
            depth: None,
        }
    }
}

impl Bounds {
    /// The same with another budget of one kind of fault.
    #[must_use]
    pub const fn with(mut self, fault: Fault, times: u32) -> Self {
        self.faults = self.faults.with(fault, times);
        self
    }

    /// Everything that may happen beside the clients' own steps, by the name that it has in a scenario file, with its
    /// budget. Always the same names in the same order, also where a budget is 0.
    pub fn budgets(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let faults = self.faults;
        std::iter::once(("pauses", self.pauses)).chain(Fault::ALL.map(|fault| (fault.name(), faults.get(fault))))
    }

    /// Whether the server may lose writes within these bounds.
    #[must_use]
    pub const fn loses_writes(&self) -> bool {
        self.faults.restart()
    }
}

/// How schedules are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Every trace once, by optimal dynamic partial-order reduction.
    Exhaustive,
    /// Every state once: an execution that comes to a state in which another one has been is not run on. For programs
    /// that have few states and many traces; there is no reduction beside it.
    States,
    /// Random choices from a seed.
    Random {
        /// The seed; equal seeds make equal runs.
        seed: u64,
    },
    /// Random priorities that change at a few random steps: finds what few steps in a certain order bring about.
    Pct {
        /// The seed; equal seeds make equal runs.
        seed: u64,
        /// How many steps must come in a certain order for the violations that are looked for.
        depth: u32,
    },
    /// Random walks over traces, with weights by which every trace counts alike.
    Uniform {
        /// The seed; equal seeds make equal runs.
        seed: u64,
    },
    /// The one execution that a token describes.
    Replay {
        /// The token, as printed with a counterexample.
        token: String,
    },
}

/// What a search by [`Strategy::Pct`] guarantees: a violation that needs `depth` steps in a certain order is found by
/// one execution with at least the probability [`Odds::of_one`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odds {
    /// The depth.
    pub depth: u32,
    /// Those who make steps: the clients' sessions and connections, and each kind of step of the clock and of faults.
    pub actors: u64,
    /// The steps of the longest execution.
    pub steps: u64,
    /// The executions for which this holds: those since the last that was longer, or had more actors, than any before.
    pub executions: u64,
}

impl Odds {
    /// 1/(actors · steps^(depth-1)).
    #[must_use]
    pub fn of_one(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let (actors, steps) = (self.actors as f64, self.steps as f64);
        let exponent = i32::try_from(self.depth.saturating_sub(1)).unwrap_or(i32::MAX);
        1.0 / (actors * steps.powi(exponent))
    }

    /// The least probability that one of the executions finds it.
    #[must_use]
    pub fn of_all(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count of executions")]
        let executions = self.executions as f64;
        -(executions * (-self.of_one()).ln_1p()).exp_m1()
    }
}

/// Why a search ended before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It reached its limit of time.
    Time,
    /// It reached its limit of executions.
    Executions,
    /// It was to stop at the first violation.
    First,
    /// Somebody asked it to.
    Asked,
}

/// An estimated number of traces.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traces {
    /// The estimate.
    pub number: f64,
    /// Its standard error, if it is known.
    pub error: Option<f64>,
}

/// How much of all that could happen a search has seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cover {
    /// Why it ended before it was done; `None` if it was done.
    pub stopped: Option<Stopped>,
    /// Roughly how many traces there are in all: of an exhaustive search that was cut short by what it had seen, of a
    /// uniform one by its weights.
    pub traces: Option<Traces>,
    /// What the search guarantees if it went by priorities.
    pub odds: Option<Odds>,
    /// The sampling that took over when an exhaustive search came to the end of its share of the time.
    pub then: Option<Box<Sampled>>,
}

/// A sampling that followed an exhaustive search.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampled {
    /// How it went about it.
    pub strategy: Strategy,
    /// The executions that it ran.
    pub executions: u64,
    /// The one of them (from 1) that first violated a check.
    pub met_at: Option<u64>,
    /// What it has seen.
    pub cover: Cover,
}

/// The result of one search.
#[derive(Clone, Debug)]
pub struct Report {
    /// The verdict.
    pub verdict: Verdict,
    /// The executions run to find it; for an exhaustive search the number of traces.
    pub executions: u64,
    /// Executions that were started and given up because all that could follow had been run before. An exhaustive search
    /// is meant to have none; in a sample by `uniform` they are the walks that end asleep.
    pub redundant: u64,
    /// Executions that were started and given up because the step that was planned next is not possible there.
    pub impossible: u64,
    /// The execution (from 1) that first violated a check.
    pub met_at: Option<u64>,
    /// A client that was cut off by the step limit: the search is not complete.
    pub cut_off: Option<String>,
    /// Whether an execution was cut off by [`Bounds::depth`]: the search is not complete.
    pub too_deep: bool,
    /// What a search that merges states has covered; `None` for all others.
    pub states: Option<States>,
    /// A check that could not be decided in some execution, in words: the search verifies nothing.
    pub undecided: Option<String>,
    /// The bounds of the search.
    pub bounds: Bounds,
    /// Whether every trace within the bounds was run.
    pub exhaustive: bool,
    /// Whether the counterexample was shrunk to the end, so that every step of it is needed. A violation whose smaller
    /// worlds or schedules are too many to try is shown as short as was found.
    pub shrunk: bool,
    /// What is known of a search that was not done.
    pub cover: Cover,
    /// The time that the search took, without shrinking.
    pub elapsed: Duration,
    /// The shrunk counterexample of a violated check.
    pub violation: Option<Counterexample>,
}

/// What a search that merges states has covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct States {
    /// Different states that were reached.
    pub reached: u64,
    /// Executions that were not run on, since they came to a state in which an earlier one had been.
    pub merged: u64,
    /// The search ended because it could keep no more states.
    pub full: bool,
}

/// A shrunk execution that breaks a check.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterexample {
    /// What is wrong: the text of the failed expectation.
    pub message: String,
    /// How it came about, in a sentence or two.
    pub story: Option<String>,
    /// Which check failed.
    pub broken: Broken,
    /// Where the failed expectation stands.
    pub place: Option<Place>,
    /// The names of the clients that took part, in their order.
    pub clients: Vec<String>,
    /// What stood in Redis and in the database when the clients started; of more than 100 keys and rows only those that
    /// some step changes.
    pub start: Vec<Held>,
    /// The steps.
    pub steps: Vec<Step>,
    /// The pauses and faults that took place.
    pub used: Bounds,
    /// The replay token.
    pub token: String,
}

/// Which check an execution broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// An `always` check.
    Always,
    /// A check on the history.
    History,
    /// A `finally` check.
    Finally,
    /// A `quiet` check.
    Quiet,
    /// A client returned an error or panicked.
    Client(String),
    /// The setup returned an error or panicked.
    Setup,
    /// No client can go on: each waits for another.
    Deadlock,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as the compiler or the scenario loader names it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// One step of a counterexample.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its number, from 1.
    pub n: usize,
    /// The client's name, or `clock`.
    pub client: String,
    /// What kind of step it is.
    pub kind: StepKind,
    /// The command or statement as one would type it, or what the clock or the fault did.
    pub text: String,
    /// The reply as redis-cli would show it on one line; rows of a query; empty where there is none.
    pub reply: String,
    /// Virtual time of the step, in ms since the clients started.
    pub clock_ms: i64,
    /// The step took effect, and its client never learnt of it.
    pub unanswered: bool,
    /// The keys and rows that the step changed.
    pub changes: Vec<Change>,
    /// The client's remarks and the ends of its operations between this step and its next.
    pub notes: Vec<String>,
}

/// How the text of a step begins in which a client dies.
pub(crate) const DIES: &str = "dies ";

impl Step {
    /// Whether its client died in it. Other faults a client survives.
    #[must_use]
    pub fn is_death(&self) -> bool {
        self.kind == StepKind::Fault && self.text.starts_with(DIES)
    }
}

/// What kind of thing happened in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// A Redis command, or the commands of a transaction that were sent together.
    Redis,
    /// A message that a client receives, or looks for, beside the replies to its commands.
    Message,
    /// A statement of SQL.
    Sql,
    /// An operation on state that clients share.
    Shared,
    /// The clock advanced.
    Clock,
    /// A fault: of a client, or of the server, whose name is then `server`.
    Fault,
}
