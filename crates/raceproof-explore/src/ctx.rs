//! What a client is given: connections, a clock, a history, shared state.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use smallvec::SmallVec;

use crate::hand::ClockHand;
use crate::history::Mark;
use crate::mailbox::{OwnedPort, Port};
use crate::redis_conn::RedisConnection;
use crate::sim::Disk;
use crate::sql::Database;
use crate::world::Finish;

/// How many clients the clients of one execution may spawn: a bound on those that spawn for ever.
const MOST_SPAWNED: usize = 256;

/// How a client ended.
pub(crate) type ClientEnd = Result<(), crate::world::Failure>;
pub(crate) type ClientFuture = Pin<Box<dyn Work>>;

/// A future that ends as a client does. A trait of its own, since an `async` block around the client's future would move
/// all of it once more, in every execution.
pub(crate) trait Work {
    fn go_on(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<ClientEnd>;
}

impl<F> Work for F
where
    F: Future,
    F::Output: Finish,
{
    fn go_on(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<ClientEnd> {
        self.poll(context).map(Finish::finish)
    }
}

/// A client that has not started yet.
pub(crate) type NewClient = (String, Port, ClientFuture);

/// What all contexts of one execution share.
#[derive(Default)]
pub(crate) struct Stage {
    spawned: RefCell<Vec<NewClient>>,
    started: Cell<usize>,
    ports: RefCell<SmallVec<[OwnedPort; 4]>>,
    /// What the clients of the body are called, by their places: the same in every execution.
    names: RefCell<Vec<Rc<str>>>,
    files: OnceCell<Disk>,
    /// The clients that have returned.
    returned: RefCell<Vec<String>>,
    /// A check has asked who has returned.
    pub(crate) asked: Cell<bool>,
    /// A check at the end is being run.
    pub(crate) at_the_end: Cell<bool>,
}

impl Stage {
    /// The mailbox of a client, for as long as this stage is there.
    pub(crate) fn open_port(&self, origin: u64, now_ms: i64) -> Port {
        let port = OwnedPort::new(origin, now_ms);
        let handle = *port;
        self.ports.borrow_mut().push(port);
        handle
    }

    /// Makes it as it was, but for the names.
    pub(crate) fn clear(&mut self) {
        let Self { spawned, started, ports, names: _, files, returned, asked, at_the_end } = self;
        spawned.get_mut().clear();
        // The last first, so that each client of the next execution has the mailbox that it had in this one.
        while ports.get_mut().pop().is_some() {}
        returned.get_mut().clear();
        files.take();
        (*started.get_mut(), *asked.get_mut(), *at_the_end.get_mut()) = (0, false, false);
    }

    /// The name of a client of the body, kept for the next execution.
    fn name(&self, place: usize, name: &str) -> Rc<str> {
        let mut names = self.names.borrow_mut();
        match names.get_mut(place) {
            Some(known) if **known == *name => known.clone(),
            Some(known) => {
                *known = name.into();
                known.clone()
            }
            None => {
                names.push(name.into());
                names[names.len() - 1].clone()
            }
        }
    }

    pub(crate) fn files(&self) -> &Disk {
        self.files.get_or_init(Disk::default)
    }

    pub(crate) fn has_spawned(&self) -> bool {
        !self.spawned.borrow().is_empty()
    }

    pub(crate) fn note_return(&self, client: &str) {
        self.returned.borrow_mut().push(client.to_owned());
    }

    pub(crate) fn has_returned(&self, client: &str) -> bool {
        self.returned.borrow().iter().any(|known| known == client)
    }

    pub(crate) fn take_spawned(&self) -> Vec<NewClient> {
        std::mem::take(&mut *self.spawned.borrow_mut())
    }
}

/// Work was given up because its time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut {
    /// The time that it had, in ms.
    pub ms: u64,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not done within {} ms", self.ms)
    }
}

impl std::error::Error for TimedOut {}

