//! What an execution has come to, as bytes that are equal only if whatever may follow is equal.
//!
//! Two executions in one state have the same executions before them. A state is what the stores hold, the clock, the
//! budgets, the recorded operations as far as a check reads them, and for each client all that it has been told: its
//! code is a function of that. What a client has been told is a list that only ever grows, so it is kept as a number:
//! lists are numbered as they come up, by their last element and the number of the rest ([`Numbers`]), and equal numbers
//! mean equal lists, compared byte for byte.
//!
//! Values that clients share (cells, bells, files) are closures' business and cannot be looked at. They are known by
//! their history: who changed them, in which order, each with the number of all that it had been told by then. A client
//! that reads such a value has been told that number. So has one that is woken by another client.
//!
//! A client that has ended is forgotten: what it was told matters only as far as it told others. That is where states
//! of different classes meet: of n clients that increment one key, only how many have done so is left, not in which
//! order (and, where outcomes are compared for serializability, what each was told). What it has told nobody but the memory of the process it runs in (a variable that it shares with a check
//! behind the explorer's back) is lost, as everywhere in this crate.

use std::collections::BTreeMap;

use bytes::Bytes;
use raceproof_engine::{Access, Object, SessionId};
use rustc_hash::FxHashMap;

use super::clients::Pending;
use super::lost::Answered;
use super::{Execution, Silent};
use crate::Error;
use crate::event::{Choice, ClientId};
use crate::history::{History, Operation};
use crate::mailbox::{CellId, Local, Op};
use crate::sql::{SqlAccess, Statement};

/// A list by its number; 0 is the empty one.
type Node = u32;

/// Numbers for byte strings, given in the order of first sight: equal numbers mean equal bytes.
#[derive(Debug, Default)]
struct Numbers {
    known: FxHashMap<Box<[u8]>, Node>,
    bytes: usize,
}

impl Numbers {
    fn of(&mut self, bytes: &[u8]) -> Node {
        if let Some(number) = self.known.get(bytes) {
            return *number;
        }
        let number = Node::try_from(self.known.len() + 1).unwrap_or(Node::MAX);
        self.bytes += bytes.len() + OVERHEAD_BYTES;
        self.known.insert(bytes.into(), number);
        number
    }
}

/// What an entry of a table of byte strings takes beside the bytes.
pub(crate) const OVERHEAD_BYTES: usize = 48;

/// A part of the state. Tests leave one out to show that a violation is missed without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Redis,
    Sessions,
    SessionNumbers,
    Database,
    Snapshots,
    StaleSnapshots,
    Clock,
    Pauses,
    Faults,
    CutOff,
    ServerClock,
    Log,
    Silence,
    Late,
    Inboxes,
    Broken,
    Returned,
    Endings,
    Replies,
    ClockReads,
    Wakes,
    Parents,
    Cells,
    LentConnections,
    Who,
    History,
    Depth,
    Preemptions,
}

/// A database connection with an open transaction that reads a snapshot.
#[derive(Clone, Copy, Debug, Default)]
struct Connection {
    /// The database that it reads.
    snapshot: Option<Node>,
    /// The writes of others since: after one, the transaction can no longer write.
    overtaken: Node,
    /// What other clients have done with the connection.
    lent: Node,
}

/// The memory of one search, and what the present execution has come to.
#[derive(Debug, Default)]
pub(crate) struct Recall {
    numbers: Numbers,
    /// Somebody has looked at the numbers of sessions, so they are part of the state from now on.
    numbered: bool,
    /// Somebody has looked at the number of its own.
    own_numbers: bool,
    /// A check has asked who has returned, so that is part of the state from now on.
    returned: bool,
    grown: bool,
    /// What each client has been told, by client number.
    clients: Vec<Node>,
    cells: BTreeMap<CellId, Node>,
    /// The committed contents of the database, while they are known.
    database: Option<Node>,
    connections: Vec<Connection>,
    /// The clients that went on in the step under way, in that order.
    went_on: Vec<ClientId>,
    /// The statement under way took or gave back the write lock, or wrote.
    wrote: bool,
    committed: bool,
    buffer: Vec<u8>,
    #[cfg(test)]
    without: Option<Part>,
}

impl Recall {
    /// A memory whose states lack a part.
    #[cfg(test)]
    pub(crate) fn without(part: Option<Part>) -> Self {
        Self { without: part, ..Self::default() }
    }

