//! What serializability compares: how an execution ended, and executions in which the clients take turns.
//!
//! The outcome of an execution is what the stores hold when all clients have ended, and what each client was told: the
//! replies of each of its connections, in order. Of a client that died only that it did counts: nobody is left who knows
//! what it was told. Deadlines are compared as long as no time has passed; after that only whether a key has one.

use std::collections::BTreeMap;

use bytes::Bytes;
use raceproof_engine::{Engine, Outcome, Reply, SessionId};

use super::{Enabled, Execution};
use crate::Error;
use crate::event::{CLOCK, ClientId, END, ProcessId};
use crate::mailbox::Lane;

/// How one client ended: its place in the tree of clients, and what it was told on each connection; `None` if it died.
pub(crate) type Told = (Vec<usize>, Option<BTreeMap<String, Vec<String>>>);

/// What two executions must have in common to count as one outcome.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Outcomes {
    /// Every key and every table with what it holds.
    pub(crate) state: BTreeMap<String, String>,
    pub(crate) clients: Vec<Told>,
}

/// How an execution ended.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    pub(crate) outcome: Outcomes,
    /// The keys with a deadline, in ms since the clients started.
    pub(crate) deadlines: BTreeMap<String, i64>,
    /// Whether time has passed.
    pub(crate) timed: bool,
    /// The clients that never started.
    pub(crate) absent: Vec<u16>,
    /// The numbers of the events as people see them.
    pub(crate) numbers: Vec<usize>,
    /// The top client that each event's client belongs to.
    pub(crate) families: Vec<Option<ClientId>>,
}

impl Ending {
    /// Whether both are one outcome.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let deadlines = if self.timed || other.timed {
            self.deadlines.keys().eq(other.deadlines.keys())
        } else {
            self.deadlines == other.deadlines
        };
        deadlines && self.outcome == other.outcome
    }
}

/// What is noted while an execution runs, if it is to be compared.
#[derive(Debug, Default)]
pub(super) struct Noted {
    replies: Vec<(ProcessId, String)>,
    died: Vec<ClientId>,
    numbers: Vec<usize>,
}

