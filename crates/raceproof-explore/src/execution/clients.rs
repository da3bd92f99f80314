//! The clients: polling them, taking over what they post, and telling which of their requests can be delivered.

use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll};

use raceproof_engine::{Access, Object};
use smallvec::{SmallVec, smallvec};

use super::client::Client;
use super::{Execution, Outcomes};
use crate::Error;
use crate::ctx::{ClientEnd, ClientFuture};
use crate::event::{CLOCK, ClientId, Outcome, ProcessId, Thing, Things, Touched};
use crate::faults::Fault;
use crate::mailbox::{Local, Lost, Op, Port};
use crate::panics;
use crate::report::Broken;
use crate::sql::{self, SqlCall};
use crate::watchdog::watched;

/// A process that can make a step, and how the step may turn out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Enabled {
    pub(crate) process: ProcessId,
    pub(crate) outcomes: Outcomes,
    /// The step need never happen.
    pub(crate) optional: bool,
    /// The step will happen unless its client dies, and has no other outcomes later than now: it is not optional, and its
    /// client cannot take it back.
    pub(crate) sure: bool,
    /// Its client can take it back, and make another one instead.
    pub(crate) fickle: bool,
}

impl Enabled {
    /// A step that will happen.
    pub(crate) fn surely(process: ProcessId, outcomes: Outcomes) -> Self {
        Self { process, outcomes, optional: false, sure: true, fickle: false }
    }

    /// A step that need not happen.
    pub(crate) fn optional(process: ProcessId, outcomes: Outcomes) -> Self {
        Self { optional: true, sure: false, ..Self::surely(process, outcomes) }
    }
}

/// A request at the gate.
pub(crate) struct Pending {
    pub(crate) id: u64,
    pub(crate) op: Op,
    pub(crate) process: ProcessId,
    pub(crate) posted_after: Option<usize>,
    pub(crate) waited: Vec<usize>,
    /// The client whose connection it is, and where the answer goes: another one than the client that asks, if that was
    /// lent the connection.
    pub(crate) owner: ClientId,
    /// The client has gone on in a step of another process since it sent the request: the reply may mean less to it now.
    pub(crate) overtaken: bool,
}

impl Pending {
    /// What a request that is not enabled waits for.
    pub(super) fn waits_for(&self, things: &mut Things, touched: &mut Touched) {
        match &self.op {
            Op::Redis { .. } | Op::Clock(_) => {}
            Op::Receive { session, .. } => touched.add(things.id(Thing::Inbox(self.owner, *session)), Access::Write),
            Op::Sql { .. } => touched.add(things.id(Thing::SqlLock), Access::Write),
            Op::Cell(op) => touched.add(things.id(Thing::Cell(op.cell)), op.access),
        }
    }
}

/// How often clients may wake themselves or each other between two steps: more is waiting for something by asking again
/// and again, which nobody will ever bring about.
const MOST_POLLS: u32 = 100_000;

