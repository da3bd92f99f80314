//! The history of an execution: what clients say that they do becomes operations, and what a check over the history
//! sees becomes part of what steps touch.
//!
//! The reduction keeps the order of dependent steps only, so a step touches whatever a check can tell from its place:
//! the start of an operation reads the history, its end and its commit intend to write it, and so which operation was
//! over before another began is the same in all executions of a trace. What a resource accepts is a write of its
//! section: there the order itself is checked. Where a check asks for times, starts, ends and commits read the clock.

use raceproof_engine::{Access, Object};
use smallvec::SmallVec;

use super::Execution;
use crate::Error;
use crate::checkers::{HistoryCheck, Judgement};
use crate::ctx::Ctx;
use crate::event::{ClientId, Outcome, Thing};
use crate::history::{AT_THE_END, Datum, FaultSeen, Mark, Note, Operation, OperationKind};
use crate::recording::Record;
use crate::render::thousands;
use crate::report::Broken;
use crate::world::Failure;

impl Execution<'_> {
    pub(super) fn mark(&mut self, id: ClientId, mark: Mark) {
        let step = self.number;
        let client = self.client(id).name.clone();
        self.history_changed = true;
        match mark {
            Mark::Begin { number, object, kind } => {
                let inside = kind == OperationKind::Inside;
                if inside {
                    self.touch_thing(Thing::Section(object.clone()), Access::Read);
                }
                let place = self.history.operations.len();
                let mut operation = Operation::new(client, object, kind, self.now_ms);
                operation.started = inside.then_some(step);
                self.history.operations.push(operation);
                self.client_mut(id).open.push((number, place));
            }
            Mark::End { number, record } => self.end_operation(id, number, record),
            Mark::Point { object, kind } => {
                if matches!(kind, OperationKind::Fenced(_)) {
                    self.touch_thing(Thing::Section(object.clone()), Access::Write);
                }
                let mut point = Operation::new(client, object, kind, self.now_ms);
                (point.started, point.ended) = (Some(step), Some(step));
                self.history.operations.push(point);
            }
            Mark::Observed(_) => {}
            Mark::Note(text) => {
                self.touch_thing(Thing::History, Access::Write);
                self.show_note(&client, &text);
                self.history.notes.push(Note { client, step, text });
            }
        }
    }

    fn end_operation(&mut self, id: ClientId, number: u32, record: Record) {
        let step = self.number;
        let open = &mut self.client_mut(id).open;
        let Some(at) = open.iter().position(|(known, _)| *known == number) else { return };
        let (_, place) = open.remove(at);
        let now_ms = self.now_ms;
        let operation = &mut self.history.operations[place];
        if operation.kind == OperationKind::Inside {
            operation.ended = Some(step);
            operation.ended_ms = now_ms;
            let section = Thing::Section(operation.object.clone());
            self.touch_thing(section, Access::IntentWrite);
            return;
        }
        let Record::Done(value) = record else {
            // Nobody knows whether it took effect, nor when it will have: it has no end.
            operation.failed = true;
            return;
        };
        let refused = value == Some(Datum::Text("false".to_owned()));
        if refused && matches!(operation.kind, OperationKind::Write(_)) {
            operation.kind = OperationKind::Refused;
            return;
        }
        operation.ended = Some(step);
        operation.ended_ms = now_ms;
        operation.value = value;
        // What needs no step, such as a look at the client's own copy, is done between two steps: it starts and ends with
        // the one before.
        let without_steps = operation.started.is_none();
        if without_steps {
            operation.started = Some(step);
            operation.started_ms = now_ms;
        }
        self.touch_history(Access::IntentWrite);
        if without_steps {
            self.touch_history(Access::Read);
        }
    }

    /// Operations that had begun before this step start with it.
    #[inline]
    pub(super) fn start_operations(&mut self, id: ClientId) {
        if !self.client(id).open.is_empty() {
            self.start_open_operations(id);
        }
    }

    fn start_open_operations(&mut self, id: ClientId) {
        let (step, now_ms) = (self.number, self.now_ms);
        let open: SmallVec<[usize; 2]> = self.client(id).open.iter().map(|(_, place)| *place).collect();
        for place in open {
            let operation = &mut self.history.operations[place];
            if operation.started.is_none() {
                operation.started = Some(step);
                operation.started_ms = now_ms;
                self.touch_history(Access::Read);
            }
        }
    }

    /// The open writes of the client have reached the database.
    pub(super) fn commit(&mut self, id: ClientId) {
        let (step, now_ms) = (self.number, self.now_ms);
        let open: SmallVec<[usize; 2]> = self.client(id).open.iter().map(|(_, place)| *place).collect();
        for place in open {
            let operation = &mut self.history.operations[place];
            if matches!(operation.kind, OperationKind::Write(_)) {
                operation.committed = Some(step);
                operation.committed_ms = now_ms;
                self.history_changed = true;
                self.touch_history(Access::IntentWrite);
            }
        }
    }

    /// What the client was about is over and will never be acknowledged.
    pub(super) fn end_by_fault(&mut self, id: ClientId) {
        let open: SmallVec<[(u32, usize); 1]> = std::mem::take(&mut self.client_mut(id).open);
        for (_, place) in open {
            let operation = &mut self.history.operations[place];
            operation.crashed = Some(self.number);
            let over = match operation.kind {
                OperationKind::Inside => Thing::Section(operation.object.clone()),
                OperationKind::Write(_) => Thing::History,
                _ => continue,
            };
            self.touch_thing(over, Access::IntentWrite);
        }
        self.history_changed = true;
    }

    fn touch_history(&mut self, access: Access) {
        self.touch_thing(Thing::History, access);
        if self.timed() {
            self.touch(Object::Clock, Access::Read);
        }
    }

    /// Whether some check asks when operations started and ended.
    pub(super) fn timed(&self) -> bool {
        self.world.history_checks.iter().any(HistoryCheck::reads_the_clock)
    }

    /// The server may have lost something. What was acknowledged before and what after is told apart where times are.
    pub(super) fn note_fault(&mut self, outcome: Outcome, what: &str) {
        use Outcome::{Evict, Failover, Flush, PowerLoss, Restart};
        if !matches!(outcome, Restart(_) | PowerLoss(_) | Failover(_) | Evict(_) | Flush) {
            return;
        }
        if self.timed() {
            self.touch_history(Access::Write);
        }
        self.history.faults.push(FaultSeen { step: self.number, what: what.to_owned(), at_ms: self.now_ms });
    }

    pub(super) fn check_history(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.history_changed) || self.violation.is_some() {
            return Ok(());
        }
        for number in 0..self.world.history_checks.len() {
            match self.world.history_checks[number].judge(&self.history) {
                Judgement::Holds => {}
                Judgement::Broken(finding) => {
                    let failure = Failure { message: finding.message, place: None };
                    self.violate(Broken::History, number, failure, Some(finding.story));
                    return Ok(());
                }
                Judgement::Unknown(what) => drop(self.undecided.get_or_insert(what)),
                Judgement::Misuse(what) => {
                    return Err(Error::Misuse { who: "a check over the history".to_owned(), what });
                }
            }
        }
        Ok(())
    }

    /// Keeps what the objects hold before the first step.
    pub(super) fn look_at_the_start(&mut self) -> Result<(), Error> {
        for (object, value) in self.objects()? {
            self.history.initial.push((object, value));
        }
        Ok(())
    }

    /// Reads the objects when all clients have ended, and checks the history with that.
    pub(super) fn look_at_the_end(&mut self) -> Result<(), Error> {
        let step = self.number + 1;
        for (object, value) in self.objects()? {
            let mut read = Operation::new(AT_THE_END.to_owned(), object, OperationKind::Read, self.now_ms);
            (read.started, read.ended, read.value) = (Some(step), Some(step), value);
            self.history.operations.push(read);
            self.history_changed = true;
        }
        self.check_history()
    }

    fn objects(&mut self) -> Result<Vec<(String, Option<Datum>)>, Error> {
        let mut seen = Vec::with_capacity(self.world.watches.len());
        for number in 0..self.world.watches.len() {
            if !self.world.watches[number].agreement {
                let value = self.watch(number)?.pop().flatten();
                seen.push((self.world.watches[number].object.clone(), value));
            }
        }
        Ok(seen)
    }

    /// What somebody who watches an object finds.
    fn watch(&mut self, number: usize) -> Result<Vec<Option<Datum>>, Error> {
        let object = self.world.watches[number].object.clone();
        let port = self.direct_port();
        let ctx = Ctx::new(&object, port, self.world.stage.clone());
        let future = (self.world.watches[number].look)(ctx);
        self.direct.observed.clear();
        let touched = std::mem::take(&mut self.touched);
        let ended = self.run_direct("the reader of an object", &port, future)?;
        self.touched = touched;
        if let Err(failure) = ended {
            let what = format!("cannot tell what {object} holds: {failure}; let it return the value, or none");
            return Err(Error::Misuse { who: "world.value".to_owned(), what });
        }
        Ok(std::mem::take(&mut self.direct.observed))
    }

    /// Compares what caches and rows hold when all clients have ended.
    pub(super) fn check_agreement(&mut self) -> Result<(), Error> {
        for number in 0..self.world.watches.len() {
            if !self.world.watches[number].agreement || self.violation.is_some() {
                continue;
            }
            let Some((cache, row)) = self.disagreement(number)? else { continue };
            let object = self.world.watches[number].object.clone();
            let until = self.until_agreement(number)?;
            let shown = |value: Option<Datum>| value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
            let message = format!("{object}: the cache holds {cache} and the row {}, {until}", shown(row));
            self.violate(Broken::Quiet, AGREEMENT + number, Failure { message, place: None }, None);
        }
        Ok(())
    }

    /// What the cache and the row hold, if the cache holds something else.
    fn disagreement(&mut self, number: usize) -> Result<Option<(Datum, Option<Datum>)>, Error> {
        let mut found = self.watch(number)?.into_iter();
        let (cache, row) = (found.next().flatten(), found.next().flatten());
        Ok(cache.filter(|cache| Some(cache) != row.as_ref()).map(|cache| (cache, row)))
    }

    /// Until when the cache goes on to hold something else: lets the keys expire one after another.
    fn until_agreement(&mut self, number: usize) -> Result<String, Error> {
        let start_ms = self.now_ms;
        for _ in 0..MOST_EXPIRIES {
            let Some(deadline) = self.next_key_deadline() else { break };
            self.set_clock(deadline + 1)?;
            if self.disagreement(number)?.is_none() {
                let ms = (deadline - start_ms).unsigned_abs();
                let left = if ms.is_multiple_of(1000) {
                    format!("{} s", thousands(ms / 1000))
                } else {
                    format!("{} ms", thousands(ms))
                };
                return Ok(format!("until a key expires ({left})"));
            }
        }
        Ok("for ever".to_owned())
    }
}

/// The numbers of checks of agreement, beside those of the state.
const AGREEMENT: usize = 1 << 32;

/// How many expiries are waited for.
const MOST_EXPIRIES: usize = 1_000;
