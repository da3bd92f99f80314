//! `CLIENT PAUSE`: commands are held, in the order in which they came, until the pause is over.
//!
//! A session whose command is held leaves without a reply, as one that waits (`wait.rs`), and sends nothing meanwhile. When the
//! pause ends, by its time, by `CLIENT UNPAUSE` or by another pause that is over at once, the held commands are executed one
//! after another, each as if it had come now: by the same step, as deliveries to their sessions. One of them may pause again,
//! and hold those after it.
//!
//! While clients are paused no key is removed because of its time or for want of memory. A key whose time is over is hidden
//! from the commands that are executed meanwhile, and is there again after each. Only commands that write can be in the way of
//! such a key, in the transaction that has paused, and those remove it. (Redis 7.0.15 may end itself there.)
//!
//! To the footprint, to pause is to write everything, and so is to end it; to be held is to write [`Object::Server`], since the
//! order of those who are held is their order in the end.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::{
    Access, Delivery, Engine, Footprint, Object, Outcome, Reply, ScriptHost, SessionId, Timestamp,
    command::{self, Command, flag},
    commands::scripting,
    context::Context,
    db::Entry,
    key::Key,
};

/// What is held, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pause {
    /// Every command, or only those that may write.
    pub(crate) all: bool,
    /// The last millisecond (Unix time).
    pub(crate) last_ms: i64,
}

/// A pause, and the sessions whose commands are held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paused {
    pub(crate) pause: Option<Pause>,
    /// In the order in which they came.
    held: VecDeque<u32>,
    /// Those whose commands are to be executed now. Empty between commands.
    resumed: VecDeque<u32>,
}

impl Paused {
    pub(crate) fn held(&self) -> impl ExactSizeIterator<Item = u32> {
        self.held.iter().copied()
    }

    /// Nobody is held any more.
    fn lift(&mut self) {
        self.pause = None;
        self.resumed.append(&mut self.held);
    }

    /// A session is held no more, and its command is not executed.
    fn forget(&mut self, session: usize) {
        self.held.retain(|held| *held as usize != session);
        self.resumed.retain(|resumed| *resumed as usize != session);
    }
}

/// A key that is taken out while a command is executed.
#[derive(Debug)]
pub(crate) struct Hidden {
    db: u32,
    key: Key,
    entry: Entry,
}

impl Engine {
    /// The last millisecond (Unix time) in which commands are held, if clients are paused. Meanwhile no key expires.
    #[must_use]
    pub fn pause_end_ms(&self) -> Option<i64> {
        self.paused.pause.map(|pause| pause.last_ms)
    }

    /// Whether a session's command is held by a pause ([`Self::waits`] is true as well).
    #[must_use]
    pub fn is_held(&self, session: SessionId) -> bool {
        self.sessions.get(session.0 as usize).is_some_and(|session| session.held.is_some())
    }

    /// Whether there is a pause that is not over.
    pub(crate) fn is_paused(&self, now: Timestamp) -> bool {
        self.paused.pause.is_some_and(|pause| now.ms() <= pause.last_ms)
    }

    /// Ends the pause if its time is over. Those who are held go on with [`Self::resume`].
    pub(crate) fn end_pause(&mut self, now: Timestamp, footprint: &mut Footprint) {
        if self.paused.pause.is_none() {
            return;
        }
        footprint.add(Object::Clock, Access::Read);
        // One that holds nobody is left until another one comes: to forget it would change what others touch.
        if self.holds_too_long(now) {
            self.lift_pause(footprint);
        }
    }

    /// Whether the pause is over and commands are still held.
    pub(crate) fn holds_too_long(&self, now: Timestamp) -> bool {
        !self.paused.held.is_empty() && !self.is_paused(now)
    }

    fn lift_pause(&mut self, footprint: &mut Footprint) {
        self.touch_everything(footprint);
        footprint.add(Object::Deadlines, Access::IntentWrite);
        self.paused.lift();
    }

    /// Executes the commands that are held no more.
    pub(crate) fn resume(&mut self, scripts: &mut dyn ScriptHost, now: Timestamp, out: &mut Outcome) {
        while let Some(index) = self.paused.resumed.pop_front() {
            let Some(args) = self.sessions[index as usize].held.take() else { continue };
            self.resume_one(scripts, SessionId(index), &args, now, out);
        }
    }

    /// What the command does goes to its session in deliveries; the rest of the outcome stays that of the command at hand.
    fn resume_one(
        &mut self,
        scripts: &mut dyn ScriptHost,
        session: SessionId,
        args: &[Bytes],
        now: Timestamp,
        out: &mut Outcome,
    ) {
        let Outcome { silent, close, shutdown, waits, before_reply, .. } = *out;
        let reply = std::mem::replace(&mut out.reply, Reply::Null);
        (out.close, out.shutdown) = (false, None);
        self.touch_inbox(session.0 as usize, &mut out.footprint);
        self.execute_one(scripts, session, args, now, out);
        let theirs = std::mem::replace(&mut out.reply, reply);
        if !out.waits && self.sessions[session.0 as usize].open {
            // Nobody is there any more to reply to whoever ends the server.
            let silent = out.silent || out.shutdown.is_some();
            let answer = if silent { Delivery::NoReply(session) } else { Delivery::Reply(session, theirs) };
            out.deliveries.insert(out.before_reply, answer);
            if out.close || out.shutdown.is_some() {
                out.deliveries.push(Delivery::Close(session));
            }
        }
        (out.silent, out.close, out.waits, out.before_reply) = (silent, close, waits, before_reply);
        out.shutdown = shutdown.or(out.shutdown);
    }

