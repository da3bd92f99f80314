//! Delivering a client's request: to Redis, to the database, to shared state; and killing a client at a gate.

use std::hash::{Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use raceproof_engine::{Access, Object, Reply, SessionId};
use rustc_hash::FxHasher;
use smallvec::SmallVec;

use super::clients::Pending;
use super::lost::Answered;
use super::messages::owner_of;
use super::waits::NOT_IN_TIME;
use super::worker::Worker;
use super::{Delivered, Execution, trace};
use crate::Error;
use crate::command::Command;
use crate::event::{Choice, ClientId, Event, Footprint, Outcome, Reach, Thing, Touched};
use crate::faults::Fault;
use crate::mailbox::{Answer, CellOp, Local, Op};
use crate::panics;
use crate::report::{Broken, DIES, StepKind};
use crate::sql::{SqlCall, SqlResult, Statement};

impl Execution<'_> {
    pub(super) fn client_step(&mut self, choice: Choice) -> Result<Event, Error> {
        let id = self.worker.owner(choice.process).expect("the clock has its own steps");
        let client = self.client_mut(id);
        let at = client.pending.iter().position(|request| request.process == choice.process);
        let mut request = client.pending.remove(at.expect("only enabled steps are chosen"));
        client.steps += 1;
        // A reply that another client brings comes before this step or after it, and the client may care.
        if request.overtaken || self.waits_with(id).is_some() {
            self.touch_thing(Thing::Waiting(id), Access::Read);
        }
        let needs_lock = match &request.op {
            Op::Sql { connection, call } => self.needs_lock(request.owner, *connection, call),
            Op::Redis { .. } | Op::Receive { .. } | Op::Cell(_) | Op::Clock(_) => false,
        };
        let mut fingerprint = FxHasher::default();
        choice.outcome.hash(&mut fingerprint);
        if choice.outcome == Outcome::CrashBefore {
            // A client that waits for something dies at the gate only when it could go on.
            if self.may_wait(&request) {
                match &request.op {
                    Op::Cell(op) => self.touch_thing(Thing::Cell(op.cell), op.access),
                    Op::Receive { session, .. } => {
                        self.touch_thing(Thing::Inbox(request.owner, *session), Access::Write);
                        self.touch_life();
                    }
                    Op::Sql { .. } | Op::Redis { .. } | Op::Clock(_) => {
                        self.touch_thing(Thing::SqlLock, Access::Read);
                    }
                }
            }
            self.show_crash_before(id, &request.op);
            self.kill(id)?;
        } else {
            self.start_operations(id);
            let number = request.id;
            let answered = self.answer(id, &mut request, choice.outcome, &mut fingerprint)?;
            self.recall_answer(choice, &request, &answered)?;
            match &answered {
                Answered::Now(answer) => self.note_reply(choice.process, answer, fingerprint.finish()),
                // What a command waits for is told when it comes.
                Answered::Later if self.is_kept_back(id, number) => {}
                Answered::Later => self.note_reply(choice.process, &NOT_IN_TIME, 0),
            }
            if choice.outcome == Outcome::CrashAfter {
                self.show_unanswered(id, &format!("{DIES}before the reply"))?;
                self.kill(id)?;
            } else if let Answered::Now(answer) = answered {
                if let (Op::Redis { session, .. }, Answer::Redis(_) | Answer::Reply(_)) = (&request.op, &answer) {
                    self.arrive(request.owner, *session);
                }
                self.client(request.owner).inbox.with(|mailbox| mailbox.answer(number, answer));
                self.poll(id)?;
                if self.client(id).is_done() {
                    self.close(id);
                }
            }
        }
        let reach = reach(&request.op);
        let delivered = match request.op {
            // Tried out by itself, a request is sent to the primary.
            Op::Redis { session, .. } if self.is_replica(request.owner, session) => None,
            Op::Redis { session, commands } => Some(Delivered { owner: request.owner, session, commands }),
            Op::Receive { .. } | Op::Sql { .. } | Op::Cell(_) | Op::Clock(_) => None,
        };
        let known = self.known.as_ref().and_then(|known| known.footprint(choice, id, reach));
        let own = || Footprint { choice, client: Some(id), touched: Touched::default(), reach, barrier: false };
        Ok(Event {
            footprint: known.unwrap_or_else(|| Arc::new(own())),
            fingerprint: fingerprint.finish(),
            posted_after: request.posted_after,
            needs_lock,
            waited: request.waited,
            delivered,
            ..Event::new(choice, Touched::default(), false)
        })
    }

    pub(super) fn carry_out(
        &mut self,
        id: ClientId,
        request: &mut Pending,
        fingerprint: &mut FxHasher,
    ) -> Result<Answered, Error> {
        match &mut request.op {
            Op::Redis { session, .. } => {
                let number = *session;
                let session = self.redis_session(request.owner, number)?;
                let replica = self.meet_replica(request);
                let Op::Redis { commands, .. } = &request.op else { return Ok(Answered::Later) };
                if let [args] = commands.as_slice() {
                    let reply = self.redis(session, args)?;
                    args.hash(fingerprint);
                    trace::hash_reply(&reply, fingerprint);
                    let waits = self.worker.outcome.waits;
                    if self.mode.is_shown() {
                        self.show_redis(id, commands, if waits { &[] } else { std::slice::from_ref(&reply) });
                        self.show_replica(replica);
                    }
                    if waits {
                        self.begin_wait(id, request, number, session);
                        return Ok(Answered::Later);
                    }
                    return Ok(Answered::Now(Answer::Reply(reply)));
                }
                let mut replies = SmallVec::new();
                let mut waits = false;
                for args in commands.iter() {
                    let reply = self.redis(session, args)?;
                    args.hash(fingerprint);
                    trace::hash_reply(&reply, fingerprint);
                    waits = self.worker.outcome.waits;
                    if waits {
                        break;
                    }
                    replies.push(reply);
                }
                if self.mode.is_shown() {
                    self.show_redis(id, commands, if waits { &[] } else { &replies });
                    self.show_replica(replica);
                }
                if waits {
                    self.begin_wait(id, request, number, session);
                    let sent = replies.len() + 1;
                    self.wait_amid(replies, commands.get(sent..).unwrap_or_default());
                    return Ok(Answered::Later);
                }
                Ok(Answered::Now(Answer::Redis(replies)))
            }
            Op::Sql { connection, call } => {
                let slot = self.sql_slot(request.owner, *connection)?;
                let result = self.sql(id, slot, call);
                format!("{call:?}{result:?}").hash(fingerprint);
                if self.mode.is_shown() {
                    self.show_sql(id, call, &result);
                }
                Ok(Answered::Now(Answer::Sql(result)))
            }
            Op::Receive { session, .. } => {
                let number = *session;
                self.receive(id, request, number, Outcome::Done, fingerprint)
            }
            Op::Cell(op) => Ok(Answered::Now(self.cell(id, op, fingerprint))),
            Op::Clock(call) => {
                let call = *call;
                call.text().hash(fingerprint);
                let name = self.client(id).name.clone();
                self.show_step(&name, StepKind::Clock, call.text(), String::new());
                self.move_clock(call)?;
                Ok(Answered::Now(Answer::Cell))
            }
        }
    }

    /// A panic of the client's own closure is raised again where the client waits for it.
    fn cell(&mut self, id: ClientId, op: &mut CellOp, fingerprint: &mut FxHasher) -> Answer {
        self.touch_thing(Thing::Cell(op.cell), op.access);
        let run = std::mem::replace(&mut op.run, Box::new(String::new));
        let (result, answer) = match panics::catch(AssertUnwindSafe(run)) {
            Ok(result) => (result, Answer::Cell),
            Err(panic) => (String::new(), Answer::Panic(panic.into_failure())),
        };
        op.text.hash(fingerprint);
        result.hash(fingerprint);
        let name = self.client(id).name.clone();
        self.show_step(&name, StepKind::Shared, op.text.clone(), result);
        answer
    }

    /// The engine's session behind a client's connection, opened at its first use.
    #[inline]
    pub(super) fn redis_session(&mut self, id: ClientId, number: u32) -> Result<SessionId, Error> {
        match self.client(id).sessions.get(number as usize) {
            Some(Some(session)) => Ok(*session),
            _ => self.open_redis_session(id, number),
        }
    }

    fn open_redis_session(&mut self, id: ClientId, number: u32) -> Result<SessionId, Error> {
        let at = number as usize;
        let session = if self.is_replica(id, number) {
            self.connect_to_replica()?
        } else {
            let opened = self.client(id).opened.get(at).copied().unwrap_or_default();
            let client_id = self.worker.connection_id(id, number, opened);
            let session = self.worker.engine.connect(Some(client_id));
            self.on_server(|server| {
                server.connect(session.0)?;
                server.show_id(session.0, client_id)
            })?;
            self.touch_sessions();
            session
        };
        let client = self.client_mut(id);
        while client.sessions.len() <= at {
            client.sessions.push(None);
        }
        while client.opened.len() <= at {
            client.opened.push(0);
        }
        client.sessions[at] = Some(session);
        client.opened[at] += 1;
        Ok(session)
    }

    /// A connection of no client's.
    pub(super) fn connect(&mut self) -> Result<SessionId, Error> {
        let session = self.worker.engine.connect(None);
        self.on_server(|server| server.connect(session.0))?;
        Ok(session)
    }

    /// The connections that there are change, of which hardly anybody asks the server.
    fn touch_sessions(&mut self) {
        if self.worker.things.sessions_are_seen() {
            self.touch(Object::Server, Access::IntentWrite);
        }
    }

    pub(super) fn disconnect(&mut self, session: SessionId) {
        self.touch_sessions();
        self.leave_queues(session);
        self.worker.outcome.footprint.clear();
        let Worker { engine, outcome, .. } = &mut *self.worker;
        engine.touch_disconnect(session, &mut outcome.footprint);
        self.touch_redis();
        self.worker.engine.disconnect(session);
        if let Some(attached) = &mut self.worker.backend {
            attached.backend.disconnect(session.0);
        }
    }

    /// One command on the engine, and on the real server if one runs beside it: then its reply counts.
    pub(super) fn redis(&mut self, session: SessionId, args: &Command) -> Result<Reply, Error> {
        let (reply, entry) = self.on_engine(session, args);
        let reply = if self.worker.outcome.waits {
            self.on_server(|server| server.send(session.0, args))?;
            reply
        } else {
            self.compared(session, args, reply)?
        };
        if entry {
            self.tell_log()?;
        }
        Ok(reply)
    }

    /// One command on the engine: its reply, and whether it is an entry of the log.
    pub(super) fn on_engine(&mut self, session: SessionId, args: &Command) -> (Reply, bool) {
        let now = self.server_time();
        if let Some(entries) = self.behind {
            return (self.on_past(entries, session, args), false);
        }
        let Worker { engine, lua, things, outcome, .. } = &mut *self.worker;
        let known = engine.execute(lua, things, (session, args), now, outcome);
        let reply = self.take_in(session, known.as_deref());
        self.known = known;
        self.recall_redis(args);
        (reply, self.write_log())
    }

    /// Adds what the engine has just touched to the footprint of the step.
    pub(super) fn touch_redis(&mut self) {
        let Self { worker, order, clients, touched, .. } = self;
        let Worker { things, outcome, .. } = &mut **worker;
        for (object, access) in outcome.footprint.iter() {
            let thing = match object {
                // Known by whose connection it is: sessions get their numbers as they are first used, which is not the
                // same in every execution of a trace.
                Object::Inbox(session) => {
                    let Some((owner, number)) = owner_of(order, clients, *session) else { continue };
                    things.id(Thing::Inbox(owner, number))
                }
                object => things.redis(object),
            };
            touched.add(thing, *access);
        }
    }

    pub(super) fn sql_slot(&mut self, id: ClientId, number: u32) -> Result<usize, Error> {
        let at = number as usize;
        if let Some(Some(slot)) = self.client(id).connections.get(at) {
            return Ok(*slot);
        }
        let slot = self.worker.sql.open().map_err(|error| Error::Database(error.to_string()))?;
        let connections = &mut self.client_mut(id).connections;
        if connections.len() <= at {
            connections.resize(at + 1, None);
        }
        connections[at] = Some(slot);
        Ok(slot)
    }

    fn sql(&mut self, id: ClientId, slot: usize, call: &SqlCall) -> SqlResult {
        let mut done = Statement::default();
        let result = self.worker.sql.execute(slot, call, &mut done);
        let (lock, committed) = (done.lock, done.committed);
        self.recall_statement(&done);
        self.touch_sql(done);
        if lock && self.worker.sql.holds_lock(slot) {
            self.lock_taken_by = Some(self.events.len());
        }
        if committed {
            self.commit(id);
        }
        result
    }

    pub(super) fn touch_sql(&mut self, done: Statement) {
        for access in done.accesses {
            let (thing, access) = self.worker.things.sql(access);
            self.touched.add(thing, access);
        }
        if done.lock {
            self.touch_thing(Thing::SqlLock, Access::Write);
        }
    }

    /// A client dies: what it had not yet sent is lost, its connections close, its transaction rolls back.
    fn kill(&mut self, id: ClientId) -> Result<(), Error> {
        self.left.spend(Fault::Crash);
        self.note_death(id);
        let client = self.client_mut(id);
        let (future, port) = (client.future.take(), client.port);
        let dropped = port.enter(|| panics::catch(AssertUnwindSafe(|| drop(future))));
        if let Err(panic) = dropped {
            let name = self.client(id).name.clone();
            self.violate(Broken::Client(name), 0, panic.into_failure(), None);
        }
        let client = self.client_mut(id);
        client.pending.clear();
        let mut mailbox = client.port.lock();
        mailbox.posted.clear();
        mailbox.withdrawn.clear();
        drop(mailbox);
        self.silent.retain(|silent| silent.client != id);
        let local: Vec<Local> =
            self.order.iter().flat_map(|id| std::mem::take(&mut self.client(*id).port.lock().local)).collect();
        // What its drop handlers gave back (a file lock) others can see; what it said last nobody hears.
        for what in local {
            self.recall_local(id, &what);
            if let Local::Cell(cell, access) = what {
                self.touch_thing(Thing::Cell(cell), access);
            }
        }
        self.end_by_fault(id);
        self.close(id);
        Ok(())
    }

    /// Closes the connections of a client that is gone.
    pub(super) fn close(&mut self, id: ClientId) {
        if !self.client(id).broken.is_empty() {
            // Had it ended before they were closed, it would have closed them itself.
            self.touch_sessions();
        }
        let client = self.client_mut(id);
        if client.sessions.is_empty() && client.connections.is_empty() {
            return;
        }
        let sessions = std::mem::take(&mut client.sessions);
        client.sent.clear();
        let connections = std::mem::take(&mut client.connections);
        for session in sessions.iter().flatten() {
            self.disconnect(*session);
        }
        for slot in connections.iter().flatten() {
            if self.worker.sql.close(*slot).unwrap_or(false) {
                self.touch_thing(Thing::SqlLock, Access::Write);
            }
        }
    }
}

/// What the step could touch in another state.
fn reach(op: &Op) -> Reach {
    match op {
        Op::Redis { commands, .. } if commands.len() == 1 => commands[0].reach(),
        Op::Redis { .. } | Op::Receive { .. } | Op::Sql { .. } | Op::Cell(_) | Op::Clock(_) => Reach::Anything,
    }
}
