//! What the server sends a connection beside its replies: messages of channels, events of keys, keys to forget.
//!
//! Whoever causes a message puts it into the connection's inbox in its own step. When the client receives it is a step of
//! the client, and until then it may act on what it knew before. On one connection order is kept: who has been told a
//! reply has all messages that were sent before it. So of the messages in an inbox the first ones have *arrived*, and
//! the others may be on their way: to wait for the next one ([`Op::Receive`]) is possible as soon as it was sent, to
//! look for one finds what has arrived, and what is on its way or not: that is a choice (`Outcome::NotArrived`).
//!
//! When a connection breaks, what had not arrived is lost, and nobody sends it again.

use std::collections::VecDeque;
use std::hash::Hasher;

use raceproof_engine::{Access, Delivery, Object, Protocol, Reply, SessionId};
use rustc_hash::FxHasher;
use smallvec::smallvec;

use super::client::Client;
use super::clients::Pending;
use super::lost::Answered;
use super::server::Known;
use super::waits::Served;
use super::{Execution, Outcomes, trace};
use crate::Error;
use crate::event::{ClientId, Outcome, ProcessId, Thing, Touched};
use crate::faults::Fault;
use crate::mailbox::{Answer, Lost, Op};
use crate::report::StepKind;

/// What a connection was sent and its client has not received.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    messages: VecDeque<Reply>,
    /// So many of them have arrived: the client has been told a reply that was sent after them.
    arrived: usize,
    /// So many of them were sent before the last reply.
    before_reply: usize,
    /// Somebody has wanted to receive.
    watched: bool,
}

impl Messages {
    /// The next message that has arrived or does so now.
    fn take(&mut self) -> Option<Reply> {
        let message = self.messages.pop_front()?;
        self.arrived = self.arrived.saturating_sub(1);
        self.before_reply = self.before_reply.saturating_sub(1);
        Some(message)
    }

    /// Whether there is a next message, and it may still be on its way.
    fn is_uncertain(&self) -> bool {
        self.arrived == 0 && !self.messages.is_empty()
    }

    /// The connection has ended: what had arrived is left.
    fn lose(&mut self) {
        self.messages.truncate(self.arrived);
        self.before_reply = self.arrived;
    }
}

impl Client {
    /// The inbox of one of its connections.
    pub(super) fn sent(&self, number: u32) -> Option<&Messages> {
        self.sent.get(number as usize)
    }

    fn sent_mut(&mut self, number: u32) -> &mut Messages {
        let at = number as usize;
        if self.sent.len() <= at {
            self.sent.resize_with(at + 1, Messages::default);
        }
        &mut self.sent[at]
    }

    /// One of its connections has ended, or all of them have.
    pub(super) fn lose_messages(&mut self, number: Option<u32>) {
        let lost = self.sent.iter_mut().zip(0..).filter(|(_, at)| number.is_none_or(|number| number == *at));
        lost.for_each(|(inbox, _)| inbox.lose());
    }
}

/// Whose connection a session of the server is, and which of theirs; `None` for those of setups, checks, faults, and of
/// commands that are on their way.
pub(super) fn owner_of(
    order: &[ClientId],
    clients: &[Option<Box<Client>>],
    session: SessionId,
) -> Option<(ClientId, u32)> {
    order.iter().find_map(|id| {
        let sessions = &clients.get(usize::from(id.0))?.as_ref()?.sessions;
        let at = sessions.iter().position(|open| *open == Some(session))?;
        Some((*id, u32::try_from(at).ok()?))
    })
}

