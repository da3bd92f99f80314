//! Threads that run ahead of one exhaustive search.
//!
//! The reduction is sequential: which executions there are, and in which order, depends on the races of those before.
//! So one thread, the *lead*, carries out the search as if it were alone, and its results are those of a search with one
//! thread. The others take branches that are planned and not yet under way, search below them by the same reduction as
//! far as it is known already, and record what they run. When the lead comes to such a branch it finds most executions
//! recorded ([`Told`]): it makes every choice itself, and what it does not find it runs.
//!
//! Whatever a helper meets that would make the lead start over (a check reads something new) or end (an error) the lead
//! will meet as well; the helper drops the execution and gives up the branch.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope};
use std::time::Duration;

use raceproof_engine::Access;
use rustc_hash::FxHashMap;

use super::driver::{Aside, Bench, Body};
use super::optimal::{Optimal, Pending};
use super::told::{Recorded, Recorder, Told};
use crate::Bounds;
use crate::event::{Choice, Footprint, Seen, ThingId};
use crate::execution::{Cast, Mode, Run, Worker};
use crate::numbers::Numbers;
use crate::watchdog::Watchdog;

/// A search with fewer executions is over before threads would help.
const WORTH_THREADS: u64 = 64;
/// How many steps are recorded below one branch at most.
const MOST_STEPS: usize = 1 << 13;
/// For how many branches recorded executions may be held.
const MOST_TASKS: usize = 64;
/// A step of an execution must take so long (ns) that others shall run it. What another thread has run is in its core's
/// caches and in its part of the heap, and so the lead pays about 1,000 ns for each step that it takes over: a step of one
/// command to Redis takes less.
const WORTH_NS: u128 = if cfg!(test) { 0 } else { 2_000 };
/// How many executions of one kind it takes to outweigh all that were of the other.
const MOST_VOTES: i8 = 16;
/// A branch with fewer steps to go than this is not worth handing over.
const LEAST_STEPS: usize = 4;
/// A thread's stack: as much as a main thread has, since Lua and SQLite recurse on it.
const STACK_BYTES: usize = 8 << 20;

