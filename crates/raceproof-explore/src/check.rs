//! The entry: what to explore, within which bounds, by which strategy.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::search::{Bodies, Body, Same, Search, confirm, play, search};
use crate::watchdog::Watchdog;
use crate::wishes::{Wishes, write_page};
use crate::{Backend, Bounds, Error, Fault, Persistence, Progress, Report, Strategy, Verdict, World, render};

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

/// What became of executions that no check was to break, on a real server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// The server, as it names itself.
    pub server: String,
    /// How many were played.
    pub executions: u64,
    /// Where the last of them differs from the simulation: the step and both replies, or the outcome.
    pub difference: Option<String>,
    /// Why no more of them could be played there.
    pub refused: Option<String>,
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
                stop: None,
                first: false,
                then: None,
                threads: 1,
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

    /// Keeps `progress` up to date, for a display.
    #[must_use]
    pub fn progress(mut self, progress: Arc<Progress>) -> Self {
        self.search.progress = Some(progress);
        self
    }

    /// Ends the search after the execution under way when `stop` is set. What is known by then is reported; a violation
    /// that was found is shrunk for two seconds at most.
    #[must_use]
    pub fn stop_when(mut self, stop: Arc<AtomicBool>) -> Self {
        self.search.stop = Some(stop);
        self
    }

    /// Ends an exhaustive search at the first violation, instead of running every trace.
    #[must_use]
    pub fn stop_at_first(mut self) -> Self {
        self.search.first = true;
        self
    }

    /// Lets an exhaustive search that is not done after two thirds of its [`Self::max_time`] sample by `strategy` for the
    /// rest, unless it has found a violation. That verifies nothing, and the report says so.
    #[must_use]
    pub fn then_sample(mut self, strategy: Strategy) -> Self {
        self.search.then = Some(strategy);
        self
    }

    /// Lets so many threads share the search (1 unless set). The report is the same whatever their number; they run
    /// ahead of the search, so the body is called for executions, too, that are not of it. What takes less than some 2 µs
    /// for a step one thread runs alone: to hand that over would take longer.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.search.threads = threads;
        self
    }

    /// Runs the search. `body` builds the world; it is called for every execution and must do the same each time.
    ///
    /// # Errors
    /// When the search cannot be carried out; a violation is not an error.
    pub fn run(&self, body: impl Fn(&mut World) + Sync) -> Result<Report, Error> {
        self.run_with(&body, &Same(&body))
    }

    /// As [`Self::run`], with a body of its own for every thread.
    pub(crate) fn run_with(&self, body: Body<'_>, bodies: &dyn Bodies) -> Result<Report, Error> {
        let _watchdog = Watchdog::start();
        search(&self.search, body, bodies)
    }

    /// Runs the search as a test: panics with the counterexample, as text, unless everything is verified.
    ///
    /// The environment may ask for something else, for all tests that are run:
    ///
    /// | | |
    /// |---|---|
    /// | `RACEPROOF_REPLAY` | a token: only that schedule is run, and the test fails as it did when the token was printed |
    /// | `RACEPROOF_STRATEGY` | `exhaustive`, `states`, `random`, `pct` or `uniform`, instead of the check's own |
    /// | `RACEPROOF_SEED` | the seed of a strategy that samples (0) |
    /// | `RACEPROOF_SECONDS` | the time that a search may take, in seconds: one that is not done then samples for the rest |
    /// | `RACEPROOF_HTML` | a folder, into which each check writes a page with its counterexample |
    ///
    /// A search that was asked to sample passes when it finds no violation.
    ///
    /// # Panics
    /// When a check is violated, when the search did not cover every trace within the bounds, and when it could not be
    /// carried out.
    #[track_caller]
    pub fn verify(&self, body: impl Fn(&mut World) + Sync) {
        let wishes = match Wishes::read(|name| std::env::var(name).ok()) {
            Ok(wishes) => wishes,
            Err(error) => panic!("{error}"),
        };
        let mut check = self.clone();
        if let Some(strategy) = &wishes.strategy {
            check.search.strategy = strategy.clone();
        }
        if let Some(time) = wishes.time {
            check = check.max_time(time).then_sample(wishes.afterwards());
        }
        let report = match check.run(body) {
            Ok(report) => report,
            Err(error) => panic!("{}: {error}", self.name),
        };
        if let Some(folder) = &wishes.html
            && let Err(error) = write_page(folder, &self.name, &report, &check.search.strategy)
        {
            panic!("{}: {error}", self.name);
        }
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
            replayed || wishes.sample() || report.verdict == Verdict::Verified,
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
        confirm(&self.search, token, backend, &body)
    }

    /// Plays so many random schedules on a real server, with the faults in budget, and compares every reply and what
    /// the server holds at the end. That proves no verdict: it shows that the server does what the simulation says it
    /// does.
    ///
    /// # Errors
    /// What [`Self::run`] reports. A server that fails or refuses is no error, it is told in the result.
    pub fn play(
        &self,
        executions: u64,
        seed: u64,
        backend: Box<dyn Backend>,
        body: impl Fn(&mut World),
    ) -> Result<Played, Error> {
        let _watchdog = Watchdog::start();
        play(&self.search, executions, seed, backend, &body)
    }
}
