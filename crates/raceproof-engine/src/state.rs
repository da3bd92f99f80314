//! The state of an engine as bytes, for those who keep states and compare them.
//!
//! The bytes are what the derived `Hash` of each part feeds its hasher, written down instead of mixed. Derived `Hash`
//! feeds every field, an enum's variant before its contents and a collection's length before its elements, so two
//! states that differ anywhere have different bytes, and a part that is added to a value cannot be forgotten.

use std::hash::{Hash, Hasher};

use crate::{
    Engine, SessionId,
    access::Used,
    db::{Databases, Entry},
    pause::Paused,
    session::{Queued, Session, Transaction},
    tracking::Table,
    tree::Tree,
    wait::Wait,
    zset::Zset,
};

/// A hasher that keeps what it is fed.
struct Recorder<'a>(&'a mut Vec<u8>);

impl Hasher for Recorder<'_> {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Lengths, mostly below 128: seven bits a byte, and a set bit where more follow.
    fn write_usize(&mut self, number: usize) {
        let mut rest = number;
        while rest >= 0x80 {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
    }

    /// The variants of enums.
    fn write_isize(&mut self, number: isize) {
        self.write_usize(number.cast_unsigned());
    }

    fn finish(&self) -> u64 {
        0
    }
}

impl Engine {
    /// Appends the state to `out`: every key with its value, encoding and deadline, the changed settings, the cached
    /// scripts (by SHA1), the libraries of functions, the random generator, and of `sessions`, in the order given, what they selected, watch and
    /// have queued.
    ///
    /// Two engines with equal bytes answer every sequence of commands alike, at any time, the first session of one
    /// taken for the first of the other and so on, with one exception: the numbers of sessions (`CLIENT ID`, `HELLO`)
    /// and what shows all sessions of the server (`CLIENT LIST`, `INFO`) depend on what is left out here.
    /// [`Self::session_numbers`] is that rest. Sessions that are not given are taken for closed.
    pub fn state(&self, sessions: &[SessionId], out: &mut Vec<u8>) {
        // Without `..`: whoever adds a field decides here whether it is part of the state. Who watches a key
        // and who listens to a channel is said by the sessions.
        let Self {
            options,
            databases,
            sessions: all,
            watchers: _,
            channels: _,
            tracking,
            waiting: _,
            paused,
            scripts,
            libraries,
            acl,
            config,
            random,
            candidates,
            started,
            incarnation,
            closed: _,
            killed: _,
            monitors: _,
            connections: _,
            statistics,
            saved,
            switches,
            primary,
            busy: _,
            process: _,
        } = self;
        let mut to = Recorder(out);
        options.hash(&mut to);
        random.hash(&mut to);
        candidates.hash(&mut to);
        (statistics, saved, switches, primary).hash(&mut to);
        started.hash(&mut to);
        incarnation.hash(&mut to);
        paused.pause.hash(&mut to);
        config.changed().hash(&mut to);
        scripts.names().hash(&mut to);
        databases.hash(&mut to);
        hash_uses(databases, &mut to);
        libraries.hash(&mut to);
        acl.hash(&mut to);
        sessions.len().hash(&mut to);
        for session in sessions {
            hash_session(all.get(session.0 as usize), &mut to);
        }
        hash_queue(sessions.iter().map(|session| all.get(session.0 as usize)), &mut to);
        hash_held(paused, |held| sessions.iter().position(|session| session.0 == held), &mut to);
        hash_tracking(tracking.as_deref(), sessions.iter().map(|session| all.get(session.0 as usize)), &mut to);
    }

    /// Appends to `out` the part of [`Self::state`] that a restart may keep: the keys with their values and deadlines,
    /// and the libraries of functions.
    pub fn data(&self, out: &mut Vec<u8>) {
        let mut to = Recorder(out);
        self.databases.hash(&mut to);
        self.libraries.hash(&mut to);
    }

    /// Appends to `out` what [`Self::state`] leaves out: all sessions of the server with their numbers, and the numbers
    /// that the next ones will get.
    pub fn session_numbers(&self, out: &mut Vec<u8>) {
        let mut to = Recorder(out);
        (&self.closed, &self.killed, self.connections, self.sessions.len()).hash(&mut to);
        // Nobody's reply shows whether anybody has ever tracked keys, but footprints do.
        self.tracking.is_some().hash(&mut to);
        for session in &self.sessions {
            (session.id, session.nth).hash(&mut to);
            hash_session(Some(session), &mut to);
        }
        hash_queue(self.sessions.iter().map(Some), &mut to);
        hash_held(&self.paused, |held| Some(held as usize), &mut to);
        hash_tracking(self.tracking.as_deref(), self.sessions.iter().map(Some), &mut to);
    }
}

impl<K: Hash, V: Hash> Hash for Tree<K, V> {
    /// The entries in order; nobody can tell the shape of the tree.
    fn hash<H: Hasher>(&self, to: &mut H) {
        self.len().hash(to);
        self.iter().for_each(|entry| entry.hash(to));
    }
}

