//! Scenario files: a protocol, its clients and its checks as one Lua file, no compile step.
//!
//! ```
//! use raceproof_explore::scenario::Scenario;
//! use raceproof_explore::Verdict;
//!
//! let scenario = Scenario::parse(
//!     "my-design.lua",
//!     r#"
//!     scenario { name = "counter", expect = "violated" }
//!     clients { "a", "b", function() redis("SET", "n", (redis("GET", "n") or 0) + 1) end }
//!     finally(function() expect(redis("GET", "n") == "2", "an increment was lost") end)
//!     "#,
//! )?;
//! let report = scenario.run(&scenario.check())?;
//! assert_eq!(report.verdict, Verdict::Violated);
//! # Ok::<(), raceproof_explore::Error>(())
//! ```
//!
//! The language is described in docs/scenarios.md.

mod client;
mod convert;
mod error;
mod header;
mod language;
mod rules;
mod source;

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

pub use error::ScenarioError;

use self::client::Limit;
use self::header::Header;
use self::language::{Body, BodyKind, Declared, Language};
use crate::search::{Bodies, Body as SearchBody};
use crate::{Backend, Bounds, Check, Confirmation, Error, HistoryCheck, Played, Report, Verdict, World};

/// A scenario file that has been read and found sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    file: String,
    source: Arc<str>,
    header: Header,
    clients: Vec<String>,
    omitted: Vec<String>,
    /// Clients that end before they are through, with the number of their steps.
    ending: Vec<(String, u32)>,
}

/// The verdict that a scenario file pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What the search must find.
    pub verdict: Verdict,
    /// A text that the violation's message must contain.
    pub message: Option<String>,
}

impl Expectation {
    /// Whether a report is the expected one.
    #[must_use]
    pub fn met_by(&self, report: &Report) -> bool {
        let message = report.violation.as_ref().map_or("", |violation| violation.message.as_str());
        report.verdict == self.verdict && self.message.as_ref().is_none_or(|expected| message.contains(expected))
    }
}