    /// Forgets the execution; the numbers stay.
    pub(super) fn begin(&mut self) {
        self.clients.clear();
        self.cells.clear();
        self.database = None;
        self.connections.clear();
        self.went_on.clear();
        (self.wrote, self.committed) = (false, false);
    }

    /// The memory that the numbers take.
    pub(crate) const fn bytes(&self) -> usize {
        self.numbers.bytes
    }

    /// Takes the numbers of sessions into the state.
    fn show_numbers(&mut self, shows: Shows) {
        let known = if shows == Shows::All { &mut self.numbered } else { &mut self.own_numbers };
        self.grown |= !std::mem::replace(known, true);
    }

    /// Takes into the state who has returned.
    fn show_returned(&mut self) {
        self.grown |= !std::mem::replace(&mut self.returned, true);
    }

    /// Whether the state has more parts than when this was last asked.
    pub(crate) const fn has_grown(&mut self) -> bool {
        std::mem::replace(&mut self.grown, false)
    }

    fn has(&self, part: Part) -> bool {
        #[cfg(test)]
        return self.without != Some(part);
        #[cfg(not(test))]
        {
            let _ = part;
            true
        }
    }

    fn part(&self, part: Part, number: u32) -> u32 {
        if self.has(part) { number } else { 0 }
    }

    /// The list that goes on with an element.
    fn longer(&mut self, list: Node, element: &[u8]) -> Node {
        self.buffer.clear();
        self.buffer.extend_from_slice(&list.to_le_bytes());
        self.buffer.extend_from_slice(element);
        self.numbers.of(&self.buffer)
    }

    fn client(&self, id: ClientId) -> Node {
        self.clients.get(usize::from(id.0)).copied().unwrap_or_default()
    }

    fn tell(&mut self, id: ClientId, what: &[u8]) {
        let at = usize::from(id.0);
        if self.clients.len() <= at {
            self.clients.resize(at + 1, 0);
        }
        self.clients[at] = self.longer(self.clients[at], what);
    }

    /// A client looks at a shared value, and may change it.
    fn cell(&mut self, id: ClientId, cell: CellId, access: Access) {
        if !self.has(Part::Cells) {
            return;
        }
        let value = self.cells.get(&cell).copied().unwrap_or_default();
        self.tell(id, format!("cell {} {value}", cell.0).as_bytes());
        if access.writes() {
            let who = if self.has(Part::Who) { self.client(id) } else { 0 };
            let changed = self.longer(value, &who.to_le_bytes());
            self.cells.insert(cell, changed);
        }
    }

    fn connection(&mut self, slot: usize) -> &mut Connection {
        if self.connections.len() <= slot {
            self.connections.resize(slot + 1, Connection::default());
        }
        &mut self.connections[slot]
    }
}

/// What a command shows of sessions without a word in its footprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    Nothing,
    /// The number of its own, which says how often the connection was opened (`Worker::connection_id`).
    Own,
    /// All sessions of the server.
    All,
}

impl Shows {
    fn of(args: &[Bytes]) -> Self {
        const OWN: [&[u8]; 8] =
            [b"ID", b"SETNAME", b"GETNAME", b"TRACKING", b"TRACKINGINFO", b"CACHING", b"GETREDIR", b"REPLY"];
        let is = |at: usize, known: &[u8]| args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(known));
        match is(0, b"CLIENT") {
            true if OWN.iter().any(|own| is(1, own)) => Self::Own,
            true => Self::All,
            false if is(0, b"HELLO") => Self::Own,
            false => Self::Nothing,
        }
    }
}

