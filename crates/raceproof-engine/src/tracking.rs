//! Client-side caching: who is told that a key was changed (`CLIENT TRACKING`).
//!
//! There is one table of names, whatever database a key is in. A command that reads a key for a session that tracks puts
//! the session's number there; whoever changes a key of that name tells all who are there, and forgets them. Sessions in
//! broadcasting mode are not in the table: they are told of all keys with a prefix, once the command is over.
//!
//! What a session is told by its own command comes after the reply, also after that of `EXEC` ([`Table::pending`]); others
//! are told at once, and broadcasts come last of all.
//!
//! To the footprint, the table is an object ([`Object::Tracking`]) of which each name is a part ([`Object::Tracked`]): to be
//! remembered for a key and to change a key of the name do not commute, to be remembered twice does. Nothing of it is
//! declared before somebody tracks for the first time; so that is declared as a write of all that commands read.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::{
    Access, Delivery, Engine, Footprint, Object, Protocol, Reply, SessionId,
    command::{Command, flag},
    context::Context,
    session::Session,
};

/// The channel on which sessions that speak RESP2 are told.
const CHANNEL: &[u8] = b"__redis__:invalidate";

/// How near the table may come to its limit before everything that adds and removes is declared as a change of the whole:
/// more names than any one step adds or removes.
const MARGIN: usize = 1000;

/// Which keys a session is told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    /// Those that it reads.
    #[default]
    Read,
    /// Those that it reads after `CLIENT CACHING YES`.
    OptIn,
    /// Those that it reads but after `CLIENT CACHING NO`.
    OptOut,
    /// Those that begin with a prefix.
    Broadcast,
}

/// What one session asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Tracking {
    pub(crate) mode: Mode,
    /// Whether it is not told of its own changes.
    pub(crate) noloop: bool,
    /// Whether `CLIENT CACHING` was said for the command to come.
    pub(crate) caching: bool,
    /// Whether the client that was to be told in its place was found gone.
    pub(crate) broken: bool,
    /// What it is told of when broadcasting.
    pub(crate) prefixes: BTreeSet<Bytes>,
}

/// A client's number in the order of its bytes, which is the order in which Redis keeps and tells those of one key.
type Client = [u8; 8];

const fn client(id: i64) -> Client {
    id.to_le_bytes()
}

/// A prefix that is broadcast.
#[derive(Clone, Debug, Default)]
struct Prefix {
    /// By number.
    clients: BTreeSet<i64>,
    /// What was changed since the last broadcast, and by whose command. Empty between commands.
    changed: BTreeMap<Bytes, Option<i64>>,
}

/// Who is to be told of what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// Who has read keys of a name. Clients that have gone are forgotten with the others.
    names: BTreeMap<Bytes, BTreeSet<Client>>,
    /// How many clients there are in all names together.
    items: usize,
    prefixes: BTreeMap<Bytes, Prefix>,
    /// What the session at work is told after its reply: a key, or that all keys are gone. Empty between commands.
    pending: Vec<Option<Bytes>>,
    /// How often in a row the limit was exceeded although names were given up.
    excesses: usize,
}

impl Table {
    /// What `INFO` counts: names, clients in all names together, prefixes.
    pub(crate) fn counts(&self) -> [usize; 3] {
        [self.names.len(), self.items, self.prefixes.len()]
    }

    /// How often in a row the limit was exceeded.
    pub(crate) const fn excesses(&self) -> usize {
        self.excesses
    }

    /// The names, each with the numbers of its clients.
    pub(crate) fn names(&self) -> impl ExactSizeIterator<Item = (&Bytes, impl Iterator<Item = i64> + '_)> {
        self.names.iter().map(|(name, clients)| (name, clients.iter().map(|client| i64::from_le_bytes(*client))))
    }

    fn knows(&self, id: i64) -> bool {
        self.names.values().any(|clients| clients.contains(&client(id)))
    }
}

/// Where messages go.
struct Post<'a> {
    footprint: &'a mut Footprint,
    deliveries: &'a mut Vec<Delivery>,
    /// The session whose command this is.
    actor: usize,
}

impl Post<'_> {
    /// The state of a session decides what it is sent.
    fn reaches(&mut self, session: usize) {
        if session != self.actor {
            self.footprint.add(Object::Inbox(SessionId(session as u32)), Access::Write);
        }
    }
}

/// What is said to be no longer valid: an array of keys, or a null for all of them.
fn these(keys: impl IntoIterator<Item = Bytes>) -> Reply {
    Reply::Array(keys.into_iter().map(Reply::Bulk).collect())
}