/// A change of the protocol that must make a verified scenario fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// What is broken.
    pub name: String,
    /// The text that is replaced; it stands in the file once.
    pub from: String,
    /// What replaces it.
    pub to: String,
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// A file that cannot be read, that is not Lua, or that is not a scenario.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ScenarioError> {
        let path = path.as_ref();
        let file = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| {
            let what = format!("cannot read the scenario: {error}");
            ScenarioError::new(&file, None, what, "give the path of a .lua file that you may read", "language")
        })?;
        match String::from_utf8(bytes) {
            Ok(source) => Self::parse(&file, &source),
            Err(error) => {
                let valid = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
                let line = source::line_of(&valid, valid.len());
                Err(ScenarioError::new(&file, Some(line), "the file is not UTF-8 text", "save it as UTF-8", "language"))
            }
        }
    }

    /// Reads a scenario from its text. `file` is what errors and violations call it.
    ///
    /// # Errors
    /// A text that is not Lua, or that is not a scenario.
    pub fn parse(file: &str, source: &str) -> Result<Self, ScenarioError> {
        // The header is read below as a Lua table, which lives as long as its state.
        let language = Language::new(file, source)?;
        let declared = language.declare()?;
        let layout = source::layout(source);
        let Some((table, line)) = &declared.header else {
            return Err(ScenarioError::new(
                file,
                Some(1),
                "the file has no scenario { … }",
                "scenario { name = \"group/what-it-shows\", expect = \"verified\", about = \"…\" }",
                "header",
            ));
        };
        let header = Header::read(file, source, &layout, table, *line)?;
        let clients = client_names(file, &declared, *line)?;
        Ok(Self {
            file: file.to_owned(),
            source: source.into(),
            header,
            clients,
            omitted: Vec::new(),
            ending: Vec::new(),
        })
    }

    /// The name, e.g. `memory/serialized-value`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.header.name
    }

    /// The file, as it was named when it was read.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The text of the file; of a mutant, with its change.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it models, in a line; empty if the file does not say.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.header.about
    }

    /// Where the pattern is known from; empty if the file does not say.
    #[must_use]
    pub fn known_from(&self) -> &str {
        &self.header.known_from
    }

    /// The protocol that it is about, the row of the atlas, if the file says; several files may share one.
    #[must_use]
    pub fn row(&self) -> Option<&str> {
        self.header.row.as_deref()
    }

    /// What to do instead of this protocol, if the file says: the name of another scenario, or a sentence.
    #[must_use]
    pub fn instead(&self) -> Option<&str> {
        self.header.instead.as_deref()
    }

    /// What the search is expected to find, if the file says.
    #[must_use]
    pub const fn expect(&self) -> Option<&Expectation> {
        self.header.expect.as_ref()
    }

    /// The bounds within which it is checked.
    #[must_use]
    pub const fn bounds(&self) -> Bounds {
        self.header.bounds
    }

    /// The names of the clients, in the order of the file.
    #[must_use]
    pub fn clients(&self) -> &[String] {
        &self.clients
    }

    /// The changes that must make it fail.
    #[must_use]
    pub fn mutants(&self) -> &[Mutant] {
        &self.header.mutants
    }

    /// The scenario with the change that its mutant `name` makes.
    ///
    /// # Errors
    /// No mutant of that name, or a change after which the file is no scenario any more.
    pub fn mutated(&self, name: &str) -> Result<Self, ScenarioError> {
        let layout = source::layout(&self.source);
        let mutant = self.header.mutants.iter().find(|mutant| mutant.name == name);
        let place = mutant.and_then(|mutant| source::occurrences(&self.source, &mutant.from, &layout).pop());
        let (Some(mutant), Some(place)) = (mutant, place) else {
            let what = format!("{} has no mutant '{name}'", self.header.name);
            return Err(ScenarioError::new(&self.file, None, what, "its mutants stand in its header", "mutants"));
        };
        let mut source = self.source.to_string();
        source.replace_range(place, &mutant.to);
        let declared = Language::new(&self.file, &source)?.declare()?;
        let mut header = self.header.clone();
        header.name = format!("{} [{}]", self.header.name, mutant.name);
        header.expect = Some(Expectation { verdict: Verdict::Violated, message: None });
        header.mutants = Vec::new();
        let clients = client_names(&self.file, &declared, None)?;
        Ok(Self { source: source.into(), header, clients, ..self.clone() })
    }

    /// The scenario without one of its clients.
    #[must_use]
    pub fn without_client(&self, name: &str) -> Self {
        let mut rest = self.clone();
        rest.clients.retain(|client| client != name);
        rest.omitted.push(name.to_owned());
        rest
    }

    /// The scenario with a client that returns after `steps` steps, whatever it would have done next.
    #[must_use]
    pub fn with_client_ending(&self, name: &str, steps: u32) -> Self {
        let mut shorter = self.clone();
        shorter.ending.push((name.to_owned(), steps));
        shorter
    }

    /// The same protocol within other bounds. What the file expects it expects within its own: within others nothing is
    /// expected.
    #[must_use]
    pub fn within(&self, bounds: Bounds) -> Self {
        let mut other = self.clone();
        if bounds != other.header.bounds {
            other.header.bounds = bounds;
            other.header.expect = None;
        }
        other
    }

    /// The search that the file describes: its name and its bounds, exhaustive.
    #[must_use]
    pub fn check(&self) -> Check {
        Check::new(self.name()).bounds(self.header.bounds)
    }

    /// Runs a search, which may differ from [`Self::check`] in bounds and strategy.
    ///
    /// # Errors
    /// A mistake in the scenario that only a running client shows (an unknown command, an endless loop), and what
    /// [`Check::run`] reports.
    pub fn run(&self, check: &Check) -> Result<Report, Error> {
        let runner = self.runner()?;
        let result = check.run_with(&|world| runner.build(world), &Runners(self));
        runner.result(result)
    }

    /// Plays a counterexample on another Redis.
    ///
    /// # Errors
    /// As [`Self::run`], and what [`Check::confirm`] reports.
    pub fn confirm(&self, check: &Check, token: &str, backend: Box<dyn Backend>) -> Result<Confirmation, Error> {
        let runner = self.runner()?;
        let result = check.confirm(token, backend, |world| runner.build(world));
        runner.result(result)
    }

    /// Plays random schedules on another Redis.
    ///
    /// # Errors
    /// As [`Self::run`], and what [`Check::play`] reports.
    pub fn play(&self, check: &Check, executions: u64, seed: u64, backend: Box<dyn Backend>) -> Result<Played, Error> {
        let runner = self.runner()?;
        let result = check.play(executions, seed, backend, |world| runner.build(world));
        runner.result(result)
    }

    fn runner(&self) -> Result<Runner, ScenarioError> {
        let language = Language::new(&self.file, &self.source)?;
        let Declared { bodies, histories, serializable, .. } = language.declare()?;
        let omitted = |body: &Body| body.client().is_some_and(|name| self.omitted.iter().any(|out| out == name));
        let bodies = bodies.into_iter().enumerate().filter(|(_, body)| !omitted(body)).collect();
        let (steps, stated) = (self.header.bounds.steps_per_client, self.header.steps_stated);
        let limit = Limit { steps, stated, ends_after: None };
        Ok(Runner { language: Rc::new(language), bodies, histories, serializable, limit, ending: self.ending.clone() })
    }
}

