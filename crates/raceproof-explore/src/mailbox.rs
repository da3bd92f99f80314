//! The seam between a client's futures and the scheduler.
//!
//! A client's futures hold nothing but the number of its mailbox: what they want is *posted* there, and the scheduler
//! answers there. So the futures are `Send` (redis-rs demands it) while the engine, Lua and the databases stay with the
//! scheduler, and a future that is dropped leaves its request behind, as a connection does with a command it has sent.

mod port;

use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use raceproof_engine::{Access, Reply};
use smallvec::SmallVec;

pub(crate) use port::{Inbox, OwnedPort, Port};

use crate::command::Command;
use crate::event::ClientId;
use crate::history::Mark;
use crate::panics;
use crate::sql::{SqlCall, SqlResult};
use crate::world::Failure;

thread_local! {
    /// The client that is being polled. Bells and locks go from client to client, and what is done to them counts for
    /// who does it.
    static CURRENT: Cell<Option<Port>> = const { Cell::new(None) };

    /// Something was put into another mailbox than that of the client that is being polled.
    static ELSEWHERE: Cell<bool> = const { Cell::new(true) };
}

/// The last instant that the virtual clock can show (ms since the Unix epoch): some 290,000 years from now, with room to
/// count on in microseconds.
pub(crate) const END_OF_TIME_MS: i64 = i64::MAX / 1000 - 1;

/// What a client asks for at a gate. Each is one step. It goes from hand to hand, so what is large and rare is boxed.
pub(crate) enum Op {
    /// One command of a Redis session, or the commands of one `MULTI … EXEC` that were sent together.
    Redis { session: u32, commands: SmallVec<[Command; 1]> },
    /// The next message that a Redis session was sent beside its replies.
    Receive {
        session: u32,
        /// Until there is one.
        waits: bool,
    },
    /// One statement of a database connection.
    Sql { connection: u32, call: Box<SqlCall> },
    /// An atomic operation on state that clients share.
    Cell(Box<CellOp>),
    /// A client moves the clock.
    Clock(ClockCall),
}

/// What a client does with the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockCall {
    /// Forward by so many ms.
    Advance(u64),
    /// The server's back by so many ms.
    Rewind(u64),
    Freeze,
    Resume,
}

impl ClockCall {
    pub(crate) fn text(self) -> String {
        match self {
            Self::Advance(ms) => format!("advances the clock by {ms} ms"),
            Self::Rewind(ms) => format!("sets the server's clock back by {ms} ms"),
            Self::Freeze => "freezes the clock".to_owned(),
            Self::Resume => "lets time pass again".to_owned(),
        }
    }
}

/// A piece of shared state. Its number is made from who made it and which of theirs it is, so that it is the same in
/// every execution, whatever the order in which clients come to make theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CellId(pub(crate) u64);

/// An operation on shared state: enabled when `ready` says so, then `run` once.
pub(crate) struct CellOp {
    pub(crate) cell: CellId,
    pub(crate) access: Access,
    pub(crate) text: String,
    pub(crate) ready: Option<Box<dyn Fn() -> bool + Send>>,
    pub(crate) run: Box<dyn FnOnce() -> String + Send>,
}

/// The queue of steps that are delivered first in, first out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Lane {
    Redis(u32),
    /// Messages come beside the commands of a session.
    Inbox(u32),
    Sql(u32),
    Cell(CellId),
    Clock,
    /// A connection that another client opened.
    LentRedis(ClientId, u32),
    LentInbox(ClientId, u32),
    LentSql(ClientId, u32),
    /// A command of the client that is still on its way although the client has gone on, and which of them: a process of
    /// its own, and no step of the client.
    Late(u32),
}

impl Op {
    /// The queue of the request, given whose connection it is if it is not the asking client's own.
    pub(crate) fn lane(&self, lender: Option<ClientId>) -> Lane {
        match (self, lender) {
            (Self::Redis { session, .. }, None) => Lane::Redis(*session),
            (Self::Receive { session, .. }, None) => Lane::Inbox(*session),
            (Self::Sql { connection, .. }, None) => Lane::Sql(*connection),
            (Self::Redis { session, .. }, Some(lender)) => Lane::LentRedis(lender, *session),
            (Self::Receive { session, .. }, Some(lender)) => Lane::LentInbox(lender, *session),
            (Self::Sql { connection, .. }, Some(lender)) => Lane::LentSql(lender, *connection),
            (Self::Cell(op), _) => Lane::Cell(op.cell),
            (Self::Clock(_), _) => Lane::Clock,
        }
    }

    /// Whether it only waits for something, so that a client which stops waiting has not asked for anything.
    pub(crate) const fn can_be_taken_back(&self) -> bool {
        match self {
            Self::Cell(op) => op.ready.is_some(),
            Self::Receive { waits, .. } => *waits,
            Self::Redis { .. } | Self::Sql { .. } | Self::Clock(_) => false,
        }
    }
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.lane(None))
    }
}