impl Engine {
    /// The open session of a client's number.
    fn session_of(&self, id: i64) -> Option<usize> {
        self.sessions.iter().position(|session| session.open && session.id == id)
    }

    /// Tells a session, or the one that is told in its place, what is no longer valid.
    fn tell(&mut self, session: usize, what: Reply, post: &mut Post<'_>) {
        post.reaches(session);
        let redirect = self.sessions[session].redirect;
        let known = if redirect == 0 { Some(session) } else { self.session_of(redirect) };
        let Some(to) = known else { return self.tell_broken(session, redirect, post) };
        post.reaches(to);
        let listener = &self.sessions[to];
        let text = |text: &'static [u8]| Reply::Bulk(Bytes::from_static(text));
        let message = match listener.protocol {
            Protocol::Resp3 => vec![text(b"invalidate"), what],
            Protocol::Resp2 if redirect != 0 && listener.subscriptions.any() => {
                vec![text(b"message"), text(CHANNEL), what]
            }
            // It could not tell it from a reply.
            Protocol::Resp2 => return,
        };
        post.deliveries.push(Delivery::Push(SessionId(to as u32), Reply::Push(message)));
    }

    /// Tells a session that the client which was to be told in its place is gone.
    fn tell_broken(&mut self, session: usize, redirect: i64, post: &mut Post<'_>) {
        let state = &mut self.sessions[session];
        if let Some(tracking) = state.tracking.as_deref_mut().filter(|tracking| !tracking.broken) {
            tracking.broken = true;
            post.footprint.add(Object::Server, Access::IntentWrite);
        }
        if state.protocol == Protocol::Resp3 {
            let message = vec![Reply::Bulk(Bytes::from_static(b"tracking-redir-broken")), Reply::Integer(redirect)];
            post.deliveries.push(Delivery::Push(SessionId(session as u32), Reply::Push(message)));
        }
    }

    /// Tells those who are told by prefix what was changed, at the end of a command and of what it caused.
    pub(crate) fn broadcast(&mut self, actor: usize, footprint: &mut Footprint, deliveries: &mut Vec<Delivery>) {
        let Some(table) = &mut self.tracking else { return };
        if table.prefixes.values().all(|prefix| prefix.changed.is_empty()) {
            return;
        }
        let mut told = Vec::new();
        for prefix in table.prefixes.values_mut().filter(|prefix| !prefix.changed.is_empty()) {
            told.push((prefix.clients.clone(), std::mem::take(&mut prefix.changed)));
        }
        let mut post = Post { footprint, deliveries, actor };
        for (clients, changed) in told {
            for id in clients {
                let Some(session) = self.session_of(id) else { continue };
                let spared = self.sessions[session].tracking.as_ref().is_some_and(|tracking| tracking.noloop);
                let others = changed.iter().filter(|(_, by)| !spared || **by != Some(id));
                let keys: Vec<Bytes> = others.map(|(name, _)| name.clone()).collect();
                if !keys.is_empty() {
                    self.tell(session, these(keys), &mut post);
                }
            }
        }
    }

    /// Tells everybody who tracks that no key is valid any more, as after a flush: sessions in the order in which they connected.
    pub(crate) fn invalidate_all(
        &mut self,
        current: usize,
        actor: usize,
        footprint: &mut Footprint,
        deliveries: &mut Vec<Delivery>,
    ) {
        let Some(table) = &mut self.tracking else { return };
        footprint.add(Object::Tracking, Access::Write);
        table.names.clear();
        table.items = 0;
        let tracks = |(index, session): (usize, &Session)| session.tracking.is_some().then_some((session.id, index));
        let mut all: Vec<(i64, usize)> = self.sessions.iter().enumerate().filter_map(tracks).collect();
        all.sort_unstable();
        let mut post = Post { footprint, deliveries, actor };
        for (_, session) in all {
            if session == current {
                self.tracking.iter_mut().for_each(|table| table.pending.push(None));
            } else {
                let null = Reply::NullOf(self.sessions[session].protocol);
                self.tell(session, null, &mut post);
            }
        }
    }

    /// A session tracks no more.
    pub(crate) fn stop_tracking(&mut self, session: usize) {
        let Some(tracking) = self.sessions[session].tracking.take() else { return };
        let (id, redirect) = (self.sessions[session].id, self.sessions[session].redirect);
        if let Some(to) = self.session_of(redirect) {
            self.sessions[to].redirected -= 1;
        }
        let Some(table) = &mut self.tracking else { return };
        for name in &tracking.prefixes {
            if let Some(prefix) = table.prefixes.get_mut(name) {
                prefix.clients.remove(&id);
                if prefix.clients.is_empty() {
                    table.prefixes.remove(name);
                }
            }
        }
    }

