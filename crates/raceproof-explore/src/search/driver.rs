//! From a test body to a report: run the strategy, shrink what it found, tell.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::crew::{Bodies, Crew};
use super::optimal::{Optimal, Probe};
use super::random::Random;
use super::replay::{Again, Replay};
use super::sampling::sample;
use super::token::{Encoded, Token, fingerprint};
use super::{audit, crew, serial, shrink, states};
use crate::Error;
use crate::backend::Backend;
use crate::event::{CLOCK, Choice, ClientId, END, Event, Footprint, Outcome};
use crate::execution::{Attached, Cast, Chooser, End, Execution, Mode, Run, SETUP, Violation, Worker};
use crate::faults::Fault;
use crate::progress::Progress;
use crate::report::{Bounds, Counterexample, Cover, Report, Sampled, States, Stopped, Strategy, Traces, Verdict};
use crate::world::{Failure, World};

/// A search and its limits.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    pub(crate) bounds: Bounds,
    pub(crate) strategy: Strategy,
    pub(crate) max_executions: Option<u64>,
    pub(crate) max_time: Option<Duration>,
    pub(crate) audit: u64,
    /// How many states a search that merges them may keep, and in how many bytes.
    pub(crate) max_states: Option<u64>,
    pub(crate) max_state_bytes: usize,
    pub(crate) progress: Option<Arc<Progress>>,
    /// Set by whoever wants the search to end.
    pub(crate) stop: Option<Arc<AtomicBool>>,
    /// Ends an exhaustive search at the first violation.
    pub(crate) first: bool,
    /// Takes over from an exhaustive search that has used up its share of the time.
    pub(crate) then: Option<Strategy>,
    /// How many threads share the search.
    pub(crate) threads: usize,
}

/// The part of the time, in thirds, after which an exhaustive search leaves the rest to sampling.
const EXHAUSTIVE_THIRDS: u32 = 2;
/// After how many executions the size of the tree is estimated anew for whoever watches.
const ESTIMATE_EVERY: u64 = 64;
/// How long a search that was asked to stop may go on shrinking what it has found.
const SHRINK_WHEN_ASKED: Duration = Duration::from_secs(2);

pub(crate) type Body<'a> = &'a dyn Fn(&mut World);

/// Runs one execution from the start, and compares its outcome where that is asked for.
pub(crate) fn execute(
    worker: &mut Worker,
    body: Body<'_>,
    bounds: Bounds,
    mode: Mode,
    chooser: &mut dyn Chooser,
) -> Result<Result<Run, Failure>, Error> {
    let mut done = run_once(worker, body, bounds, mode, chooser);
    if let Ok(Ok(run)) = &mut done {
        serial::judge(worker, body, bounds, run)?;
    }
    done
}

/// Runs one execution from the start.
pub(crate) fn run_once(
    worker: &mut Worker,
    body: Body<'_>,
    bounds: Bounds,
    mode: Mode,
    chooser: &mut dyn Chooser,
) -> Result<Result<Run, Failure>, Error> {
    match worker.world(body) {
        Ok(Ok(world)) => Execution::new(worker, world, bounds, mode).run(chooser).map(Ok),
        Ok(Err(failure)) => Ok(Err(failure)),
        Err(error) => Err(error),
    }
}

/// What a strategy has found so far.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) executions: u64,
    pub(crate) redundant: u64,
    pub(crate) impossible: u64,
    met_at: Option<u64>,
    pub(crate) violation: Option<Violation>,
    schedule: Vec<Encoded>,
    cut_off: Option<String>,
    undecided: Option<String>,
    pub(crate) too_deep: bool,
    pub(crate) states: Option<States>,
    pub(crate) exhaustive: bool,
    pub(crate) cover: Cover,
    pub(crate) setup: Option<Failure>,
}

impl Found {
    pub(crate) fn with_failed_setup(self, failure: Failure) -> Self {
        Self { setup: Some(failure), executions: 1, ..self }
    }

    pub(crate) fn add(&mut self, run: &Run, worker: &Worker) {
        self.too_deep |= matches!(run.end, End::TooDeep);
        if let End::CutOff(client) = &run.end {
            self.cut_off.get_or_insert_with(|| client.clone());
        }
        if self.undecided.is_none() {
            self.undecided.clone_from(&run.undecided);
        }
        if let (Some(violation), None) = (&run.violation, &self.violation) {
            self.violation = Some(violation.clone());
            self.met_at = Some(self.executions);
            self.schedule = schedule(run, worker);
        }
    }
}