fn client_names(file: &str, declared: &Declared, header_line: Option<u32>) -> Result<Vec<String>, ScenarioError> {
    let mut names: Vec<String> = Vec::new();
    for body in &declared.bodies {
        let Some(name) = body.client() else { continue };
        if names.iter().any(|earlier| earlier == name) {
            let what = format!("two clients are named '{name}'");
            return Err(ScenarioError::new(file, body.line, what, "give each client a name of its own", "clients"));
        }
        if name == "clock" || name.chars().any(char::is_control) {
            let what = format!("a client cannot be named {name:?}");
            let way_out = "a name is a line of text; clock is the lane of the clock";
            return Err(ScenarioError::new(file, body.line, what, way_out, "clients"));
        }
        names.push(name.to_owned());
    }
    if names.is_empty() {
        let way_out = "a scenario needs at least one client(\"name\", function() … end)";
        return Err(ScenarioError::new(file, header_line, "scenario has no clients", way_out, "clients"));
    }
    Ok(names)
}

/// A scenario in a Lua state, ready to be run again and again.
struct Runner {
    language: Rc<Language>,
    /// The bodies that take part, with their numbers in the file.
    bodies: Vec<(usize, Body)>,
    histories: Vec<HistoryCheck>,
    serializable: bool,
    limit: Limit,
    ending: Vec<(String, u32)>,
}

/// A Lua state stays with its thread, so each thread makes its own.
struct Runners<'a>(&'a Scenario);

impl Bodies for Runners<'_> {
    fn with(&self, work: &mut dyn FnMut(SearchBody<'_>)) {
        if let Ok(runner) = self.0.runner() {
            work(&|world| runner.build(world));
        }
    }
}

impl Runner {
    fn build(&self, world: &mut World) {
        let known = self.language.mistake.borrow().is_some();
        if !known && let Err(error) = self.language.begin() {
            self.language.mistake.borrow_mut().get_or_insert(error);
        }
        if let Some(error) = self.language.mistake.borrow().as_ref() {
            world.error = Some(error.clone().into());
            return;
        }
        for (number, body) in &self.bodies {
            self.add(world, *number, body);
        }
        for check in &self.histories {
            world.history(check.clone());
        }
        if self.serializable {
            world.serializable();
        }
    }

    fn add(&self, world: &mut World, number: usize, body: &Body) {
        let ends_after = self.ending.iter().find(|(client, _)| body.client() == Some(client));
        let limit = Limit { ends_after: ends_after.map(|(_, steps)| *steps), ..self.limit };
        let (language, kind, name) = (self.language.clone(), body.kind, body.name.as_deref().unwrap_or_default());
        let run = {
            let body = body.clone();
            move |ctx| client::run(language.clone(), number, body.clone(), limit, ctx)
        };
        match kind {
            BodyKind::Client => world.client(name, run),
            BodyKind::Setup => world.setup(run),
            BodyKind::Always => world.always(run),
            BodyKind::Finally => world.finally(run),
            BodyKind::Quiet => world.quiet(run),
            BodyKind::Value => world.watch(name, run),
            BodyKind::Agrees => world.watch_agreement(name, run),
            BodyKind::File => {}
        }
    }

    /// A mistake in the scenario outweighs what the search made of it.
    fn result<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        match self.language.mistake.borrow_mut().take() {
            Some(error) => Err(error.into()),
            None => result,
        }
    }
}