    /// A session tracks from now on, as `how` says, or otherwise than before. What it was told in place of others stays.
    pub(crate) fn start_tracking(
        &mut self,
        session: usize,
        redirect: i64,
        mode: Mode,
        noloop: bool,
        prefixes: &[Bytes],
    ) {
        let old = self.sessions[session].tracking.take();
        if let Some(to) = old.as_ref().and_then(|_| self.session_of(self.sessions[session].redirect)) {
            self.sessions[to].redirected -= 1;
        }
        if let Some(to) = self.session_of(redirect) {
            self.sessions[to].redirected += 1;
        }
        let old = old.map(|old| *old).unwrap_or_default();
        let mut tracking = Tracking { mode, noloop, broken: false, ..old };
        let id = self.sessions[session].id;
        let table = self.tracking.get_or_insert_default();
        let whole = [Bytes::new()];
        let prefixes = if mode == Mode::Broadcast && prefixes.is_empty() { &whole } else { prefixes };
        for prefix in prefixes {
            tracking.prefixes.insert(prefix.clone());
            table.prefixes.entry(prefix.clone()).or_default().clients.insert(id);
        }
        self.sessions[session].redirect = redirect;
        self.sessions[session].tracking = Some(Box::new(tracking));
    }

    /// Declares what it means to others that a session begins to track, tracks otherwise, or no longer does.
    pub(crate) fn touch_tracking(&self, session: usize, redirect: i64, mode: Mode, footprint: &mut Footprint) {
        footprint.add(Object::Server, Access::IntentWrite);
        let state = &self.sessions[session];
        let redirects = redirect != 0 || (state.tracking.is_some() && state.redirect != 0);
        if self.tracking.is_none() || redirects {
            // What others declare changes: of all that they change, or of what they are sent.
            self.touch_everything(footprint);
        }
        let broadcasts =
            mode == Mode::Broadcast || state.tracking.as_ref().is_some_and(|old| old.mode == Mode::Broadcast);
        let known = broadcasts || self.tracking.as_ref().is_none_or(|table| table.knows(state.id));
        footprint.add(Object::Tracking, if known { Access::Write } else { Access::IntentWrite });
    }

    /// Declares all that any command reads as written.
    pub(crate) fn touch_everything(&self, footprint: &mut Footprint) {
        for object in [Object::Users, Object::Server, Object::Scripts, Object::Functions, Object::Random] {
            footprint.add(object, Access::Write);
        }
        for db in 0..self.config.databases() {
            footprint.add(Object::Keyspace(db), Access::Write);
        }
    }
}

