//! What a command's function works with: keys, footprint and effects of one execution.

use bytes::{Bytes, BytesMut};

use crate::{
    Access, Delivery, Effect, Engine, Footprint, Object, Outcome, Protocol, ScriptHost, Shutdown, Timestamp,
    access::Used,
    db::{Databases, Entry, Put, Text, Value},
    hash::Limits,
    key::Key,
    notify,
    pause::Hidden,
    session::Session,
};

/// One execution: the engine, who asks, when, and what is reported.
pub(crate) struct Context<'a> {
    pub(crate) engine: &'a mut Engine,
    /// Lent by the caller; taken out while a script runs, since scripts do not nest.
    pub(crate) host: Option<&'a mut dyn ScriptHost>,
    /// The index of the session.
    pub(crate) session: usize,
    /// The database that commands apply to: the session's, or the one that a script selected.
    pub(crate) db: u32,
    pub(crate) now: Timestamp,
    pub(crate) footprint: &'a mut Footprint,
    pub(crate) effects: Effects<'a>,
    /// The session whose command this is; `usize::MAX` if another one is served, or none is at work.
    pub(crate) actor: usize,
    /// What is sent out of band, in order.
    pub(crate) deliveries: &'a mut Vec<Delivery>,
    /// How many deliveries precede the reply; all if nobody says.
    pub(crate) replied: Option<usize>,
    /// Whether the session gets no replies.
    pub(crate) mute: bool,
    /// Whether keys are looked up to be read, so that a missing one is told.
    pub(crate) reads: bool,
    /// Set while a script runs.
    pub(crate) script: Option<RunningScript>,
    /// Whether the connection is to be closed after the reply.
    pub(crate) close: bool,
    /// Whether the server is to end.
    pub(crate) shutdown: Option<Shutdown>,
    /// Whether lookups count as accesses, where accesses are kept in mind.
    pub(crate) touches: bool,
    /// Whether memory was over its limit when the command came, and stayed so.
    pub(crate) out_of_memory: bool,
    /// How many effects there were before the command's own.
    pub(crate) effects_before: usize,
    /// Whether lookups count as hits and misses.
    pub(crate) counts_lookups: bool,
    /// The last error that the running script got for a command, if errors are counted.
    pub(crate) script_error: Option<Bytes>,
    /// The keys of the script that runs, of which the session wants to be told once a command of it has read anything.
    pub(crate) declared: Vec<Bytes>,
    /// Keys of whose change those who track them are told later, and what is to be told meanwhile.
    pub(crate) later: Vec<Later>,
    /// A key whose change was told before.
    pub(crate) unsignalled: Option<Key>,
    /// Whether the command does not write, so that what is over can be hidden from it while clients are paused.
    pub(crate) may_hide: bool,
    /// What is hidden from it.
    pub(crate) hidden: Vec<Hidden>,
    /// Whether the command could wait: not inside a transaction or a script.
    pub(crate) may_wait: bool,
    /// Whether several effects are framed by `MULTI` and `EXEC`.
    pub(crate) framed: bool,
    /// How long the execution took (µs): nothing but what `DEBUG SLEEP` says.
    pub(crate) took_us: i64,
}

/// A key of whose change is told later.
#[derive(Debug)]
pub(crate) struct Later {
    db: u32,
    key: Key,
    changed: bool,
}

/// What is propagated. Whoever only asks whether anything is saves the making of it.
pub(crate) struct Effects<'a> {
    pub(crate) list: &'a mut Vec<Effect>,
    pub(crate) wanted: bool,
    pub(crate) any: &'a mut bool,
}

impl Effects<'_> {
    pub(crate) fn add(&mut self, db: u32, args: impl FnOnce() -> Vec<Bytes>) {
        *self.any = true;
        if self.wanted {
            self.list.push(Effect { db, args: args() });
        }
    }
}

/// The script on whose behalf commands are executed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunningScript {
    /// Whether it must not write.
    pub(crate) read_only: bool,
    /// Whether it may write when memory is over its limit.
    pub(crate) allows_oom: bool,
    /// Whether it has called a command that writes.
    pub(crate) wrote: bool,
    /// The protocol whose reply shapes it asked for.
    pub(crate) protocol: Protocol,
    /// Whether its writes are propagated, which `redis.set_repl` turns off. Expiries are in any case.
    pub(crate) propagates: bool,
}