impl Execution<'_> {
    /// A client was told something.
    pub(super) fn note_reply(&mut self, process: ProcessId, reply: &dyn std::fmt::Debug, fingerprint: u64) {
        if self.world.serializable {
            // What a step on shared state gave is in its fingerprint only.
            let cell = match self.worker.lane(process) {
                Some((_, Lane::Cell(_))) => fingerprint,
                _ => 0,
            };
            self.noted.replies.push((process, format!("{reply:?} {cell}")));
        }
    }

    pub(super) fn note_death(&mut self, id: ClientId) {
        if self.world.serializable {
            self.noted.died.push(id);
        }
    }

    pub(super) fn note_event(&mut self) {
        if self.world.serializable {
            self.noted.numbers.push(self.number);
        }
    }

    /// How the execution ended, if that is asked for.
    pub(super) fn ending(&mut self) -> Result<Option<Ending>, Error> {
        if !self.world.serializable || (self.violation.is_some() && self.mode.in_turn.is_none()) {
            return Ok(None);
        }
        let (mut state, mut deadlines) = self.redis_contents();
        for (table, rows) in self.worker.sql.dump().map_err(|error| Error::Database(error.to_string()))? {
            state.insert(format!("table {table}"), format!("({})", rows.join(") (")));
        }
        deadlines.values_mut().for_each(|deadline| *deadline -= self.worker.start_ms());
        let noted = std::mem::take(&mut self.noted);
        let mut clients = Vec::with_capacity(self.order.len());
        for id in &self.order {
            let told = (!noted.died.contains(id)).then(|| self.told(*id, &noted.replies));
            clients.push((self.worker.path(*id), told));
        }
        clients.sort();
        let family = |event: &crate::event::Event| event.footprint.client.map(|client| self.family(client));
        let families = self.events.iter().map(family).collect();
        let timed = self.now_ms != self.worker.start_ms() || self.server_ahead_ms != 0;
        let mut absent: Vec<u16> = self.mode.absent.iter().map(|id| id.0).collect();
        absent.sort_unstable();
        let outcome = Outcomes { state, clients };
        Ok(Some(Ending { outcome, deadlines, timed, absent, numbers: noted.numbers, families }))
    }

    fn told(&self, id: ClientId, replies: &[(ProcessId, String)]) -> BTreeMap<String, Vec<String>> {
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (process, reply) in replies {
            let Some((owner, lane)) = self.worker.lane(*process) else { continue };
            if owner == id {
                let lane = match lane {
                    Lane::LentRedis(lender, number) => format!("redis {number} of {:?}", self.worker.path(lender)),
                    Lane::LentInbox(lender, number) => format!("messages {number} of {:?}", self.worker.path(lender)),
                    Lane::LentSql(lender, number) => format!("database {number} of {:?}", self.worker.path(lender)),
                    own => format!("{own:?}"),
                };
                told.entry(lane).or_default().push(reply.clone());
            }
        }
        told
    }

    /// The client of the body that a client was started by, or itself.
    fn family(&self, id: ClientId) -> ClientId {
        let mut top = id;
        while let Some((Some(parent), _)) = self.worker.made_by(top) {
            top = parent;
        }
        top
    }

    /// Every key with its type and value, and the deadlines of those that have one.
    fn redis_contents(&mut self) -> (BTreeMap<String, String>, BTreeMap<String, i64>) {
        let mut looker = Looker::new(self);
        let keys: Vec<(u32, Bytes)> = looker.engine.keys().map(|(db, key)| (db, Bytes::copy_from_slice(key))).collect();
        let (mut contents, mut deadlines) = (BTreeMap::new(), BTreeMap::new());
        for (db, key) in keys {
            looker.ask(&[b"SELECT", db.to_string().as_bytes()]);
            let shown = super::trace::command(std::slice::from_ref(&key));
            let name = if db == 0 { shown } else { format!("{shown} (database {db})") };
            let kind = looker.ask(&[b"TYPE", &key]);
            let value = match &kind {
                Reply::Simple("hash") => looker.ask(&[b"HGETALL", &key]),
                Reply::Simple("list") => looker.ask(&[b"LRANGE", &key, b"0", b"-1"]),
                Reply::Simple("set") => sorted(looker.ask(&[b"SMEMBERS", &key])),
                Reply::Simple("zset") => looker.ask(&[b"ZRANGE", &key, b"0", b"-1", b"WITHSCORES"]),
                Reply::Simple("stream") => looker.ask(&[b"XRANGE", &key, b"-", b"+"]),
                _ => looker.ask(&[b"GET", &key]),
            };
            if let Reply::Integer(deadline @ 0..) = looker.ask(&[b"PEXPIRETIME", &key]) {
                deadlines.insert(name.clone(), deadline);
            }
            contents.insert(name, super::trace::reply(&value));
        }
        (contents, deadlines)
    }

    /// Leaves only what may happen next if the clients take turns: each runs to its end before the next one begins.
    /// `false` if the client whose turn it is would wait for ever, for one whose turn has not come or for nobody at all:
    /// then the clients cannot take turns in this order.
    #[inline]
    pub(super) fn keep_in_turn(&mut self, enabled: &mut Vec<Enabled>) -> bool {
        self.mode.in_turn.is_none() || self.keep_whose_turn_it_is(enabled)
    }

    fn keep_whose_turn_it_is(&mut self, enabled: &mut Vec<Enabled>) -> bool {
        let Some(turns) = &self.mode.in_turn else { return true };
        let live =
            |top: &&ClientId| self.order.iter().any(|id| self.family(*id) == **top && !self.client(*id).is_done());
        let Some(now) = turns.iter().find(live).copied() else { return true };
        let its_own = |one: &Enabled| self.worker.owner(one.process).is_some_and(|owner| self.family(owner) == now);
        let goes_on = enabled.iter().any(its_own);
        let clock = self.clock_enabled(goes_on);
        // The end, too, comes only when all have ended.
        let nobodys = |one: &Enabled| !matches!(one.process, CLOCK | END) && self.worker.owner(one.process).is_none();
        enabled.retain(|one| nobodys(one) || its_own(one));
        enabled.extend(clock);
        enabled.sort_unstable_by_key(|one| one.process);
        // A fault may end what the client waits for.
        !enabled.is_empty()
    }
}

/// Somebody who looks at a copy of the server.
struct Looker<'a, 'w> {
    execution: &'a mut Execution<'w>,
    engine: Engine,
    session: SessionId,
}

impl<'a, 'w> Looker<'a, 'w> {
    fn new(execution: &'a mut Execution<'w>) -> Self {
        let mut engine = execution.worker.engine.clone();
        let session = engine.connect();
        Self { execution, engine, session }
    }

    fn ask(&mut self, args: &[&[u8]]) -> Reply {
        let args: Vec<Bytes> = args.iter().map(|arg| Bytes::copy_from_slice(arg)).collect();
        let now = self.execution.server_time();
        let mut outcome = Outcome::default();
        self.engine.execute(&mut self.execution.worker.lua, self.session, &args, now, &mut outcome);
        outcome.reply
    }
}

fn sorted(reply: Reply) -> Reply {
    match reply {
        Reply::Array(mut items) | Reply::Set(mut items) => {
            items.sort_by_key(super::trace::reply);
            Reply::Array(items)
        }
        other => other,
    }
}