/// The schedule of a run, by numbers that mean the same everywhere.
pub(crate) fn schedule(run: &Run, worker: &Worker) -> Vec<Encoded> {
    let cast = Cast::of(run, worker);
    let upto = run.violation.as_ref().map_or(run.events.len(), |violation| violation.at);
    let choices = run.events[..upto].iter().map(|event| event.footprint.choice);
    // The end comes by itself.
    choices.filter(|choice| choice.process != END).map(|choice| Encoded::of(choice, &cast)).collect()
}

pub(crate) fn search(search: &Search, body: Body<'_>, bodies: &dyn Bodies) -> Result<Report, Error> {
    if let Strategy::Replay { token } = &search.strategy {
        return replay(search, token, body);
    }
    let start = Instant::now();
    let mut worker = Worker::new();
    // The reduction tries a step in other places because it has seen it made: it misses what a bound cuts off.
    let bounded = search.bounds.preemptions.is_some() || search.bounds.depth.is_some();
    let reduced = matches!(search.strategy, Strategy::Exhaustive) && !bounded;
    if !reduced {
        check_determinism(&mut worker, search.bounds, body)?;
    }
    let found = match &search.strategy {
        Strategy::States => states::search(search, &mut worker, body, start)?,
        Strategy::Exhaustive if !reduced => states::search(search, &mut worker, body, start)?,
        Strategy::Exhaustive | Strategy::Replay { .. } => {
            let found = shared(search, &mut worker, body, bodies, start)?;
            then_sample(search, &mut worker, (body, bodies), start, found)?
        }
        sampling => sample(search, sampling, &mut worker, body, bodies, start)?,
    };
    let elapsed = start.elapsed();
    let (violation, shrunk) = match (&found.setup, &found.violation) {
        (Some(failure), _) => (Some(setup_failed(failure.clone())), true),
        (None, Some(violation)) => {
            let (shortest, all) = shrink::shrink(search.bounds, body, violation, &found.schedule, &hurry(search))?;
            (Some(shortest), all)
        }
        (None, None) => (None, false),
    };
    let decided = found.cut_off.is_none() && found.undecided.is_none() && !found.too_deep;
    let complete = found.exhaustive && decided;
    Ok(Report {
        verdict: match violation {
            Some(_) => Verdict::Violated,
            None if complete => Verdict::Verified,
            None => Verdict::NoViolationFound,
        },
        executions: found.executions,
        redundant: found.redundant,
        impossible: found.impossible,
        met_at: found.met_at,
        cut_off: found.cut_off,
        too_deep: found.too_deep,
        states: found.states,
        undecided: found.undecided,
        bounds: search.bounds,
        exhaustive: found.exhaustive,
        shrunk,
        cover: found.cover,
        elapsed,
        violation,
    })
}

fn setup_failed(failure: Failure) -> Counterexample {
    Counterexample {
        message: failure.message,
        story: None,
        broken: SETUP,
        place: failure.place,
        clients: Vec::new(),
        start: Vec::new(),
        steps: Vec::new(),
        used: Bounds::default(),
        token: String::new(),
    }
}

/// Whether the search has to end here, and why.
pub(crate) fn over(search: &Search, found: &Found, start: Instant) -> Option<Stopped> {
    if let Some(progress) = &search.progress {
        progress.set(found.executions, found.violation.is_some());
    }
    if asked(search) {
        return Some(Stopped::Asked);
    }
    if search.max_executions.is_some_and(|most| found.executions >= most) {
        return Some(Stopped::Executions);
    }
    search.max_time.is_some_and(|most| start.elapsed() >= most).then_some(Stopped::Time)
}

fn asked(search: &Search) -> bool {
    search.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
}

/// Whether whoever asked the search to stop has waited long enough for a short counterexample.
fn hurry(search: &Search) -> impl Fn() -> bool {
    let since = Cell::new(None);
    move || {
        asked(search) && {
            let asked_at = since.get().unwrap_or_else(Instant::now);
            since.set(Some(asked_at));
            asked_at.elapsed() >= SHRINK_WHEN_ASKED
        }
    }
}