impl Hash for Zset {
    /// As they are compared: a score by its bits.
    fn hash<H: Hasher>(&self, to: &mut H) {
        self.encoding().hash(to);
        self.len().hash(to);
        self.iter().for_each(|place| (&place.member, place.score.to_bits()).hash(to));
    }
}

impl Hash for Entry {
    /// As it is compared; `hash_uses` is for the rest.
    fn hash<H: Hasher>(&self, to: &mut H) {
        (&self.value, self.deadline()).hash(to);
    }
}

impl Hash for Databases {
    /// The databases that hold keys. The indices of deadlines follow from them.
    fn hash<H: Hasher>(&self, to: &mut H) {
        for (number, database) in self.iter() {
            (number + 1).hash(to);
            database.keys.hash(to);
        }
        0_usize.hash(to);
    }
}

/// How keys were used, of those that remember it.
fn hash_uses(databases: &Databases, to: &mut Recorder<'_>) {
    let noted = (1_usize..).zip(databases.entries()).filter(|(_, (_, _, entry))| entry.used != Used::default());
    noted.for_each(|(at, (_, _, entry))| (at, entry.used).hash(to));
    0_usize.hash(to);
}

fn hash_session(session: Option<&Session>, to: &mut Recorder<'_>) {
    let Some(session) = session.filter(|session| session.open) else {
        return false.hash(to);
    };
    let Session {
        id: _,
        nth: _,
        open,
        db,
        protocol,
        name,
        no_evict,
        no_touch,
        library,
        replies,
        transaction,
        executing: _,
        watched,
        subscriptions,
        addresses,
        monitors,
        tracking,
        redirect: _,
        redirected: _,
        dirty,
        wait,
        held,
        user,
        authenticated,
        replica,
        fed,
        wrote_up_to,
        activity,
    } = session;
    (user, authenticated, replica, fed, wrote_up_to, activity).hash(to);
    (open, db, protocol, name, no_evict, replies, watched, subscriptions, dirty).hash(to);
    (tracking, addresses, monitors, held, no_touch, library).hash(to);
    wait.is_some().hash(to);
    if let Some(wait) = wait {
        let Wait { args, serve: _, db, keys, deadline, late: _, silent, since: _ } = &**wait;
        (args, db, keys, deadline, silent).hash(to);
    }
    transaction.is_some().hash(to);
    if let Some(Transaction { queue, failed, may_send_on }) = transaction {
        (failed, may_send_on, queue.len()).hash(to);
        for Queued { command: _, args } in queue {
            args.hash(to);
        }
    }
}

/// In which order the sessions began to wait, each by its place among those given.
fn hash_queue<'a>(sessions: impl Iterator<Item = Option<&'a Session>>, to: &mut Recorder<'_>) {
    let since = |(place, session): (usize, Option<&Session>)| {
        let session = session.filter(|session| session.open)?;
        Some((session.wait.as_ref()?.since, place))
    };
    let mut queue: Vec<(u64, usize)> = sessions.enumerate().filter_map(since).collect();
    queue.sort_unstable();
    for (_, place) in queue {
        place.hash(to);
    }
}

/// In which order commands are held, each session by its place among those given.
fn hash_held(paused: &Paused, place: impl Fn(u32) -> Option<usize>, to: &mut Recorder<'_>) {
    for place in paused.held().filter_map(place) {
        place.hash(to);
    }
}

/// Who has read which names, and who is told in whose place, each by its place among those given.
fn hash_tracking<'a>(
    table: Option<&Table>,
    sessions: impl Iterator<Item = Option<&'a Session>> + Clone,
    to: &mut Recorder<'_>,
) {
    // That somebody once tracked nobody can tell.
    let tracks = |known: Option<&Session>| known.is_some_and(|session| session.open && session.tracking.is_some());
    if table.is_none() && !sessions.clone().any(tracks) {
        return (0_usize, 0_usize).hash(to);
    }
    let empty = Table::default();
    let table = table.unwrap_or(&empty);
    let sessions: Vec<Option<&Session>> = sessions.map(|known| known.filter(|session| session.open)).collect();
    let place = |id: i64| sessions.iter().position(|known| known.is_some_and(|session| session.id == id));
    (table.names().len(), table.excesses()).hash(to);
    for (name, clients) in table.names() {
        let mut places: Vec<Option<usize>> = clients.map(place).filter(Option::is_some).collect();
        places.sort_unstable();
        (name, places).hash(to);
    }
    // Those who are told in the place of several hear of them in the order of their numbers.
    let mut redirected: Vec<([u8; 8], i64, usize, Option<usize>)> = Vec::new();
    for (at, session) in sessions.iter().enumerate() {
        if let Some(session) = session.filter(|session| session.tracking.is_some() && session.redirect != 0) {
            redirected.push((session.id.to_le_bytes(), session.id, at, place(session.redirect)));
        }
    }
    redirected.sort_unstable();
    redirected.iter().for_each(|(_, _, at, place)| (at, place).hash(to));
    redirected.sort_unstable_by_key(|(_, id, ..)| *id);
    redirected.iter().for_each(|(_, _, at, _)| at.hash(to));
}
