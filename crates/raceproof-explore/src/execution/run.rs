//! What is left of an execution when it is over.

use super::{Ending, Said};
use crate::event::{ClientId, Event, ProcessId};
use crate::report::{Broken, Place, Step};
use crate::state::Held;

/// How an execution ended.
#[derive(Debug, Default)]
pub(crate) enum End {
    /// All clients ended or died.
    #[default]
    Complete,
    /// The chooser gave it up.
    Abandoned,
    /// This client ran into the step limit.
    CutOff(String),
    /// There were to be more steps than an execution may have.
    TooDeep,
}

/// A broken check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) broken: Broken,
    /// Which of the checks of that kind.
    pub(crate) check: usize,
    pub(crate) message: String,
    pub(crate) story: Option<String>,
    pub(crate) place: Option<Place>,
    /// How many steps had been executed.
    pub(crate) at: usize,
}

/// What is left of an execution when it is over.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) end: End,
    pub(crate) events: Vec<Event>,
    /// Steps that were possible and never taken: pauses, and requests that wait for each other; each with the number
    /// of events that came before it.
    pub(crate) never: Vec<(usize, Event)>,
    pub(crate) violation: Option<Violation>,
    /// What there was at the start, and the steps, for people, if they were asked for.
    pub(crate) start: Vec<Held>,
    pub(crate) steps: Vec<Step>,
    /// The steps, if they were noted.
    pub(crate) said: Vec<Said>,
    /// How it came about, if the steps were asked for and show it.
    pub(crate) story: Option<String>,
    /// A check that could not be decided, in words.
    pub(crate) undecided: Option<String>,
    /// How it ended, if that is compared with other executions.
    pub(crate) ending: Option<Box<Ending>>,
    /// A fingerprint of the final state: every key and every row.
    pub(crate) final_state: Option<u64>,
    pub(crate) top: usize,
    pub(crate) spawned: Vec<ClientId>,
    pub(crate) lanes: Vec<ProcessId>,
    /// All clients with their names.
    pub(crate) cast: Vec<(ClientId, String)>,
}
