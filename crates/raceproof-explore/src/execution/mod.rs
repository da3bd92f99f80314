//! One execution: the clients are polled, their requests queue up at the gate, and a [`Chooser`] decides what happens
//! next until nothing can.

mod changes;
mod client;
mod clients;
mod clock;
mod compare;
mod deliver;
mod direct;
mod dry;
mod faults;
mod late;
mod lost;
mod messages;
mod never;
mod plain;
mod recall;
mod record;
mod replica;
mod run;
mod serial;
mod server;
mod story;
mod trace;
mod waits;
mod worker;

use std::rc::Rc;
use std::sync::Arc;

use raceproof_engine::{Access, SessionId};
use smallvec::SmallVec;

use client::Client;
pub(crate) use clients::Enabled;
use direct::Direct;
pub(crate) use dry::Delivered;
pub(crate) use recall::{OVERHEAD_BYTES, Part, Recall};
pub(crate) use run::{End, Run, Violation};
pub(crate) use serial::{Ending, Outcomes as SerialOutcome};
pub(crate) use server::Known;
pub(crate) use trace::Said;
pub(crate) use worker::{Attached, Mode, SETUP, Worker};

use crate::Error;
use crate::ctx::Ctx;
use crate::event::{CLOCK, Choice, ClientId, END, Event, FAULTS, Footprint, Outcome, ProcessId, Thing, Touched};
use crate::faults::Faults;
use crate::history::History;
use crate::report::{Bounds, Broken, Step};
use crate::state::Held;
use crate::watchdog::Watching;
use crate::world::{Failure, When, World};

/// Decides what happens next.
pub(crate) trait Chooser {
    /// One of the enabled choices, or `None` to abandon the execution. `enabled` is never empty; the clock comes first, then the
    /// processes in the order of their first requests in this execution.
    fn choose(&mut self, at: usize, enabled: &[Enabled], cast: &Cast<'_>) -> Option<Choice>;

    /// Whether the execution is now known to be the same as in an earlier run; `false` abandons it.
    ///
    /// # Errors
    /// When the step differs from the one that the same schedule gave before.
    fn executed(&mut self, at: usize, event: &Event) -> Result<(), Error>;

    /// Whether it is to be told the state in which step `at` would be made.
    fn keeps_state(&self, _at: usize) -> bool {
        false
    }

    /// Is told that state, and which clients have ended in it, before the choice if there is one; `false` abandons the
    /// execution.
    fn reach(&mut self, _at: usize, _state: Vec<u8>, _ended: &dyn Fn(ClientId) -> bool) -> bool {
        true
    }
}

/// Who is on the stage.
#[derive(Clone, Copy)]
pub(crate) struct Cast<'a> {
    pub(crate) worker: &'a Worker,
    /// The number of clients that the body made.
    pub(crate) top: usize,
    /// The clients that other clients started, in the order in which they did in this execution.
    pub(crate) spawned: &'a [ClientId],
    /// The clients' processes, in the order of their first request in this execution.
    pub(crate) lanes: &'a [ProcessId],
}

impl<'a> Cast<'a> {
    /// The cast at the end of a run.
    pub(crate) fn of(run: &'a Run, worker: &'a Worker) -> Self {
        Self { worker, top: run.top, spawned: &run.spawned, lanes: &run.lanes }
    }

    /// The client with a number that means the same in every run of one schedule.
    #[inline]
    pub(crate) fn client(&self, number: u16) -> Option<ClientId> {
        match usize::from(number).checked_sub(self.top) {
            None => Some(ClientId(number)),
            Some(spawned) => self.spawned.get(spawned).copied(),
        }
    }

    pub(crate) fn number(&self, client: ClientId) -> u16 {
        match self.spawned.iter().position(|known| *known == client) {
            None => client.0,
            Some(at) => u16::try_from(self.top + at).unwrap_or(u16::MAX),
        }
    }
}