impl Execution<'_> {
    /// A client starts, under a name that may depend on who else has started.
    pub(super) fn recall_started(&mut self, id: ClientId, name: &str) {
        if let Some(recall) = &mut self.worker.recall {
            recall.tell(id, format!("client {} {name}", id.0).as_bytes());
        }
    }

    /// What a client was told its children know.
    pub(super) fn recall_spawned(&mut self, parent: ClientId, child: ClientId) {
        if let Some(recall) = &mut self.worker.recall
            && recall.has(Part::Parents)
        {
            let told = recall.client(parent);
            recall.tell(child, &told.to_le_bytes());
        }
    }

    /// A step begins: nobody has gone on in it.
    pub(super) fn recall_step(&mut self) {
        if let Some(recall) = &mut self.worker.recall {
            recall.went_on.clear();
        }
    }

    pub(super) fn recall_goes_on(&mut self, id: ClientId) {
        if let Some(recall) = &mut self.worker.recall {
            recall.went_on.push(id);
        }
    }

    /// A client is about to go on because others have done something, or because it is later.
    pub(super) fn recall_woken(&mut self, id: ClientId) {
        let now_ms = self.now_ms;
        let Some(recall) = &mut self.worker.recall else { return };
        if !recall.has(Part::Wakes) {
            return;
        }
        let by: Vec<(u16, Node)> = recall.went_on.iter().map(|other| (other.0, recall.client(*other))).collect();
        recall.tell(id, format!("woken {now_ms} {by:?}").as_bytes());
    }

    pub(super) fn recall_local(&mut self, id: ClientId, what: &Local) {
        let now_ms = self.now_ms;
        let Some(recall) = &mut self.worker.recall else { return };
        match what {
            Local::ReadClock | Local::Timer if recall.has(Part::ClockReads) => {
                recall.tell(id, format!("clock {now_ms}").as_bytes());
            }
            Local::Cell(cell, access) => recall.cell(id, *cell, *access),
            // A mark says what the client knows already.
            Local::ReadClock | Local::Timer | Local::Mark(_) => {}
        }
    }

    /// A client gets the reply that it waited for.
    pub(super) fn recall_served(&mut self, id: ClientId, reply: &dyn std::fmt::Debug) {
        if let Some(recall) = &mut self.worker.recall
            && recall.has(Part::Replies)
        {
            recall.tell(id, format!("served {reply:?}").as_bytes());
        }
    }

    /// What a step has told its client; or would have, had it not died.
    pub(super) fn recall_answer(&mut self, choice: Choice, request: &Pending, answer: &Answered) -> Result<(), Error> {
        let Some(id) = self.worker.owner(choice.process) else { return Ok(()) };
        let Some(recall) = &mut self.worker.recall else { return Ok(()) };
        if recall.has(Part::Replies) {
            // Debug shows every difference between two replies.
            recall.tell(id, format!("{} {:?} {answer:?}", choice.process.0, choice.outcome).as_bytes());
        }
        match &request.op {
            Op::Redis { .. } | Op::Receive { .. } | Op::Clock(_) => Ok(()),
            Op::Cell(op) => {
                recall.cell(id, op.cell, op.access);
                Ok(())
            }
            Op::Sql { connection, .. } => {
                let slot = self.sql_slot(request.owner, *connection)?;
                self.recall_transaction(id, slot, request.owner != id)
            }
        }
    }

    /// Whoever asks for the number of a session makes all numbers part of the state.
    pub(super) fn recall_redis(&mut self, args: &[Bytes]) {
        let outcome = &self.worker.outcome;
        let Some(recall) = &mut self.worker.recall else { return };
        let reads = |access: Access| matches!(access, Access::Read | Access::Write);
        let mut touched = outcome.footprint.iter();
        let mut shows = Shows::of(args);
        if touched.any(|(object, access)| *object == Object::Server && reads(*access)) {
            shows = Shows::All;
        }
        if shows != Shows::Nothing && recall.has(Part::SessionNumbers) {
            recall.show_numbers(shows);
        }
    }

    /// A check at the end has run.
    pub(super) fn recall_asked(&mut self) {
        let asked = self.world.stage.asked.get();
        if let Some(recall) = self.worker.recall.as_mut().filter(|recall| asked && recall.has(Part::Returned)) {
            recall.show_returned();
        }
    }

    /// A statement has run.
    pub(super) fn recall_statement(&mut self, done: &Statement) {
        if let Some(recall) = &mut self.worker.recall {
            recall.wrote = done.lock || done.accesses.iter().any(SqlAccess::writes);
            recall.committed = done.committed;
        }
    }

    /// What has become of transactions, once the client has been told of its statement.
    fn recall_transaction(&mut self, id: ClientId, slot: usize, lent: bool) -> Result<(), Error> {
        let reads_snapshot = self.worker.sql.reads_snapshot(slot);
        let present = if reads_snapshot { Some(self.recall_database()?) } else { None };
        let over = !self.worker.sql.in_transaction(slot);
        let Some(recall) = &mut self.worker.recall else { return Ok(()) };
        let told = recall.client(id).to_le_bytes();
        if std::mem::take(&mut recall.committed) {
            recall.database = None;
        }
        let mut connection = *recall.connection(slot);
        if over {
            connection = Connection { lent: connection.lent, ..Connection::default() };
        } else if connection.snapshot.is_none() {
            connection.snapshot = present;
        }
        if lent {
            connection.lent = recall.longer(connection.lent, &told);
        }
        *recall.connection(slot) = connection;
        let wrote = std::mem::take(&mut recall.wrote);
        for other in (0..recall.connections.len()).filter(|other| wrote && *other != slot) {
            let Connection { snapshot, overtaken, .. } = recall.connections[other];
            if snapshot.is_some() {
                recall.connections[other].overtaken = recall.longer(overtaken, &told);
            }
        }
        Ok(())
    }

    /// The committed contents of the database.
    fn recall_database(&mut self) -> Result<Node, Error> {
        if let Some(known) = self.worker.recall.as_ref().and_then(|recall| recall.database) {
            return Ok(known);
        }
        let mut bytes = Vec::new();
        self.worker.sql.committed(&mut bytes).map_err(|error| Error::Database(error.to_string()))?;
        let Some(recall) = &mut self.worker.recall else { return Ok(0) };
        let number = recall.numbers.of(&bytes);
        recall.database = Some(number);
        Ok(number)
    }

    /// The state before the next step. Nothing if no search keeps states.
    pub(super) fn state(&mut self) -> Result<Vec<u8>, Error> {
        let database = self.recall_database()?;
        let Some(mut recall) = self.worker.recall.take() else { return Ok(Vec::new()) };
        let mut to = State(Vec::with_capacity(128));
        to.put(self.redis_state(&mut recall));
        to.put(recall.part(Part::Database, database));
        to.0.extend(if recall.has(Part::Clock) { self.now_ms } else { 0 }.to_le_bytes());
        to.put(recall.part(Part::Pauses, self.pauses_left));
        to.put(u32::from(recall.has(Part::CutOff) && self.cut_off.is_some()));
        if recall.has(Part::Faults) {
            to.put(recall.numbers.of(format!("{:?}", self.left).as_bytes()));
        }
        self.put_server(&mut recall, &mut to);
        self.put_clients(&mut recall, &mut to);
        to.count(recall.cells.len());
        for (cell, value) in &recall.cells {
            to.0.extend(cell.0.to_le_bytes());
            to.put(*value);
        }
        if !self.world.history_checks.is_empty() && recall.has(Part::History) {
            let history = history_bytes(&self.history);
            to.put(recall.numbers.of(&history));
        }
        self.worker.recall = Some(recall);
        Ok(to.0)
    }

    fn redis_state(&self, recall: &mut Recall) -> Node {
        let engine = &self.worker.engine;
        let sessions: Vec<SessionId> = if recall.has(Part::Sessions) { self.sessions().collect() } else { Vec::new() };
        let mut bytes = std::mem::take(&mut recall.buffer);
        bytes.clear();
        if recall.has(Part::Redis) {
            engine.state(&sessions, &mut bytes);
        }
        if recall.numbered {
            engine.session_numbers(&mut bytes);
        }
        let number = recall.numbers.of(&bytes);
        recall.buffer = bytes;
        number
    }

    /// The sessions of the clients that have not ended, in the order of clients, and those of commands that are on their
    /// way; a session that was never used is as good as none.
    fn sessions(&self) -> impl Iterator<Item = SessionId> {
        let own = self.clients.iter().flatten().flat_map(|client| client.sessions.iter().flatten().copied());
        own.chain(self.late_sessions())
    }

    /// What faults have made of the server, and what they can still make of it. Who waits on the server is in the engine's
    /// state, and what will happen to the reply its client has been told.
    fn put_server(&self, recall: &mut Recall, to: &mut State) {
        to.put(u32::from(self.over));
        to.0.extend(if recall.has(Part::ServerClock) { self.server_ahead_ms } else { 0 }.to_le_bytes());
        to.0.push(u8::from(self.frozen));
        let (log, replica) = if recall.has(Part::Log) { self.returns_to() } else { (&[][..], 0) };
        to.count(log.len());
        for (engine, at_ms) in log {
            let mut bytes = Vec::new();
            engine.data(&mut bytes);
            to.put(recall.numbers.of(&bytes));
            to.0.extend(at_ms.to_le_bytes());
        }
        to.count(replica);
        let silent = if recall.has(Part::Silence) { &self.silent[..] } else { &[] };
        to.count(silent.len());
        for Silent { client, owner, request, until_ms } in silent {
            to.count(client.0.into());
            to.count(owner.0.into());
            to.0.extend(request.to_le_bytes());
            to.0.extend(until_ms.to_le_bytes());
        }
        let late = if recall.has(Part::Late) { self.late_as_bytes() } else { Vec::new() };
        to.put(recall.numbers.of(&late));
    }

    fn put_clients(&self, recall: &mut Recall, to: &mut State) {
        to.count(self.clients.iter().flatten().count());
        for (number, client) in self.clients.iter().enumerate() {
            let Some(client) = client else { continue };
            to.count(number);
            // 0 for one that has ended: a client has been told its name at least.
            let forgotten = client.is_done() && !(self.world.serializable && recall.has(Part::Endings));
            to.put(if forgotten { 0 } else { recall.clients.get(number).copied().unwrap_or_default() });
            let asked = recall.returned || self.world.serializable;
            let returned = asked && self.world.stage.has_returned(&client.name);
            to.put(u32::from(client.is_done()) + u32::from(returned));
            let broken = if recall.has(Part::Broken) { &client.broken[..] } else { &[] };
            to.count(broken.len());
            broken.iter().for_each(|session| to.put(*session));
            let mut bytes = Vec::new();
            if recall.has(Part::Inboxes) {
                Self::inboxes_as_bytes(client, &mut bytes);
            }
            to.put(if bytes.is_empty() { 0 } else { recall.numbers.of(&bytes) });
            // Which session is whose: an ended client has none, and one that was not used yet is as good as none.
            let open = client.sessions.iter().enumerate().filter(|(_, session)| session.is_some());
            to.count(open.clone().count());
            open.for_each(|(at, _)| to.count(at));
            let opened = client.opened.iter().filter(|_| recall.own_numbers && !client.is_done());
            to.count(opened.clone().count());
            opened.for_each(|opened| to.put(*opened));
            let slots = client.connections.iter().flatten();
            to.count(slots.clone().count());
            for slot in slots {
                let connection = recall.connections.get(*slot).copied().unwrap_or_default();
                to.put(recall.part(Part::Snapshots, connection.snapshot.unwrap_or_default()));
                to.put(recall.part(Part::StaleSnapshots, connection.overtaken));
                to.put(recall.part(Part::LentConnections, connection.lent));
            }
        }
    }
}

