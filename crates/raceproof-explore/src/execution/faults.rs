//! Faults that strike by themselves: the server goes down and comes back with less, loses keys, scripts or its idea of
//! the time.
//!
//! All of them are steps of one process, since each that strikes uses up what the others could have had. They need never
//! happen: like pauses they take part in the races of an execution without them, in every place where they could have
//! come. What a restart leaves is a choice among the beginnings of the *log*, in which every write is an entry, so
//! while such a fault is in budget all writes are ordered; and since connections end with the server, every command is
//! ordered with it.

use bytes::Bytes;
use raceproof_engine::{Access, Engine, Object, SessionId};

use super::{Enabled, Execution, Outcomes, Worker};
use crate::Error;
use crate::command::Command;
use crate::event::{Choice, END, Event, FAULTS, Kept, Outcome, Thing, Touched, evicted};
use crate::faults::{EVERYSEC_WINDOW_MS, Fault, Persistence};
use crate::report::StepKind;

/// How far the server's clock is stepped back (ms).
const STEP_BACK_MS: i64 = 3_600_000;

/// Databases that a fault of a whole server is taken to touch.
const DATABASES: u32 = 16;

/// The states through which the server went, one for each entry of its log.
#[derive(Default)]
pub(super) struct Log {
    /// The state after so many entries, and the time of the last one. The first is that of the setup.
    states: Vec<(Engine, i64)>,
    /// So many entries are on disk since the server was started from them.
    durable: usize,
}

impl Log {
    /// The state after so many entries.
    pub(super) fn after(&self, entries: u16) -> &Engine {
        &self.states[usize::from(entries)].0
    }

    /// How many entries it has.
    pub(super) fn len(&self) -> u16 {
        to_u16(self.states.len().saturating_sub(1))
    }
}