/// The scheduler's answer to an [`Op`].
#[derive(Debug)]
pub(crate) enum Answer {
    /// The reply to the one command of the step.
    Reply(Reply),
    /// The replies to the commands of the step, in order.
    Redis(SmallVec<[Reply; 1]>),
    Sql(SqlResult),
    Cell,
    /// No reply: see [`Lost`].
    Lost(Lost),
    /// The client's own closure panicked.
    Panic(Failure),
}

/// Why there is no reply. The texts are what clients see, and how a client that gives up because of a fault is told
/// from one that fails by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    Broken,
    TimedOut,
    Unreachable,
}

/// How long a client waits for a reply (virtual ms): the time-out of redis-rs.
pub(crate) const REPLY_TIMEOUT_MS: i64 = 500;

impl Lost {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Broken => "LOST the connection broke: the command may have taken effect",
            Self::TimedOut => "LOST no reply within 500 ms: the command may have taken effect",
            Self::Unreachable => "UNREACHABLE Redis cannot be reached from here: the command was not sent",
        }
    }
}

/// Something that a client did between two gates which others can observe.
#[derive(Debug)]
pub(crate) enum Local {
    /// The clock was read.
    ReadClock,
    /// A sleep began, or was given up before its end.
    Timer,
    /// Shared state was read or changed without a step of its own.
    Cell(CellId, Access),
    /// A history mark was made.
    Mark(Mark),
}

/// A pending sleep. Whoever awaits it is woken: that need not be the client whose context it came from.
#[derive(Debug)]
pub(crate) struct Sleeper {
    id: u64,
    /// When it ends (virtual ms since the Unix epoch).
    pub(crate) until_ms: i64,
    pub(crate) waker: Option<Waker>,
}

#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    /// That of its port.
    key: u64,
    next_id: u64,
    /// Posted, and not yet taken over by the scheduler.
    pub(crate) posted: SmallVec<[(u64, Op); 1]>,
    /// Posted before and no longer wanted.
    pub(crate) withdrawn: Vec<u64>,
    /// Answered, and not yet picked up by the future that asked.
    answers: SmallVec<[(u64, Answer); 2]>,
    pub(crate) timers: SmallVec<[Sleeper; 1]>,
    /// What was done since the scheduler last looked.
    pub(crate) local: Vec<Local>,
    /// The virtual time (ms since the Unix epoch).
    pub(crate) now_ms: i64,
    pub(crate) sessions: u32,
    /// Those of the sessions that are connections to a replica.
    pub(crate) replicas: SmallVec<[u32; 1]>,
    pub(crate) connections: u32,
    pub(crate) operations: u32,
    /// Who the client is, by its place in the tree of clients.
    pub(crate) origin: u64,
    made: u64,
}

/// How much a client may do between two gates: more is a loop that waits for something without ever waiting.
const MOST_BETWEEN_GATES: usize = 100_000;

impl Mailbox {
    /// Makes an empty mailbox ready for its next owner; `false` if something is in it.
    fn retire(&mut self) -> bool {
        let empty = self.posted.is_empty()
            && self.withdrawn.is_empty()
            && self.answers.is_empty()
            && self.timers.is_empty()
            && self.local.is_empty();
        (self.next_id, self.made) = (0, 0);
        (self.sessions, self.connections, self.operations) = (0, 0, 0);
        self.replicas.clear();
        empty
    }

    /// Forgets everything but which numbers it has given away.
    pub(crate) fn renew(&mut self, now_ms: i64) {
        *self = Self {
            key: self.key,
            origin: self.origin,
            made: self.made,
            next_id: self.next_id,
            now_ms,
            ..Self::default()
        };
    }

    #[inline]
    pub(crate) fn answer(&mut self, id: u64, answer: Answer) {
        self.answers.push((id, answer));
    }

    pub(crate) fn note(&mut self, what: Local) {
        self.local.push(what);
        self.filled();
        self.bound();
    }

    /// Whoever polls a client looks for what it left in its own mailbox, and in all others only if it left something
    /// there.
    fn filled(&self) {
        if CURRENT.with(|current| current.get().is_none_or(|current| current.key != self.key)) {
            ELSEWHERE.set(true);
        }
    }

    /// A client that asks for the time, notes something or sends requests for ever never comes to a gate, and nothing
    /// but a panic of its own stops it. It is raised once: what is dropped on the way out may note something as well.
    fn bound(&self) {
        let busy = self.local.len() == MOST_BETWEEN_GATES || self.posted.len() == MOST_BETWEEN_GATES;
        assert!(
            !busy || std::thread::panicking(),
            "a loop that does {MOST_BETWEEN_GATES} things without waiting for any: time passes in ctx.sleep only"
        );
    }
}

impl Port {
    /// A number that only this client has, and only once: for its cells, children and tokens.
    pub(crate) fn unique(&self) -> u64 {
        let mut mailbox = self.lock();
        mailbox.made += 1;
        (mailbox.origin.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ mailbox.made).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    }

    pub(crate) fn touch(&self, cell: CellId, access: Access) {
        self.lock().note(Local::Cell(cell, access));
    }

    #[inline]
    pub(crate) fn post(&self, op: Op) -> u64 {
        // Taken out inside: what is large is moved once.
        let mut op = Some(op);
        self.with(|mailbox| {
            mailbox.next_id += 1;
            let id = mailbox.next_id;
            if let Some(op) = op.take() {
                mailbox.posted.push((id, op));
            }
            mailbox.filled();
            mailbox.bound();
            id
        })
    }