/// The bytes of a state. Every list in it is preceded by its length.
struct State(Vec<u8>);

impl State {
    fn put(&mut self, number: u32) {
        self.0.extend(number.to_le_bytes());
    }

    fn count(&mut self, count: usize) {
        self.put(u32::try_from(count).unwrap_or(u32::MAX));
    }
}

/// The history as the checks see it: not at which step something was, but before what. What is still to come is after
/// all that has been.
fn history_bytes(history: &History) -> Vec<u8> {
    let steps_of = |operation: &Operation| [operation.started, operation.committed, operation.ended, operation.crashed];
    let mut steps: Vec<usize> = history.operations.iter().flat_map(|one| steps_of(one).into_iter().flatten()).collect();
    steps.extend(history.notes.iter().map(|note| note.step));
    steps.extend(history.faults.iter().map(|fault| fault.step));
    steps.sort_unstable();
    steps.dedup();
    let rank = |step: &mut usize| *step = steps.partition_point(|earlier| *earlier < *step);
    let mut text = String::new();
    for operation in &history.operations {
        let mut operation = operation.clone();
        let Operation { started, committed, ended, crashed, .. } = &mut operation;
        [started, committed, ended, crashed].into_iter().flatten().for_each(rank);
        text += &format!("{operation:?}");
    }
    for note in &history.notes {
        let mut note = note.clone();
        rank(&mut note.step);
        text += &format!("{note:?}");
    }
    for fault in &history.faults {
        let mut fault = fault.clone();
        rank(&mut fault.step);
        text += &format!("{fault:?}");
    }
    text.into_bytes()
}