impl Execution<'_> {
    /// The server as it is before the first step.
    pub(super) fn open_log(&mut self) -> Result<(), Error> {
        if !self.bounds.faults.keep_a_log() {
            return Ok(());
        }
        self.log.states = vec![(self.worker.engine.clone(), self.now_ms)];
        self.tell_log()
    }

    /// Notes what the command wrote that the engine has just executed. Whether it is an entry of the log.
    pub(super) fn write_log(&mut self) -> bool {
        let entry = self.bounds.faults.keep_a_log() && self.worker.outcome.wrote;
        if entry {
            self.touch_thing(Thing::Log, Access::Write);
            // Commands that a pause held are entries of their own.
            for between in std::mem::take(&mut self.worker.outcome.between) {
                self.log.states.push((between, self.now_ms));
            }
            self.log.states.push((self.worker.engine.clone(), self.now_ms));
        }
        entry
    }

    /// The real server, if there is one, has come as far as the log.
    pub(super) fn tell_log(&mut self) -> Result<(), Error> {
        let entries = usize::from(self.log.len());
        self.on_server(|server| server.logged(entries))
    }

    /// A command meets a server that may go down.
    pub(super) fn touch_life(&mut self) {
        if self.bounds.faults.restart() {
            self.touch_thing(Thing::Life, Access::Read);
        }
    }

    /// What the server could have on its disk, as numbers of entries of the log; equal states are one.
    fn survivors(&self, fault: Fault) -> Vec<Kept> {
        let whole = usize::from(self.log.len());
        let Some(least) = self.least(fault) else { return vec![Kept::Nothing] };
        let state = |entries: usize| &self.log.states[entries].0;
        let last_of_its_kind =
            |entries: &usize| !(entries + 1..=whole).any(|later| state(later).same_data(state(*entries)));
        (least..=whole).filter(last_of_its_kind).map(|entries| Kept::Entries(to_u16(entries))).collect()
    }

    /// How many entries are kept at least, now and by all that is still to come; `None` if nothing ever is.
    fn least(&self, fault: Fault) -> Option<usize> {
        let whole = usize::from(self.log.len());
        Some(match (fault, self.bounds.persistence) {
            // What was read from the replica it has.
            (Fault::Failover, _) => self.replica.into(),
            (_, Persistence::None) => return None,
            (_, Persistence::Always) | (Fault::Restart, Persistence::EverySec | Persistence::No) => whole,
            (_, Persistence::EverySec) => {
                let synced = |(_, at_ms): &&(Engine, i64)| *at_ms <= self.now_ms - EVERYSEC_WINDOW_MS;
                self.log.states.iter().skip(1).take_while(synced).count().max(self.log.durable)
            }
            (_, Persistence::No | Persistence::Rdb) => self.log.durable,
        })
    }

    /// What the faults that may still strike can make of the log: the states that may come back, each with its time, and
    /// how many of them the replica has, if that matters.
    pub(super) fn returns_to(&self) -> (&[(Engine, i64)], usize) {
        let faults = [Fault::Restart, Fault::PowerLoss, Fault::Failover];
        let least = faults.into_iter().filter(|fault| self.left.get(*fault) > 0).filter_map(|fault| self.least(fault));
        let lags = self.left.get(Fault::Lag) > 0;
        let replica = usize::from(self.replica);
        let Some(from) = least.chain(lags.then_some(replica)).min() else { return (&[], 0) };
        let placed = lags || self.left.get(Fault::Failover) > 0;
        (&self.log.states[from..], if placed { replica - from } else { 0 })
    }

    /// The faults that could strike now.
    fn menu(&self) -> Outcomes {
        let left = |fault: Fault| self.left.get(fault) > 0;
        let mut menu = Outcomes::new();
        for (fault, outcome) in [
            (Fault::Restart, Outcome::Restart as fn(Kept) -> Outcome),
            (Fault::PowerLoss, Outcome::PowerLoss),
            (Fault::Failover, Outcome::Failover),
        ] {
            if left(fault) {
                menu.extend(self.survivors(fault).into_iter().map(outcome));
            }
        }
        let engine = &self.worker.engine;
        if left(Fault::Evict) {
            menu.extend(engine.evictable(self.server_time()).map(|(db, key)| Outcome::Evict(evicted(db, key))));
        }
        if left(Fault::Flush) && engine.keys().next().is_some() {
            menu.push(Outcome::Flush);
        }
        if left(Fault::ScriptFlush) {
            menu.push(Outcome::ScriptFlush);
        }
        if left(Fault::ClockJump) {
            if self.next_key_deadline().is_some() {
                menu.push(Outcome::JumpForward);
            }
            menu.push(Outcome::JumpBack);
        }
        menu
    }

    /// Adds the process of the faults, and that of the end, to what can happen next.
    #[inline]
    pub(super) fn enable_faults(&mut self, enabled: &mut Vec<Enabled>) {
        if self.bounds.faults.go_on_to_the_end() && !self.over {
            self.enable_possible_faults(enabled);
        }
    }

    fn enable_possible_faults(&mut self, enabled: &mut Vec<Enabled>) {
        // Those who wait on the server may be released by what happens to it, or wait for ever. For ever they wait only when
        // nothing is on its way that could release them.
        let all_wait = enabled.is_empty() && (self.anybody_waits() || self.anybody_listens());
        let must_arrive = all_wait && self.anything_is_late();
        if (all_wait && !must_arrive) || self.order.iter().all(|id| self.client(*id).is_done()) {
            let outcomes = smallvec::smallvec![Outcome::Done];
            enabled.push(Enabled::surely(END, outcomes));
        }
        if enabled.is_empty() && !must_arrive {
            return;
        }
        self.enable_arrivals(enabled, must_arrive);
        let outcomes = self.menu();
        for outcome in &outcomes {
            if !self.possible.contains(outcome) {
                self.possible.push(*outcome);
            }
        }
        if !outcomes.is_empty() {
            enabled.push(Enabled::optional(FAULTS, outcomes));
        }
    }

    /// The faults that could have struck somewhere in this execution and did not.
    pub(super) fn spared(&mut self) -> Vec<(Choice, Touched)> {
        let mut possible = std::mem::take(&mut self.possible);
        possible.retain(|outcome| outcome.fault().is_some_and(|fault| self.left.get(fault) > 0));
        let event = |outcome| {
            let mut touched = Touched::default();
            self.fault_footprint(outcome, &mut touched);
            self.touch_listeners(&mut touched);
            (Choice { process: FAULTS, outcome }, touched)
        };
        possible.into_iter().map(event).collect()
    }

    /// All that a fault could touch, wherever it came. For one that restarts the server it is what it does touch.
    fn fault_footprint(&mut self, outcome: Outcome, touched: &mut Touched) {
        let (logged, goes_down) = (self.bounds.faults.keep_a_log(), self.bounds.faults.restart());
        let observed = !self.worker.observed.is_empty();
        let timed = self.timed();
        let key = match outcome {
            Outcome::Evict(name) => self.worker.things.evictable(name),
            _ => None,
        };
        let things = &mut self.worker.things;
        let mut redis = |object: &Object, access| touched.add(things.redis(object), access);
        match outcome {
            Outcome::Restart(_) | Outcome::PowerLoss(_) | Outcome::Failover(_) => {
                (0..DATABASES).for_each(|db| redis(&Object::Keyspace(db), Access::Write));
                for object in [Object::Scripts, Object::Functions, Object::Users, Object::Server, Object::Random] {
                    redis(&object, Access::Write);
                }
                redis(&Object::Clock, Access::Read);
                redis(&Object::Deadlines, Access::Read);
                redis(&Object::Deadlines, Access::IntentWrite);
            }
            Outcome::Evict(_) => {
                if let Some((db, name)) = key {
                    redis(&Object::Keyspace(db), Access::IntentWrite);
                    redis(&Object::Key(db, name), Access::Write);
                }
                redis(&Object::Deadlines, Access::IntentWrite);
            }
            Outcome::Flush => {
                (0..DATABASES).for_each(|db| redis(&Object::Keyspace(db), Access::Write));
                redis(&Object::Deadlines, Access::IntentWrite);
            }
            Outcome::ScriptFlush => redis(&Object::Scripts, Access::Write),
            Outcome::JumpForward | Outcome::JumpBack => {
                redis(&Object::Clock, Access::Write);
                redis(&Object::Deadlines, Access::Read);
            }
            _ => {}
        }
        let restarts = outcome.restarts().is_some();
        if goes_down {
            touched.add(things.id(Thing::Life), if restarts { Access::Write } else { Access::Read });
        }
        if logged {
            touched.add(things.id(Thing::Log), Access::Write);
        }
        if timed {
            let things = &mut self.worker.things;
            touched.add(things.id(Thing::History), Access::Write);
            touched.add(things.redis(&Object::Clock), Access::Read);
        }
        let observed = if restarts { self.is_observed(touched) } else { observed };
        if observed {
            touched.add(self.worker.things.id(Thing::Observed), Access::Write);
        }
    }

    /// All clients have ended, and nothing strikes any more.
    pub(super) fn end_step(&mut self, choice: Choice) -> Event {
        self.over = true;
        Event::new(choice, Touched::default(), true)
    }

    /// A fault strikes.
    pub(super) fn fault_step(&mut self, choice: Choice) -> Result<Event, Error> {
        if let Some(fault) = choice.outcome.fault() {
            self.left.spend(fault);
        }
        let text = match choice.outcome {
            Outcome::Restart(kept) => self.restart(kept, "restart", choice.outcome)?,
            Outcome::PowerLoss(kept) => self.restart(kept, "power loss", choice.outcome)?,
            Outcome::Failover(kept) => self.restart(kept, "failover", choice.outcome)?,
            Outcome::Evict(name) => self.evict(name)?,
            Outcome::Flush => self.by_the_house(&[b"FLUSHALL"])?,
            Outcome::ScriptFlush => self.by_the_house(&[b"SCRIPT", b"FLUSH"])?,
            Outcome::JumpForward => {
                let deadline = self.next_key_deadline().unwrap_or(self.now_ms);
                self.jump(deadline + 1 - self.now_ms)?
            }
            Outcome::JumpBack => self.jump(-STEP_BACK_MS)?,
            _ => String::new(),
        };
        self.note_fault(choice.outcome, &text);
        self.show_step("server", StepKind::Fault, text, String::new());
        Ok(Event { optional: true, ..Event::new(choice, Touched::default(), false) })
    }

    /// The server comes back with what it has kept. Every connection breaks.
    fn restart(&mut self, kept: Kept, what: &str, outcome: Outcome) -> Result<String, Error> {
        let mut touched = std::mem::take(&mut self.touched);
        self.fault_footprint(outcome, &mut touched);
        self.touched = touched;
        let whole = usize::from(self.log.len());
        let anew = |worker: &mut Worker, kept: Option<&Engine>| {
            let mut again = worker.engine.restarted(kept);
            // What the setup has set stands in the server's file.
            if let Some(start) = worker.engine.start() {
                again.configure_like(start);
            }
            std::mem::replace(worker.engine.leave(), again)
        };
        let before;
        let lost = match kept {
            Kept::Nothing => {
                before = anew(self.worker, None);
                self.log.states = vec![(self.worker.engine.clone(), self.now_ms)];
                self.log.durable = 0;
                "everything is lost".to_owned()
            }
            Kept::Entries(entries) => {
                let entries = usize::from(entries).min(whole);
                before = anew(self.worker, Some(&self.log.states[entries].0));
                self.log.states.truncate(entries + 1);
                self.log.durable = entries;
                match whole - entries {
                    0 => "no write is lost".to_owned(),
                    1 => "the last write is lost".to_owned(),
                    lost => format!("the last {lost} writes are lost"),
                }
            }
        };
        self.break_connections();
        self.on_server(|server| match (kept, outcome) {
            (Kept::Entries(entries), Outcome::Failover(_)) => server.failover(entries.into()),
            (Kept::Entries(entries), _) => server.restart(Some(entries.into())),
            (Kept::Nothing, _) => server.restart(None),
        })?;
        self.configure_server()?;
        self.keep_replica(&before)?;
        self.expire_now()?;
        Ok(format!("{what}: {lost}"))
    }

    /// The real server, if there is one, was started without the settings of the setup.
    fn configure_server(&mut self) -> Result<(), Error> {
        if self.worker.backend.is_none() {
            return Ok(());
        }
        let settings = self.worker.engine.settings();
        let settings: Vec<Bytes> =
            settings.flat_map(|(name, value)| [Bytes::from_static(name.as_bytes()), value.clone()]).collect();
        if settings.is_empty() {
            return Ok(());
        }
        let args: Vec<Bytes> = [&b"CONFIG"[..], b"SET"].map(Bytes::from_static).into_iter().chain(settings).collect();
        let session = self.connect()?;
        self.on_server(|server| server.execute(session.0, &args).map(drop))?;
        self.disconnect(session);
        Ok(())
    }

    /// Every connection to the server that was open is broken: who uses one learns it from its next command.
    fn break_connections(&mut self) {
        for id in self.order.clone() {
            let client = self.client_mut(id);
            let replicas = client.port.lock().replicas.clone();
            (0..).take(client.sessions.len()).filter(|number| !replicas.contains(number)).for_each(|number| {
                client.lose_messages(Some(number));
            });
            for (number, session) in (0..).zip(&mut client.sessions) {
                if replicas.contains(&number) {
                    continue;
                }
                if session.take().is_some() && !client.broken.contains(&number) {
                    client.broken.push(number);
                }
            }
        }
        self.lose_late();
        self.forget_direct_sessions();
        self.break_waits();
    }

    fn evict(&mut self, name: u32) -> Result<String, Error> {
        let key = self.worker.engine.keys().find(|(db, key)| evicted(*db, key) == name);
        let Some((db, key)) = key.map(|(db, key)| (db, Bytes::copy_from_slice(key))) else { return Ok(String::new()) };
        let session = self.guest(db)?;
        let (_, entry) = self.on_engine(session, &vec![Bytes::from_static(b"DEL"), key.clone()].into());
        self.on_server(|server| server.evict(db, &key))?;
        if entry {
            self.tell_log()?;
        }
        self.disconnect(session);
        Ok(format!("evicts {}", String::from_utf8_lossy(&key)))
    }

    /// A session that is no client's.
    pub(super) fn guest(&mut self, db: u32) -> Result<SessionId, Error> {
        let session = self.connect()?;
        if db != 0 {
            // Its footprint is nobody's concern.
            let touched = std::mem::take(&mut self.touched);
            self.redis(session, &vec![Bytes::from_static(b"SELECT"), db.to_string().into()].into())?;
            self.touched = touched;
        }
        Ok(session)
    }

    /// A command that no client sends.
    fn by_the_house(&mut self, args: &[&'static [u8]]) -> Result<String, Error> {
        let session = self.guest(0)?;
        let args = Command::from(args.iter().map(|arg| Bytes::from_static(arg)).collect::<Vec<_>>());
        self.redis(session, &args)?;
        self.disconnect(session);
        Ok(super::trace::command(&args))
    }

    /// Steps the server's clock, and not the clients'.
    fn jump(&mut self, by_ms: i64) -> Result<String, Error> {
        self.server_ahead_ms += by_ms;
        self.on_server(|server| server.step_clock(by_ms))?;
        let things = &mut self.worker.things;
        let (clock, deadlines) = (things.redis(&Object::Clock), things.redis(&Object::Deadlines));
        self.touched.add(clock, Access::Write);
        self.touched.add(deadlines, Access::Read);
        self.expire_now()?;
        Ok(format!("its clock jumps by {by_ms:+} ms"))
    }
}

fn to_u16(entries: usize) -> u16 {
    u16::try_from(entries).unwrap_or(u16::MAX)
}
