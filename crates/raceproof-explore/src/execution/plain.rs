//! The step that nearly all are: one command to Redis that nothing goes wrong with, and that nobody but its client looks
//! at. It leaves out what [`Execution::step`] does for all the others, and does nothing else.

use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use raceproof_engine::Reply;
use rustc_hash::FxHasher;

use super::clients::Pending;
use super::{Delivered, Execution, Known, Worker, trace};
use crate::Error;
use crate::command::Command;
use crate::event::{Choice, ClientId, Event, Footprint, Outcome, Reach};
use crate::mailbox::{Answer, Op};
use crate::world::When;

impl Execution<'_> {
    /// Whether no step of this execution is recorded, kept, compared or checked, goes wrong, or comes with a pause.
    pub(super) fn is_plain(&self) -> bool {
        let watched = self.world.serializable
            || !self.world.history_checks.is_empty()
            || self.world.checks.iter().any(|check| check.when == When::Always);
        let beside = self.worker.recall.is_some() || self.worker.backend.is_some() || !self.worker.observed.is_empty();
        let disturbed = self.bounds.pauses > 0 || self.bounds.faults.total() > 0;
        !(watched || beside || disturbed || self.mode.record || self.mode.in_turn.is_some())
    }

    /// Makes the step if it is a plain one; `false` if it is not.
    pub(super) fn plain_step(&mut self, choice: Choice) -> Result<bool, Error> {
        if !self.plain || choice.outcome != Outcome::Done || self.worker.sql.is_locked() {
            return Ok(false);
        }
        let Some(id) = self.worker.owner(choice.process) else { return Ok(false) };
        let pending = &mut self.client_mut(id).pending;
        let is_plain = |request: &Pending| {
            !request.overtaken && matches!(&request.op, Op::Redis { commands, .. } if commands.len() == 1)
        };
        let place = pending.iter().position(|request| request.process == choice.process);
        let Some(place) = place.filter(|place| is_plain(&pending[*place])) else { return Ok(false) };
        let Some(Pending { id: number, op: Op::Redis { session, commands }, posted_after, waited, owner, .. }) =
            (if pending.len() == 1 { pending.pop() } else { Some(pending.remove(place)) })
        else {
            return Ok(false);
        };
        let at = self.events.len();
        (self.current, self.number, self.mover) = (Some(at), at + 1, Some(id));
        self.client_mut(id).steps += 1;
        self.touched.clear();
        self.start_operations(id);
        let (reply, known) = self.plain_command(owner, session, &commands[0])?;
        let mut fingerprint = FxHasher::default();
        choice.outcome.hash(&mut fingerprint);
        commands[0].hash(&mut fingerprint);
        trace::hash_reply(&reply, &mut fingerprint);
        self.client(owner).inbox.with(|mailbox| mailbox.answer(number, Answer::Reply(reply)));
        self.poll(id)?;
        if self.client(id).is_done() {
            self.close(id);
        }
        self.poll_woken()?;
        let reach = commands[0].reach();
        let footprint = self.plain_footprint(choice, id, reach, known.as_deref());
        self.worker.restart |= self.worker.things.note(&footprint.touched);
        self.events.push(Event {
            footprint,
            fingerprint: fingerprint.finish(),
            posted_after,
            optional: false,
            needs_lock: false,
            locked: false,
            unlocks: None,
            logged: 0,
            waited,
            delivered: Some(Delivered { owner, session, commands }),
        });
        Ok(true)
    }

    /// The reply, and what is known of the command if that is all that the step has touched so far.
    fn plain_command(
        &mut self,
        owner: ClientId,
        session: u32,
        command: &Command,
    ) -> Result<(Reply, Option<Rc<Known>>), Error> {
        let session = self.redis_session(owner, session)?;
        let now = self.server_time();
        let Worker { engine, lua, things, outcome, .. } = &mut *self.worker;
        let known = engine.execute(lua, things, (session, command), now, outcome);
        let reply = match &known {
            Some(known) => known.reply.clone(),
            None => std::mem::replace(&mut outcome.reply, Reply::Null),
        };
        if known.is_some() && self.touched.is_empty() {
            return Ok((reply, known));
        }
        self.touched.take_in(known.as_deref(), outcome, things);
        Ok((reply, None))
    }

    /// The footprint of a step that did what is known, and touched what has been noted besides.
    fn plain_footprint(
        &mut self,
        choice: Choice,
        client: ClientId,
        reach: Reach,
        known: Option<&Known>,
    ) -> Arc<Footprint> {
        let own = |touched| Arc::new(Footprint { choice, client: Some(client), touched, reach, barrier: false });
        let besides = std::mem::take(&mut self.touched);
        let Some(known) = known else { return own(besides) };
        if besides.is_empty() {
            return known.footprint(choice, client, reach).unwrap_or_else(|| {
                let footprint = own(known.touched.clone());
                known.keep(&footprint);
                footprint
            });
        }
        let mut touched = known.touched.clone();
        besides.iter().for_each(|(thing, access)| touched.add(*thing, *access));
        own(touched)
    }
}
