//! The clock as a process: it advances to the next instant at which something can change, or just past it.
//!
//! When every client waits, time passes by itself, to the end of the first sleep. While some client could go on, a clock
//! step is a *pause* of all of them and costs one of the budget: to the next deadline of a key or a sleep (a key lives
//! through the last millisecond of its deadline), or to the first millisecond after it.

use std::task::Waker;

use raceproof_engine::{Access, Object, Timestamp};
use smallvec::smallvec;

use super::{Enabled, Execution, Outcomes, Silent};
use crate::Error;
use crate::event::{CLOCK, Choice, Event, Outcome, Thing, Touched};
use crate::mailbox::{Answer, ClockCall, END_OF_TIME_MS, Lost};
use crate::report::StepKind;
use crate::world::When;

impl Execution<'_> {
    /// The end of the first sleep that is still to come.
    pub(super) fn next_timer(&self) -> Option<i64> {
        self.order
            .iter()
            .flat_map(|id| {
                self.client(*id).inbox.with(|mailbox| mailbox.timers.iter().map(|sleeper| sleeper.until_ms).min())
            })
            .chain(self.silent.iter().map(|silent| silent.until_ms))
            .chain(self.next_timeout())
            .min()
    }

    /// The first deadline of a key at which it can still be seen alive or gone, on the clients' clock.
    pub(super) fn next_key_deadline(&self) -> Option<i64> {
        let deadline = self.worker.engine.next_deadline_ms().map(|deadline| deadline - self.server_ahead_ms);
        deadline.filter(|deadline| (self.now_ms..END_OF_TIME_MS).contains(deadline))
    }

    /// As [`Self::next_key_deadline`], on the primary or on its replica.
    fn next_deadline(&self) -> Option<i64> {
        self.next_key_deadline().into_iter().chain(self.next_deadline_on_replica()).min()
    }

    #[inline]
    pub(super) fn clock_enabled(&self, some_client_could_go_on: bool) -> Option<Enabled> {
        if self.frozen {
            return None;
        }
        if !some_client_could_go_on {
            return self.free_step(self.next_timer()?);
        }
        if self.pauses_left == 0 {
            return None;
        }
        let timer = self.next_timer();
        let key = self.next_deadline();
        let next = [timer, key].into_iter().flatten().min()?;
        let mut outcomes = Outcomes::new();
        if next > self.now_ms {
            outcomes.push(Outcome::ToDeadline);
        }
        if key == Some(next) {
            outcomes.push(Outcome::PastDeadline);
        }
        (!outcomes.is_empty()).then(|| Enabled::optional(CLOCK, outcomes))
    }

    /// Everyone waits. A key whose deadline is the very millisecond of waking is seen on both sides of it: a sleeper
    /// may always wake a little late.
    fn free_step(&self, timer: i64) -> Option<Enabled> {
        let mut outcomes: Outcomes = smallvec![Outcome::ToDeadline];
        let expires = self.worker.engine.has_deadline_at(timer + self.server_ahead_ms);
        if self.free_target(timer) == timer && (expires || self.replica_has_deadline_at(timer)) {
            outcomes.push(Outcome::PastDeadline);
        }
        Some(Enabled::surely(CLOCK, outcomes))
    }

    /// Where free time goes: to the end of the first sleep, and with `always` checks, which see every instant, to the
    /// first expiry on the way.
    fn free_target(&self, timer: i64) -> i64 {
        let observed = self.world.checks.iter().any(|check| check.when == When::Always);
        let expiry = self.next_key_deadline().map(|deadline| deadline + 1).filter(|_| observed);
        expiry.map_or(timer, |expiry| expiry.min(timer))
    }

    pub(super) fn clock_step(&mut self, choice: Choice, enabled: &[Enabled]) -> Result<Event, Error> {
        let free = enabled.iter().all(|one| self.worker.owner(one.process).is_none());
        let timer = self.next_timer();
        let next = if free {
            timer.map(|timer| self.free_target(timer))
        } else {
            [timer, self.next_deadline()].into_iter().flatten().min()
        };
        let mut target = next.unwrap_or(self.now_ms);
        if choice.outcome == Outcome::PastDeadline {
            target += 1;
        }
        self.pauses_left -= u32::from(!free);
        let by_ms = target - self.now_ms;
        self.set_clock(target)?;
        let mut touched = std::mem::take(&mut self.touched);
        self.clock_footprint(&mut touched);
        self.touched = touched;
        self.show_step("clock", StepKind::Clock, format!("+{by_ms} ms"), String::new());
        self.wake_sleepers();
        Ok(Event {
            fingerprint: u64::from_ne_bytes(by_ms.to_ne_bytes()),
            optional: !free,
            ..Event::new(choice, Touched::default(), free)
        })
    }

    /// Sets the clock and lets the keys whose time is over expire.
    pub(super) fn set_clock(&mut self, now_ms: i64) -> Result<(), Error> {
        let by_ms = now_ms - self.now_ms;
        self.now_ms = now_ms;
        for id in &self.order {
            self.client(*id).port.lock().now_ms = now_ms;
        }
        self.expire_now()?;
        if by_ms > 0 { self.on_server(|server| server.advance(by_ms)) } else { Ok(()) }
    }

    /// A client moves the clock, or holds it.
    pub(super) fn move_clock(&mut self, call: ClockCall) -> Result<(), Error> {
        let mut touched = std::mem::take(&mut self.touched);
        self.clock_footprint(&mut touched);
        self.touched = touched;
        match call {
            ClockCall::Advance(ms) => {
                let target = self.now_ms.saturating_add_unsigned(ms).min(END_OF_TIME_MS.max(self.now_ms));
                self.set_clock(target)?;
                self.wake_sleepers();
            }
            ClockCall::Rewind(ms) => {
                let before_ms = self.server_ahead_ms;
                self.server_ahead_ms = before_ms.saturating_sub_unsigned(ms).max(-END_OF_TIME_MS / 2);
                let by_ms = self.server_ahead_ms - before_ms;
                self.on_server(|server| server.step_clock(by_ms))?;
            }
            ClockCall::Freeze => self.frozen = true,
            ClockCall::Resume => self.frozen = false,
        }
        Ok(())
    }

    /// The time on the server's clock.
    pub(super) fn server_time(&self) -> Timestamp {
        Timestamp::from_ms(self.now_ms + self.server_ahead_ms)
    }

    /// Lets the keys whose time is over expire.
    pub(super) fn expire_now(&mut self) -> Result<(), Error> {
        let now = self.server_time();
        self.worker.engine.leave().expire_due(now, &mut self.worker.outcome);
        self.touch_redis();
        self.keep_deliveries(None, false);
        self.time_out_now()
    }

    /// What a pause touches: the clock, the deadlines that decide where it leads, and who could have gone on.
    pub(super) fn clock_footprint(&mut self, touched: &mut Touched) {
        let things = &mut self.worker.things;
        touched.add(things.redis(&Object::Clock), Access::Write);
        touched.add(things.redis(&Object::Deadlines), Access::Read);
        touched.add(things.id(Thing::Running), Access::Read);
    }

    fn wake_sleepers(&mut self) {
        let now_ms = self.now_ms;
        let due = |silent: &Silent| silent.until_ms <= now_ms;
        for silent in self.silent.extract_if(.., |silent| due(silent)).collect::<Vec<_>>() {
            self.client(silent.owner).port.answer(silent.request, Answer::Lost(Lost::TimedOut));
            self.client(silent.client).wake();
        }
        for id in &self.order {
            let mailbox = self.client(*id).port.lock();
            let due = mailbox.timers.iter().filter(|sleeper| sleeper.until_ms <= self.now_ms);
            due.filter_map(|sleeper| sleeper.waker.as_ref()).for_each(Waker::wake_by_ref);
        }
    }
}