pub(crate) struct Execution<'w> {
    pub(crate) worker: &'w mut Worker,
    pub(crate) world: World,
    pub(crate) mode: Mode,
    pub(crate) bounds: Bounds,
    /// By client number; `None` for one that this execution has not seen (yet).
    pub(crate) clients: Vec<Option<Box<Client>>>,
    pub(crate) order: Vec<ClientId>,
    /// The number of clients that the body made, and those that other clients started.
    pub(crate) top: usize,
    pub(crate) spawned: Vec<ClientId>,
    /// The clients' processes, in the order of their first request.
    pub(crate) lanes: Vec<ProcessId>,
    /// The first client that ran into the step limit.
    pub(crate) cut_off: Option<String>,
    pub(crate) now_ms: i64,
    pub(crate) pauses_left: u32,
    /// The faults that may still strike.
    pub(crate) left: Faults,
    pub(crate) events: Vec<Event>,
    pub(crate) history: History,
    pub(crate) history_changed: bool,
    pub(crate) start: Vec<Held>,
    pub(crate) steps: Vec<Step>,
    pub(crate) said: Vec<Said>,
    /// What stood in the stores after the last of them, if they are recorded.
    pub(crate) seen: Option<Box<changes::Seen>>,
    /// What each step read and wrote, if the steps are recorded.
    pub(crate) traffic: Vec<story::Traffic>,
    pub(crate) violation: Option<Violation>,
    pub(crate) undecided: Option<String>,
    noted: serial::Noted,
    ending: Option<Box<Ending>>,
    /// The event that took the database's write lock last.
    pub(crate) lock_taken_by: Option<usize>,
    /// What the step under way has touched so far.
    pub(crate) touched: Touched,
    pub(crate) observed_grew: bool,
    /// The event under way; `None` before the first.
    pub(crate) current: Option<usize>,
    /// Its number as people see it, where steps are shown; a step with a fault is shown as two.
    number: usize,
    /// The client whose step it is; `None` for the clock's.
    pub(crate) mover: Option<ClientId>,
    /// What its one command did.
    pub(super) known: Option<Rc<Known>>,
    direct: Direct,
    log: faults::Log,
    /// The faults that could have struck by themselves so far.
    possible: Vec<Outcome>,
    /// The step of [`END`] was made.
    over: bool,
    /// By how much the server's clock is ahead of the clients' (ms).
    server_ahead_ms: i64,
    /// A client has stopped time.
    frozen: bool,
    /// See [`Self::is_plain`].
    plain: bool,
    /// Another client than the one that makes it has gone on in the step under way, or been told something.
    stirred: bool,
    watching: Option<Rc<Watching>>,
    /// Replies that were lost: when who sent the request learns of it (virtual ms since the Unix epoch).
    silent: Vec<Silent>,
    /// Requests whose replies the server keeps back.
    waiters: Vec<waits::Waiter>,
    /// Replies to such requests that the step under way has brought about.
    served: Vec<waits::Served>,
    /// Connections that the step under way has closed from the server's side.
    closing: Vec<SessionId>,
    /// Commands that are still on their way although their clients have gone on.
    late: Vec<late::Late>,
    /// A setup or a check is at work: what its commands send, nobody hears.
    checking: bool,
    /// The replica has at least so many entries of the log.
    replica: u16,
    /// The read under way is of a replica that has so many.
    behind: Option<u16>,
}

/// A request whose client waits for its time-out.
#[derive(Clone, Copy, Debug)]
struct Silent {
    client: ClientId,
    owner: ClientId,
    request: u64,
    until_ms: i64,
}

