//! Looking keys up: what is declared, what is over and goes, and what is there.

use bytes::Bytes;

use crate::{
    Access, Object,
    access::Used,
    context::Context,
    db::{Entry, Text, Value},
    failure::{Failure, WRONG_TYPE},
    hash::Hash,
    key::Key,
    notify,
};

/// The string of an entry, which must be one.
fn text_of(entry: Option<&Entry>) -> Result<Option<&Text>, Failure> {
    match entry.map(|entry| &entry.value) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(_) => Err(WRONG_TYPE),
    }
}

impl Context<'_> {
    /// Looks a key up, declares how, and removes it if its time is over. Tells whether it is there.
    pub(crate) fn visit(&mut self, key: &Key, access: Access) -> bool {
        self.visit_in(self.db, key, access)
    }

    pub(crate) fn visit_in(&mut self, db: u32, key: &Key, access: Access) -> bool {
        self.look_at(db, key, access, |entry| entry.is_some())
    }

    /// [`Self::visit_in`], with a look at what is there: the key is searched for once.
    pub(crate) fn look_at<T>(
        &mut self,
        db: u32,
        key: &Key,
        access: Access,
        look: impl FnOnce(Option<&Entry>) -> T,
    ) -> T {
        if !self.footprint.ignores() {
            self.footprint.add(Object::Keyspace(db), Access::IntentRead);
            self.footprint.add_key(db, &key.name, access);
        }
        let (now_ms, dates) = (self.now_ms(), self.touches && self.engine.dates_uses());
        let (found, result) = match self.engine.databases.entry_mut(db, key) {
            Some(entry) if entry.outlasts(now_ms) => {
                if dates {
                    entry.used = Used::at(now_ms);
                }
                let (volatile, result) = (entry.deadline().is_some(), look(Some(entry)));
                if volatile {
                    self.read_clock();
                }
                if dates {
                    self.touch_use(Access::IntentWrite);
                } else {
                    self.note_use(db, key);
                }
                (true, result)
            }
            _ => {
                let found = self.look_closer(db, key);
                let entry = self.engine.databases.entry(db, key).filter(|_| found);
                (found, look(entry))
            }
        };
        if (self.counts_lookups || self.reads)
            && let Some(statistics) = &mut self.engine.statistics
        {
            *(if found { &mut statistics.hits } else { &mut statistics.misses }) += 1;
        }
        result
    }

    /// Looks up a key that is not there, or whose time may be over, or that of a field.
    #[cold]
    fn look_closer(&mut self, db: u32, key: &Key) -> bool {
        match self.engine.databases.entry(db, key).map(Entry::deadline) {
            None => {
                self.missed(db, key);
                return false;
            }
            Some(None) => {}
            Some(Some(deadline)) => {
                self.read_clock();
                if self.now_ms() > deadline {
                    if self.hides_expired() {
                        self.hide(db, key);
                    } else {
                        self.expire(db, key);
                    }
                    self.missed(db, key);
                    return false;
                }
            }
        }
        let found = self.expire_fields(db, key);
        if found {
            self.note_use(db, key);
        }
        found
    }

    fn missed(&mut self, db: u32, key: &Key) {
        if self.reads {
            self.notify(notify::MISS, "keymiss", db, &key.name);
        }
    }

    /// Removes the fields of a hash whose time is over, and tells whether the key is still there. Redis 7.4 removes
    /// them one by one as they are read or as its cycle finds them; here whoever looks at the hash removes them all.
    pub(crate) fn expire_fields(&mut self, db: u32, key: &Key) -> bool {
        let hash = match self.engine.databases.entry(db, key).map(|entry| &entry.value) {
            Some(Value::Hash(hash)) if hash.first_deadline().is_some() => hash,
            _ => return true,
        };
        let due = hash.due(self.now.ms());
        self.read_clock();
        if !due.is_empty() && self.hides_expired() {
            return self.hide_fields(db, key, &due);
        }
        if !due.is_empty() {
            // Whoever had looked at the hash, whatever field, would have been the one to do this.
            self.footprint.add_key(db, &key.name, Access::Write);
        }
        let (mut gone, any) = (false, !due.is_empty());
        for field in due {
            gone = self.remove_field_in(db, key, &field);
            self.changed(db, key);
            self.effects.add(db, || vec![Bytes::from_static(b"HDEL"), key.name.clone(), field]);
        }
        if any {
            self.notify(notify::HASH, "hexpired", db, &key.name);
        }
        if gone {
            self.notify(notify::GENERIC, "del", db, &key.name);
        }
        !gone
    }

    /// The entry of a key of the selected database as it stands; [`Self::visit`] comes first.
    pub(crate) fn entry(&self, key: &Key) -> Option<&Entry> {
        self.engine.databases.entry(self.db, key)
    }

    /// Looks a key up that must hold a string.
    pub(crate) fn text(&mut self, key: &Key) -> Result<Option<&Text>, Failure> {
        self.visit(key, Access::Read);
        text_of(self.entry(key))
    }

    /// [`Self::text`] of which only what `look` makes of it is wanted.
    pub(crate) fn look_at_text<T>(&mut self, key: &Key, look: impl FnOnce(Option<&Text>) -> T) -> Result<T, Failure> {
        self.look_at(self.db, key, Access::Read, |entry| text_of(entry).map(look))
    }

    /// Looks a key up that must hold a hash.
    pub(crate) fn hash(&mut self, key: &Key, access: Access) -> Result<Option<&Hash>, Failure> {
        match self.is_hash(key, access)? {
            true => Ok(self.hash_now(key)),
            false => Ok(None),
        }
    }

    /// Looks a key up that must hold a hash, and tells whether it is there.
    pub(crate) fn is_hash(&mut self, key: &Key, access: Access) -> Result<bool, Failure> {
        let is_hash = |entry: &Entry| matches!(entry.value, Value::Hash(_));
        match self.look_at(self.db, key, access, |entry| entry.map(is_hash)) {
            None => Ok(false),
            Some(true) => Ok(true),
            Some(false) => {
                self.touch_key(key, Access::Read);
                Err(WRONG_TYPE)
            }
        }
    }

    /// The hash of a key as it stands.
    pub(crate) fn hash_now(&self, key: &Key) -> Option<&Hash> {
        match &self.entry(key)?.value {
            Value::Hash(hash) => Some(hash),
            _ => None,
        }
    }

    /// Edits the hash of a key. Declares no field: the caller knows which ones it edits.
    pub(crate) fn edit_hash<T>(&mut self, key: &Key, edit: impl FnOnce(&mut Hash) -> T) -> Option<T> {
        self.edit_hash_in(self.db, key, edit)
    }

    fn edit_hash_in<T>(&mut self, db: u32, key: &Key, edit: impl FnOnce(&mut Hash) -> T) -> Option<T> {
        let (result, before, after) = self.engine.databases.edit_hash(db, key, edit)?;
        if before.is_some() != after.is_some() {
            // Whoever looks at the hash, whatever field, reads the clock from now on, or no longer does.
            self.footprint.add_key(db, &key.name, Access::Write);
        }
        Some(result)
    }

    /// Removes a field that exists, and the key with its last field. Tells whether the key is gone.
    pub(crate) fn remove_field(&mut self, key: &Key, field: &Bytes) -> bool {
        self.remove_field_in(self.db, key, field)
    }

    fn remove_field_in(&mut self, db: u32, key: &Key, field: &Bytes) -> bool {
        self.footprint.add_key(db, &key.name, Access::IntentWrite);
        self.footprint.add(Object::Field(db, key.name.clone(), field.clone()), Access::Write);
        let cardinality = Object::Cardinality(db, key.name.clone());
        self.footprint.add(cardinality.clone(), Access::Read);
        self.footprint.add(cardinality, Access::IntentWrite);
        let removed = self.edit_hash_in(db, key, |hash| {
            let volatile = hash.deadline(field).is_some();
            hash.remove(field);
            (volatile, hash.len() == 0)
        });
        let (volatile, empty) = removed.unwrap_or_default();
        if volatile {
            self.footprint.add(Object::Deadlines, Access::IntentWrite);
        }
        if empty {
            self.remove_in(db, key);
        }
        empty
    }
}