/// What happens to the deadline of a key that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadline {
    Keep,
    Clear,
    /// Unix ms.
    At(i64),
}

impl<'a> Context<'a> {
    /// An execution in the place of a session, or of none (`usize::MAX`): nobody's command, which does not wait and whose
    /// effects stand one by one, until the caller says otherwise.
    pub(crate) fn new(
        engine: &'a mut Engine,
        host: Option<&'a mut dyn ScriptHost>,
        session: usize,
        db: u32,
        now: Timestamp,
        out: &'a mut Outcome,
    ) -> Self {
        Self {
            engine,
            host,
            session,
            db,
            now,
            footprint: &mut out.footprint,
            effects: Effects { list: &mut out.effects, wanted: !out.without_effects, any: &mut out.wrote },
            actor: usize::MAX,
            deliveries: &mut out.deliveries,
            replied: None,
            mute: false,
            reads: false,
            script: None,
            close: false,
            shutdown: None,
            touches: true,
            out_of_memory: false,
            effects_before: 0,
            counts_lookups: false,
            script_error: None,
            declared: Vec::new(),
            later: Vec::new(),
            unsignalled: None,
            may_hide: false,
            hidden: Vec::new(),
            may_wait: false,
            framed: false,
            took_us: 0,
        }
    }
}

