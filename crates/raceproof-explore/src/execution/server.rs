//! The engine of a worker, which does nothing twice.
//!
//! A search brings the server to the same few states over and over, and makes the same few steps in them: what a command
//! does is a function of the state, the session, the command and the time. So the states that executions come through
//! have numbers, and what was done in one of them is remembered with the state that it led to. As long as an execution
//! stays where others have been the engine itself stands still; it catches up, with the copy that is kept of each state,
//! when something new is done. A state is copied when the engine goes on from it: the last one of an execution is where
//! the engine is left, and is taken from there when the engine is needed elsewhere.
//!
//! States are the same if their bytes are (`Engine::state` with `Engine::session_numbers`: all that the engine answers
//! from), compared and not only hashed. Remembered is what happens at the time at which every execution starts, to a
//! server that is small and has not been down; where time has passed, a command waits, or there are too many states, the
//! engine goes on by itself until the end of the execution.

use std::cell::{Cell, OnceCell, RefCell};
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use raceproof_engine::{Engine, LuaHost, Object, Outcome, Reply, SessionId, Timestamp};
use rustc_hash::{FxHashMap, FxHasher};

use super::trace;
use crate::command::Command;
use crate::event::{Choice, ClientId, Footprint, Reach, Things, Touched};

/// How many states are kept, and how many bytes one may have: writing them down must cost less than it saves.
const MOST_STATES: usize = 1 << 12;
const MOST_BYTES: usize = 1 << 12;

/// How many executions go by before anything is remembered: a search of a few would not live to use it.
const FORGOTTEN: u32 = 6;

/// Room for so many deeds is made at once: growing moves all that there are.
const USUAL_DEEDS: usize = 512;

/// So many deeds of a state are looked through one by one, which is less work than to hash the one that is sought.
const FEW_DEEDS: u32 = 8;

/// What has to be minded where things are remembered. Tests leave one out to show that the mistake does not go unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    /// Whose command it is.
    Session,
    /// The sessions that are open, with their numbers.
    SessionNumbers,
    /// The time at which it is done.
    Time,
    /// What a command does besides giving a reply: it waits, tells others, closes its connection.
    Besides,
}

/// What was done in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed<C> {
    /// With the number that it is to have, if that is not the server's business.
    Connect(Option<i64>),
    Disconnect(SessionId),
    Execute(SessionId, C),
}

impl Deed<&Command> {
    /// A number that few others have.
    fn hash_in(self, state: usize) -> u64 {
        let mut hasher = FxHasher::default();
        match self {
            Self::Connect(id) => hasher.write_i64(id.unwrap_or(-1)),
            Self::Disconnect(session) => hasher.write_u32(!session.0),
            Self::Execute(session, command) => {
                hasher.write_u32(session.0);
                command.hash(&mut hasher);
            }
        }
        hasher.write_usize(state);
        hasher.finish()
    }
}

impl Deed<Command> {
    #[inline]
    fn is(&self, other: Deed<&Command>) -> bool {
        match (self, other) {
            (Self::Execute(session, command), Deed::Execute(theirs, known)) => *session == theirs && command == known,
            (Self::Connect(id), Deed::Connect(theirs)) => *id == theirs,
            (Self::Disconnect(session), Deed::Disconnect(theirs)) => *session == theirs,
            _ => false,
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) reply: Reply,
    pub(crate) touched: Touched,
    pub(crate) wrote: bool,
    /// [`trace::fingerprint`] of a step that was this.
    pub(crate) fingerprint: u64,
    /// When that was noted, by [`Things::era`].
    noted: Cell<Option<u32>>,
    /// The footprint of a step that was this and nothing else: mostly there is one, since a session is one client's.
    footprint: OnceCell<Arc<Footprint>>,
    /// Those of other clients and other choices.
    others: RefCell<Vec<Arc<Footprint>>>,
}

impl Known {
    fn new(reply: Reply, touched: Touched, wrote: bool, fingerprint: u64) -> Rc<Self> {
        let (noted, footprint, others) = (Cell::new(None), OnceCell::new(), RefCell::default());
        Rc::new(Self { reply, touched, wrote, fingerprint, noted, footprint, others })
    }

