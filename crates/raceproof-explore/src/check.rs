//! The entry: what to explore, within which bounds, by which strategy.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use crate::search::{Search, confirm, search};
use crate::watchdog::Watchdog;
use crate::{Backend, Bounds, Error, Fault, Persistence, Report, Strategy, Verdict, World, render};

/// A search to be run.
#[derive(Clone, Debug)]
pub struct Check {
    name: String,
    search: Search,
}

/// What became of a counterexample on a real server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The server, as it names itself.
    pub server: String,
    /// Whether every reply was the same and the same check failed.
    pub same_outcome: bool,
    /// The first difference, or why the schedule could not be played there.
    pub difference: Option<String>,
}

impl Check {
    /// An exhaustive search without faults and without pauses.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            search: Search {
                bounds: Bounds::default(),
                strategy: Strategy::Exhaustive,
                max_executions: None,
                max_time: None,
                audit: 0,
                max_states: None,
                max_state_bytes: 1 << 30,
                progress: None,
            },
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many clock steps may be taken while some client could go on. 0: time passes only when all clients wait.
    #[must_use]
    pub fn pauses(mut self, pauses: u32) -> Self {
        self.search.bounds.pauses = pauses;
        self
    }

    /// How many clients may die, each before a step of its own or after it took effect.
    #[must_use]
    pub fn crashes(mut self, crashes: u32) -> Self {
        self.search.bounds = self.search.bounds.with(Fault::Crash, crashes);
        self
    }

    /// How often one kind of fault may strike in an execution.
    #[must_use]
    pub fn fault(mut self, fault: Fault, times: u32) -> Self {
        self.search.bounds = self.search.bounds.with(fault, times);
        self
    }

    /// What the server keeps when it restarts or loses its power (`everysec` unless set).
    #[must_use]
    pub fn persistence(mut self, persistence: Persistence) -> Self {
        self.search.bounds.persistence = persistence;
        self
    }

    /// After how many steps a client is cut off (1000 unless set). If that happens, nothing is verified.
    #[must_use]
    pub fn steps_per_client(mut self, steps: u32) -> Self {
        self.search.bounds.steps_per_client = steps;
        self
    }

    /// At most so many context switches away from a client that could have gone on, in each execution: most races need
    /// one or two. With this bound an exhaustive search merges states ([`Strategy::States`]), and its verdict holds for
    /// every schedule that keeps to the bound.
    #[must_use]
    pub fn preemptions(mut self, preemptions: u32) -> Self {
        self.search.bounds.preemptions = Some(preemptions);
        self
    }

    /// At most so many steps in each execution, all clients and the clock together. With this bound an exhaustive search
    /// merges states ([`Strategy::States`]). If an execution needs more steps nothing is verified, but its start was run,
    /// as was every other one of that length.
    #[must_use]
    pub fn depth(mut self, steps: u32) -> Self {
        self.search.bounds.depth = Some(steps);
        self
    }

    /// How many states a search that merges states may keep. A search that meets more ends and verifies nothing.
    #[must_use]
    pub fn max_states(mut self, states: u64) -> Self {
        self.search.max_states = Some(states);
        self
    }

    /// How many bytes the states may take that a search keeps to merge others with (1 GiB unless set). A search that
    /// needs more ends and verifies nothing.
    #[must_use]
    pub fn max_state_bytes(mut self, bytes: usize) -> Self {
        self.search.max_state_bytes = bytes;
        self
    }

    /// All bounds at once.
    #[must_use]
    pub fn bounds(mut self, bounds: Bounds) -> Self {
        self.search.bounds = bounds;
        self
    }

    /// How schedules are chosen.
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.search.strategy = strategy;
        self
    }

    /// Ends the search after so many executions; an exhaustive search that is cut short verifies nothing.
    #[must_use]
    pub fn max_executions(mut self, executions: u64) -> Self {
        self.search.max_executions = Some(executions);
        self
    }

    /// Ends the search after so much real time; an exhaustive search that is cut short verifies nothing.
    #[must_use]
    pub fn max_time(mut self, time: Duration) -> Self {
        self.search.max_time = Some(time);
        self
    }

    /// In the first so many executions of an exhaustive search, swaps every two adjacent steps that are claimed
    /// independent, runs again and compares: [`Error::HiddenState`] if that changes anything. A search that merges states
    /// runs on from the first so many states that it comes to again, and compares: [`Error::Forgotten`].
    #[must_use]
    pub fn audit(mut self, executions: u64) -> Self {
        self.search.audit = executions;
        self
    }

    /// Keeps the number of executions so far in `counter`, for a progress display.
    #[must_use]
    pub fn progress(mut self, counter: Arc<AtomicU64>) -> Self {
        self.search.progress = Some(counter);
        self
    }

    /// Runs the search. `body` builds the world; it is called for every execution and must do the same each time.
    ///
    /// # Errors
    /// When the search cannot be carried out; a violation is not an error.
    pub fn run(&self, body: impl Fn(&mut World)) -> Result<Report, Error> {
        let _watchdog = Watchdog::start();
        search(&self.search, &body)
    }

    /// Runs the search as a test: panics with the counterexample, as text, unless everything is verified.
    ///
    /// With `RACEPROOF_REPLAY` set to a token, only that schedule is run, and the test fails as it did when the token
    /// was printed.
    ///
    /// # Panics
    /// When a check is violated, when the search did not cover every trace within the bounds, and when it could not be
    /// carried out.
    #[track_caller]
    pub fn verify(&self, body: impl Fn(&mut World)) {
        let mut check = self.clone();
        if let Ok(token) = std::env::var("RACEPROOF_REPLAY") {
            check.search.strategy = Strategy::Replay { token };
        }
        let report = match check.run(body) {
            Ok(report) => report,
            Err(error) => panic!("{}: {error}", self.name),
        };
        if let Some(found) = &report.violation {
            let met = render::met(&report, &check.search.strategy);
            let thread = std::thread::current();
            let test = thread.name().filter(|name| *name != "main").unwrap_or_default();
            panic!("\n{}", render::test_failure(&self.name, found, met, test));
        }
        if let Some(client) = &report.cut_off {
            panic!(
                "{}: not verified: {client} was cut off after {} steps; bound its loop or raise steps_per_client",
                self.name, report.bounds.steps_per_client
            );
        }
        assert!(
            !report.too_deep,
            "{}: not verified: an execution was cut off after {} steps; raise depth",
            self.name,
            report.bounds.depth.unwrap_or_default()
        );
        if let Some(states) = report.states.filter(|states| states.full) {
            panic!("{}: not verified: no more than {} states could be kept", self.name, states.reached);
        }
        if let Some(what) = &report.undecided {
            panic!("{}: not verified: {what}; let fewer operations of one object run at a time", self.name);
        }
        let replayed = matches!(check.search.strategy, Strategy::Replay { .. });
        assert!(
            replayed || report.verdict == Verdict::Verified,
            "{}: not verified: the search stopped after {} executions without having run every trace",
            self.name,
            report.executions
        );
    }

    /// Delivers the steps of a counterexample to a real server, in the same order, and compares.
    ///
    /// # Errors
    /// When the token does not fit, or the server fails.
    pub fn confirm(
        &self,
        token: &str,
        backend: Box<dyn Backend>,
        body: impl Fn(&mut World),
    ) -> Result<Confirmation, Error> {
        let _watchdog = Watchdog::start();
        confirm(&self.search, token, backend, &body).map(|(confirmation, _)| confirmation)
    }
}
