//! Connections to a replica. It is the same engine to them, in another role: writes are refused. What a replica lacks that lags
//! behind is the caller's business, who lends the engine the data of an earlier state.

use bytes::Bytes;

use crate::{
    Engine, SessionId,
    command::{self, flag},
    session::Session,
};

/// What a command sees of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Nothing.
    Nothing,
    /// What there is, and that is all that it does with it: it can be answered from the data of an earlier state.
    Only,
    /// What there is, and the session goes on looking at it: it watches keys, tracks them, or waits for them.
    AndRemembers,
}

impl Engine {
    /// Opens a connection to a replica, which refuses writes. What it reads is up to date, unless the caller lends the
    /// engine the data of an earlier state meanwhile ([`Self::exchange_data`]).
    pub fn connect_to_replica(&mut self) -> SessionId {
        let session = self.connect();
        self.sessions[session.0 as usize].replica = true;
        session
    }

    /// Whether a connection is one to a replica.
    #[must_use]
    pub fn is_replica(&self, session: SessionId) -> bool {
        self.sessions.get(session.0 as usize).is_some_and(|session| session.replica)
    }

    /// Exchanges all keys and libraries of functions of two engines, and nothing else. Nobody is told: what is watched or
    /// waited for is not looked at, so the caller exchanges them back after one command.
    pub const fn exchange_data(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.databases, &mut other.databases);
        std::mem::swap(&mut self.libraries, &mut other.libraries);
    }

    /// What a command would see of the data if it were sent next on a session; `None`: on a new one.
    #[must_use]
    pub fn reads(&self, session: Option<SessionId>, args: &[Bytes]) -> Reads {
        let state = session.and_then(|session| self.sessions.get(session.0 as usize));
        let Some(command) = command::find(args, self.options.version) else { return Reads::Nothing };
        let is_one_of = |names: &[&str]| names.contains(&command.name);
        let queued = state.is_some_and(|state| state.transaction.is_some()) && !is_one_of(&["exec", "watch"]);
        let runs_more = is_one_of(&["exec", "eval", "evalsha", "eval_ro", "evalsha_ro", "fcall", "fcall_ro"]);
        if queued || !(runs_more || command.has(flag::READONLY) || command.name == "watch") {
            return Reads::Nothing;
        }
        let looks_on = |state: &Session| !state.watched.is_empty() || state.tracking.is_some();
        let watches = command.name == "watch" || state.is_some_and(looks_on);
        let waits = command.has(flag::BLOCKING) && args.iter().any(|arg| arg.eq_ignore_ascii_case(b"block"));
        if watches || waits { Reads::AndRemembers } else { Reads::Only }
    }

    /// Opens a connection that is in the state of one to another engine: database, protocol, name, transaction. It waits for
    /// nothing, listens to nothing, and watches and tracks no keys.
    pub fn connect_like(&mut self, other: &Self, session: SessionId) -> SessionId {
        let opened = self.connect();
        if let Some(known) = other.sessions.get(session.0 as usize).filter(|known| known.open) {
            let Session { db, protocol, authenticated, no_evict, replies, replica, .. } = *known;
            let (user, name, transaction) = (known.user.clone(), known.name.clone(), known.transaction.clone());
            let own = &mut self.sessions[opened.0 as usize];
            let new = Session::new(own.id, own.nth, authenticated);
            *own = Session { db, protocol, user, name, no_evict, replies, transaction, replica, ..new };
        }
        opened
    }
}