    /// [`Things::note`] of what it touched, once.
    #[inline]
    pub(crate) fn note(&self, things: &mut Things) -> bool {
        let era = Some(things.era());
        self.noted.replace(era) != era && things.note(&self.touched)
    }

    /// The footprint of a step that was this and nothing else, if there was one before.
    #[inline]
    pub(crate) fn footprint(&self, choice: Choice, client: ClientId, reach: Reach) -> Option<Arc<Footprint>> {
        let is = |known: &&Arc<Footprint>| {
            known.client == Some(client) && known.choice == choice && known.reach == reach && !known.barrier
        };
        let first = self.footprint.get()?;
        if is(&first) {
            return Some(first.clone());
        }
        self.others.borrow().iter().find(is).cloned()
    }

    /// Keeps the footprint of a step that was this and nothing else.
    pub(crate) fn keep(&self, footprint: &Arc<Footprint>) {
        const MOST: usize = 16;
        if self.footprint.get().is_none() {
            self.footprint.get_or_init(|| footprint.clone());
            return;
        }
        let mut others = self.others.borrow_mut();
        if others.len() < MOST {
            others.push(footprint.clone());
        }
    }
}

#[derive(Debug)]
struct Remembered {
    from: usize,
    deed: Deed<Command>,
    to: usize,
    known: Rc<Known>,
    session: SessionId,
    /// The next of the few deeds of the state that are looked through.
    next: Option<usize>,
}

/// A state that executions come through.
#[derive(Debug, Default)]
struct State {
    /// A copy of the server. Nothing as long as the engine has not moved since it came here.
    copy: Option<Engine>,
    /// How many deeds of it are looked through, and the first of them.
    few: u32,
    first: Option<usize>,
}

/// The engine, and what is known of the states that it comes through. Derefs to the engine as it stands.
#[derive(Debug)]
pub(crate) struct Server {
    engine: Engine,
    /// The number of the present state, if it has one.
    at: Option<usize>,
    /// The number of the state in which the engine itself is, if it has one. Another state than that has a copy.
    stands: Option<usize>,
    /// The time at which deeds are remembered.
    now: Timestamp,
    /// How many more executions start there before anything is remembered.
    forgets: u32,
    /// By number; the first is where every execution starts.
    states: Vec<State>,
    numbers: FxHashMap<Box<[u8]>, usize>,
    deeds: Vec<Remembered>,
    /// The deeds of states with many of them, by what [`Deed::hash_in`] gives.
    many: FxHashMap<u64, usize>,
    bytes: Vec<u8>,
    #[cfg(test)]
    careless: Option<Care>,
}

impl Deref for Server {
    type Target = Engine;