impl Context<'_> {
    fn post(&mut self) -> (&mut Engine, Post<'_>) {
        let Self { engine, footprint, deliveries, actor, .. } = self;
        (engine, Post { footprint, deliveries, actor: *actor })
    }

    /// Declares that the table is changed, in a part of it if that can make no difference to its limit.
    fn touch_table(&mut self) {
        let limit = self.engine.config.tracked_keys();
        let known = self.engine.tracking.as_ref().map_or(0, |table| table.names.len());
        let is_near = limit != 0 && known + MARGIN > limit;
        if is_near && known > limit {
            self.engine.touch_everything(self.footprint);
        }
        self.touch(Object::Tracking, if is_near { Access::Write } else { Access::IntentWrite });
    }

    /// The session has read the keys of a command, of which it wants to be told when they change. A command of a script
    /// stands for the keys that the script was called with.
    pub(crate) fn remember_read(&mut self, command: &Command, args: &[Bytes]) {
        let names = if self.script.is_some() { self.declared.clone() } else { self.tracked_keys(command, args) };
        for name in names {
            self.remember_key(&name);
        }
    }

    /// The keys of a command which the session wants to be told of once they were read.
    pub(crate) fn tracked_keys(&self, command: &Command, args: &[Bytes]) -> Vec<Bytes> {
        if self.session().tracking.as_ref().is_none_or(|tracking| tracking.mode == Mode::Broadcast)
            || command.has(flag::PUBSUB)
            || (command.name == "xread" && has_unbalanced_streams(args))
        {
            return Vec::new();
        }
        let keys = command.key_uses(args).unwrap_or_default();
        keys.into_iter().map(|(at, _)| args[at].clone()).collect()
    }

    /// Puts the session among those who are told of a key.
    fn remember_key(&mut self, name: &Bytes) {
        let Some(tracking) = &self.session().tracking else { return };
        match tracking.mode {
            Mode::OptIn if !tracking.caching => return,
            Mode::OptOut if tracking.caching => return,
            Mode::Broadcast => return,
            _ => {}
        }
        let id = client(self.session().id);
        if let Some(table) = &mut self.engine.tracking
            && table.names.entry(name.clone()).or_default().insert(id)
        {
            table.items += 1;
        }
        self.touch_table();
        self.touch(Object::Tracked(name.clone()), Access::IntentWrite);
    }

    /// A key of a name was changed, by the command of a client or by none.
    pub(crate) fn invalidate(&mut self, name: &Bytes, by: Option<i64>) {
        if self.engine.tracking.is_none() {
            return;
        }
        self.touch_table();
        let Some(table) = &mut self.engine.tracking else { return };
        for (prefix, state) in &mut table.prefixes {
            if name.starts_with(prefix) {
                state.changed.insert(name.clone(), by);
            }
        }
        self.forget(name, false);
    }

    /// Tells those who have read keys of a name, who are then forgotten; the session at work only after its reply, unless it is
    /// to be told at once.
    fn forget(&mut self, name: &Bytes, at_once: bool) {
        let Some(table) = &mut self.engine.tracking else { return };
        let Some(clients) = table.names.remove(name) else {
            return self.touch(Object::Tracked(name.clone()), Access::Read);
        };
        table.items -= clients.len();
        self.touch(Object::Tracked(name.clone()), Access::Write);
        for id in clients {
            let Some(session) = self.engine.session_of(i64::from_le_bytes(id)) else { continue };
            let Some(tracking) = &self.engine.sessions[session].tracking else { continue };
            if tracking.mode == Mode::Broadcast || (tracking.noloop && session == self.session) {
                continue;
            }
            if session == self.session && !at_once {
                self.engine.tracking.iter_mut().for_each(|table| table.pending.push(Some(name.clone())));
                continue;
            }
            let (engine, mut post) = self.post();
            engine.tell(session, these([name.clone()]), &mut post);
        }
    }

    /// All keys of a database are gone, which to those who track means all keys.
    pub(crate) fn invalidate_all(&mut self) {
        let (current, actor) = (self.session, self.actor);
        self.engine.invalidate_all(current, actor, self.footprint, self.deliveries);
    }

    /// Tells the session, after its reply, what its own command has changed.
    pub(crate) fn tell_pending(&mut self) {
        let Some(table) = &mut self.engine.tracking else { return };
        if self.close {
            // Nothing comes after the last reply.
            table.pending.clear();
        }
        for key in std::mem::take(&mut table.pending) {
            let what = key.map_or_else(|| Reply::NullOf(self.session().protocol), |key| these([key]));
            let session = self.session;
            let (engine, mut post) = self.post();
            engine.tell(session, what, &mut post);
        }
    }

    /// Gives up names at random while there are more than `tracking-table-max-keys`, as Redis does before each command.
    pub(crate) fn limit_tracking(&mut self) {
        /// How many names are given up at most, once more for each time in a row that it was not enough.
        const EFFORT: usize = 100;
        let limit = self.engine.config.tracked_keys();
        let excess = |table: &Table| limit != 0 && table.names.len() > limit;
        let Some(table) = &mut self.engine.tracking else { return };
        if !excess(table) {
            table.excesses = 0;
            return;
        }
        if self.engine.sessions.iter().all(|session| !session.open || session.tracking.is_none()) {
            return;
        }
        self.engine.touch_everything(self.footprint);
        self.footprint.add(Object::Tracking, Access::Write);
        let effort = EFFORT * (self.engine.tracking.as_ref().map_or(0, |table| table.excesses) + 1);
        for _ in 0..effort {
            let Some(table) = &self.engine.tracking else { return };
            let at = self.engine.random.below(table.names.len());
            let Some(name) = table.names.keys().nth(at).cloned() else { return };
            self.forget(&name, true);
            if let Some(table) = self.engine.tracking.as_mut().filter(|table| !excess(table)) {
                table.excesses = 0;
                return;
            }
        }
        self.engine.tracking.iter_mut().for_each(|table| table.excesses += 1);
    }
}

/// Whether `XREAD` names no streams, or not as many IDs as streams.
fn has_unbalanced_streams(args: &[Bytes]) -> bool {
    let streams = args.iter().position(|word| word.eq_ignore_ascii_case(b"streams"));
    streams.is_none_or(|at| !(args.len() - at - 1).is_multiple_of(2))
}