/// The body of a test, for every thread its own: a Lua state stays with its thread.
pub(crate) trait Bodies: Sync {
    /// Makes a body and lends it to `work`, which is not called if that fails.
    fn with(&self, work: &mut dyn FnMut(Body<'_>));
}

/// One closure that all threads may call.
pub(crate) struct Same<F>(pub(crate) F);

impl<F: Fn(&mut crate::World) + Sync> Bodies for Same<F> {
    fn with(&self, work: &mut dyn FnMut(Body<'_>)) {
        work(&self.0);
    }
}

/// A branch for a helper.
pub(crate) struct Task {
    tree: Mutex<Option<Optimal>>,
    observed: Vec<(ThingId, Access)>,
    seen: Seen,
    /// Nobody waits for it any more.
    over: AtomicBool,
    found: Mutex<Ahead>,
}

/// What a helper has found out and the lead has not yet taken over.
#[derive(Default)]
struct Ahead {
    runs: Vec<Recorded>,
    probes: Vec<(Vec<Choice>, Option<Arc<Footprint>>)>,
}

impl Task {
    fn found(&self) -> MutexGuard<'_, Ahead> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where tasks lie until a helper takes them.
#[derive(Default)]
pub(crate) struct Board {
    queue: Mutex<Queue>,
    posted: Condvar,
    /// The length of the queue, to be looked at without a lock.
    waiting: AtomicUsize,
}

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Arc<Task>>,
    /// How many helpers wait.
    idle: usize,
    over: bool,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn post(&self, task: Arc<Task>) {
        let mut queue = self.lock();
        queue.tasks.push_back(task);
        self.waiting.store(queue.tasks.len(), Ordering::Relaxed);
        let wake = queue.idle > 0;
        drop(queue);
        if wake {
            self.posted.notify_one();
        }
    }

    /// The next task that somebody waits for; `None` when the search is over.
    fn take(&self) -> Option<Arc<Task>> {
        let mut queue = self.lock();
        loop {
            if queue.over {
                return None;
            }
            let task = queue.tasks.pop_front();
            self.waiting.store(queue.tasks.len(), Ordering::Relaxed);
            match task {
                Some(task) if task.over.load(Ordering::Relaxed) => {}
                Some(task) => return Some(task),
                None => {
                    queue.idle += 1;
                    queue = self.posted.wait(queue).unwrap_or_else(PoisonError::into_inner);
                    queue.idle -= 1;
                }
            }
        }
    }

    /// The next task, if there is one.
    #[cfg(test)]
    pub(crate) fn posted(&self) -> Option<Arc<Task>> {
        let mut queue = self.lock();
        let task = queue.tasks.pop_front();
        self.waiting.store(queue.tasks.len(), Ordering::Relaxed);
        task
    }

    fn close(&self) {
        let mut queue = self.lock();
        queue.over = true;
        queue.tasks.clear();
        drop(queue);
        self.posted.notify_all();
    }
}

/// A task as the lead sees it.
struct Sent {
    task: Arc<Task>,
    branch: Pending,
    /// The lead is below the branch.
    entered: bool,
    told: Told,
    probes: FxHashMap<Vec<Choice>, Option<Arc<Footprint>>>,
}

impl Sent {
    /// Takes over what has been found out since. True if that is anything.
    fn listen(&mut self) -> bool {
        let Ahead { runs, probes } = std::mem::take(&mut *self.task.found());
        let heard = !runs.is_empty();
        runs.into_iter().for_each(|recorded| self.told.add(recorded));
        self.probes.extend(probes);
        heard
    }
}

/// The lead's side of the work. Dropped, it ends the helpers.
pub(crate) struct Crew<'a> {
    helpers: usize,
    /// Starts the helpers, if they are not at work yet.
    start: Option<Box<dyn FnOnce(Arc<Board>) + 'a>>,
    board: Arc<Board>,
    sent: Vec<Sent>,
    /// How many steps executions have, as a moving average.
    length: usize,
    /// How many more of the last executions of the lead's own were worth handing over than were not. Counted, not summed up:
    /// one that was interrupted by other work on the machine does not weigh more than others.
    votes: i8,
    /// Executions that were found recorded.
    pub(crate) taken: u64,
}

impl Drop for Crew<'_> {
    fn drop(&mut self) {
        self.forget();
        self.board.close();
    }
}

impl<'a> Crew<'a> {
    pub(crate) fn new(helpers: usize, start: Box<dyn FnOnce(Arc<Board>) + 'a>) -> Self {
        let (board, sent) = (Arc::default(), Vec::new());
        Self { helpers, start: Some(start), board, sent, length: 0, votes: 0, taken: 0 }
    }

    /// The next execution of the search, if a helper has run it.
    pub(crate) fn take(&mut self, tree: &mut Optimal, worker: &mut Worker) -> Option<Box<Run>> {
        let sent = self.sent.iter_mut().rev().find(|sent| sent.entered)?;
        let before: Vec<Choice> =
            (sent.branch.depth..tree.depth() - 1).filter_map(|depth| tree.choice_at(depth)).collect();
        if sent.listen() {
            worker.learn();
        }
        let cast = Cast { worker, top: 0, spawned: &[], lanes: &[] };
        let run = sent.told.run(before.into_iter(), tree, &cast);
        match &run {
            Some(_) => self.taken += 1,
            // What the helper would do next the lead does now.
            None => sent.task.over.store(true, Ordering::Relaxed),
        }
        run
    }

    /// What became of a step that was tried out, if a helper has tried it.
    pub(crate) fn probed(&self, choices: &[Choice]) -> Option<&Option<Arc<Footprint>>> {
        self.sent.iter().rev().filter(|sent| sent.entered).find_map(|sent| sent.probes.get(choices))
    }

    /// Forgets all that was handed over.
    pub(crate) fn forget(&mut self) {
        for sent in self.sent.drain(..) {
            sent.task.over.store(true, Ordering::Relaxed);
        }
    }

    /// The lead has run an execution itself, in so much time.
    pub(crate) fn note_time(&mut self, time: Duration, steps: usize) {
        let worth = time.as_nanos() >= WORTH_NS * u128::try_from(steps).unwrap_or(u128::MAX);
        self.votes = (self.votes + if worth { 1 } else { -1 }).clamp(-MOST_VOTES, MOST_VOTES);
    }