impl Context<'_> {
    pub(crate) fn now_ms(&self) -> i64 {
        self.now.ms()
    }

    pub(crate) fn session(&self) -> &Session {
        &self.engine.sessions[self.session]
    }

    pub(crate) fn session_mut(&mut self) -> &mut Session {
        &mut self.engine.sessions[self.session]
    }

    /// The protocol that shapes replies: the session's, or the script's.
    pub(crate) fn protocol(&self) -> Protocol {
        self.script.map_or_else(|| self.session().protocol, |script| script.protocol)
    }

    pub(crate) fn databases(&self) -> &Databases {
        &self.engine.databases
    }

    // Footprint

    pub(crate) fn touch(&mut self, object: Object, access: Access) {
        self.footprint.add(object, access);
    }

    /// Declares an access to a key of the selected database beyond what looking it up declared.
    pub(crate) fn touch_key(&mut self, key: &Key, access: Access) {
        self.footprint.add_key(self.db, &key.name, access);
    }

    pub(crate) fn touch_field(&mut self, key: &Key, field: &Bytes, access: Access) {
        if !self.footprint.ignores() {
            self.footprint.add(Object::Field(self.db, key.name.clone(), field.clone()), access);
        }
    }

    pub(crate) fn touch_cardinality(&mut self, key: &Key, access: Access) {
        if !self.footprint.ignores() {
            self.footprint.add(Object::Cardinality(self.db, key.name.clone()), access);
        }
    }

    /// The command changes what `CLIENT LIST` shows of its connection.
    pub(crate) fn touch_client(&mut self) {
        self.footprint.add(Object::Server, Access::IntentWrite);
    }

    /// The command behaves differently at another time.
    pub(crate) fn read_clock(&mut self) {
        if !self.footprint.ignores() {
            self.footprint.add(Object::Clock, Access::Read);
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.engine.limits()
    }

    // Change

    /// Stores a value in the selected database. The key has been visited.
    pub(crate) fn store(&mut self, key: &Key, value: Value, deadline: Deadline) {
        self.store_in(self.db, key, value, deadline);
    }

    pub(crate) fn store_in(&mut self, db: u32, key: &Key, value: Value, deadline: Deadline) {
        self.footprint.add_key(db, &key.name, Access::Write);
        self.signal_removed(db, key);
        let (notes, used) = (self.engine.notes_use(), self.used_from_now());
        let new_fields = value.first_deadline();
        let put = self.engine.databases.put(db, key, value, used);
        let (old, fields) = match put {
            Put::Added => (None, new_fields),
            Put::Replaced { deadline, fields } => (deadline, fields.or(new_fields)),
        };
        if fields.is_some() {
            self.footprint.add(Object::Deadlines, Access::IntentWrite);
        }
        if matches!(put, Put::Added) {
            self.footprint.add(Object::Keyspace(db), Access::IntentWrite);
            self.signal_added(db, key);
            self.notify(notify::NEW, "new", db, &key.name);
        }
        if notes {
            self.touch_use(Access::IntentWrite);
        }
        match deadline {
            Deadline::Keep => {}
            Deadline::Clear if old.is_none() => {}
            Deadline::Clear => self.set_deadline_in(db, key, None),
            Deadline::At(at) => self.set_deadline_in(db, key, Some(at)),
        }
        self.changed(db, key);
    }

    /// Replaces the string of an existing key in the selected database; its deadline stays.
    pub(crate) fn store_text(&mut self, key: &Key, text: Text) {
        let (notes, used) = (self.engine.notes_use(), self.used_from_now());
        match self.engine.databases.replace_text(self.db, key, text, used) {
            Ok(()) => {
                self.touch_key(key, Access::Write);
                if notes {
                    self.touch_use(Access::IntentWrite);
                }
                self.changed(self.db, key);
            }
            Err(text) => self.store(key, Value::Text(text), Deadline::Keep),
        }
    }

    /// How a key was used that is stored now, from how it was used before.
    fn used_from_now(&self) -> impl FnOnce(Option<Used>) -> Used + use<> {
        let (notes, counted, now_ms) =
            (self.engine.notes_use(), self.engine.config.counting().is_some(), self.now.ms());
        move |old| if notes { Used::stored(now_ms, counted, old) } else { old.unwrap_or_default() }
    }

    /// Edits the bytes of a string, or of a new one, which are at least `len` from then on and no longer held as a number
    /// or in one piece with the key. Nobody is told of a change: the caller knows whether there was one. Tells whether the
    /// string was longer made, or new. The key has been visited.
    pub(crate) fn edit_text<T>(&mut self, key: &Key, len: usize, edit: impl FnOnce(&mut BytesMut) -> T) -> (bool, T) {
        self.footprint.add_key(self.db, &key.name, Access::Write);
        let taken = self.engine.databases.edit(self.db, key, |value| match value {
            Value::Text(text) => Some(std::mem::take(&mut text.data)),
            _ => None,
        });
        let old = taken.flatten();
        let new = old.is_none();
        let mut data = old.unwrap_or_default().into_mut();
        let grown = data.len() < len;
        if grown {
            data.resize(len, 0);
        }
        let result = edit(&mut data);
        let value = Value::Text(Text::raw(data.freeze()));
        self.engine.databases.put(self.db, key, value, Option::unwrap_or_default);
        if new {
            self.footprint.add(Object::Keyspace(self.db), Access::IntentWrite);
            self.note_new(self.db, key);
            self.notify(notify::NEW, "new", self.db, &key.name);
        }
        (new || grown, result)
    }

    /// Sets or removes the deadline of a key in the selected database.
    pub(crate) fn set_deadline(&mut self, key: &Key, deadline: Option<i64>) {
        self.set_deadline_in(self.db, key, deadline);
        self.changed(self.db, key);
    }

    fn set_deadline_in(&mut self, db: u32, key: &Key, deadline: Option<i64>) {
        self.footprint.add_key(db, &key.name, Access::Write);
        self.footprint.add(Object::Deadlines, Access::IntentWrite);
        if deadline.is_some_and(|at| self.now_ms() > at) {
            // The key is gone as far as SCAN and KEYS can see.
            self.footprint.add(Object::Keyspace(db), Access::IntentWrite);
        }
        self.engine.databases.set_deadline(db, key, deadline);
    }

    /// Removes a key of the selected database that has been visited, and gives what it was.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Entry> {
        self.remove_in(self.db, key)
    }

    pub(crate) fn remove_in(&mut self, db: u32, key: &Key) -> Option<Entry> {
        let entry = self.take_out(db, key)?;
        self.changed(db, key);
        Some(entry)
    }

    /// Removes a key, of which nobody is told.
    pub(crate) fn take_out(&mut self, db: u32, key: &Key) -> Option<Entry> {
        self.signal_removed(db, key);
        let entry = self.engine.databases.remove(db, key)?;
        self.footprint.add_key(db, &key.name, Access::Write);
        self.footprint.add(Object::Keyspace(db), Access::IntentWrite);
        if entry.deadline().or(entry.value.first_deadline()).is_some() {
            self.footprint.add(Object::Deadlines, Access::IntentWrite);
        }
        Some(entry)
    }

    /// Removes a key whose time is over, as an access or the server's cycle finds it.
    pub(crate) fn expire(&mut self, db: u32, key: &Key) {
        if let Some(statistics) = &mut self.engine.statistics {
            statistics.expired += 1;
        }
        self.take_out(db, key);
        self.notify(notify::EXPIRED, "expired", db, &key.name);
        self.changed_by(db, key, None);
        let command = self.engine.config.expiry_command();
        self.effects.add(db, || vec![command, key.name.clone()]);
    }

    /// Tells those who watch a key, and those who track it, that it was changed.
    pub(crate) fn changed(&mut self, db: u32, key: &Key) {
        if self.engine.watchers.is_empty() && self.engine.tracking.is_none() {
            return;
        }
        if self.unsignalled.as_ref().is_some_and(|told| told == key && db == self.db) {
            return;
        }
        // What a script does is nobody's own doing.
        let by = self.engine.sessions.get(self.session).filter(|_| self.script.is_none()).map(|session| session.id);
        if let Some(later) = self.later.iter_mut().find(|later| later.db == db && later.key == *key) {
            later.changed = true;
        } else {
            self.changed_by(db, key, by);
        }
    }

    /// Of changes of a key from now on those who track it are told when [`Self::tell_now`] says so: Redis tells of a change
    /// before the events of the command in most commands, but not in all.
    pub(crate) fn tell_later(&mut self, db: u32, key: &Key) {
        if self.engine.tracking.is_some() {
            self.later.push(Later { db, key: key.clone(), changed: false });
        }
    }

    /// [`Self::tell_now`] of every key.
    pub(crate) fn tell_rest(&mut self) {
        while let Some(Later { db, key, .. }) = self.later.first() {
            let (db, key) = (*db, key.clone());
            self.tell_now(db, &key);
        }
    }

    /// Tells those who track a key that it was changed since [`Self::tell_later`], if it was.
    pub(crate) fn tell_now(&mut self, db: u32, key: &Key) {
        let Some(at) = self.later.iter().position(|later| later.db == db && later.key == *key) else { return };
        if self.later.remove(at).changed {
            self.changed(db, key);
        }
    }

    /// [`Self::changed`] by the command of a client, or by none.
    pub(crate) fn changed_by(&mut self, db: u32, key: &Key, by: Option<i64>) {
        if !self.engine.watchers.is_empty() {
            self.engine.touch_watched(db, key);
        }
        self.invalidate(&key.name, by);
    }

    // Propagation

    /// Propagates a command as it came.
    pub(crate) fn propagate(&mut self, args: &[Bytes]) {
        self.propagate_with(|| args.to_vec());
    }

    /// What is propagated counts as one change for `rdb_changes_since_last_save`; these are counted beside it.
    pub(crate) fn count_changes(&mut self, changes: i64) {
        if let Some(statistics) = &mut self.engine.statistics {
            statistics.changes = statistics.changes.saturating_add_signed(changes);
        }
    }

    /// How many changes have been counted.
    pub(crate) fn changes(&self) -> i64 {
        self.engine.statistics.as_ref().map_or(0, |statistics| statistics.changes.cast_signed())
    }

    /// [`Self::propagate`] of a command that made so many changes.
    pub(crate) fn propagate_changes(&mut self, args: &[Bytes], changes: usize) {
        self.count_changes(changes as i64 - 1);
        self.propagate(args);
    }

    /// Propagates a command in another form than it came in.
    pub(crate) fn propagate_as(&mut self, args: Vec<Bytes>) {
        self.propagate_with(|| args);
    }

    fn propagate_with(&mut self, args: impl FnOnce() -> Vec<Bytes>) {
        self.count_changes(1);
        if self.script.is_none_or(|script| script.propagates) {
            self.effects.add(self.db, args);
        }
    }
}