impl Execution<'_> {
    pub(super) fn add_client(&mut self, id: ClientId, name: String, port: Port, future: ClientFuture) {
        let at = usize::from(id.0);
        if self.clients.len() <= at {
            self.clients.resize_with(at + 1, || None);
        }
        let name = self.own_name(name);
        let place = self.watching.as_ref().and_then(|watching| watching.place(&name, at));
        self.recall_started(id, &name);
        let client = match self.worker.spare.idle.pop() {
            Some(mut idle) => {
                (idle.name, idle.place, idle.port, idle.inbox) = (name, place, port, port.inbox());
                idle.future = Some(future);
                idle
            }
            None => Box::new(Client::new(name, place, port, future)),
        };
        self.clients[at] = Some(client);
        self.order.push(id);
    }

    /// Clients are told apart by name in histories and reports: the second `worker` is `worker 2`.
    fn own_name(&self, name: String) -> String {
        const COMPARED: usize = 256;
        let taken = |name: &str| self.order.iter().any(|id| self.client(*id).name == name);
        if self.order.len() > COMPARED || !taken(&name) {
            return name;
        }
        (2..).map(|number| format!("{name} {number}")).find(|own| !taken(own)).unwrap_or(name)
    }

    /// Lets a client run to its next gate, and then those that it spawns on the way.
    #[inline]
    pub(super) fn poll(&mut self, id: ClientId) -> Result<(), Error> {
        self.poll_one(id)?;
        if self.world.stage.has_spawned() { self.poll_spawned(id) } else { Ok(()) }
    }

    fn poll_spawned(&mut self, id: ClientId) -> Result<(), Error> {
        let mut next = self.adopt(id);
        next.reverse();
        while let Some(id) = next.pop() {
            self.poll_one(id)?;
            let children = self.adopt(id);
            next.extend(children.into_iter().rev());
        }
        Ok(())
    }

    /// Lets a client run to its next gate and takes over what it posted on the way.
    fn poll_one(&mut self, id: ClientId) -> Result<(), Error> {
        self.overtake(id);
        self.recall_goes_on(id);
        let client = self.clients[usize::from(id.0)].as_mut().expect("clients in the order exist");
        let Client { name, place, port, future: slot, woken, waker, .. } = &mut **client;
        if slot.is_none() {
            return Ok(());
        }
        let mut context = Context::from_waker(waker);
        let mut polls = 0;
        let ended = loop {
            woken.set(false);
            let polled = watched(self.watching.as_deref(), (name, *place), || {
                port.enter(|| {
                    panics::catch(AssertUnwindSafe(|| {
                        let Some(future) = slot else { return Poll::Pending };
                        let polled = future.as_mut().go_on(&mut context);
                        if polled.is_ready() {
                            // What its end does is the client's, too.
                            *slot = None;
                        }
                        polled
                    }))
                })
            });
            match polled {
                Ok(Poll::Ready(end)) => break Some(end),
                Ok(Poll::Pending) if woken.get() && polls < MOST_POLLS => polls += 1,
                Ok(Poll::Pending) if woken.get() => return Err(self.foreign(id)),
                Ok(Poll::Pending) => break None,
                Err(panic) if panic.is_foreign_runtime() => return Err(self.foreign(id)),
                Err(panic) => {
                    let future = slot.take();
                    port.enter(|| drop(future));
                    break Some(Err(panic.into_failure()));
                }
            }
        };
        self.take_over(id);
        if let Some(end) = ended {
            self.ended(id, end);
        }
        Ok(())
    }

    /// A client that is woken by a step of another process while requests of it are on their way.
    #[inline]
    fn overtake(&mut self, id: ClientId) {
        let client = self.client_mut(id);
        if client.future.is_none() || client.pending.is_empty() || self.current.is_none() || self.mover == Some(id) {
            return;
        }
        self.client_mut(id).pending.iter_mut().for_each(|request| request.overtaken = true);
        self.touch_thing(Thing::Waiting(id), Access::Write);
    }

    fn ended(&mut self, id: ClientId, end: ClientEnd) {
        // Only checks can ask.
        if end.is_ok() && !self.world.checks.is_empty() {
            self.world.stage.note_return(&self.client(id).name);
        }
        if let Err(failure) = end {
            let name = self.client(id).name.clone();
            if self.client(id).struck && blames_a_fault(&failure.message) {
                self.gave_up(id);
            } else {
                self.violate(Broken::Client(name), 0, failure, None);
            }
        }
        if self.client(id).pending.is_empty() {
            self.close(id);
        }
    }

    /// A client ends with the error that a fault gave it, as a program does that has no other answer: what it was about
    /// is never acknowledged.
    fn gave_up(&mut self, id: ClientId) {
        let name = self.client(id).name.clone();
        self.show_note(&name, "gives up");
        self.end_by_fault(id);
    }

    /// Puts the clients on the stage that a client has just spawned.
    fn adopt(&mut self, parent: ClientId) -> Vec<ClientId> {
        let spawned = self.world.stage.take_spawned();
        let mut children = Vec::with_capacity(spawned.len());
        for (name, port, future) in spawned {
            let number = self.client(parent).children;
            self.client_mut(parent).children += 1;
            let id = self.worker.client_id(Some(parent), number);
            self.add_client(id, name, port, future);
            self.recall_spawned(parent, id);
            self.spawned.push(id);
            children.push(id);
        }
        children
    }

    /// Polls the clients that others have woken, until all is quiet.
    pub(super) fn poll_woken(&mut self) -> Result<(), Error> {
        let mut last = ClientId(0);
        for _ in 0..MOST_POLLS {
            let woken = self.order.iter().copied().find(|id| {
                let client = self.client(*id);
                client.future.is_some() && client.is_woken()
            });
            match woken {
                Some(id) => {
                    last = id;
                    self.recall_woken(id);
                    self.poll(id)?;
                }
                None => return Ok(()),
            }
        }
        Err(self.foreign(last))
    }

    /// Moves what the client posted into its queue at the gate, and what it did locally into the step's footprint. A
    /// connection or a sleep may come from the context of another client, so then every mailbox is looked into.
    #[inline]
    fn take_over(&mut self, id: ClientId) {
        self.take_over_from(id, id);
        if !Port::take_elsewhere() {
            return;
        }
        for place in 0..self.order.len() {
            let owner = self.order[place];
            if owner != id {
                self.take_over_from(id, owner);
            }
        }
    }

    fn take_over_from(&mut self, id: ClientId, owner: ClientId) {
        let Some(mut mailbox) = self.client(owner).inbox.take() else { return };
        if mailbox.local.is_empty() && mailbox.withdrawn.is_empty() && mailbox.posted.len() <= 1 {
            if let Some((number, op)) = mailbox.posted.pop() {
                self.at_the_gate(id, owner, number, op);
            }
            self.client(owner).inbox.put_back(mailbox);
            return;
        }
        let (posted, local) = (std::mem::take(&mut mailbox.posted), std::mem::take(&mut mailbox.local));
        let withdrawn = std::mem::take(&mut mailbox.withdrawn);
        self.client(owner).inbox.put_back(mailbox);
        let wanted = |request: &Pending| request.owner != owner || !withdrawn.contains(&request.id);
        self.client_mut(id).pending.retain(wanted);
        for what in local {
            self.recall_local(id, &what);
            self.local(owner, what);
        }
        for (number, op) in posted {
            self.at_the_gate(id, owner, number, op);
        }
    }

    /// Queues what a client has posted.
    fn at_the_gate(&mut self, id: ClientId, owner: ClientId, number: u64, op: Op) {
        let lane = op.lane((owner != id).then_some(owner));
        let process = match self.client(id).lane {
            Some((known, process)) if known == lane => process,
            _ => {
                let process = self.process(id, lane);
                if !self.lanes.contains(&process) {
                    self.lanes.push(process);
                }
                self.client_mut(id).lane = Some((lane, process));
                process
            }
        };
        self.watch_inbox(owner, &op);
        let (posted_after, waited) = (self.current, Vec::new());
        let pending = Pending { id: number, op, process, posted_after, waited, owner, overtaken: false };
        self.client_mut(id).pending.push(pending);
    }

    fn local(&mut self, id: ClientId, what: Local) {
        match what {
            Local::ReadClock => self.touch(Object::Clock, Access::Read),
            Local::Timer => {
                self.touch(Object::Clock, Access::Read);
                self.touch(Object::Deadlines, Access::IntentWrite);
            }
            Local::Cell(cell, access) => self.touch_thing(Thing::Cell(cell), access),
            Local::Mark(mark) => self.mark(id, mark),
        }
    }

    pub(super) fn touch(&mut self, object: Object, access: Access) {
        let thing = self.worker.things.redis(&object);
        self.touched.add(thing, access);
    }

    pub(super) fn touch_thing(&mut self, thing: Thing, access: Access) {
        let thing = self.worker.things.id(thing);
        self.touched.add(thing, access);
    }

    /// The number of the step under way, from 1; 0 before the first.
    pub(super) fn step_number(&self) -> usize {
        self.current.map_or(0, |at| at + 1)
    }

    /// Fills in what can happen next: the clock first, then by process, in the order of their first requests.
    pub(super) fn list_enabled(&mut self, enabled: &mut Vec<Enabled>) {
        enabled.clear();
        if self.plain && self.list_plain(enabled) {
            return self.sort_enabled(enabled);
        }
        let at = self.events.len();
        enabled.clear();
        let may_go_wrong = self.left.may_strike() || self.bounds.faults.get(Fault::Lag) > 0;
        for place in 0..self.order.len() {
            let id = self.order[place];
            let client = self.client(id);
            match client.pending.as_slice() {
                [] => continue,
                // What nearly every request is like.
                [request]
                    if matches!(request.op, Op::Redis { .. })
                        && !may_go_wrong
                        && client.steps < self.bounds.steps_per_client =>
                {
                    let outcomes = smallvec![Outcome::Done];
                    enabled.push(Enabled::surely(request.process, outcomes));
                    continue;
                }
                _ => {}
            }
            if self.is_cut_off(id) {
                continue;
            }
            let mut pending = std::mem::take(&mut self.client_mut(id).pending);
            let mut seen: SmallVec<[ProcessId; 4]> = SmallVec::new();
            for request in &mut pending {
                if seen.contains(&request.process) {
                    continue;
                }
                let first = seen.is_empty();
                seen.push(request.process);
                if self.must_wait(request) {
                    if matches!(request.op, Op::Cell(_) | Op::Receive { .. }) {
                        request.waited.push(at);
                    }
                    continue;
                }
                let outcomes = self.outcomes(id, request, first);
                let fickle = request.op.can_be_taken_back();
                let sure = !fickle && !self.may_lag(request);
                enabled.push(Enabled { sure, fickle, ..Enabled::surely(request.process, outcomes) });
            }
            self.client_mut(id).pending = pending;
        }
        if let Some(clock) = self.clock_enabled(!enabled.is_empty()) {
            enabled.push(clock);
        }
        self.enable_faults(enabled);
        self.sort_enabled(enabled);
    }

    /// Lists what can happen next in an execution of plain steps, if each client sends one request to Redis or none: that
    /// is all then, since time passes only where nothing else happens. `false` if there is nothing or something else.
    fn list_plain(&self, enabled: &mut Vec<Enabled>) -> bool {
        for id in &self.order {
            let client = self.client(*id);
            match client.pending.as_slice() {
                [] => {}
                [request] if matches!(request.op, Op::Redis { .. }) && client.steps < self.bounds.steps_per_client => {
                    let outcomes = smallvec![Outcome::Done];
                    enabled.push(Enabled::surely(request.process, outcomes));
                }
                _ => return false,
            }
        }
        !enabled.is_empty()
    }

    fn sort_enabled(&self, enabled: &mut [Enabled]) {
        if enabled.len() < 2 {
            return;
        }
        let lanes = &self.lanes;
        let place = |process: ProcessId| lanes.iter().position(|known| *known == process);
        // The faults and the end come last, and have the highest numbers.
        enabled
            .sort_unstable_by_key(|one| (one.process != CLOCK, place(one.process).unwrap_or(usize::MAX), one.process));
    }

    /// A client that would take one step too many takes no more; the others go on without it.
    fn is_cut_off(&mut self, id: ClientId) -> bool {
        let client = self.client(id);
        let over = client.steps >= self.bounds.steps_per_client && !client.pending.is_empty();
        if over && self.cut_off.is_none() {
            self.cut_off = Some(client.name.clone());
        }
        over
    }

    /// How a step of the client may turn out. A client with several requests at the gate dies before one of them only,
    /// since its death is the same whichever it was about to make.
    fn outcomes(&mut self, id: ClientId, request: &Pending, first: bool) -> Outcomes {
        let mut outcomes: Outcomes = smallvec![Outcome::Done];
        if self.left.get(Fault::Crash) > 0 && self.client(id).future.is_some() {
            if first {
                outcomes.push(Outcome::CrashBefore);
            }
            // That something was received nobody can tell but the client.
            if !matches!(request.op, Op::Receive { .. }) {
                outcomes.push(Outcome::CrashAfter);
            }
        }
        self.receive_outcomes(id, request, &mut outcomes);
        if self.left.may_strike() {
            match &request.op {
                Op::Redis { session, .. } => self.redis_outcomes(id, request, *session, &mut outcomes),
                Op::Sql { connection, call } => self.sql_outcomes(request.owner, *connection, call, &mut outcomes),
                Op::Receive { .. } | Op::Cell(_) | Op::Clock(_) => {}
            }
        }
        outcomes
    }

    fn must_wait(&mut self, request: &Pending) -> bool {
        match &request.op {
            Op::Redis { .. } | Op::Receive { waits: false, .. } | Op::Clock(_) => false,
            Op::Receive { session, .. } => self.must_wait_for_message(request.process, request.owner, *session),
            Op::Sql { connection, call } => {
                self.worker.sql.is_locked() && self.needs_lock(request.owner, *connection, call)
            }
            Op::Cell(op) => op.ready.as_ref().is_some_and(|ready| !ready()),
        }
    }

    /// Whether there are states in which the request has to wait.
    pub(super) fn may_wait(&mut self, request: &Pending) -> bool {
        match &request.op {
            Op::Redis { .. } | Op::Clock(_) => false,
            Op::Receive { waits, .. } => *waits,
            Op::Sql { connection, call } => {
                let slot = self.sql_slot(request.owner, *connection);
                slot.is_ok_and(|slot| self.worker.sql.may_need_lock(slot, call))
            }
            Op::Cell(op) => op.ready.is_some(),
        }
    }

    pub(super) fn needs_lock(&mut self, id: ClientId, connection: u32, call: &SqlCall) -> bool {
        self.sql_slot(id, connection).is_ok_and(|slot| self.worker.sql.needs_lock(slot, call))
    }

    /// How a command may go wrong that reaches the server.
    fn redis_outcomes(&self, id: ClientId, request: &Pending, session: u32, outcomes: &mut Outcomes) {
        if self.client(id).unreachable || self.client(request.owner).broken.contains(&session) {
            return;
        }
        if self.left.get(Fault::LostReply) > 0 {
            use Outcome::{BrokenAfter, BrokenBefore, SilenceAfter, SilenceBefore};
            outcomes.extend([BrokenBefore, BrokenAfter, SilenceBefore, SilenceAfter]);
        }
        if self.left.get(Fault::Late) > 0 {
            outcomes.extend([Outcome::LateBroken, Outcome::LateSilence]);
        }
        self.lags(request, outcomes);
        if self.left.get(Fault::Partition) > 0 {
            outcomes.push(Outcome::Unreachable);
        }
    }

    /// How a statement may go wrong by itself.
    fn sql_outcomes(&mut self, owner: ClientId, connection: u32, call: &SqlCall, outcomes: &mut Outcomes) {
        if self.left.get(Fault::CommitUnknown) == 0 && self.left.get(Fault::SqlAbort) == 0 {
            return;
        }
        let Ok(slot) = self.sql_slot(owner, connection) else { return };
        if self.left.get(Fault::CommitUnknown) > 0 && self.worker.sql.may_commit(slot, call) {
            outcomes.extend([Outcome::UnknownBefore, Outcome::UnknownAfter]);
        }
        if self.left.get(Fault::SqlAbort) > 0 && self.worker.sql.may_be_aborted(slot, call) {
            outcomes.push(Outcome::Aborted);
        }
    }

    fn foreign(&self, id: ClientId) -> Error {
        let client = self.client(id);
        Error::Foreign { client: client.name.clone(), step: client.steps as usize }
    }

    /// Nothing is enabled and somebody still waits: for each other, or for something foreign.
    pub(super) fn stuck(&mut self) -> Result<(), Error> {
        let waiting: Vec<ClientId> = self.order.iter().copied().filter(|id| !self.client(*id).is_done()).collect();
        if self.frozen && self.next_timer().is_some() {
            let names: Vec<&str> = waiting.iter().map(|id| self.client(*id).name.as_str()).collect();
            let message = format!("deadlock: the clock is frozen, and {} can only wait", names.join(", "));
            self.violate(Broken::Deadlock, 0, crate::world::Failure { message, place: None }, None);
            return Ok(());
        }
        let idle = |id: &&ClientId| self.client(**id).pending.is_empty() && self.waits_with(**id).is_none();
        if let Some(id) = waiting.iter().find(idle) {
            return Err(self.foreign(*id));
        }
        let names: Vec<String> = waiting
            .iter()
            .map(|id| {
                let client = self.client(*id);
                if let Some(command) = self.waits_with(*id) {
                    return format!("{} waits with {command}", client.name);
                }
                let what = client.pending.first().map_or("nothing", |request| match request.op {
                    Op::Redis { .. } => "Redis",
                    Op::Receive { .. } => "a message",
                    Op::Sql { .. } => "the database's write lock",
                    Op::Cell(_) => "another client",
                    Op::Clock(_) => "the clock",
                });
                format!("{} waits for {what}", client.name)
            })
            .collect();
        let message = format!("deadlock: {}", names.join(", "));
        self.violate(Broken::Deadlock, 0, crate::world::Failure { message, place: None }, None);
        Ok(())
    }
}

/// Whether a client that ended with this message ended because of a fault that it was told of.
fn blames_a_fault(message: &str) -> bool {
    [Lost::Broken.text(), Lost::TimedOut.text(), Lost::Unreachable.text(), sql::COMMIT_UNKNOWN, sql::ABORTED]
        .iter()
        .any(|text| message.contains(text))
}
