//! What a test body builds: the clients, the setup, and the checks.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::rc::Rc;

use crate::checkers::HistoryCheck;
use crate::ctx::{ClientEnd, ClientFuture, Ctx, NewClient, Stage};
use crate::history::Mark;
use crate::mailbox::CellId;
use crate::recording::{Record, Recorded};
use crate::report::Place;
use crate::shared::Shared;

/// What an `async` block of a client, a setup or a check may return.
pub trait Finish {
    /// How it ended; a failure is a violation.
    ///
    /// # Errors
    /// What went wrong.
    fn finish(self) -> ClientEnd;
}

impl Finish for () {
    fn finish(self) -> ClientEnd {
        Ok(())
    }
}

impl<T, E: fmt::Display + 'static> Finish for Result<T, E> {
    fn finish(self) -> ClientEnd {
        self.map(drop).map_err(|error| match (&error as &dyn Any).downcast_ref::<Failure>() {
            Some(failure) => failure.clone(),
            None => Failure { message: error.to_string(), place: None },
        })
    }
}

/// Why a client, a check or the setup failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The failed expectation in words.
    pub message: String,
    /// Where it stands.
    pub place: Option<Place>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// A check, and when it holds.
pub(crate) struct StateCheck {
    pub(crate) when: When,
    pub(crate) run: Box<dyn Fn(Ctx) -> ClientFuture>,
}

/// Somebody who is no client and looks at an object: at the start, and when all clients have ended.
pub(crate) struct Watch {
    pub(crate) object: String,
    /// It looks twice, at a cache and at what is cached, which must agree at the end.
    pub(crate) agreement: bool,
    pub(crate) look: Box<dyn Fn(Ctx) -> ClientFuture>,
}

/// When a check must hold, and so what the shrinker may leave out without making it meaningless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// After every step.
    Always,
    /// When every client has ended (or crashed).
    Finally,
    /// Whenever nothing is under way, whichever clients took part.
    Quiet,
}

/// One test case under construction: its setup, its clients, its checks. The body that fills it runs once for every
/// execution and must do the same each time.
#[derive(Default)]
pub struct World {
    pub(crate) setup: Vec<Box<dyn FnOnce(Ctx) -> ClientFuture>>,
    pub(crate) clients: Vec<NewClient>,
    pub(crate) checks: Vec<StateCheck>,
    pub(crate) history_checks: Vec<HistoryCheck>,
    pub(crate) watches: Vec<Watch>,
    pub(crate) serializable: bool,
    pub(crate) stage: Rc<Stage>,
    pub(crate) cells: u64,
    pub(crate) error: Option<crate::Error>,
    pub(crate) now_ms: i64,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.clients.iter().map(|(name, ..)| name.as_str()).collect();
        f.debug_struct("World").field("clients", &names).finish_non_exhaustive()
    }
}

impl World {
    /// An empty one on a stage, with room for its clients.
    pub(crate) fn on(stage: Rc<Stage>, clients: Vec<NewClient>, now_ms: i64) -> Self {
        Self {
            setup: Vec::new(),
            clients,
            checks: Vec::new(),
            history_checks: Vec::new(),
            watches: Vec::new(),
            serializable: false,
            stage,
            cells: 0,
            error: None,
            now_ms,
        }
    }

    /// Work that is done before any client starts: once for a whole search, since every execution starts from the
    /// Redis and the database that it leaves behind.
    pub fn setup<F, Fut>(&mut self, body: F)
    where
        F: FnOnce(Ctx) -> Fut + 'static,
        Fut: Future + 'static,
        Fut::Output: Finish,
    {
        self.setup.push(Box::new(move |ctx| Box::pin(body(ctx))));
    }

    /// A client under test. An `Err` that it returns is a violation, as is a panic.
    pub fn client<F, Fut>(&mut self, name: impl Into<String>, body: F)
    where
        F: FnOnce(Ctx) -> Fut,
        Fut: Future + 'static,
        Fut::Output: Finish,
    {
        let name = name.into();
        let place = self.clients.len();
        let port = self.stage.open_port(u64::try_from(place).unwrap_or(u64::MAX) + 1, self.now_ms);
        let work = Box::pin(body(Ctx::of_client(place, &name, port, self.stage.clone())));
        self.clients.push((name, port, work));
    }

    /// A check that must hold before the first step and after every step. It reads Redis and the database freely: no
    /// client can get in between its reads. It must not write.
    pub fn always<F, Fut>(&mut self, check: F)
    where
        F: Fn(Ctx) -> Fut + 'static,
        Fut: Future + 'static,
        Fut::Output: Finish,
    {
        self.check(When::Always, check);
    }

    /// A check that must hold when all clients have ended. `ctx.sleep` moves the clock there, so what a TTL would
    /// clean up can be told from what stays.
    pub fn finally<F, Fut>(&mut self, check: F)
    where
        F: Fn(Ctx) -> Fut + 'static,
        Fut: Future + 'static,
        Fut::Output: Finish,
    {
        self.check(When::Finally, check);
    }

