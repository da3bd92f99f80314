//! What a front asks the engine besides executing commands: settings, clients, and the way back to a snapshot.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    Access, Engine, Object, Outcome, Protocol, ScriptHost, SessionId, Timestamp, config,
    context::Context,
    key::Key,
    session::{Addresses, Replies},
};

impl Engine {
    /// The value of a setting, as `CONFIG GET` shows it.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<Bytes> {
        config::setting(name.as_bytes()).map(|setting| self.config.value(setting))
    }

    /// Sets what a server is started with (`port`, `unixsocket`, …), as its configuration file would. Tells whether there is such a setting.
    pub fn begin_with(&mut self, name: &str, value: Bytes) -> bool {
        let Some(setting) = config::setting(name.as_bytes()) else { return false };
        Arc::make_mut(&mut self.config).begin_with(setting, value);
        true
    }

    /// Says where a client comes from and what it has connected to (`127.0.0.1:50000`, or the path of a socket and `:0`), for
    /// `CLIENT LIST`, `CLIENT KILL` and `MONITOR`.
    pub fn set_addresses(&mut self, session: SessionId, peer: Bytes, local: Bytes) {
        if let Some(session) = self.sessions.get_mut(session.0 as usize) {
            session.addresses = Some(Box::new(Addresses { peer, local }));
        }
    }

    /// Says when a client connected, for the ages in `CLIENT LIST`.
    pub fn set_connected(&mut self, session: SessionId, now: Timestamp) {
        if let Some(activity) = self.sessions.get_mut(session.0 as usize).and_then(|session| session.activity.as_mut())
        {
            (activity.connected, activity.last) = (Some(now), now);
        }
    }

    /// Whether there is a user of a name (`ACL SETUSER`); `default` always is.
    #[must_use]
    pub fn has_user(&self, name: &[u8]) -> bool {
        self.acl.user(name).is_some()
    }

    /// The name that a client has given itself (`CLIENT SETNAME`); empty if none.
    #[must_use]
    pub fn client_name(&self, session: SessionId) -> Bytes {
        self.sessions.get(session.0 as usize).map_or_else(Bytes::new, |session| session.name.clone())
    }

    /// Makes a client one that speaks a protocol and has a name, without a command, which a pause would hold.
    pub fn introduce(&mut self, session: SessionId, protocol: Protocol, name: Bytes) {
        if let Some(session) = self.sessions.get_mut(session.0 as usize) {
            (session.protocol, session.name) = (protocol, name);
        }
    }

    /// Whether a client may be idle for as long as it likes, whatever `timeout` says: it waits, has subscribed to something, or
    /// monitors.
    #[must_use]
    pub fn may_idle(&self, session: SessionId) -> bool {
        let state = self.sessions.get(session.0 as usize);
        self.waits(session) || state.is_some_and(|state| state.monitors || state.fed || state.subscriptions.any())
    }

    /// The number of a client (`CLIENT ID`); 0 if there is no such session.
    #[must_use]
    pub fn client_id(&self, session: SessionId) -> i64 {
        self.sessions.get(session.0 as usize).map_or(0, |session| session.id)
    }

    /// Whether a client has authenticated, or need not.
    #[must_use]
    pub fn is_authenticated(&self, session: SessionId) -> bool {
        self.sessions.get(session.0 as usize).is_some_and(|session| session.open && session.authenticated)
    }

    /// Whether there are users besides the default one (`ACL SETUSER`).
    #[must_use]
    pub fn has_users(&self) -> bool {
        self.acl.has_users()
    }

    /// Whether the next reply to a client is not to be sent (`CLIENT REPLY`).
    #[must_use]
    pub fn is_muted(&self, session: SessionId) -> bool {
        self.sessions.get(session.0 as usize).is_some_and(|session| session.replies != Replies::On)
    }

    /// Whether a client has subscribed to something, and so is bound by the limits of that class of clients.
    #[must_use]
    pub fn is_subscriber(&self, session: SessionId) -> bool {
        self.sessions.get(session.0 as usize).is_some_and(|session| session.subscriptions.any())
    }

    /// Whether a client is between `MULTI` and `EXEC`.
    #[must_use]
    pub fn in_transaction(&self, session: SessionId) -> bool {
        self.sessions.get(session.0 as usize).is_some_and(|session| session.transaction.is_some())
    }

    /// Goes back to the keys, the libraries of functions and the random choices of a snapshot. Clients stay connected,
    /// and those that watch a key find that it was changed; those that track keys are told that none is valid; those that wait for a key are served if the snapshot has it. Settings and scripts stay.
    pub fn rewind(&mut self, to: &Self, host: &mut dyn ScriptHost, now: Timestamp, out: &mut Outcome) {
        out.clear();
        self.databases.clone_from(&to.databases);
        self.databases.keep_account(self.config.memory_limit().is_some());
        self.candidates.clear();
        self.libraries.clone_from(&to.libraries);
        self.random.clone_from(&to.random);
        for session in self.sessions.iter_mut().filter(|session| !session.watched.is_empty()) {
            session.dirty = true;
        }
        self.invalidate_all(usize::MAX, usize::MAX, &mut out.footprint, &mut out.deliveries);
        (0..self.config.databases()).for_each(|db| self.waiting.signal_all(db));
        self.serve(Some(host), now, out);
        self.broadcast(usize::MAX, &mut out.footprint, &mut out.deliveries);
    }

    /// Removes a key of the session's database as `maxmemory` would, and tells whether it was there.
    pub fn evict(&mut self, session: SessionId, name: &Bytes, now: Timestamp, out: &mut Outcome) -> bool {
        out.clear();
        let Some(db) = self.sessions.get(session.0 as usize).map(|session| session.db) else { return false };
        let mut context = Context::new(self, None, usize::MAX, db, now, out);
        context.touch(Object::Keyspace(db), Access::IntentRead);
        let key = Key::new(name);
        let account = context.databases().account();
        let found = context.entry(&key).is_some();
        if found {
            context.evict(db, &key);
        }
        self.serve(None, now, out);
        self.touch_account(account, &mut out.footprint);
        self.broadcast(usize::MAX, &mut out.footprint, &mut out.deliveries);
        found
    }
}