impl<'w> Execution<'w> {
    pub(crate) fn new(worker: &'w mut Worker, world: World, bounds: Bounds, mode: Mode) -> Self {
        let now_ms = worker.start_ms();
        if let Some(recall) = &mut worker.recall {
            recall.begin();
        }
        if mode.in_full {
            worker.engine.leave();
        }
        Self {
            world,
            mode,
            bounds,
            clients: std::mem::take(&mut worker.spare.clients),
            events: std::mem::take(&mut worker.spare.events),
            order: std::mem::take(&mut worker.spare.order),
            lanes: std::mem::take(&mut worker.spare.lanes),
            worker,
            top: 0,
            spawned: Vec::new(),
            cut_off: None,
            now_ms,
            pauses_left: bounds.pauses,
            left: bounds.faults,
            history: History { start_ms: now_ms, ..History::default() },
            history_changed: false,
            start: Vec::new(),
            steps: Vec::new(),
            said: Vec::new(),
            seen: None,
            traffic: Vec::new(),
            violation: None,
            undecided: None,
            noted: serial::Noted::default(),
            ending: None,
            lock_taken_by: None,
            touched: Touched::default(),
            observed_grew: false,
            current: None,
            number: 0,
            mover: None,
            known: None,
            direct: Direct::default(),
            log: faults::Log::default(),
            possible: Vec::new(),
            over: false,
            server_ahead_ms: 0,
            frozen: false,
            plain: false,
            stirred: false,
            watching: Watching::current(),
            silent: Vec::new(),
            waiters: Vec::new(),
            served: Vec::new(),
            closing: Vec::new(),
            late: Vec::new(),
            checking: false,
            replica: 0,
            behind: None,
        }
    }

    /// Runs to the end.
    pub(crate) fn run(mut self, chooser: &mut dyn Chooser) -> Result<Box<Run>, Error> {
        self.start()?;
        let mut enabled = std::mem::take(&mut self.worker.spare.enabled);
        let (mut all_plain, mut is_listed) = (false, false);
        let end = loop {
            if let Some(what) = self.worker.run_out {
                return Err(Error::TooMany(what));
            }
            if !is_listed {
                all_plain = self.list_enabled(&mut enabled);
            }
            if !self.keep_in_turn(&mut enabled) {
                break End::Abandoned;
            }
            if chooser.keeps_state(self.events.len()) {
                let state = self.state()?;
                if !chooser.reach(self.events.len(), state, &|id| self.client(id).is_done()) {
                    break End::Abandoned;
                }
            }
            if enabled.is_empty() {
                if let Some(name) = self.cut_off.take() {
                    break End::CutOff(name);
                }
                if self.order.iter().all(|id| self.client(*id).is_done()) {
                    break End::Complete;
                }
                self.stuck()?;
                break End::Complete;
            }
            if self.bounds.depth.is_some_and(|most| self.events.len() >= most as usize) {
                break End::TooDeep;
            }
            let cast = Cast { worker: self.worker, top: self.top, spawned: &self.spawned, lanes: &self.lanes };
            let Some(choice) = chooser.choose(self.events.len(), &enabled, &cast) else { break End::Abandoned };
            is_listed = if self.plain_step(choice)? {
                all_plain && self.list_after(choice, &mut enabled)
            } else {
                self.step(choice, &enabled)?;
                false
            };
            let at = self.events.len() - 1;
            chooser.executed(at, &self.events[at])?;
            if self.mode.stop_at_violation && self.violation.is_some() {
                break End::Complete;
            }
        };
        self.worker.spare.enabled = enabled;
        if matches!(end, End::Complete) {
            self.compare_at_the_end()?;
            self.ending = self.ending()?.map(Box::new);
            self.check_at_the_end()?;
        }
        let run = self.finish(end);
        let Self { worker, world, .. } = self;
        worker.spare.take_stage(world.stage);
        run
    }

    fn start(&mut self) -> Result<(), Error> {
        let mut clients = std::mem::take(&mut self.world.clients);
        self.top = clients.len();
        for (number, (name, port, future)) in clients.drain(..).enumerate() {
            let id = self.worker.client_id(None, number);
            if let Some(what) = self.worker.run_out {
                return Err(Error::TooMany(what));
            }
            if !self.mode.absent.contains(&id) {
                self.add_client(id, name, port, future);
            }
        }
        self.worker.spare.newcomers = clients;
        self.plain = self.is_plain();
        self.open_log()?;
        self.touched.clear();
        self.show_start()?;
        // Those that they spawn are polled with them.
        for place in 0..self.order.len() {
            self.poll(self.order[place])?;
        }
        self.check_always()?;
        self.worker.restart |= self.worker.things.note(&self.touched);
        self.look_at_the_start()?;
        self.touched.clear();
        Ok(())
    }

