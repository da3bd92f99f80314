//! Commands that wait: for an element, an entry, an acknowledgement.
//!
//! A session that waits has no reply yet. What ends its wait is another command, which makes one of the keys ready; its
//! own deadline; or `CLIENT UNBLOCK`. Redis remembers which keys became ready while a command, a transaction or a script
//! ran, and serves them afterwards: key by key in the order in which they became ready, session by session in the order
//! in which they began to wait. Serving may make further keys ready (`BLMOVE`), which come next.
//!
//! To the footprint, who waits for a key is a part of the key: to begin to wait and to be served, in time or not, is to
//! write every key that is waited for.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use smallvec::SmallVec;

use crate::{
    Access, Delivery, Engine, Footprint, Object, Outcome, Reply, ScriptHost, SessionId, Timestamp, command,
    context::Context,
    db::{Entry, Value},
    dispatch,
    engine::frame,
    failure::{Answer, Failure},
    key::Key,
    number::parse_integer,
    session::{Replies, Session},
};

/// Tries what a waiting session wants with a key that has become ready; `None` if there is nothing for it.
pub(crate) type Serve = fn(&mut Context<'_>, &[Bytes], &Key) -> Result<Option<Reply>, Failure>;

/// What a session waits with.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    /// The command; IDs that mean "from now on" are written out.
    pub(crate) args: Vec<Bytes>,
    pub(crate) serve: Serve,
    /// The database of the keys.
    pub(crate) db: u32,
    /// Each once.
    pub(crate) keys: Vec<Key>,
    /// The last millisecond (Unix time) of the wait; `None` without end.
    pub(crate) deadline: Option<i64>,
    /// The reply when the time is over.
    pub(crate) late: Reply,
    /// Whether the reply is not to be sent.
    pub(crate) silent: bool,
    /// Rises with every wait: who began earlier has the lower number.
    pub(crate) since: u64,
}

impl Wait {
    /// Whether it is for replicas, and for no key.
    pub(crate) fn is_for_replicas(&self) -> bool {
        self.args.first().is_some_and(|name| name.eq_ignore_ascii_case(b"wait"))
    }

    /// How many replicas `WAIT` wants.
    pub(crate) fn wanted_replicas(&self) -> Option<i64> {
        parse_integer(self.args.get(1)?)
    }
}

/// Who waits, and what has become ready.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    /// The sessions that wait for a key, in the order in which they began.
    by_key: BTreeMap<(u32, Key), SmallVec<[u32; 2]>>,
    /// Keys that have become ready and are to be looked at. Empty between commands.
    ready: Vec<(u32, Key)>,
    /// The waits that end by themselves: when (Unix ms), and whose they are by `CLIENT ID` and by session.
    deadlines: BTreeSet<(i64, i64, u32)>,
    /// How many sessions wait.
    sessions: usize,
    /// How many waits there have been.
    begun: u64,
}

impl Waiting {
    /// A key may have something for those who wait for it.
    pub(crate) fn signal(&mut self, db: u32, key: &Key) {
        if self.by_key.is_empty() {
            return;
        }
        let place = (db, key.clone());
        if self.by_key.contains_key(&place) && !self.ready.contains(&place) {
            self.ready.push(place);
        }
    }

    /// All keys of a database may have something, or be there no longer.
    pub(crate) fn signal_all(&mut self, db: u32) {
        let keys: Vec<Key> = self.by_key.keys().filter(|(of, _)| *of == db).map(|(_, key)| key.clone()).collect();
        keys.iter().for_each(|key| self.signal(db, key));
    }
}

impl Value {
    /// Whether some command waits for values of this type.
    const fn can_be_waited_for(&self) -> bool {
        matches!(self, Self::List(_) | Self::Zset(_) | Self::Stream(_))
    }
}