    /// Between two executions: looks where the lead stands now, and hands over branches.
    pub(crate) fn share(&mut self, tree: &Optimal, run: &Run, worker: &Worker, executions: u64) {
        self.length = (self.length * 7 + run.events.len()).div_ceil(8);
        self.follow(tree);
        if executions < WORTH_THREADS || self.votes <= 0 {
            return;
        }
        if let Some(start) = self.start.take() {
            start(self.board.clone());
        }
        while self.board.waiting.load(Ordering::Relaxed) < self.helpers && self.hand_over(tree, worker) {}
    }

    /// Drops the tasks that the lead has left behind, and notes which one it enters.
    fn follow(&mut self, tree: &Optimal) {
        let here = tree.depth().saturating_sub(1);
        self.sent.retain_mut(|sent| {
            let entered = sent.entered && here > sent.branch.depth;
            let ahead = !sent.entered && (here > sent.branch.depth || tree.is_pending(sent.branch));
            if !entered && !ahead {
                sent.task.over.store(true, Ordering::Relaxed);
                return false;
            }
            sent.entered |= here == sent.branch.depth && tree.choice_at(here) == Some(sent.branch.choice);
            true
        });
    }

    /// Hands over the branch that comes next of those that are worth it.
    fn hand_over(&mut self, tree: &Optimal, worker: &Worker) -> bool {
        let known = |branch: &Pending| self.sent.iter().any(|sent| sent.branch == *branch);
        let worth = |branch: &Pending| branch.depth + LEAST_STEPS <= self.length && !known(branch);
        let Some(branch) = tree.pending().find(worth) else { return false };
        if self.sent.len() >= MOST_TASKS && self.sent.iter().any(|sent| sent.branch.depth > branch.depth) {
            return false;
        }
        let Some(part) = tree.fork(branch) else { return false };
        let task = Arc::new(Task {
            tree: Mutex::new(Some(part)),
            observed: worker.observed.clone(),
            seen: worker.things.seen(),
            over: AtomicBool::new(false),
            found: Mutex::default(),
        });
        self.board.post(task.clone());
        let told = Told::new(branch.depth);
        self.sent.push(Sent { task, branch, entered: false, told, probes: FxHashMap::default() });
        self.sent.sort_by_key(|sent| sent.branch.depth);
        true
    }
}

/// Starts the threads of a crew.
pub(crate) fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    helpers: usize,
    bodies: &'scope dyn Bodies,
    bounds: Bounds,
    numbers: Numbers,
) -> Box<dyn FnOnce(Arc<Board>) + 'scope> {
    Box::new(move |board| {
        for _ in 0..helpers {
            let (board, numbers) = (board.clone(), numbers.clone());
            let work = move || help(&board, bodies, bounds, &numbers);
            if Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).is_err() {
                // The system allows no more threads: those that run share the work.
                break;
            }
        }
    })
}

/// The life of a helper.
fn help(board: &Board, bodies: &dyn Bodies, bounds: Bounds, numbers: &Numbers) {
    let _watchdog = Watchdog::start();
    bodies.with(&mut |body| {
        let mut worker = Worker::beside(numbers.clone());
        let mut bench = Bench { worker: &mut worker, body, bounds, mode: Mode::default(), aside: Aside::Nobody };
        while let Some(task) = board.take() {
            run_ahead(&task, &mut bench, MOST_STEPS);
        }
    });
}

/// Searches below a branch until it is done, somebody calls off, or so many steps have been recorded.
pub(crate) fn run_ahead(task: &Task, bench: &mut Bench<'_>, most_steps: usize) {
    let Some(mut tree) = task.tree.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    bench.worker.learn();
    bench.worker.observed.clone_from(&task.observed);
    bench.worker.things.set_seen(task.seen);
    bench.worker.restart = false;
    bench.aside = Aside::Tell(Vec::new());
    let mut steps = 0;
    while steps < most_steps && !task.over.load(Ordering::Relaxed) {
        let from = tree.depth() - 1;
        let mut recorder = Recorder { inner: &mut tree, from, enabled: Vec::new() };
        let Ok(Ok(run)) = bench.run(&mut recorder) else { break };
        let enabled = recorder.enabled;
        steps += enabled.len();
        let Ok(more) = tree.advance(&run, bench) else { break };
        if bench.worker.restart {
            break;
        }
        let mut found = task.found();
        found.runs.push(Recorded { from, enabled, run });
        if let Aside::Tell(probes) = &mut bench.aside {
            found.probes.append(probes);
        }
        drop(found);
        if !more {
            break;
        }
    }
    task.over.store(true, Ordering::Relaxed);
}