impl Execution<'_> {
    pub(super) fn owner_of(&self, session: SessionId) -> Option<(ClientId, u32)> {
        owner_of(&self.order, &self.clients, session)
    }

    /// Takes in what a command of a session has done: what is known of it, or what the engine has just told. Gives the reply.
    pub(super) fn take_in(&mut self, session: SessionId, known: Option<&Known>) -> Reply {
        if let Some(known) = known {
            self.touched.take_in(known);
            return known.reply.clone();
        }
        self.touch_redis();
        let instead = self.keep_deliveries(Some(session), false);
        let reply = std::mem::replace(&mut self.worker.outcome.reply, Reply::Null);
        match (instead, self.worker.engine.protocol(session)) {
            (Some(Reply::Push(items)), Protocol::Resp2) => Reply::Array(items),
            (Some(instead), _) => instead,
            (None, _) => reply,
        }
    }

    /// Keeps what the engine has just sent: replies to sessions that waited, and messages. `own` is the session whose
    /// command it was; what answers that in the place of a reply is returned.
    pub(super) fn keep_deliveries(&mut self, own: Option<SessionId>, late: bool) -> Option<Reply> {
        if self.worker.outcome.deliveries.is_empty() && own.is_none_or(|own| !self.has_messages(own)) {
            return None;
        }
        let deliveries = std::mem::take(&mut self.worker.outcome.deliveries);
        let before = self.worker.outcome.before_reply;
        let without_reply = self.worker.outcome.reply == Reply::NONE;
        let replier = own.filter(|_| !self.worker.outcome.waits);
        let count = deliveries.len();
        let mut instead = None;
        for (at, delivery) in deliveries.into_iter().enumerate() {
            if at == before {
                replier.into_iter().for_each(|own| self.replies_here(own));
            }
            match delivery {
                Delivery::Reply(session, reply) => {
                    self.replies_here(session);
                    self.served.push(Served::new(session, reply, late));
                }
                Delivery::NoReply(session) => self.served.push(Served::new(session, Reply::Null, late)),
                Delivery::Push(session, message) if without_reply && own == Some(session) => instead = Some(message),
                Delivery::Push(session, message) => self.put(session, message),
                Delivery::Close(session) => self.closing.push(session),
            }
        }
        if before >= count {
            replier.into_iter().for_each(|own| self.replies_here(own));
        }
        instead
    }

    fn has_messages(&self, session: SessionId) -> bool {
        // Nearly always nobody has.
        if self.order.iter().all(|id| self.client(*id).sent.is_empty()) {
            return false;
        }
        let inbox = self.owner_of(session).and_then(|(owner, number)| self.client(owner).sent(number));
        inbox.is_some_and(|inbox| !inbox.messages.is_empty())
    }

    fn put(&mut self, session: SessionId, message: Reply) {
        // What a check causes is nobody's step, and clients hear nothing of it.
        let Some((owner, number)) = self.owner_of(session).filter(|_| !self.checking) else { return };
        let client = self.client_mut(owner);
        if !client.unreachable {
            client.sent_mut(number).messages.push_back(message);
        }
    }

    /// A session is sent a reply after the messages that it has been sent so far.
    fn replies_here(&mut self, session: SessionId) {
        let Some((owner, number)) = self.owner_of(session) else { return };
        if let Some(inbox) = self.client_mut(owner).sent.get_mut(number as usize) {
            inbox.before_reply = inbox.messages.len();
        }
    }

    /// The client is told the last reply on a connection: what was sent before it has arrived.
    #[inline]
    pub(super) fn arrive(&mut self, owner: ClientId, number: u32) {
        if let Some(inbox) = self.client_mut(owner).sent.get_mut(number as usize) {
            inbox.arrived = inbox.arrived.max(inbox.before_reply);
        }
    }

    /// A client wants to receive on a connection.
    pub(super) fn watch_inbox(&mut self, owner: ClientId, op: &Op) {
        if let Op::Receive { session, .. } = op {
            self.client_mut(owner).sent_mut(*session).watched = true;
        }
    }

    /// Whether there is nothing to receive, and no reason to stop waiting for it.
    pub(super) fn must_wait_for_message(&self, process: ProcessId, owner: ClientId, number: u32) -> bool {
        let id = self.worker.owner(process).unwrap_or(owner);
        let empty = self.client(owner).sent(number).is_none_or(|inbox| inbox.messages.is_empty());
        empty && !self.is_cut(id, owner, number)
    }

    /// Whether the connection is gone, and its client has not learnt of it.
    fn is_cut(&self, id: ClientId, owner: ClientId, number: u32) -> bool {
        self.client(id).unreachable || self.client(owner).unreachable || self.client(owner).broken.contains(&number)
    }

    /// How receiving may turn out, beside that the next message is received.
    pub(super) fn receive_outcomes(&self, id: ClientId, request: &Pending, outcomes: &mut Outcomes) {
        let Op::Receive { session, waits } = request.op else { return };
        let uncertain = self.client(request.owner).sent(session).is_some_and(Messages::is_uncertain);
        if !uncertain || self.is_cut(id, request.owner, session) {
            return;
        }
        if !waits {
            outcomes.push(Outcome::NotArrived);
        }
        if self.left.get(Fault::LostReply) > 0 {
            outcomes.push(Outcome::BrokenBefore);
        }
    }

    /// A client receives, or looks whether there is something to receive.
    pub(super) fn receive(
        &mut self,
        id: ClientId,
        request: &Pending,
        number: u32,
        outcome: Outcome,
        fingerprint: &mut FxHasher,
    ) -> Result<Answered, Error> {
        let owner = request.owner;
        self.touch_thing(Thing::Inbox(owner, number), Access::Write);
        self.touch_life();
        match outcome {
            Outcome::BrokenBefore => {
                self.show_receipt(id, StepKind::Fault, "a message is lost: the connection breaks".to_owned());
                self.break_connection(owner, number);
                return Ok(Answered::Now(Answer::Lost(Lost::Broken)));
            }
            Outcome::NotArrived => {
                self.show_receipt(id, StepKind::Message, "receives nothing: the message is on its way".to_owned());
                return Ok(Answered::Now(Answer::Redis(smallvec![])));
            }
            _ => {}
        }
        if let Some(message) = self.client_mut(owner).sent_mut(number).take() {
            let message = self.message_of_backend(owner, number, message)?;
            trace::hash_reply(&message, fingerprint);
            self.show_receipt(id, StepKind::Message, format!("receives {}", trace::message(&message)));
            return Ok(Answered::Now(Answer::Redis(smallvec![message])));
        }
        fingerprint.write_u8(1);
        let broken = &mut self.client_mut(owner).broken;
        if let Some(at) = broken.iter().position(|known| *known == number) {
            broken.remove(at);
            self.client_mut(id).struck = true;
            let text = "learns that its connection is gone".to_owned();
            self.show_receipt(id, StepKind::Fault, text);
            return Ok(Answered::Now(Answer::Lost(Lost::Broken)));
        }
        if self.is_cut(id, owner, number) {
            self.client_mut(id).struck = true;
            let text = "receives nothing more: Redis cannot be reached".to_owned();
            self.show_receipt(id, StepKind::Fault, text);
            return Ok(Answered::Now(Answer::Lost(Lost::Unreachable)));
        }
        self.show_receipt(id, StepKind::Message, "receives nothing".to_owned());
        Ok(Answered::Now(Answer::Redis(smallvec![])))
    }

    /// The message that counts: that of the real server, if there is one. What had arrived on a connection that is closed
    /// by now is no longer there to be read.
    fn message_of_backend(&mut self, owner: ClientId, number: u32, message: Reply) -> Result<Reply, Error> {
        let session = self.client(owner).sessions.get(number as usize).copied().flatten();
        let (Some(session), Some(attached)) = (session, &mut self.worker.backend) else { return Ok(message) };
        let real = attached.backend.message(session.0).map_err(|error| Error::Backend(error.to_string()))?;
        self.hold_against(&[], "a message", &message, &real);
        Ok(real)
    }

    fn show_receipt(&mut self, id: ClientId, kind: StepKind, text: String) {
        if self.mode.record {
            let name = self.client(id).name.clone();
            self.show_step(&name, kind, text, String::new());
        }
    }

    /// Whether some client waits for a message.
    pub(super) fn anybody_listens(&self) -> bool {
        let listens = |request: &Pending| matches!(request.op, Op::Receive { waits: true, .. });
        self.order.iter().any(|id| self.client(*id).pending.iter().any(listens))
    }

    /// What can be told by messages wherever it comes: when time passes, when a fault strikes.
    pub(super) fn touch_listeners(&mut self, touched: &mut Touched) {
        for object in [Object::Subscriptions, Object::Tracking] {
            touched.add(self.worker.things.redis(&object), Access::Read);
        }
        for id in &self.order {
            let client = self.clients[usize::from(id.0)].as_ref();
            let inboxes = client.into_iter().flat_map(|client| client.sent.iter().zip(0..));
            for (_, number) in inboxes.filter(|(inbox, _)| inbox.watched) {
                touched.add(self.worker.things.id(Thing::Inbox(*id, number)), Access::Write);
            }
        }
    }

    /// The inboxes of a client, as bytes that are equal only if it may receive the same.
    pub(super) fn inboxes_as_bytes(client: &Client, bytes: &mut Vec<u8>) {
        use std::fmt::Write as _;
        let mut text = String::new();
        for (number, inbox) in client.sent.iter().enumerate().filter(|(_, inbox)| !inbox.messages.is_empty()) {
            // Writing to a string does not fail.
            let _ = write!(text, "{number} {} {:?};", inbox.arrived, inbox.messages);
        }
        bytes.extend_from_slice(text.as_bytes());
    }
}