impl Context<'_> {
    /// Whether the command may wait: not inside a transaction or a script.
    pub(crate) const fn can_wait(&self) -> bool {
        self.may_wait && self.script.is_none()
    }

    /// The session waits, from now on, for one of `keys`, which were looked up. The answer is not sent.
    pub(crate) fn wait(
        &mut self,
        args: Vec<Bytes>,
        keys: &[Bytes],
        serve: Serve,
        timeout_ms: Option<i64>,
        late: Reply,
    ) -> Answer {
        let mut once: Vec<Key> = Vec::with_capacity(keys.len());
        for name in keys {
            let key = Key::new(name);
            if !once.contains(&key) {
                once.push(key);
            }
        }
        let deadline = timeout_ms.map(|ms| {
            self.read_clock();
            self.touch(Object::Deadlines, Access::IntentWrite);
            self.now_ms().saturating_add(ms)
        });
        self.touch_client();
        for key in &once {
            self.touch_key(key, Access::Write);
        }
        let (session, db) = (self.session, self.db);
        let waiting = &mut self.engine.waiting;
        waiting.sessions += 1;
        waiting.begun += 1;
        for key in &once {
            waiting.by_key.entry((db, key.clone())).or_default().push(session as u32);
        }
        let since = waiting.begun;
        if let Some(deadline) = deadline {
            waiting.deadlines.insert((deadline, self.engine.sessions[session].id, session as u32));
        }
        self.session_mut().wait =
            Some(Box::new(Wait { args, serve, db, keys: once, deadline, late, silent: false, since }));
        Ok(Reply::Null)
    }

    /// A key was added, or one that held a stream is gone or holds another value.
    pub(crate) fn signal(&mut self, db: u32, key: &Key) {
        self.engine.waiting.signal(db, key);
    }

    /// [`Self::signal`] if the key now holds something that is waited for.
    pub(crate) fn signal_added(&mut self, db: u32, key: &Key) {
        if self.engine.waiting.sessions > 0
            && self.engine.databases.entry(db, key).is_some_and(|entry| entry.value.can_be_waited_for())
        {
            self.signal(db, key);
        }
    }

    /// [`Self::signal`] if the key holds a stream, which is about to go: whoever reads it with a group is told so.
    pub(crate) fn signal_removed(&mut self, db: u32, key: &Key) {
        if self.engine.waiting.sessions > 0
            && self.engine.databases.entry(db, key).is_some_and(|entry| matches!(entry.value, Value::Stream(_)))
        {
            self.signal(db, key);
        }
    }
}

impl Engine {
    /// Whether a session waits: what it sends meanwhile is to be kept back until its [`Delivery::Reply`] or
    /// [`Delivery::NoReply`]. So does one whose command is held by `CLIENT PAUSE`.
    #[must_use]
    pub fn waits(&self, session: SessionId) -> bool {
        let waits = |session: &Session| session.wait.is_some() || session.held.is_some();
        self.sessions.get(session.0 as usize).is_some_and(waits)
    }

    /// How many sessions wait or are held.
    pub(crate) fn blocked(&self) -> usize {
        self.waiting.sessions + self.paused.held().len()
    }

    /// The earliest deadline of a session that waits, or that of a pause that holds somebody (ms since the Unix epoch): both last
    /// through that millisecond.
    #[must_use]
    pub fn next_timeout_ms(&self) -> Option<i64> {
        let first = self.waiting.deadlines.first().map(|(deadline, ..)| *deadline);
        first.into_iter().chain(self.pause_end_ms().filter(|_| self.paused.held().len() > 0)).min()
    }

    /// How many sessions wait up to a moment.
    pub(crate) fn waits_with_deadline(&self) -> usize {
        self.waiting.deadlines.len()
    }

    /// Ends the waits whose time is over, the earliest first, and the pause if its time is; then held commands are executed.
    pub fn time_out(&mut self, scripts: &mut dyn ScriptHost, now: Timestamp, out: &mut Outcome) {
        out.clear();
        out.footprint.add(Object::Clock, Access::Read);
        out.footprint.add(Object::Deadlines, Access::Read);
        if let Some(last_ms) = self.pause_end_ms().filter(|_| self.holds_too_long(now)) {
            let account = self.databases.account();
            self.end_waits(last_ms, out);
            self.end_pause(now, &mut out.footprint);
            self.resume(scripts, now, out);
            self.touch_account(account, &mut out.footprint);
            self.broadcast(usize::MAX, &mut out.footprint, &mut out.deliveries);
        }
        self.end_waits(now.ms() - 1, out);
    }

    /// Ends the waits that last up to a moment (Unix ms).
    fn end_waits(&mut self, last_ms: i64, out: &mut Outcome) {
        while let Some(&(deadline, _, session)) = self.waiting.deadlines.first()
            && deadline <= last_ms
            && let Some(wait) = self.end_wait(session as usize, &mut out.footprint)
        {
            out.deliveries.push(delivery(session as usize, wait.silent, wait.late));
        }
    }

    /// A session that waits does so no longer, and gets no reply: its connection is about to close.
    pub fn give_up(&mut self, session: SessionId, out: &mut Outcome) {
        out.clear();
        self.end_wait(session.0 as usize, &mut out.footprint);
        self.end_hold(session.0 as usize, &mut out.footprint);
    }

    /// Ends the wait of a session, if it waits, with `reply` or else as if its time were over. Tells whether it waited.
    pub(crate) fn unblock(context: &mut Context<'_>, session: usize, reply: Option<Reply>) -> bool {
        let Some(wait) = context.engine.end_wait(session, context.footprint) else { return false };
        context.deliveries.push(delivery(session, wait.silent, reply.unwrap_or(wait.late)));
        true
    }