    #[inline]
    pub(crate) fn take_answer(&self, id: u64) -> Option<Answer> {
        let mut answer = None;
        self.with(|mailbox| {
            let answers = &mut mailbox.answers;
            // Nearly always there is one, for whoever asks.
            if answers.last().is_some_and(|(known, _)| *known == id) {
                answer = answers.pop().map(|(_, answer)| answer);
            } else if let Some(at) = answers.iter().position(|(known, _)| *known == id) {
                answer = Some(answers.swap_remove(at).1);
            }
        });
        answer
    }

    pub(crate) fn answer(&self, id: u64, answer: Answer) {
        self.with(|mailbox| mailbox.answer(id, answer));
    }

    /// Posts an operation at the first poll and waits for its answer.
    pub(crate) async fn ask(&self, op: Op) -> Answer {
        let mut asked = Asked { port: self, id: 0, withdrawn: op.can_be_taken_back() };
        let mut op = Some(op);
        let answer = std::future::poll_fn(|_| {
            if let Some(op) = op.take() {
                asked.id = self.post(op);
                return Poll::Pending;
            }
            self.take_answer(asked.id).map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        asked.id = 0;
        if let Answer::Panic(failure) = answer {
            panics::again(failure);
        }
        answer
    }

    /// Runs `work` on shared state as one step and gives what it returns; its text is the step's reply.
    pub(crate) async fn step_on<R: Send + 'static>(
        &self,
        cell: CellId,
        access: Access,
        text: String,
        work: impl FnOnce() -> (R, String) + Send + 'static,
    ) -> R {
        let result: Arc<Mutex<Option<std::thread::Result<R>>>> = Arc::default();
        let out = result.clone();
        let run = move || {
            // A panic of the client's closure is the client's: it goes on there, not in the scheduler.
            let (done, shown) = match panics::hold(work) {
                Ok((done, shown)) => (Ok(done), shown),
                Err(payload) => (Err(payload), "(panics)".to_owned()),
            };
            *out.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
            shown
        };
        let op = CellOp { cell, access, text, ready: None, run: Box::new(run) };
        self.ask(Op::Cell(Box::new(op))).await;
        let done = result.lock().unwrap_or_else(PoisonError::into_inner).take();
        match done.expect("the step has run before it is answered") {
            Ok(done) => done,
            Err(payload) => std::panic::resume_unwind(payload),
        }
    }

    /// The instant `ms` milliseconds from now (virtual ms since the Unix epoch), the end of time at most.
    pub(crate) fn after(&self, ms: u64) -> i64 {
        let now_ms = self.read_clock();
        now_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)).min(END_OF_TIME_MS.max(now_ms))
    }

    /// The virtual time, remembered as a read of the clock.
    pub(crate) fn read_clock(&self) -> i64 {
        let mut mailbox = self.lock();
        mailbox.note(Local::ReadClock);
        mailbox.now_ms
    }

    /// Waits until the virtual clock shows `until_ms` or later.
    pub(crate) async fn sleep_until(&self, until_ms: i64) {
        if self.read_clock() >= until_ms {
            return;
        }
        let timer = Timer::start(self, until_ms);
        std::future::poll_fn(|context| timer.poll(context, until_ms)).await;
    }
}

/// A request that is waited for. What a client only waits for ends with its waiting; what it has sent is on its way.
struct Asked<'a> {
    port: &'a Port,
    /// 0 while nothing is posted, and when the answer is there.
    id: u64,
    withdrawn: bool,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if self.id == 0 || !self.withdrawn {
            return;
        }
        let mut mailbox = self.port.lock();
        let before = mailbox.posted.len();
        mailbox.posted.retain(|(id, _)| *id != self.id);
        if mailbox.posted.len() == before {
            mailbox.withdrawn.push(self.id);
            mailbox.filled();
        }
    }
}

/// A pending sleep; dropping it (a timeout that did not fire, a lost race) takes the instant off the clock's list.
struct Timer<'a> {
    port: &'a Port,
    id: u64,
}

impl<'a> Timer<'a> {
    fn start(port: &'a Port, until_ms: i64) -> Self {
        let mut mailbox = port.lock();
        mailbox.next_id += 1;
        let id = mailbox.next_id;
        mailbox.timers.push(Sleeper { id, until_ms, waker: None });
        mailbox.note(Local::Timer);
        drop(mailbox);
        Self { port, id }
    }
}

impl Timer<'_> {
    fn poll(&self, context: &Context<'_>, until_ms: i64) -> Poll<()> {
        let mut mailbox = self.port.lock();
        if mailbox.now_ms >= until_ms {
            return Poll::Ready(());
        }
        if let Some(sleeper) = mailbox.timers.iter_mut().find(|sleeper| sleeper.id == self.id) {
            sleeper.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        let mut mailbox = self.port.lock();
        mailbox.timers.retain(|sleeper| sleeper.id != self.id);
        mailbox.note(Local::Timer);
    }
}
