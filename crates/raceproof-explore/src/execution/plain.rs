//! The step that nearly all are: one command to Redis that nothing goes wrong with, and that nobody but its client looks
//! at. It leaves out what [`Execution::step`] does for all the others, and does nothing else.

use std::rc::Rc;
use std::sync::Arc;

use raceproof_engine::{Reply, SessionId};

use super::clients::Pending;
use super::{Delivered, Execution, Known, Worker, trace};
use crate::Error;
use crate::command::Command;
use crate::event::{Choice, Event, Footprint, Outcome, Touched};
use crate::mailbox::{Answer, Op};
use crate::world::When;

impl Execution<'_> {
    /// Whether no step of this execution is recorded, kept, compared or checked, goes wrong, or comes with a pause.
    pub(super) fn is_plain(&self) -> bool {
        let watched = self.world.serializable
            || !self.world.history_checks.is_empty()
            || self.world.checks.iter().any(|check| check.when == When::Always);
        let beside = self.worker.recall.is_some() || self.worker.backend.is_some() || !self.worker.observed.is_empty();
        let disturbed = self.bounds.pauses > 0 || self.bounds.faults.may_strike();
        let shown = self.mode.record || self.mode.in_full || self.mode.in_turn.is_some();
        !(watched || beside || disturbed || shown)
    }

    /// Makes the step if it is a plain one; `false` if it is not.
    pub(super) fn plain_step(&mut self, choice: Choice) -> Result<bool, Error> {
        if !self.plain || choice.outcome != Outcome::Done || self.worker.sql.is_locked() || self.anybody_waits() {
            return Ok(false);
        }
        let Some(id) = self.worker.owner(choice.process) else { return Ok(false) };
        let pending = &mut self.client_mut(id).pending;
        let is_plain = |request: &Pending| {
            !request.overtaken && matches!(&request.op, Op::Redis { commands, .. } if commands.len() == 1)
        };
        let place = pending.iter().position(|request| request.process == choice.process);
        let Some(place) = place.filter(|place| is_plain(&pending[*place])) else { return Ok(false) };
        let request = if pending.len() == 1 { pending.pop() } else { Some(pending.remove(place)) };
        let Some(request) = request else { return Ok(false) };
        let Op::Redis { session: number, commands } = &request.op else { return Ok(false) };
        let at = self.events.len();
        (self.current, self.number, self.mover, self.stirred) = (Some(at), at + 1, Some(id), false);
        self.client_mut(id).steps += 1;
        self.touched.clear();
        self.start_operations(id);
        let session = self.redis_session(request.owner, *number)?;
        let replica = self.worker.engine.is_replica(session);
        let (reply, fingerprint, known) = self.plain_command(session, &commands[0]);
        let waits = self.worker.outcome.waits;
        if self.mode.noted {
            self.show_redis(id, commands, if waits { &[] } else { std::slice::from_ref(&reply) });
        }
        if waits {
            self.begin_wait(id, &request, *number, session);
        } else {
            self.arrive(request.owner, *number);
            self.client(request.owner).inbox.with(|mailbox| mailbox.answer(request.id, Answer::Reply(reply)));
            self.poll(id)?;
            if self.client(id).is_done() {
                self.close(id);
            }
        }
        let reach = commands[0].reach();
        let own = || Footprint { choice, client: Some(id), touched: Touched::default(), reach, barrier: false };
        let shared = known.as_ref().and_then(|known| known.footprint(choice, id, reach));
        let is_shared = shared.is_some();
        let Pending { op: Op::Redis { session, commands }, posted_after, waited, owner, .. } = request else {
            return Ok(false);
        };
        self.events.push(Event {
            footprint: shared.unwrap_or_else(|| Arc::new(own())),
            fingerprint,
            posted_after,
            optional: false,
            needs_lock: false,
            locked: false,
            unlocks: None,
            logged: 0,
            waited,
            // Tried out by itself, a request is sent to the primary.
            delivered: (!replica).then_some(Delivered { owner, session, commands }),
        });
        if !self.served.is_empty() || !self.closing.is_empty() {
            self.stirred = true;
            self.deliver()?;
        }
        self.poll_woken()?;
        self.settle_plain(at, known.as_deref(), is_shared);
        Ok(true)
    }

    /// The reply, the fingerprint of the step, and what is known of the command if that is all that the step has touched so
    /// far.
    #[inline(always)]
    fn plain_command(&mut self, session: SessionId, command: &Command) -> (Reply, u64, Option<Rc<Known>>) {
        let now = self.server_time();
        let Worker { engine, lua, things, outcome, .. } = &mut *self.worker;
        match engine.execute(lua, things, (session, command), now, outcome) {
            Some(known) if self.touched.is_empty() => (known.reply.clone(), known.fingerprint, Some(known)),
            known => {
                let reply = self.take_in(session, known.as_deref());
                let fingerprint = known.map_or_else(|| trace::fingerprint(command, &reply), |known| known.fingerprint);
                (reply, fingerprint, None)
            }
        }
    }

    /// Completes the footprint of a step that did what is known, and touched what has been noted besides. One that is
    /// shared with what is known says that already.
    #[inline(always)]
    fn settle_plain(&mut self, at: usize, known: Option<&Known>, is_shared: bool) {
        let footprint = &mut self.events[at].footprint;
        let things = &mut self.worker.things;
        if let Some(known) = known.filter(|_| self.touched.is_empty()) {
            self.worker.restart |= known.note(things);
            if is_shared {
                return;
            }
            if let Some(own) = Arc::get_mut(footprint) {
                own.touched.clone_from(&known.touched);
                known.keep(footprint);
            }
            return;
        }
        let besides = std::mem::take(&mut self.touched);
        match (known, Arc::get_mut(footprint)) {
            (None, Some(own)) => own.touched = besides,
            (Some(known), Some(own)) => {
                own.touched.clone_from(&known.touched);
                besides.iter().for_each(|(thing, access)| own.touched.add(*thing, *access));
            }
            (_, None) => {
                let mut own = (**footprint).clone();
                besides.iter().for_each(|(thing, access)| own.touched.add(*thing, *access));
                *footprint = Arc::new(own);
            }
        }
        self.worker.restart |= things.note(&footprint.touched);
    }
}