    /// A session is held no more, and its command is not executed. Tells whether it was held.
    pub(crate) fn end_hold(&mut self, session: usize, footprint: &mut Footprint) -> bool {
        let held = self.sessions.get_mut(session).is_some_and(|session| session.held.take().is_some());
        if held {
            footprint.add(Object::Server, Access::Write);
            footprint.add(Object::Deadlines, Access::IntentWrite);
            self.paused.forget(session);
        }
        held
    }
}

impl Context<'_> {
    /// Holds commands from now on, for as long as this pause or the present one lasts, whichever is longer, and whatever one of
    /// them holds.
    pub(crate) fn pause(&mut self, pause: Pause) {
        self.engine.touch_everything(self.footprint);
        self.read_clock();
        self.touch(Object::Deadlines, Access::IntentWrite);
        let known = self.engine.paused.pause.filter(|_| self.engine.is_paused(self.now)).unwrap_or(pause);
        self.engine.paused.pause =
            Some(Pause { all: known.all || pause.all, last_ms: known.last_ms.max(pause.last_ms) });
        if !self.engine.is_paused(self.now) {
            self.engine.lift_pause(self.footprint);
        }
    }

    /// Ends the pause, if there is one.
    pub(crate) fn unpause(&mut self) {
        if self.engine.paused.pause.is_some() {
            self.engine.lift_pause(self.footprint);
        } else {
            self.touch(Object::Server, Access::Read);
        }
    }

    /// Holds a command back if it is one that the pause holds. Sessions that monitor count as replicas, which are never paused.
    pub(crate) fn holds(&mut self, command: &'static Command, args: &[Bytes]) -> bool {
        let Some(pause) = self.engine.paused.pause.filter(|_| self.engine.is_paused(self.now)) else { return false };
        let exempt = self.session().monitors || self.session().replica || self.session().fed;
        if exempt || !(pause.all || self.may_send_on(command, args)) {
            return false;
        }
        self.touch(Object::Server, Access::Write);
        self.touch(Object::Deadlines, Access::IntentWrite);
        self.session_mut().held = Some(args.to_vec());
        self.engine.paused.held.push_back(self.session as u32);
        true
    }

    /// Whether a command may write or be sent on to replicas: a script unless it says that it does not write, a transaction if
    /// one of its commands may.
    pub(crate) fn may_send_on(&mut self, command: &'static Command, args: &[Bytes]) -> bool {
        if command.name == "exec" {
            return self.session().transaction.as_ref().is_some_and(|transaction| transaction.may_send_on);
        }
        match command.name {
            "evalsha" | "evalsha_ro" => self.touch(Object::Scripts, Access::Read),
            "fcall" | "fcall_ro" => self.touch(Object::Functions, Access::Read),
            _ => {}
        }
        match scripting::declared(self, command, args) {
            Some(declared) => !declared.no_writes,
            None if command.runs_script() => !command.has(flag::READONLY),
            None => command.has(flag::WRITE) || command::SENT_ON.contains(&command.name),
        }
    }

    /// Whether keys whose time is over are hidden instead of removed.
    pub(crate) fn hides_expired(&self) -> bool {
        self.engine.is_paused(self.now) && self.may_hide && !self.session().replica
    }

    /// Takes a key out until the command is over.
    pub(crate) fn hide(&mut self, db: u32, key: &Key) {
        if let Some(entry) = self.engine.databases.remove(db, key) {
            self.hidden.push(Hidden { db, key: key.clone(), entry });
        }
    }

    /// Hides fields of a hash until the command is over. Tells whether the hash has others.
    pub(crate) fn hide_fields(&mut self, db: u32, key: &Key, fields: &[Bytes]) -> bool {
        let Some(entry) = self.engine.databases.entry(db, key).cloned() else { return false };
        let left = self.engine.databases.edit_hash(db, key, |hash| {
            for field in fields {
                hash.remove(field);
            }
            hash.len()
        });
        let empty = matches!(left, Some((0, ..)));
        if empty {
            self.engine.databases.remove(db, key);
        }
        self.hidden.push(Hidden { db, key: key.clone(), entry });
        !empty
    }

    /// Brings back what was hidden.
    pub(crate) fn show_hidden(&mut self) {
        while let Some(Hidden { db, key, entry }) = self.hidden.pop() {
            let (deadline, used) = (entry.deadline(), entry.used);
            self.engine.databases.put(db, &key, entry.value, |_| used);
            self.engine.databases.set_deadline(db, &key, deadline);
        }
    }
}
