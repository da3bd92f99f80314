//! Steps tried out on the engine alone, without clients.
//!
//! The search wants to know what a step would touch if it came before another one. Where clients share nothing but Redis,
//! the requests of the steps before it are those that were seen already, in the same order for each client, and so is its
//! own: delivering them to the engine tells, at a fraction of the cost of an execution.
//!
//! What the client would do upon the reply is not seen then. As long as no step of the whole search has touched anything
//! but Redis, there is nothing that it could conflict with; once one does, [`Things`](crate::event::Things) has the search
//! start over.

use raceproof_engine::{Access, Delivery, Object, SessionId, Timestamp};
use smallvec::SmallVec;

use super::Worker;
use crate::command::Command;
use crate::event::{ClientId, Thing, Touched};

/// A request to Redis that was delivered.
#[derive(Clone, Debug)]
pub(crate) struct Delivered {
    /// Whose connection it is, and which of theirs.
    pub(crate) owner: ClientId,
    pub(crate) session: u32,
    pub(crate) commands: SmallVec<[Command; 1]>,
}

impl Worker {
    /// What the last of the requests touches when they are delivered in this order, from the start of an execution, at
    /// the time of the start. `None` before there was one.
    pub(crate) fn dry_run(&mut self, requests: &[&Delivered]) -> Option<Touched> {
        let now = Timestamp::from_ms(self.start_ms());
        self.base.as_ref()?;
        self.engine.restart();
        let mut sessions: SmallVec<[(ClientId, u32, SessionId); 4]> = SmallVec::new();
        let mut touched = Touched::default();
        for (number, request) in requests.iter().enumerate() {
            let is_last = number + 1 == requests.len();
            let of = |(owner, number, _): &&(ClientId, u32, SessionId)| {
                (*owner, *number) == (request.owner, request.session)
            };
            let session = match sessions.iter().find(of) {
                Some((_, _, session)) => *session,
                None => {
                    let id = self.connection_id(request.owner, request.session, 0);
                    let session = self.engine.connect(Some(id));
                    sessions.push((request.owner, request.session, session));
                    session
                }
            };
            for command in &request.commands {
                let (lua, things) = (&mut self.lua, &mut self.things);
                let known = self.engine.execute(lua, things, (session, command), now, &mut self.outcome);
                if !is_last {
                    continue;
                }
                match known.as_deref() {
                    Some(known) => touched.take_in(known),
                    None => {
                        for (object, access) in self.outcome.footprint.iter() {
                            let thing = match object {
                                Object::Inbox(listener) => {
                                    let of = |(_, _, known): &&(ClientId, u32, SessionId)| known == listener;
                                    let Some((owner, number, _)) = sessions.iter().find(of) else { continue };
                                    self.things.id(Thing::Inbox(*owner, *number))
                                }
                                object => self.things.redis(object),
                            };
                            touched.add(thing, *access);
                        }
                    }
                }
                let served = |delivery: &Delivery| !matches!(delivery, Delivery::Push(..) | Delivery::Close(_));
                if self.outcome.waits || self.outcome.deliveries.iter().any(served) {
                    touched.add(self.things.id(Thing::Served), Access::IntentRead);
                }
            }
        }
        self.restart |= self.things.note(&touched);
        Some(touched)
    }
}