    /// Like [`Self::finally`], for a check that is just as meaningful when some of the clients never started: a
    /// counterexample then shows only the clients that are needed.
    pub fn quiet<F, Fut>(&mut self, check: F)
    where
        F: Fn(Ctx) -> Fut + 'static,
        Fut: Future + 'static,
        Fut::Output: Finish,
    {
        self.check(When::Quiet, check);
    }

    fn check<F, Fut>(&mut self, when: When, check: F)
    where
        F: Fn(Ctx) -> Fut + 'static,
        Fut: Future + 'static,
        Fut::Output: Finish,
    {
        let run = Box::new(move |ctx| -> ClientFuture { Box::pin(check(ctx)) });
        self.checks.push(StateCheck { when, run });
    }

    /// State that clients of one process share: a map behind a mutex, a flag, a counter. Each access is a step.
    pub fn shared<T: Send + 'static>(&mut self, name: &str, value: T) -> Shared<T> {
        self.cells += 1;
        Shared::new(name, CellId(self.cells), value)
    }

    /// A check over the recorded operations (`ctx.write`, `ctx.read`, `ctx.inside`, `ctx.operation` and so on).
    pub fn history(&mut self, check: HistoryCheck) {
        self.history_checks.push(check);
    }

    /// Checks that every execution has an outcome that the clients can also come to one after another: the same keys and
    /// rows at the end, and the same replies to every client that lives. Nothing needs to be stated about the
    /// protocol. The serial orders are run once, at the start of a search, so there may be up to 7 clients.
    ///
    /// In a serial order each client, with those that it spawns, runs to its end before the next one starts; time passes
    /// only when it waits, and for the pauses in budget, as often for each client. The faults in budget may strike there,
    /// too. (What sleeps side by side sleeps longer in turns: where keys expire meanwhile, outcomes differ for that.) For a client that
    /// died, the serial orders are taken in which it died before any of its steps or after any of them, whatever it was
    /// told. Deadlines of keys are compared only where no time has passed, else only which keys have one.
    pub fn serializable(&mut self) {
        self.serializable = true;
    }

    /// How to tell what `object` holds, for the checks over the history. It is looked at before the first step, which
    /// gives the value at the start, and when all clients have ended, which is the last read of the object. `look` reads
    /// Redis and the database freely, as a check does, and must not write.
    pub fn value<F, Fut>(&mut self, object: impl Into<String>, look: F)
    where
        F: Fn(Ctx) -> Fut + 'static,
        Fut: Future + 'static,
        Fut::Output: Recorded,
    {
        self.watch(object, move |ctx| {
            let work = look(ctx.clone());
            async move {
                match work.await.record() {
                    Record::Done(value) => ctx.mark(Mark::Observed(value)),
                    Record::Failed => return Err("it returned an error"),
                }
                Ok(())
            }
        });
    }

    /// When all clients have ended, what `cache` finds is what `row` finds, or nothing: the cached copy of `object` agrees
    /// with its row when all is quiet. If it does not, the message says for how long: until the copy expires, or for ever.
    pub fn agrees<C, R, CFut, RFut>(&mut self, object: impl Into<String>, cache: C, row: R)
    where
        C: Fn(Ctx) -> CFut + 'static,
        R: Fn(Ctx) -> RFut + 'static,
        CFut: Future + 'static,
        RFut: Future + 'static,
        CFut::Output: Recorded,
        RFut::Output: Recorded,
    {
        self.watch_agreement(object, move |ctx| {
            let (cache, row) = (cache(ctx.clone()), row(ctx.clone()));
            async move {
                for record in [cache.await.record(), row.await.record()] {
                    match record {
                        Record::Done(value) => ctx.mark(Mark::Observed(value)),
                        Record::Failed => return Err("it returned an error"),
                    }
                }
                Ok(())
            }
        });
    }

    /// Somebody who looks at a cache, and then at what is cached.
    pub(crate) fn watch_agreement<F, Fut>(&mut self, object: impl Into<String>, look: F)
    where
        F: Fn(Ctx) -> Fut + 'static,
        Fut: Future + 'static,
        Fut::Output: Finish,
    {
        self.watch(object, look);
        if let Some(watch) = self.watches.last_mut() {
            watch.agreement = true;
        }
    }

    /// Somebody who looks at an object and says what it has found.
    pub(crate) fn watch<F, Fut>(&mut self, object: impl Into<String>, look: F)
    where
        F: Fn(Ctx) -> Fut + 'static,
        Fut: Future + 'static,
        Fut::Output: Finish,
    {
        let look = Box::new(move |ctx| -> ClientFuture { Box::pin(look(ctx)) });
        self.watches.push(Watch { object: object.into(), agreement: false, look });
    }
}