    /// Carries out one choice and records it as an event.
    fn step(&mut self, choice: Choice, enabled: &[Enabled]) -> Result<(), Error> {
        let at = self.events.len();
        self.current = Some(at);
        self.mover = self.worker.owner(choice.process);
        self.touched.clear();
        self.known = None;
        self.recall_step();
        let number = self.steps.len() + 1;
        self.number = if self.mode.record { number } else { at + 1 };
        let locked_by = self.locked_by();
        let entries = self.log.len();
        let event = match choice.process {
            CLOCK => self.clock_step(choice, enabled)?,
            FAULTS => self.fault_step(choice)?,
            END => self.end_step(choice),
            _ if choice.outcome == Outcome::Arrives => self.late_step(choice)?,
            _ => self.client_step(choice)?,
        };
        self.events.push(event);
        self.note_event();
        self.deliver()?;
        self.poll_woken()?;
        self.show_changes()?;
        // Whatever client goes on in a step, the lock that it holds may end with it.
        self.events[at].locked = locked_by.is_some();
        self.events[at].logged = self.log.len().saturating_sub(entries);
        self.events[at].unlocks = locked_by.filter(|_| self.locked_by() != locked_by);
        self.note_running(choice);
        self.check_always()?;
        self.check_history()?;
        self.observe();
        let touched = std::mem::take(&mut self.touched);
        self.worker.restart |= self.worker.things.note(&touched);
        self.note_traffic(number, choice, &touched);
        self.settle(at, touched);
        Ok(())
    }

    /// Completes the footprint of an event. Steps of clients that were one known command and nothing else share theirs.
    fn settle(&mut self, at: usize, touched: Touched) {
        let known = self.known.take();
        let footprint = &mut self.events[at].footprint;
        if let Some(own) = Arc::get_mut(footprint) {
            own.touched = touched;
            if let Some(known) = known.filter(|known| known.touched == footprint.touched) {
                known.keep(footprint);
            }
        } else if footprint.touched != touched {
            *footprint = Arc::new(Footprint { touched, ..(**footprint).clone() });
        }
    }

    /// A step after which its client cannot go on decides whether a clock step is a pause or free.
    fn note_running(&mut self, choice: Choice) {
        if self.bounds.pauses == 0 {
            return;
        }
        let Some(owner) = self.worker.owner(choice.process) else { return };
        // A request that may have to wait counts as waiting, whether it does now or not: that others decide.
        let pending = std::mem::take(&mut self.client_mut(owner).pending);
        let goes_on = pending.iter().any(|request| !self.may_wait(request));
        self.client_mut(owner).pending = pending;
        if !goes_on {
            let running = self.worker.things.id(Thing::Running);
            self.touched.add(running, Access::IntentWrite);
        }
    }

    /// Steps that write what an `always` check reads depend on each other: the check sees their order.
    fn observe(&mut self) {
        if self.is_observed(&self.touched) {
            let observed = self.worker.things.id(Thing::Observed);
            self.touched.add(observed, Access::Write);
        }
    }

    /// Whether a step that touches this changes what an `always` check reads.
    fn is_observed(&self, touched: &Touched) -> bool {
        let observed = &self.worker.observed;
        let seen = |thing, access: Access| observed.iter().any(|(known, how)| known == thing && how.conflicts(access));
        !observed.is_empty() && touched.iter().any(|(thing, access)| access.writes() && seen(thing, *access))
    }

    pub(crate) fn violate(&mut self, broken: Broken, check: usize, failure: Failure, story: Option<String>) {
        if self.violation.is_none() {
            // Counts the step under way, which is recorded only after its client has run on.
            let at = self.step_number();
            let Failure { message, place } = failure;
            self.violation = Some(Violation { broken, check, message, story, place, at });
        }
    }

    fn check_always(&mut self) -> Result<(), Error> {
        for number in 0..self.world.checks.len() {
            if self.world.checks[number].when == When::Always && self.violation.is_none() {
                self.state_check(number, Broken::Always, true)?;
            }
        }
        Ok(())
    }