/// A client's view of the world. Whatever a client awaits comes from here: a future of any other runtime would never
/// be woken, and is reported by the client's name.
#[derive(Clone)]
pub struct Ctx {
    name: Rc<str>,
    port: Port,
    stage: Rc<Stage>,
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Ctx {
    pub(crate) fn new(name: &str, port: Port, stage: Rc<Stage>) -> Self {
        Self { name: name.into(), port, stage }
    }

    /// That of a client of the body, by its place among them.
    pub(crate) fn of_client(place: usize, name: &str, port: Port, stage: Rc<Stage>) -> Self {
        Self { name: stage.name(place, name), port, stage }
    }

    pub(crate) const fn port(&self) -> &Port {
        &self.port
    }

    pub(crate) fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The client's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens a Redis session.
    #[must_use]
    pub fn redis(&self) -> RedisConnection {
        RedisConnection::new(&self.port)
    }

    /// Opens a Redis session with the replica. It refuses writes (`READONLY`), and is up to date unless there is a budget for
    /// [`Fault::Lag`](crate::Fault::Lag): then a read may show any earlier state, but none that is older than what somebody
    /// has read from the replica before. In a setup and in checks it is up to date.
    #[must_use]
    pub fn replica(&self) -> RedisConnection {
        RedisConnection::to_replica(&self.port)
    }

    /// Opens a database connection.
    #[must_use]
    pub fn db(&self) -> Database {
        Database::new(&self.port)
    }

    /// Whether a client has returned: it did not die, and it did not give up because of a fault. So a check at the end
    /// can ask for the effects that were promised, and for no others.
    ///
    /// # Panics
    /// Anywhere but in a `finally` or `quiet` check: before the end it would be a race.
    #[must_use]
    pub fn returned(&self, client: &str) -> bool {
        assert!(self.stage.at_the_end.get(), "ctx.returned can be asked in finally and quiet checks only");
        self.stage.asked.set(true);
        self.stage.has_returned(client)
    }

    /// The clock, for a client that moves it.
    #[must_use]
    pub fn clock(&self) -> ClockHand {
        ClockHand::new(self.port)
    }

    /// Waits for `ms` milliseconds of virtual time.
    pub async fn sleep(&self, ms: u64) {
        let until = self.port.after(ms);
        self.port.sleep_until(until).await;
    }

    /// Gives `work` at most `ms` milliseconds of virtual time. When they are over, `work` is dropped; a command that it
    /// had sent is not unsent by that, and may be delivered later.
    ///
    /// # Errors
    /// [`TimedOut`] when `work` had not ended by then.
    pub async fn timeout<T>(&self, ms: u64, work: impl Future<Output = T>) -> Result<T, TimedOut> {
        let mut work = pin!(work);
        let mut over = pin!(self.sleep(ms));
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending => over.as_mut().poll(context).map(|()| Err(TimedOut { ms })),
        })
        .await
    }

    /// The virtual time, in ms since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.port.read_clock()
    }

    /// Adds a remark to the history; it stands in the counterexample and history checks may read it.
    pub fn note(&self, text: impl Into<String>) {
        self.mark(Mark::Note(text.into()));
    }

    /// Starts another client, which may outlive this one. A crash of this client does not end it.
    ///
    /// # Panics
    /// When the clients of one execution spawn more than 256: it is then a violation of this client.
    pub fn spawn<F, Fut>(&self, name: &str, body: F)
    where
        F: FnOnce(Self) -> Fut,
        Fut: Future + 'static,
        Fut::Output: Finish,
    {
        let port = self.stage.open_port(self.port.unique(), self.port.lock().now_ms);
        let future: ClientFuture = Box::pin(body(Self::new(name, port, self.stage.clone())));
        let mut spawned = self.stage.spawned.borrow_mut();
        let started = self.stage.started.get() + 1;
        self.stage.started.set(started);
        assert!(started <= MOST_SPAWNED, "more than {MOST_SPAWNED} clients were spawned in one execution");
        spawned.push((name.to_owned(), port, future));
    }
}
