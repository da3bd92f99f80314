//! Commands that arrive late: their client heard nothing, gave the connection up and went on, while what it had sent is
//! still on its way.
//!
//! Such a command is a process of its own, with one step that need not happen: from the moment it was sent until the end
//! of the execution it may arrive, on the connection that its client has given up, in the state in which that was. The
//! client goes on with another connection: on one and the same, nothing overtakes. Nobody gets the reply. When the server
//! goes down, what is on its way to it is lost. Where all that is left are clients that wait on the server, something
//! that is on its way does arrive: they wait for ever only when nothing is.
//!
//! The step is optional, and yet no virtual one stands for it at the end of an execution, as for a pause: what a command
//! touches only its execution tells. The last step before the end is where the search lets it arrive first; the races of
//! that execution tell all other places.

use std::hash::{Hash, Hasher};

use raceproof_engine::{Access, Object, SessionId};
use rustc_hash::FxHasher;
use smallvec::{SmallVec, smallvec};

use super::clients::Pending;
use super::{Enabled, Execution};
use crate::Error;
use crate::command::Command;
use crate::event::{Choice, ClientId, Event, Outcome, ProcessId, Thing, Touched};
use crate::mailbox::{Lane, Op};

/// A command that is on its way.
pub(super) struct Late {
    process: ProcessId,
    client: ClientId,
    session: SessionId,
    commands: SmallVec<[Command; 1]>,
    /// The event in which its client gave up.
    sent: Option<usize>,
    /// Somebody has had the connection closed meanwhile.
    closed: bool,
}

impl Execution<'_> {
    /// Leaves a command on its way, with the connection that it was sent on.
    pub(super) fn send_late(&mut self, id: ClientId, request: &Pending) -> Result<(), Error> {
        let Op::Redis { session, commands } = &request.op else { return Ok(()) };
        let open = self.redis_session(request.owner, *session)?;
        self.client_mut(request.owner).sessions[*session as usize] = None;
        self.client_mut(request.owner).lose_messages(Some(*session));
        let number = self.client(id).late;
        self.client_mut(id).late += 1;
        let process = self.process(id, Lane::Late(number));
        self.touch_thing(Thing::OnItsWay(process), Access::Write);
        let commands = commands.clone();
        self.late.push(Late { process, client: id, session: open, commands, sent: self.current, closed: false });
        Ok(())
    }

    /// Whether a command is on its way.
    pub(super) const fn anything_is_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// Adds what may arrive to what can happen next. `must`: nothing else can, and somebody waits on the server.
    pub(super) fn enable_arrivals(&self, enabled: &mut Vec<Enabled>, must: bool) {
        let arrival =
            |late: &Late| Enabled { optional: !must, ..Enabled::optional(late.process, smallvec![Outcome::Arrives]) };
        enabled.extend(self.late.iter().map(arrival));
    }

    /// A command arrives.
    pub(super) fn late_step(&mut self, choice: Choice) -> Result<Event, Error> {
        let at = self.late.iter().position(|late| late.process == choice.process);
        let late = self.late.remove(at.expect("only enabled steps are chosen"));
        self.touch_thing(Thing::OnItsWay(late.process), Access::Write);
        self.touch_life();
        let mut fingerprint = FxHasher::default();
        let mut replies = SmallVec::<[_; 1]>::new();
        if late.closed {
            // Whoever had it closed has written this.
            self.touch(Object::Users, Access::IntentRead);
        }
        for args in late.commands.iter().filter(|_| !late.closed) {
            let reply = self.redis(late.session, args)?;
            args.hash(&mut fingerprint);
            super::trace::hash_reply(&reply, &mut fingerprint);
            replies.push(reply);
        }
        self.disconnect(late.session);
        if self.mode.is_shown() {
            self.show_redis(late.client, &late.commands, &replies);
            if let Some(step) = self.steps.last_mut() {
                step.unanswered = true;
                let closed = if late.closed { ", and its connection is closed" } else { "" };
                step.notes.push(format!("arrives late{closed}"));
            }
        }
        Ok(Event {
            fingerprint: fingerprint.finish(),
            posted_after: late.sent,
            ..Event::new(choice, Touched::default(), false)
        })
    }

    /// Somebody has had a connection closed: what arrives on it has no effect.
    pub(super) fn close_late(&mut self, session: SessionId) {
        self.late.iter_mut().filter(|late| late.session == session).for_each(|late| late.closed = true);
    }

    /// The server goes down, and what was on its way to it is lost.
    pub(super) fn lose_late(&mut self) {
        self.late.clear();
    }

    /// The connections of commands that are on their way.
    pub(super) fn late_sessions(&self) -> impl Iterator<Item = SessionId> {
        self.late.iter().map(|late| late.session)
    }

    /// What is on its way, as bytes that are equal only if the same may arrive.
    pub(super) fn late_as_bytes(&self) -> Vec<u8> {
        let late = self.late.iter().map(|Late { process, client, commands, closed, session: _, sent: _ }| {
            format!("{} {} {commands:?} {closed};", process.0, client.0)
        });
        late.collect::<String>().into_bytes()
    }
}