    /// The session waits no more.
    pub(crate) fn end_wait(&mut self, session: usize, footprint: &mut Footprint) -> Option<Box<Wait>> {
        let state = self.sessions.get_mut(session)?;
        let (wait, id) = (state.wait.take()?, state.id);
        self.waiting.sessions -= 1;
        if let Some(deadline) = wait.deadline {
            self.waiting.deadlines.remove(&(deadline, id, session as u32));
        }
        self.touch_inbox(session, footprint);
        footprint.add(Object::Server, Access::IntentWrite);
        if wait.deadline.is_some() {
            footprint.add(Object::Deadlines, Access::IntentWrite);
        }
        for key in &wait.keys {
            footprint.add(Object::Keyspace(wait.db), Access::IntentRead);
            footprint.add_key(wait.db, &key.name, Access::Write);
            let place = (wait.db, key.clone());
            if let Some(sessions) = self.waiting.by_key.get_mut(&place) {
                sessions.retain(|other| *other as usize != session);
                if sessions.is_empty() {
                    self.waiting.by_key.remove(&place);
                }
            }
        }
        Some(wait)
    }

    /// Serves those who wait for the keys that became ready.
    pub(crate) fn serve(&mut self, scripts: Option<&mut dyn ScriptHost>, now: Timestamp, out: &mut Outcome) {
        if self.waiting.ready.is_empty() || self.busy.is_some() {
            return;
        }
        let mut host = scripts;
        while !self.waiting.ready.is_empty() {
            for place in std::mem::take(&mut self.waiting.ready) {
                let taken_from = self.can_be_emptied(&place);
                let mut at = 0;
                while let Some(session) = self.waiting.by_key.get(&place).and_then(|waiting| waiting.get(at).copied()) {
                    // Those that are left would find nothing, however many they are.
                    if taken_from && !self.can_be_emptied(&place) {
                        break;
                    }
                    if !self.serve_session(&mut host, session as usize, &place.1, now, out) {
                        at += 1;
                    }
                }
            }
        }
    }

    /// Whether the key holds something that is gone once those who wait have taken all of it.
    fn can_be_emptied(&self, (db, key): &(u32, Key)) -> bool {
        let value = self.databases.entry(*db, key).map(|entry| &entry.value);
        matches!(value, Some(Value::List(_) | Value::Zset(_)))
    }

    /// Gives a session what it waits for, if the key has it. Tells whether it waits no more.
    fn serve_session(
        &mut self,
        host: &mut Option<&mut dyn ScriptHost>,
        session: usize,
        key: &Key,
        now: Timestamp,
        out: &mut Outcome,
    ) -> bool {
        let Some(wait) = self.sessions[session].wait.take() else { return false };
        let from = out.effects.len();
        // Redis takes out of a list for those who wait without saying once more that it was changed.
        let is_list = matches!(self.databases.entry(wait.db, key), Some(Entry { value: Value::List(_), .. }));
        let unsignalled = is_list.then(|| key.clone());
        let mut context =
            Context::new(self, host.as_deref_mut().map(|host| host as &mut dyn ScriptHost), session, wait.db, now, out);
        context.mute = wait.silent;
        context.unsignalled = unsignalled;
        context.framed = true;
        let reply = match (wait.serve)(&mut context, &wait.args, key) {
            Ok(None) => None,
            Ok(Some(reply)) => Some(reply),
            Err(failure) => Some(failure.into_reply()),
        };
        context.replies_here();
        let at = context.replied.unwrap_or_default();
        if reply.is_some()
            && let Some(command) = command::find(&wait.args, context.engine.options.version)
        {
            dispatch::log_slow(&mut context, command, &wait.args, 0);
        }
        context.tell_pending();
        let silent = wait.silent;
        self.sessions[session].wait = Some(wait);
        frame(&mut out.effects, from);
        let Some(mut reply) = reply else { return false };
        reply.in_form_of(self.options.version);
        self.end_wait(session, &mut out.footprint);
        out.deliveries.insert(at, delivery(session, silent, reply));
        true
    }
}

pub(crate) fn delivery(session: usize, silent: bool, reply: Reply) -> Delivery {
    let session = SessionId(session as u32);
    if silent { Delivery::NoReply(session) } else { Delivery::Reply(session, reply) }
}

/// Keeps in mind that the reply of a session which has begun to wait is not to be sent.
pub(crate) fn silence(engine: &mut Engine, session: usize, skipped: bool) -> bool {
    let session = &mut engine.sessions[session];
    let off = session.replies == Replies::Off;
    match &mut session.wait {
        Some(wait) => {
            wait.silent = skipped || off;
            true
        }
        None => false,
    }
}
