//! Setup and checks: their requests are answered at once, and their sleeps move the clock.

use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll, Waker};

use raceproof_engine::{Access, Object, SessionId};
use smallvec::SmallVec;

use super::Execution;
use crate::Error;
use crate::ctx::{ClientEnd, ClientFuture};
use crate::event::Thing;
use crate::history::{Datum, Mark};
use crate::mailbox::{Answer, ClockCall, END_OF_TIME_MS, Local, Op, OwnedPort, Port};
use crate::panics;
use crate::sql::Statement;
use crate::watchdog::watched;

/// How many requests a setup or a check may make: enough for any, and a bound on one that never ends.
const MOST_REQUESTS: usize = 1_000_000;

/// The connections of the setup and the checks, kept for the whole execution.
#[derive(Debug)]
pub(super) struct Direct {
    /// Which of the two it is, for its tokens.
    origin: u64,
    /// Opened for the first check.
    port: Option<OwnedPort>,
    sessions: Vec<SessionId>,
    slots: Vec<usize>,
    changed_cells: bool,
    /// Something was written.
    pub(super) wrote: bool,
    /// What the readers of objects have found.
    pub(super) observed: Vec<Option<Datum>>,
}

impl Default for Direct {
    fn default() -> Self {
        Self::with_origin(u64::MAX - 1)
    }
}

impl Direct {
    /// Setups and checks are apart from each other and from all clients: their tokens never meet.
    pub(super) fn of_setup() -> Self {
        Self::with_origin(u64::MAX)
    }

    fn with_origin(origin: u64) -> Self {
        Self {
            origin,
            port: None,
            sessions: Vec::new(),
            slots: Vec::new(),
            changed_cells: false,
            wrote: false,
            observed: Vec::new(),
        }
    }

    /// Whether state that clients share was changed.
    pub(super) const fn changed_cells(&self) -> bool {
        self.changed_cells
    }
}