    #[inline]
    fn deref(&self) -> &Engine {
        match self.at {
            Some(at) if self.stands != Some(at) => self.states[at].copy.as_ref().unwrap_or(&self.engine),
            _ => &self.engine,
        }
    }
}

impl Server {
    /// One that remembers nothing yet.
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            at: None,
            stands: None,
            now: Timestamp::default(),
            forgets: 0,
            states: Vec::new(),
            numbers: FxHashMap::default(),
            deeds: Vec::new(),
            many: FxHashMap::default(),
            bytes: Vec::new(),
            #[cfg(test)]
            careless: None,
        }
    }

    fn minds(&self, care: Care) -> bool {
        #[cfg(test)]
        return self.careless != Some(care);
        #[cfg(not(test))]
        {
            let _ = care;
            true
        }
    }

    /// Makes the present state the one where executions start, at this time, and forgets what was known.
    pub(crate) fn start_here(&mut self, now: Timestamp) {
        self.catch_up();
        self.states.clear();
        self.numbers.clear();
        self.deeds.clear();
        self.many.clear();
        self.now = now;
        // A search of a few executions needs no more.
        self.states.reserve_exact(1);
        self.states.push(State { copy: Some(self.engine.clone()), ..State::default() });
        // The programs of the referee would be over by then.
        self.forgets = if cfg!(test) { 0 } else { FORGOTTEN };
        (self.at, self.stands) = (None, None);
    }

    /// The server as it is where executions start; `None` before the setup is done.
    pub(crate) fn start(&self) -> Option<&Engine> {
        self.states.first().and_then(|state| state.copy.as_ref())
    }

    /// Goes back to where executions start.
    pub(crate) fn restart(&mut self) {
        self.at = Some(0);
        if self.forgets > 0 {
            self.forgets -= 1;
            self.leave();
        } else if self.numbers.is_empty() {
            self.catch_up();
            self.write_down();
            self.deeds.reserve(USUAL_DEEDS);
            self.numbers.reserve(USUAL_DEEDS / 2);
            self.numbers.insert(self.bytes.as_slice().into(), 0);
        }
    }

    /// The engine as it stands, for whoever changes it in a way that is not remembered.
    pub(crate) fn leave(&mut self) -> &mut Engine {
        self.catch_up();
        self.keep();
        (self.at, self.stands) = (None, None);
        &mut self.engine
    }

    /// Another server takes the place of this one.
    pub(crate) fn replace(&mut self, engine: Engine) {
        self.keep();
        (self.engine, self.at, self.stands) = (engine, None, None);
    }

    /// Brings the engine to the present state.
    fn catch_up(&mut self) {
        let Some(at) = self.at.filter(|at| self.stands != Some(*at)) else { return };
        let Some(copy) = &self.states[at].copy else { return };
        match self.stands.filter(|stood| self.states[*stood].copy.is_none()) {
            Some(stood) => {
                let left = std::mem::replace(&mut self.engine, copy.clone());
                self.states[stood].copy = Some(left);
            }
            None => self.engine.clone_from(copy),
        }
        self.stands = Some(at);
    }

    /// Copies the state in which the engine is, before the engine goes on from it.
    fn keep(&mut self) {
        if let Some(state) = self.stands.and_then(|at| self.states.get_mut(at)) {
            state.copy.get_or_insert_with(|| self.engine.clone());
        }
    }

    /// Opens a connection, with this `CLIENT ID` if there is one.
    pub(crate) fn connect(&mut self, id: Option<i64>) -> SessionId {
        let open = |engine: &mut Engine| match id {
            Some(id) => engine.connect_as(id),
            None => engine.connect(),
        };
        let deed = Deed::Connect(id);
        if let Some((_, session)) = self.recollect(deed) {
            return session;
        }
        let from = self.go_on();
        let session = open(&mut self.engine);
        if let Some(from) = from {
            self.remember(deed, from, session, nothing());
        }
        session
    }

    pub(crate) fn disconnect(&mut self, session: SessionId) {
        let deed = Deed::Disconnect(session);
        if self.recollect(deed).is_some() {
            return;
        }
        let from = self.go_on();
        self.engine.disconnect(session);
        if let Some(from) = from {
            self.remember(deed, from, session, nothing());
        }
    }

    /// Executes a command. What it did is given if it can be remembered; if not, it stands in `out`.
    #[inline(always)]
    pub(crate) fn execute(
        &mut self,
        lua: &mut LuaHost,
        things: &mut Things,
        (session, command): (SessionId, &Command),
        now: Timestamp,
        out: &mut Outcome,
    ) -> Option<Rc<Known>> {
        if now != self.now && self.minds(Care::Time) {
            self.leave();
        }
        if let Some((known, _)) = self.recollect(Deed::Execute(session, command)) {
            out.clear();
            out.wrote = known.wrote;
            return Some(known);
        }
        self.execute_anew(lua, things, (session, command), now, out)
    }

    /// [`Self::execute`], of what was never done in this state.
    fn execute_anew(
        &mut self,
        lua: &mut LuaHost,
        things: &mut Things,
        (session, command): (SessionId, &Command),
        now: Timestamp,
        out: &mut Outcome,
    ) -> Option<Rc<Known>> {
        let deed = Deed::Execute(session, command);
        let from = self.go_on();
        self.engine.execute(lua, session, command, now, out);
        let from = from?;
        if does_more(out) && self.minds(Care::Besides) {
            self.at = None;
            return None;
        }
        let mut touched = Touched::default();
        for (object, access) in out.footprint.iter() {
            touched.add(things.redis(object), *access);
        }
        let fingerprint = trace::fingerprint(command, &out.reply);
        let known = Known::new(out.reply.clone(), touched, out.wrote, fingerprint);
        self.remember(deed, from, session, known.clone());
        Some(known)
    }

    /// What came of a deed the last time that it was done in this state, which is thereby done again; with the session that
    /// it opened or that did it.
    #[inline(always)]
    fn recollect(&mut self, deed: Deed<&Command>) -> Option<(Rc<Known>, SessionId)> {
        let done = self.find(self.at?, self.by(deed))?;
        let (to, known, session) = (done.to, done.known.clone(), done.session);
        self.at = Some(to);
        Some((known, session))
    }

    /// Makes the engine ready to do something new, and gives the number of the state in which it is done, if that has
    /// one.
    fn go_on(&mut self) -> Option<usize> {
        let from = self.at?;
        self.catch_up();
        self.keep();
        self.stands = None;
        Some(from)
    }

    #[inline(always)]
    fn find(&self, from: usize, deed: Deed<&Command>) -> Option<&Remembered> {
        let state = &self.states[from];
        let mut next = state.first;
        while let Some(at) = next {
            let done = &self.deeds[at];
            if done.deed.is(deed) {
                return Some(done);
            }
            next = done.next;
        }
        if state.few < FEW_DEEDS { None } else { self.find_of_many(from, deed) }
    }

    fn find_of_many(&self, from: usize, deed: Deed<&Command>) -> Option<&Remembered> {
        let done = &self.deeds[*self.many.get(&deed.hash_in(from))?];
        (done.from == from && done.deed.is(deed)).then_some(done)
    }

    /// Remembers what the engine has just done, if the state that it led to can be kept.
    fn remember(&mut self, deed: Deed<&Command>, from: usize, session: SessionId, known: Rc<Known>) {
        self.write_down();
        self.at = self.numbers.get(self.bytes.as_slice()).copied();
        if self.at.is_none() && self.bytes.len() <= MOST_BYTES && self.states.len() < MOST_STATES {
            self.at = Some(self.states.len());
            self.numbers.insert(self.bytes.as_slice().into(), self.states.len());
            self.states.push(State::default());
        }
        self.stands = self.at;
        if let Some(to) = self.at {
            let deed = self.by(deed);
            let number = deed.hash_in(from);
            let deed = match deed {
                Deed::Connect(id) => Deed::Connect(id),
                Deed::Disconnect(session) => Deed::Disconnect(session),
                Deed::Execute(session, command) => Deed::Execute(session, command.clone()),
            };
            let (at, state) = (self.deeds.len(), &mut self.states[from]);
            let mut next = None;
            if state.few < FEW_DEEDS {
                state.few += 1;
                next = state.first.replace(at);
            } else {
                self.many.insert(number, at);
            }
            self.deeds.push(Remembered { from, deed, to, known, session, next });
        }
    }

    /// What a deed is remembered by.
    fn by<'d>(&self, deed: Deed<&'d Command>) -> Deed<&'d Command> {
        match deed {
            Deed::Execute(_, command) if !self.minds(Care::Session) => Deed::Execute(SessionId(0), command),
            _ => deed,
        }
    }

    fn write_down(&mut self) {
        self.bytes.clear();
        self.engine.state(&[], &mut self.bytes);
        if self.minds(Care::SessionNumbers) {
            self.engine.session_numbers(&mut self.bytes);
        }
    }
}

/// Whether a command did more than a reply, a footprint and a new state tell.
fn does_more(out: &Outcome) -> bool {
    let Outcome { waits, silent, close, shutdown, deliveries, .. } = out;
    // Whose inbox it is the executions know; and what it touches to begin to track depends on more than answers do.
    let beside = |object: &Object| matches!(object, Object::Inbox(_) | Object::Tracking | Object::Tracked(_));
    let heard = out.footprint.iter().any(|(object, _)| beside(object));
    *waits || *silent || *close || shutdown.is_some() || !deliveries.is_empty() || heard
}

fn nothing() -> Rc<Known> {
    Known::new(Reply::Null, Touched::default(), false, 0)
}

#[cfg(test)]
mod tests;