/// Lets sampling use the rest of the time of an exhaustive search that could not be done in its share.
fn then_sample(
    search: &Search,
    worker: &mut Worker,
    (body, bodies): (Body<'_>, &dyn Bodies),
    start: Instant,
    mut found: Found,
) -> Result<Found, Error> {
    let (Some(strategy), Some(Stopped::Time | Stopped::Executions)) = (&search.then, found.cover.stopped) else {
        return Ok(found);
    };
    let late = search.max_time.is_some_and(|most| start.elapsed() >= most);
    if found.violation.is_some() || late || search.max_time.is_none() {
        return Ok(found);
    }
    let sampled = sample(&Search { max_executions: None, ..search.clone() }, strategy, worker, body, bodies, start)?;
    (found.violation, found.schedule) = (sampled.violation, sampled.schedule);
    found.cut_off = found.cut_off.or(sampled.cut_off);
    found.cover.stopped = sampled.cover.stopped;
    found.cover.then = Some(Box::new(Sampled {
        strategy: strategy.clone(),
        executions: sampled.executions,
        met_at: sampled.met_at,
        cover: sampled.cover,
    }));
    Ok(found)
}

/// Where executions of one search run: its stores, its body, its bounds.
pub(crate) struct Bench<'a> {
    pub(crate) worker: &'a mut Worker,
    pub(crate) body: Body<'a>,
    pub(crate) bounds: Bounds,
    pub(crate) mode: Mode,
    pub(crate) aside: Aside<'a>,
}

/// Who else takes part.
pub(crate) enum Aside<'a> {
    Nobody,
    /// Threads that run ahead of this one.
    Crew(Crew<'a>),
    /// This one runs ahead: steps that it has tried out, for the thread that it helps.
    Tell(Vec<(Vec<Choice>, Option<Arc<Footprint>>)>),
}

impl Bench<'_> {
    pub(crate) fn run(&mut self, chooser: &mut dyn Chooser) -> Result<Result<Run, Failure>, Error> {
        execute(self.worker, self.body, self.bounds, self.mode.clone(), chooser)
    }

    /// Runs a schedule and tells what its last step touched; `None` if it is not possible.
    pub(crate) fn probe(&mut self, choices: &[Choice]) -> Result<Option<Arc<Footprint>>, Error> {
        if let Aside::Crew(crew) = &self.aside
            && let Some(known) = crew.probed(choices)
        {
            return Ok(known.clone());
        }
        let mut probe = Probe::new(choices);
        if let Ok(run) = self.run(&mut probe)? {
            self.worker.recycle(run);
        }
        if let Aside::Tell(tried) = &mut self.aside {
            tried.push((choices.to_vec(), probe.tried.clone()));
        }
        Ok(probe.tried)
    }

    /// The next execution of an exhaustive search.
    pub(crate) fn next(&mut self, tree: &mut Optimal) -> Result<Result<Run, Failure>, Error> {
        let known = match &mut self.aside {
            Aside::Crew(crew) => crew.take(tree, self.worker),
            Aside::Nobody | Aside::Tell(_) => None,
        };
        if let Some(run) = known {
            return Ok(Ok(run));
        }
        let start = matches!(self.aside, Aside::Crew(_)).then(Instant::now);
        let run = self.run(tree);
        if let (Aside::Crew(crew), Some(start), Ok(Ok(run))) = (&mut self.aside, start, &run) {
            crew.note_time(start.elapsed(), run.events.len());
        }
        run
    }
}

/// Shares the search among threads, if it may use more than one.
fn shared(
    search: &Search,
    worker: &mut Worker,
    body: Body<'_>,
    bodies: &dyn Bodies,
    start: Instant,
) -> Result<Found, Error> {
    let (bounds, mode) = (search.bounds, Mode::default());
    if search.threads <= 1 {
        return exhaustive(search, Bench { worker, body, bounds, mode, aside: Aside::Nobody }, start);
    }
    std::thread::scope(|scope| {
        let helpers = search.threads - 1;
        let crew = Crew::new(helpers, crew::start(scope, helpers, bodies, bounds, worker.numbers().clone()));
        exhaustive(search, Bench { worker, body, bounds, mode, aside: Aside::Crew(crew) }, start)
    })
}