impl Execution<'_> {
    /// The port of the next setup or check, whose connections are new: what the one before selected, watched or began
    /// is over.
    pub(super) fn direct_port(&mut self) -> Port {
        for session in std::mem::take(&mut self.direct.sessions) {
            self.disconnect(session);
        }
        for slot in &self.direct.slots {
            // A slot whose connection cannot be rolled back says so at its next statement.
            let _ = self.worker.sql.close(*slot);
        }
        let origin = self.direct.origin;
        let port = **self.direct.port.get_or_insert_with(|| OwnedPort::new(origin, 0));
        port.lock().renew(self.now_ms);
        port
    }

    /// Runs a future to its end. `Err` is a foreign await; a failure or a panic is its result.
    pub(super) fn run_direct(&mut self, name: &str, port: &Port, mut future: ClientFuture) -> Result<ClientEnd, Error> {
        let mut context = Context::from_waker(Waker::noop());
        let foreign = |step: usize| Error::Foreign { client: name.to_owned(), step };
        let watching = self.watching.clone();
        let place = watching.as_ref().and_then(|watching| watching.place(name, 0));
        for step in 0..MOST_REQUESTS {
            let polled = watched(watching.as_deref(), (name, place), || {
                port.enter(|| panics::catch(AssertUnwindSafe(|| future.as_mut().go_on(&mut context))))
            });
            match polled {
                Ok(Poll::Ready(end)) => {
                    let local = std::mem::take(&mut port.lock().local);
                    local.into_iter().for_each(|what| self.direct_local(what));
                    return Ok(end);
                }
                Ok(Poll::Pending) => {}
                Err(panic) if panic.is_foreign_runtime() => return Err(foreign(step)),
                Err(panic) => return Ok(Err(panic.into_failure())),
            }
            let mut local = Vec::new();
            let (posted, timer) = {
                let mut mailbox = port.lock();
                local.append(&mut mailbox.local);
                (std::mem::take(&mut mailbox.posted), mailbox.timers.iter().map(|sleeper| sleeper.until_ms).min())
            };
            for what in local {
                self.direct_local(what);
            }
            if posted.is_empty() {
                let Some(timer) = timer else { return Err(foreign(step)) };
                self.set_clock(timer.max(self.now_ms))?;
                port.lock().now_ms = self.now_ms;
            }
            for (id, op) in posted {
                let answer = self.direct(port, op)?;
                port.answer(id, answer);
            }
        }
        Ok(Err(crate::world::Failure {
            message: format!("{name} made {MOST_REQUESTS} requests without coming to an end"),
            place: None,
        }))
    }

    /// What a check looks at without a request counts as read, too.
    fn direct_local(&mut self, what: Local) {
        match what {
            Local::ReadClock => self.touch(Object::Clock, Access::Read),
            Local::Cell(cell, access) => self.touch_thing(Thing::Cell(cell), access),
            Local::Mark(Mark::Observed(value)) => self.direct.observed.push(value),
            Local::Timer | Local::Mark(_) => {}
        }
    }

    fn direct(&mut self, port: &Port, op: Op) -> Result<Answer, Error> {
        match op {
            Op::Redis { session, commands } => {
                while self.direct.sessions.len() <= session as usize {
                    let number = u32::try_from(self.direct.sessions.len()).unwrap_or(u32::MAX);
                    let replica = port.lock().replicas.contains(&number);
                    let session = if replica { self.connect_to_replica()? } else { self.connect()? };
                    self.direct.sessions.push(session);
                }
                let session = self.direct.sessions[session as usize];
                let mut replies = SmallVec::with_capacity(commands.len());
                for args in &commands {
                    self.checking = true;
                    let reply = self.redis(session, args);
                    self.checking = false;
                    let reply = reply?;
                    self.direct.wrote |= self.worker.outcome.wrote;
                    replies.push(match self.worker.outcome.waits {
                        true => match self.wait_directly(session) {
                            Ok(reply) => reply,
                            Err(failure) => return Ok(Answer::Panic(failure)),
                        },
                        false => reply,
                    });
                }
                Ok(Answer::Redis(replies))
            }
            Op::Receive { .. } => Ok(Answer::Panic(crate::world::Failure {
                message: "a setup or a check receives no messages: its connections end with it".to_owned(),
                place: None,
            })),
            Op::Sql { connection, call } => {
                while self.direct.slots.len() <= connection as usize {
                    let slot = self.worker.sql.open().map_err(|error| Error::Database(error.to_string()))?;
                    self.direct.slots.push(slot);
                }
                let slot = self.direct.slots[connection as usize];
                let mut done = Statement::default();
                let result = self.worker.sql.execute(slot, &call, &mut done);
                self.direct.wrote |= done.committed;
                self.touch_sql(done);
                Ok(Answer::Sql(result))
            }
            Op::Clock(ClockCall::Advance(ms)) => {
                let target = self.now_ms.saturating_add_unsigned(ms).min(END_OF_TIME_MS.max(self.now_ms));
                self.set_clock(target)?;
                Ok(Answer::Cell)
            }
            Op::Clock(_) => Ok(Answer::Panic(crate::world::Failure {
                message: "a setup or a check can advance the clock, and nothing else".to_owned(),
                place: None,
            })),
            Op::Cell(op) => {
                self.touch_thing(Thing::Cell(op.cell), op.access);
                self.direct.wrote |= op.access.writes();
                self.direct.changed_cells |= op.access.writes();
                Ok(match panics::catch(AssertUnwindSafe(op.run)) {
                    Ok(_) => Answer::Cell,
                    Err(panic) => Answer::Panic(panic.into_failure()),
                })
            }
        }
    }

    /// The server that the connections of the checks led to is gone.
    pub(super) fn forget_direct_sessions(&mut self) {
        self.direct.sessions.clear();
    }

    /// Closes the setup's connections, so that the state it leaves has no session in it.
    pub(super) fn close_direct(&mut self) {
        let direct = std::mem::take(&mut self.direct);
        for session in direct.sessions {
            self.disconnect(session);
        }
        for slot in direct.slots {
            // A transaction that the setup left open is rolled back, as a database does when its client goes.
            let _ = self.worker.sql.close(slot);
        }
    }
}