    fn check_at_the_end(&mut self) -> Result<(), Error> {
        self.look_at_the_end()?;
        self.check_agreement()?;
        for number in 0..self.world.checks.len() {
            let broken = match self.world.checks[number].when {
                When::Always => continue,
                When::Finally if !self.mode.absent.is_empty() => continue,
                When::Finally => Broken::Finally,
                When::Quiet => Broken::Quiet,
            };
            if self.violation.is_none() {
                self.state_check(number, broken, false)?;
            }
        }
        Ok(())
    }

    fn state_check(&mut self, number: usize, broken: Broken, observing: bool) -> Result<(), Error> {
        let (before, now_ms) = (std::mem::take(&mut self.touched), self.now_ms);
        let port = self.direct_port();
        let ctx = Ctx::new("the check", port, self.world.stage.clone());
        let future = (self.world.checks[number].run)(ctx);
        self.direct.wrote = false;
        self.world.stage.at_the_end.set(!observing);
        let ended = self.run_direct("the check", &port, future);
        self.world.stage.at_the_end.set(false);
        self.recall_asked();
        let ended = ended?;
        let read = std::mem::replace(&mut self.touched, before);
        if observing {
            let misuse = |what: &str| Error::Misuse { who: "an always check".to_owned(), what: what.to_owned() };
            if self.now_ms != now_ms {
                return Err(misuse("sleeps: it looks at one instant, so let a finally check wait"));
            }
            if self.direct.wrote {
                return Err(misuse("writes: what it changes the clients would see, so let it read only"));
            }
            self.observed_grew |= self.worker.add_observed(&read);
        }
        if let Err(failure) = ended {
            self.violate(broken, number, failure, None);
        }
        Ok(())
    }

    fn finish(&mut self, end: End) -> Result<Box<Run>, Error> {
        let never = self.never();
        for (_, event) in &never {
            self.worker.restart |= self.worker.things.note(&event.footprint.touched);
        }
        let final_state = if self.mode.fingerprint_state { Some(self.fingerprint_state()?) } else { None };
        if self.observed_grew {
            self.worker.restart = true;
        }
        let story = self.story();
        let start = self.shown_start();
        let mut order = std::mem::take(&mut self.order);
        let mut cast = std::mem::take(&mut self.worker.spare.cast);
        cast.extend(order.drain(..).map(|id| (id, std::mem::take(&mut self.client_mut(id).name))));
        self.worker.spare.order = order;
        self.worker.spare.take_back(std::mem::take(&mut self.clients));
        // Filled in place: it is large, and moving it from hand to hand costs.
        let mut run = self.worker.spare.run.take().unwrap_or_default();
        let Run {
            end: ended,
            events,
            never: missed,
            violation,
            undecided,
            ending,
            start: found,
            steps,
            said,
            story: told,
            final_state: left,
            cast: all,
            top,
            spawned,
            lanes,
        } = &mut *run;
        (*ended, *top) = (end, self.top);
        (*missed, *found, *told, *left, *all) = (never, start, story, final_state, cast);
        *events = std::mem::take(&mut self.events);
        *violation = self.violation.take();
        *undecided = self.undecided.take();
        *ending = self.ending.take();
        *steps = std::mem::take(&mut self.steps);
        *said = std::mem::take(&mut self.said);
        *spawned = std::mem::take(&mut self.spawned);
        *lanes = std::mem::take(&mut self.lanes);
        Ok(run)
    }

    #[inline]
    pub(crate) fn client(&self, id: ClientId) -> &Client {
        self.clients[usize::from(id.0)].as_ref().expect("clients in the order exist")
    }

    #[inline]
    pub(crate) fn client_mut(&mut self, id: ClientId) -> &mut Client {
        self.clients[usize::from(id.0)].as_mut().expect("clients in the order exist")
    }

    /// The event that took the database's write lock, while it is held.
    fn locked_by(&self) -> Option<usize> {
        self.lock_taken_by.filter(|_| self.worker.sql.is_locked())
    }

    pub(crate) fn process(&mut self, id: ClientId, lane: crate::mailbox::Lane) -> ProcessId {
        self.worker.process_id(id, lane)
    }
}

pub(crate) type Outcomes = SmallVec<[Outcome; 3]>;
