//! Commands that wait on the server: `BLPOP`, `XREAD BLOCK` and their kind.
//!
//! Beginning to wait is the step. What ends it, another client's push, the deadline or a fault, is a step of somebody else,
//! in which the waiting client is given its reply and goes on: the requests that it then posts come after that step,
//! like those of any client that another one wakes.

use std::hash::{Hash, Hasher};

use raceproof_engine::{Access, Object, Reply, SessionId};
use rustc_hash::FxHasher;
use smallvec::SmallVec;

use super::clients::Pending;
use super::{Execution, Silent, Worker, trace};
use crate::Error;
use crate::command::Command;
use crate::event::{ClientId, Outcome, ProcessId, Thing};
use crate::mailbox::{Answer, Lost, REPLY_TIMEOUT_MS};
use crate::report::StepKind;
use crate::world::Failure;

/// A request whose reply the server keeps back.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) client: ClientId,
    pub(super) owner: ClientId,
    /// Which of the owner's connections.
    number: u32,
    session: SessionId,
    pub(super) request: u64,
    process: ProcessId,
    /// What will happen to the reply: it reaches the client, or is lost with the connection, or without a word.
    pub(super) fate: Outcome,
    text: String,
    /// Of a transaction that a pause holds in its midst: the replies so far, and the commands that are still to be sent.
    replies: SmallVec<[Reply; 1]>,
    rest: SmallVec<[Command; 1]>,
}

/// What the server has sent to sessions that waited.
#[derive(Debug)]
pub(super) struct Served {
    session: SessionId,
    reply: Reply,
    /// The time of the wait was over.
    late: bool,
}

impl Served {
    pub(super) const fn new(session: SessionId, reply: Reply, late: bool) -> Self {
        Self { session, reply, late }
    }
}

/// What a client is told whose reply does not come before its time-out.
pub(super) const NOT_IN_TIME: &str = "no reply in time";

