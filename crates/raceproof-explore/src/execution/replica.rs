//! Reads from a replica, which may lag behind its primary.
//!
//! There is one replica, and all clients read the same. It has a beginning of the log, as what a restart leaves, and it
//! never goes back: that is all that is known of it. So a read has an outcome for every entry of the log from the last one that
//! the replica is known to have, and [`Outcome::Done`] is that it has all of them. Which outcomes there are is decided by
//! the log, by the reads before and by what is left of the budget, and every read of the replica reads the former and
//! writes the others ([`Thing::Replica`]), whatever its outcome. So writes and reads of the replica have one order in all
//! executions of a trace, and the number of an entry means the same write in all of them.
//!
//! A read that saw less than all cannot be moved before the write from which on there was less to see. The same read that
//! saw all can, and is planned wherever another outcome is taken.
//!
//! Without a budget for lag the replica is up to date: reading it is reading the primary. What it has shown it has, so
//! where it may take over its reads count all the same.

use bytes::Bytes;
use raceproof_engine::{Access, Engine, Object, Reads, Reply, SessionId};

use super::clients::Pending;
use super::{Execution, Outcomes};
use crate::Error;
use crate::event::{ClientId, Outcome, Thing};
use crate::faults::{Fault, Faults};
use crate::mailbox::Op;

impl Faults {
    /// Whether it matters how far the replica has come.
    const fn place_the_replica(&self) -> bool {
        self.get(Fault::Lag) > 0 || self.get(Fault::Failover) > 0
    }
}

impl Execution<'_> {
    /// Whether a session of a client is a connection to the replica.
    #[inline]
    pub(super) fn is_replica(&self, owner: ClientId, session: u32) -> bool {
        self.client(owner).inbox.with(|mailbox| mailbox.replicas.contains(&session))
    }

    pub(super) fn connect_to_replica(&mut self) -> Result<SessionId, Error> {
        let session = self.worker.engine.leave().connect_to_replica();
        self.on_server(|server| server.connect_to_replica(session.0))?;
        Ok(session)
    }

    /// What a request sees of the replica's data; `None` if it is not sent to the replica.
    fn reads_of_replica(&self, request: &Pending) -> Option<Reads> {
        let Op::Redis { session, commands } = &request.op else { return None };
        if !self.is_replica(request.owner, *session) {
            return None;
        }
        let open = self.client(request.owner).sessions.get(*session as usize).copied().flatten();
        let reads = |args: &[Bytes]| self.worker.engine.reads(open, args);
        let all = commands.iter().map(|args| reads(args));
        Some(all.fold(Reads::Nothing, |all, one| match (all, one) {
            (Reads::AndRemembers, _) | (_, Reads::AndRemembers) => Reads::AndRemembers,
            (Reads::Only, _) | (_, Reads::Only) => Reads::Only,
            (Reads::Nothing, Reads::Nothing) => Reads::Nothing,
        }))
    }

    /// Whether there are states in which the request can turn out in ways in which it cannot in this one.
    pub(super) fn may_lag(&self, request: &Pending) -> bool {
        self.bounds.faults.get(Fault::Lag) > 0 && self.reads_of_replica(request) == Some(Reads::Only)
    }

    /// The earlier states that a request may be shown.
    pub(super) fn lags(&self, request: &Pending, outcomes: &mut Outcomes) {
        if self.left.get(Fault::Lag) > 0 && self.reads_of_replica(request) == Some(Reads::Only) {
            outcomes.extend((self.replica..self.log.len()).map(Outcome::Behind));
        }
    }

    /// A request is about to be carried out. How many writes the replica lacks, if it is sent to the replica.
    pub(super) fn meet_replica(&mut self, request: &Pending) -> Option<u16> {
        let reads = self.reads_of_replica(request)?;
        let whole = self.log.len();
        if reads == Reads::Nothing || !self.bounds.faults.place_the_replica() {
            return Some(0);
        }
        self.bring_replica_to(self.behind.unwrap_or(whole));
        self.touch_thing(Thing::Log, Access::Read);
        // Keys expire on it, of which the primary may know nothing any more, and what it does not show any more decides
        // nothing about a pause.
        self.touch(Object::Clock, Access::Read);
        self.touch(Object::Deadlines, Access::IntentWrite);
        Some(whole - self.replica)
    }

    fn bring_replica_to(&mut self, entries: u16) {
        self.replica = entries;
        self.touch_thing(Thing::Replica, Access::Write);
    }

    /// Who waited at the replica is served: it has what it shows.
    pub(super) fn serve_at_replica(&mut self, owner: ClientId, session: u32) {
        if self.bounds.faults.place_the_replica() && self.is_replica(owner, session) {
            self.bring_replica_to(self.log.len());
        }
    }

    /// What a server has that got so many entries of the log: what has expired by now it does not show.
    pub(super) fn past(&self, entries: u16) -> Engine {
        let mut past = self.log.after(entries).clone();
        past.expire_due(self.server_time(), &mut raceproof_engine::Outcome::default());
        past
    }

    /// A command that is answered from the past.
    pub(super) fn on_past(&mut self, entries: u16, session: SessionId, args: &[Bytes]) -> Reply {
        let (now, mut past) = (self.server_time(), self.past(entries));
        let worker = &mut *self.worker;
        let engine = worker.engine.leave();
        engine.exchange_data(&mut past);
        engine.execute(&mut worker.lua, session, args, now, &mut worker.outcome);
        engine.exchange_data(&mut past);
        self.known = None;
        let reply = self.take_in(session, None);
        self.recall_redis(args);
        reply
    }

    /// The states before the present one that reads of the replica can still show.
    fn pasts(&self) -> impl Iterator<Item = Engine> {
        let lags = self.left.get(Fault::Lag) > 0;
        let until = if lags { self.log.len() } else { self.replica };
        (self.replica..until).map(|entries| self.past(entries))
    }

    /// The first deadline of a key on the replica that the primary may have forgotten, on the clients' clock.
    pub(super) fn next_deadline_on_replica(&self) -> Option<i64> {
        self.pasts().filter_map(|past| past.next_deadline_ms()).map(|deadline| deadline - self.server_ahead_ms).min()
    }

    /// Whether a key on the replica has this deadline, on the clients' clock.
    pub(super) fn replica_has_deadline_at(&self, ms: i64) -> bool {
        self.pasts().any(|past| past.has_deadline_at(ms + self.server_ahead_ms))
    }

    pub(super) fn show_replica(&mut self, behind: Option<u16>) {
        let note = match behind {
            None => return,
            Some(0) => "from the replica".to_owned(),
            Some(1) => "from the replica, one write behind".to_owned(),
            Some(behind) => format!("from the replica, {behind} writes behind"),
        };
        if let Some(step) = self.steps.last_mut() {
            step.notes.push(note);
        }
    }

    /// The server is another one, and connections to the replica go on as they were: the replica has at most what the server
    /// came back with.
    pub(super) fn keep_replica(&mut self, before: &Engine) -> Result<(), Error> {
        self.replica = self.replica.min(self.log.len());
        for id in self.order.clone() {
            let replicas = self.client(id).port.lock().replicas.clone();
            for number in replicas {
                let open = self.client_mut(id).sessions.get_mut(number as usize).and_then(Option::take);
                if let Some(session) = open {
                    let opened = self.worker.engine.leave().connect_like(before, session);
                    self.on_server(|server| server.connect_to_replica(opened.0))?;
                    self.client_mut(id).sessions[number as usize] = Some(opened);
                }
            }
        }
        Ok(())
    }
}