fn exhaustive(search: &Search, mut bench: Bench<'_>, start: Instant) -> Result<Found, Error> {
    let share = |time: Duration| if search.then.is_some() { time * EXHAUSTIVE_THIRDS / 3 } else { time };
    let limits = Search { max_time: search.max_time.map(share), ..search.clone() };
    let mut repeated = false;
    'again: loop {
        let mut tree = Optimal::new(search.bounds);
        if let Aside::Crew(crew) = &mut bench.aside {
            crew.forget();
        }
        let mut found = Found::default();
        let mut audited = 0;
        loop {
            let run = match std::mem::replace(&mut repeated, true) {
                false => twice(bench.worker, search.bounds, bench.body, &mut tree),
                true => bench.next(&mut tree),
            };
            let run = match run {
                Ok(Ok(run)) => run,
                Ok(Err(failure)) => return Ok(found.with_failed_setup(failure)),
                Err(error) => return Err(error),
            };
            if std::mem::take(&mut bench.worker.restart) {
                // What an `always` check reads has grown: what was taken for independent before may not be.
                continue 'again;
            }
            let more = tree.advance(&run, &mut bench)?;
            if std::mem::take(&mut bench.worker.restart) {
                // So has it where a step was tried out.
                continue 'again;
            }
            (found.executions, found.redundant, found.impossible) = (tree.executions, tree.redundant, tree.impossible);
            found.add(&run, bench.worker);
            if audited < search.audit && !matches!(run.end, End::Abandoned) {
                audited += 1;
                audit::audit(bench.worker, bench.body, search.bounds, &run)?;
                if std::mem::take(&mut bench.worker.restart) {
                    continue 'again;
                }
            }
            if !more {
                found.exhaustive = true;
                return Ok(found);
            }
            let first = (search.first && found.violation.is_some()).then_some(Stopped::First);
            found.cover.stopped = over(&limits, &found, start).or(first);
            if found.cover.stopped.is_some() {
                found.cover.traces = Some(Traces { number: tree.estimate(), error: None });
                return Ok(found);
            }
            if let Some(progress) = search.progress.as_ref().filter(|_| found.executions % ESTIMATE_EVERY == 0) {
                progress.set_traces(tree.estimate());
            }
            if let Aside::Crew(crew) = &mut bench.aside {
                crew.share(&tree, &run, bench.worker, found.executions);
            }
            bench.worker.recycle(run);
        }
    }
}

/// Runs one schedule twice and forgets it.
fn check_determinism(worker: &mut Worker, bounds: Bounds, body: Body<'_>) -> Result<(), Error> {
    if let Ok(run) = twice(worker, bounds, body, &mut Random::new(0, 0))? {
        worker.recycle(run);
    }
    worker.restart = false;
    Ok(())
}

/// The next execution, which is made a second time: a body that takes anything from outside its contexts shows here.
fn twice(
    worker: &mut Worker,
    bounds: Bounds,
    body: Body<'_>,
    chooser: &mut dyn Chooser,
) -> Result<Result<Run, Failure>, Error> {
    let mode = Mode { noted: true, ..Mode::default() };
    let first = match execute(worker, body, bounds, mode.clone(), chooser)? {
        Ok(run) => run,
        Err(failure) => return Ok(Err(failure)),
    };
    let Ok(second) = execute(worker, body, bounds, mode, &mut Again::new(&first))? else { return Ok(Ok(first)) };
    let Some(at) = difference(&first, &second) else {
        worker.recycle(second);
        return Ok(Ok(first));
    };
    let text = |run: &Run| {
        let name = |id| worker.client_name(id, run);
        run.said.get(at).map_or_else(|| "the end".to_owned(), |said| said.line(name))
    };
    let detail = format!(" (\"{}\" and \"{}\")", text(&first), text(&second));
    Err(Error::NotDeterministic { step: at + 1, detail })
}

/// The first step at which two runs of one schedule differ.
fn difference(first: &Run, second: &Run) -> Option<usize> {
    let step = |run: &Run, at: usize| run.events.get(at).map(|event| (event.footprint.choice, event.fingerprint));
    (0..first.events.len().max(second.events.len())).find(|at| step(first, *at) != step(second, *at))
}

/// A run of a schedule in stores of its own, with the steps as text.
pub(crate) struct Replayed {
    pub(crate) run: Run,
    pub(crate) stuck_at: Option<usize>,
    pub(crate) difference: Option<String>,
    /// The backend, handed back.
    pub(crate) backend: Option<Box<dyn Backend>>,
}