impl Execution<'_> {
    /// The server keeps back the reply to a request.
    pub(super) fn begin_wait(&mut self, id: ClientId, request: &Pending, number: u32, session: SessionId) {
        // What the client makes of the reply belongs to the step of whoever brings it.
        self.touch_thing(Thing::Served, Access::IntentRead);
        self.waiters.push(Waiter {
            client: id,
            owner: request.owner,
            number,
            session,
            request: request.id,
            process: request.process,
            fate: Outcome::Done,
            text: trace::request(&request.op),
            replies: SmallVec::new(),
            rest: SmallVec::new(),
        });
    }

    /// The command for which a client has just begun to wait is one of several that are sent together.
    pub(super) fn wait_amid(&mut self, replies: SmallVec<[Reply; 1]>, rest: &[Command]) {
        if let Some(waiter) = self.waiters.last_mut() {
            (waiter.replies, waiter.rest) = (replies, rest.iter().cloned().collect());
        }
    }

    /// The reply for which a client has just begun to wait will be lost.
    pub(super) fn doom_wait(&mut self, fate: Outcome) {
        if let Some(waiter) = self.waiters.last_mut() {
            waiter.fate = fate;
        }
    }

    /// Gives clients the replies that they waited for.
    pub(super) fn deliver(&mut self) -> Result<(), Error> {
        self.close_killed();
        while !self.served.is_empty() {
            for served in std::mem::take(&mut self.served) {
                self.deliver_one(served)?;
            }
            // What was sent together with a command that waited may have killed others.
            self.close_killed();
        }
        Ok(())
    }

    fn deliver_one(&mut self, served: Served) -> Result<(), Error> {
        let Served { session, reply, late } = served;
        let reply = self.reply_of_backend(session, reply, late)?;
        let Some(at) = self.waiters.iter().position(|waiter| waiter.session == session) else { return Ok(()) };
        let mut waiter = self.waiters.remove(at);
        waiter.replies.push(reply);
        if !self.send_rest(&mut waiter)? {
            self.waiters.push(waiter);
            return Ok(());
        }
        let replies = std::mem::take(&mut waiter.replies);
        self.touch_thing(Thing::Served, Access::IntentRead);
        self.touch_thing(Thing::Waiting(waiter.client), Access::Write);
        self.serve_at_replica(waiter.owner, waiter.number);
        match waiter.fate {
            Outcome::BrokenAfter => self.lose_with_connection(&waiter, "is lost: the connection breaks"),
            Outcome::SilenceAfter => {
                self.show_wait(&waiter, StepKind::Fault, "is lost on its way", String::new());
                // From here on its client waits for its time-out.
                self.touch(Object::Clock, Access::Read);
                self.touch(Object::Deadlines, Access::IntentWrite);
                let until_ms = self.now_ms + REPLY_TIMEOUT_MS;
                self.note_reply(waiter.process, &NOT_IN_TIME, 0);
                let Waiter { client, owner, request, .. } = waiter;
                self.silent.push(Silent { client, owner, request, until_ms });
            }
            _ => {
                // As it is noted where it comes at once.
                match replies.as_slice() {
                    [reply] => self.note_reply(waiter.process, &Answer::Reply(reply.clone()), 0),
                    _ => self.note_reply(waiter.process, &Answer::Redis(replies.clone()), 0),
                }
                if let Some(last) = replies.last() {
                    self.show_wait(&waiter, StepKind::Redis, "", trace::reply(last));
                }
                for reply in &replies {
                    self.mark_event(&waiter, reply);
                    self.recall_served(waiter.client, reply);
                }
                self.arrive(waiter.owner, waiter.number);
                self.end_waiter(&waiter, Answer::Redis(replies));
            }
        }
        Ok(())
    }

    /// Sends what came together with the command whose reply has come. Tells whether all of it has its reply.
    fn send_rest(&mut self, waiter: &mut Waiter) -> Result<bool, Error> {
        while !waiter.rest.is_empty() {
            let command = waiter.rest.remove(0);
            let reply = self.redis(waiter.session, &command)?;
            if self.worker.outcome.waits {
                return Ok(false);
            }
            waiter.replies.push(reply);
        }
        Ok(true)
    }

    fn reply_of_backend(&mut self, session: SessionId, reply: Reply, late: bool) -> Result<Reply, Error> {
        let Some(attached) = &mut self.worker.backend else { return Ok(reply) };
        let real = attached.backend.receive(session.0, late).map_err(|error| Error::Backend(error.to_string()))?;
        self.hold_against(&[], "a client that waited", &reply, &real);
        Ok(real)
    }

    /// What another client is told belongs to what the step has done.
    fn mark_event(&mut self, waiter: &Waiter, reply: &Reply) {
        let Some(event) = self.current.and_then(|at| self.events.get_mut(at)) else { return };
        let mut fingerprint = FxHasher::default();
        waiter.client.hash(&mut fingerprint);
        trace::hash_reply(reply, &mut fingerprint);
        // Nobody can tell who of several was told first.
        event.fingerprint = event.fingerprint.wrapping_add(fingerprint.finish());
    }

    fn end_waiter(&mut self, waiter: &Waiter, answer: Answer) {
        self.client(waiter.owner).port.answer(waiter.request, answer);
        self.client(waiter.client).wake();
    }

    fn lose_with_connection(&mut self, waiter: &Waiter, what: &str) {
        self.show_wait(waiter, StepKind::Fault, what, String::new());
        self.note_reply(waiter.process, &Answer::Lost(Lost::Broken), 0);
        self.recall_served(waiter.client, &Lost::Broken);
        self.client_mut(waiter.client).struck = true;
        self.client_mut(waiter.owner).lose_messages(Some(waiter.number));
        let open = self.client_mut(waiter.owner).sessions.get_mut(waiter.number as usize).and_then(Option::take);
        if let Some(session) = open {
            self.disconnect(session);
        }
        self.end_waiter(waiter, Answer::Lost(Lost::Broken));
    }

    /// Connections that somebody has had closed (`CLIENT KILL`). Who waits with one learns it at once, and anybody else
    /// from the next command: that is not sent.
    fn close_killed(&mut self) {
        for session in std::mem::take(&mut self.closing) {
            // From now on a command may find its connection closed.
            self.plain = false;
            self.served.retain(|served| served.session != session);
            if let Some(at) = self.waiters.iter().position(|waiter| waiter.session == session) {
                let waiter = self.waiters.remove(at);
                self.touch_thing(Thing::Served, Access::IntentRead);
                self.touch_thing(Thing::Waiting(waiter.client), Access::Write);
                self.lose_with_connection(&waiter, "fails: its connection is closed");
            } else if let Some((owner, number)) = self.owner_of(session) {
                self.break_connection(owner, number);
                let broken = &mut self.client_mut(owner).broken;
                if !broken.contains(&number) {
                    broken.push(number);
                }
            } else {
                self.close_late(session);
            }
        }
    }

    /// The server is gone, and with it the connections of those who waited: unlike others they learn it at once.
    pub(super) fn break_waits(&mut self) {
        self.served.clear();
        for waiter in std::mem::take(&mut self.waiters) {
            self.client_mut(waiter.owner).broken.retain(|broken| *broken != waiter.number);
            self.lose_with_connection(&waiter, "fails: the server is gone");
        }
    }

    /// A connection is about to close: who waits with it is in the queues of keys, which others can tell.
    pub(super) fn leave_queues(&mut self, session: SessionId) {
        if !self.worker.engine.waits(session) {
            return;
        }
        self.worker.engine.leave().give_up(session, &mut self.worker.outcome);
        self.touch_redis();
        let left = self.waiters.iter().position(|waiter| waiter.session == session);
        let Some(waiter) = left.map(|at| self.waiters.remove(at)) else { return };
        if waiter.client != waiter.owner && !self.client(waiter.client).is_done() {
            self.end_waiter(&waiter, Answer::Lost(Lost::Broken));
        }
    }

    /// When the first wait is over by itself, on the clients' clock.
    pub(super) fn next_timeout(&self) -> Option<i64> {
        self.worker.engine.next_timeout_ms().map(|deadline| (deadline + 1 - self.server_ahead_ms).max(self.now_ms))
    }

    /// Ends the waits whose time is over.
    pub(super) fn time_out_now(&mut self) -> Result<(), Error> {
        let now = self.server_time();
        if self.worker.engine.next_timeout_ms().is_some_and(|deadline| now.ms() > deadline) {
            let Worker { engine, lua, outcome, .. } = &mut *self.worker;
            engine.leave().time_out(lua, now, outcome);
            self.touch_redis();
            self.keep_deliveries(None, true);
            // A command that was held until now may have written.
            if self.write_log() {
                self.tell_log()?;
            }
        }
        Ok(())
    }

    /// A setup or a check waits: time passes for it.
    pub(super) fn wait_directly(&mut self, session: SessionId) -> Result<Reply, Failure> {
        loop {
            let until = self.next_timeout().ok_or_else(|| Failure {
                message: "a setup or a check waits for ever: nobody else can do anything meanwhile".to_owned(),
                place: None,
            })?;
            self.set_clock(until).map_err(|error| Failure { message: error.to_string(), place: None })?;
            if let Some(at) = self.served.iter().position(|served| served.session == session) {
                return Ok(self.served.remove(at).reply);
            }
            // What ended is another wait, or the pause that held a command which now waits itself.
        }
    }

    /// Whether the server keeps back a reply.
    pub(super) const fn anybody_waits(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// Whether the server keeps back the reply to a request of a client.
    pub(super) fn is_kept_back(&self, id: ClientId, request: u64) -> bool {
        self.waiters.iter().any(|waiter| waiter.client == id && waiter.request == request)
    }

    /// What a client waits with.
    pub(super) fn waits_with(&self, id: ClientId) -> Option<&str> {
        self.waiters.iter().find(|waiter| waiter.client == id).map(|waiter| waiter.text.as_str())
    }

    fn show_wait(&mut self, waiter: &Waiter, kind: StepKind, what: &str, reply: String) {
        if self.mode.is_shown() {
            let name = self.client(waiter.client).name.clone();
            let text = if what.is_empty() { waiter.text.clone() } else { format!("{} {what}", waiter.text) };
            self.show_step(&name, kind, text, reply);
        }
    }
}
