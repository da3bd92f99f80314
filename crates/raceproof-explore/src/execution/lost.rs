//! Steps that go wrong for one client: the reply is lost, Redis cannot be reached, the database ends the transaction or
//! nobody learns how the commit went.

use std::hash::Hash;

use raceproof_engine::{Access, Object};
use rustc_hash::FxHasher;

use super::clients::Pending;
use super::{Execution, Silent};
use crate::Error;
use crate::event::{ClientId, Outcome, Thing};
use crate::faults::Fault;
use crate::mailbox::{Answer, Lost, Op, REPLY_TIMEOUT_MS};
use crate::report::StepKind;
use crate::sql::{ABORTED, COMMIT_UNKNOWN, SqlCall, SqlError};

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Answered {
    Now(Answer),
    /// Its client waits: for its time-out, or for what the server waits for.
    Later,
}

impl Execution<'_> {
    /// Carries out a request in the way that its outcome says.
    pub(super) fn answer(
        &mut self,
        id: ClientId,
        request: &mut Pending,
        outcome: Outcome,
        fingerprint: &mut FxHasher,
    ) -> Result<Answered, Error> {
        if let Some(fault) = outcome.fault() {
            // A death is counted where the client dies.
            if !matches!(outcome, Outcome::CrashBefore | Outcome::CrashAfter) {
                self.left.spend(fault);
                // Who reads what is old does not know.
                self.client_mut(id).struck |= fault != Fault::Lag;
            }
        }
        match &request.op {
            Op::Redis { session, .. } => {
                let session = *session;
                self.redis_answer(id, request, session, outcome, fingerprint)
            }
            Op::Sql { connection, .. } => {
                let connection = *connection;
                self.sql_answer(id, request, connection, outcome, fingerprint)
            }
            Op::Receive { session, .. } => {
                let session = *session;
                self.receive(id, request, session, outcome, fingerprint)
            }
            Op::Cell(_) | Op::Clock(_) => self.carry_out(id, request, fingerprint),
        }
    }

    fn redis_answer(
        &mut self,
        id: ClientId,
        request: &mut Pending,
        session: u32,
        outcome: Outcome,
        fingerprint: &mut FxHasher,
    ) -> Result<Answered, Error> {
        let owner = request.owner;
        if self.client(id).unreachable || outcome == Outcome::Unreachable {
            let client = self.client_mut(id);
            if !std::mem::replace(&mut client.unreachable, true) {
                client.lose_messages(None);
            }
            client.struck = true;
            self.show_lost(id, &request.op, "is not sent: Redis cannot be reached");
            return Ok(Answered::Now(Answer::Lost(Lost::Unreachable)));
        }
        self.touch_life();
        if let Some(at) = self.client(owner).broken.iter().position(|broken| *broken == session) {
            self.client_mut(owner).broken.remove(at);
            self.client_mut(id).struck = true;
            // Who had it closed has written this, and the first to learn of it is the only one.
            self.touch_thing(Thing::Inbox(owner, session), Access::Write);
            self.show_lost(id, &request.op, "fails: its connection is gone");
            "broken".hash(fingerprint);
            return Ok(Answered::Now(Answer::Lost(Lost::Broken)));
        }
        if self.bounds.faults.get(Fault::Late) > 0 {
            self.could_wait();
        }
        match outcome {
            Outcome::BrokenBefore => {
                self.show_lost(id, &request.op, "is lost: the connection breaks");
                self.break_connection(owner, session);
                Ok(Answered::Now(Answer::Lost(Lost::Broken)))
            }
            Outcome::BrokenAfter => {
                if let Answered::Later = self.carry_out(id, request, fingerprint)? {
                    self.doom_wait(outcome);
                    return Ok(Answered::Later);
                }
                self.show_unanswered(id, "gets no reply: the connection breaks")?;
                self.break_connection(owner, session);
                Ok(Answered::Now(Answer::Lost(Lost::Broken)))
            }
            Outcome::SilenceBefore => {
                self.show_lost(id, &request.op, "is lost, and the client waits for a reply");
                Ok(self.silence(id, request))
            }
            Outcome::SilenceAfter => {
                if let Answered::Later = self.carry_out(id, request, fingerprint)? {
                    self.doom_wait(outcome);
                    return Ok(Answered::Later);
                }
                self.show_unanswered(id, "gets no reply, and waits for it")?;
                Ok(self.silence(id, request))
            }
            Outcome::LateBroken => {
                self.show_lost(id, &request.op, "is still on its way when the connection breaks");
                self.send_late(id, request)?;
                Ok(Answered::Now(Answer::Lost(Lost::Broken)))
            }
            Outcome::LateSilence => {
                self.show_lost(id, &request.op, "is still on its way, and the client waits for a reply");
                self.send_late(id, request)?;
                Ok(self.silence(id, request))
            }
            Outcome::Behind(entries) => {
                self.behind = Some(entries);
                let answered = self.carry_out(id, request, fingerprint);
                self.behind = None;
                answered
            }
            _ => self.carry_out(id, request, fingerprint),
        }
    }

    /// The session ends: its transaction and its watches with it. The next command opens another one.
    pub(super) fn break_connection(&mut self, owner: ClientId, session: u32) {
        self.client_mut(owner).lose_messages(Some(session));
        let open = self.client_mut(owner).sessions.get_mut(session as usize).and_then(Option::take);
        if let Some(session) = open {
            self.disconnect(session);
        }
    }

    /// What a client touches that waits for its time-out. Where it might have to, whatever is left of the budget, all
    /// outcomes of the step touch it: while the waiting sleeps, another outcome must show that time passing comes between.
    fn could_wait(&mut self) {
        self.touch(Object::Clock, Access::Read);
        self.touch(Object::Deadlines, Access::IntentWrite);
    }

    fn silence(&mut self, id: ClientId, request: &Pending) -> Answered {
        self.could_wait();
        let until_ms = self.now_ms + REPLY_TIMEOUT_MS;
        self.silent.push(Silent { client: id, owner: request.owner, request: request.id, until_ms });
        Answered::Later
    }

    fn sql_answer(
        &mut self,
        id: ClientId,
        request: &mut Pending,
        connection: u32,
        outcome: Outcome,
        fingerprint: &mut FxHasher,
    ) -> Result<Answered, Error> {
        let failed = |message: &str, call: &SqlCall, maybe_applied: bool| {
            let sql = call.text().to_owned();
            let error = SqlError { sql, message: message.to_owned(), stale_snapshot: false, maybe_applied };
            Ok(Answered::Now(Answer::Sql(Err(error))))
        };
        let call = match &request.op {
            Op::Sql { call, .. } => call.clone(),
            Op::Redis { .. } | Op::Receive { .. } | Op::Cell(_) | Op::Clock(_) => {
                return self.carry_out(id, request, fingerprint);
            }
        };
        if matches!(outcome, Outcome::UnknownBefore | Outcome::Aborted) && self.may_wait(request) {
            // It goes wrong when it could have been made, and that others decide.
            self.touch_thing(Thing::SqlLock, Access::Read);
        }
        match outcome {
            Outcome::UnknownBefore => {
                self.show_lost(id, &request.op, "is lost: the connection breaks");
                self.roll_back(request.owner, connection)?;
                failed(COMMIT_UNKNOWN, &call, true)
            }
            Outcome::UnknownAfter => {
                self.carry_out(id, request, fingerprint)?;
                self.show_unanswered(id, "gets no reply: the connection breaks")?;
                self.roll_back(request.owner, connection)?;
                failed(COMMIT_UNKNOWN, &call, true)
            }
            Outcome::Aborted => {
                self.show_lost(id, &request.op, "fails: the database rolls the transaction back");
                self.roll_back(request.owner, connection)?;
                failed(ABORTED, &call, false)
            }
            _ => self.carry_out(id, request, fingerprint),
        }
    }

    fn roll_back(&mut self, owner: ClientId, connection: u32) -> Result<(), Error> {
        let slot = self.sql_slot(owner, connection)?;
        if self.worker.sql.close(slot).map_err(|error| Error::Database(error.to_string()))? {
            self.touch_thing(Thing::SqlLock, Access::Write);
        }
        Ok(())
    }

    pub(super) fn show_lost(&mut self, id: ClientId, op: &Op, what: &str) {
        if self.mode.is_shown() {
            let name = self.client(id).name.clone();
            let text = format!("{} {what}", super::trace::request(op));
            self.show_step(&name, StepKind::Fault, text, String::new());
        }
    }
}