pub(crate) fn replay_schedule(
    body: Body<'_>,
    bounds: Bounds,
    absent: &[u16],
    schedule: &[Encoded],
    backend: Option<(Box<dyn Backend>, i64)>,
) -> Result<Result<Replayed, Failure>, Error> {
    let mut worker = Worker::new();
    worker.backend =
        backend.map(|(backend, start_ms)| Attached { backend, difference: None, at_the_end: false, start_ms });
    let mut chooser = Replay::new(schedule);
    let mode = Mode {
        record: true,
        stop_at_violation: true,
        absent: absent.iter().copied().map(ClientId).collect(),
        ..Mode::default()
    };
    let run = match execute(&mut worker, body, bounds, mode, &mut chooser)? {
        Ok(run) => run,
        Err(failure) => return Ok(Err(failure)),
    };
    let (difference, backend) = match worker.backend.take() {
        Some(attached) => (attached.difference, Some(attached.backend)),
        None => (None, None),
    };
    Ok(Ok(Replayed { run, stuck_at: chooser.stuck_at, difference, backend }))
}

/// The counterexample that a replayed run is.
pub(crate) fn counterexample(
    run: Run,
    violation: Violation,
    absent: Vec<u16>,
    choices: Vec<Encoded>,
) -> Counterexample {
    let token = Token { absent, choices, fingerprint: fingerprint(&run.steps) };
    let used = used(&run.events);
    let clients = run
        .cast
        .into_iter()
        .map(|(_, name)| name)
        .filter(|name| run.steps.iter().any(|step| step.client == *name))
        .collect();
    Counterexample {
        message: violation.message,
        story: violation.story.or(run.story),
        broken: violation.broken,
        place: violation.place,
        clients,
        start: run.start,
        steps: run.steps,
        used,
        token: token.render(),
    }
}

/// The pauses and faults that took place. A clock step that everybody waited for is no pause.
fn used(events: &[Event]) -> Bounds {
    let mut used = Bounds::default();
    for event in events {
        let choice = event.footprint.choice;
        used.pauses += u32::from(choice.process == CLOCK && event.optional);
        if let Some(fault) = choice.outcome.fault() {
            used = used.with(fault, used.faults.get(fault) + 1);
        }
    }
    used
}

/// The bounds that a schedule needs at least, so that a token works whatever bounds it is replayed under.
pub(super) fn widen(bounds: Bounds, token: &Token) -> Bounds {
    let count = |wanted: &dyn Fn(Outcome) -> bool| {
        let count = token.choices.iter().filter(|choice| wanted(choice.outcome)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    let time_passes = |outcome| matches!(outcome, Outcome::ToDeadline | Outcome::PastDeadline);
    let steps = u32::try_from(token.choices.len()).unwrap_or(u32::MAX);
    let depth = bounds.depth.map(|depth| depth.max(steps));
    let mut wide = Bounds { pauses: bounds.pauses.max(count(&time_passes)), depth, ..bounds };
    for fault in Fault::ALL {
        wide = wide.with(fault, bounds.faults.get(fault).max(count(&|outcome| outcome.fault() == Some(fault))));
    }
    wide
}

fn replay(search: &Search, text: &str, body: Body<'_>) -> Result<Report, Error> {
    let start = Instant::now();
    let token = Token::parse(text)?;
    let bounds = widen(search.bounds, &token);
    let wrong = |reason: String| Error::Token { token: text.to_owned(), reason };
    let replayed = match replay_schedule(body, bounds, &token.absent, &token.choices, None)? {
        Ok(replayed) => replayed,
        Err(failure) => return Err(wrong(format!("the setup fails: {}", failure.message))),
    };
    let steps = replayed.run.events.iter().filter(|event| event.footprint.choice.process != END).count();
    if fingerprint(&replayed.run.steps) != token.fingerprint || steps != token.choices.len() {
        let what = match replayed.stuck_at {
            Some(at) if at < token.choices.len() => format!("step {} of it is not possible here", at + 1),
            _ => "its steps are not those of this code".to_owned(),
        };
        return Err(wrong(format!("it was made for other code: {what}; run the check again for a new one")));
    }
    let run = replayed.run;
    let (violation, undecided) = (run.violation.clone(), run.undecided.clone());
    let violation = violation.map(|violation| counterexample(run, violation, token.absent, token.choices));
    Ok(Report {
        verdict: if violation.is_some() { Verdict::Violated } else { Verdict::NoViolationFound },
        executions: 1,
        redundant: 0,
        impossible: 0,
        met_at: violation.as_ref().map(|_| 1),
        cut_off: None,
        too_deep: false,
        states: None,
        undecided,
        bounds,
        exhaustive: false,
        shrunk: false,
        cover: Cover::default(),
        elapsed: start.elapsed(),
        violation,
    })
}
