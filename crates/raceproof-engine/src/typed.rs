//! Access to values of one type: what commands on lists, sets and sorted sets have in common.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    Access, Object,
    context::{Context, Deadline},
    db::Value,
    failure::{Failure, WRONG_TYPE},
    key::Key,
    list::List,
    notify,
    set::Set,
    stream::Stream,
    zset::Zset,
};

/// A type of value that is a collection: a key that holds an empty one does not exist, unless it is a stream.
pub(crate) trait Collection: Clone + Default {
    fn of(value: &Value) -> Option<&Self>;

    /// Copies what snapshots share.
    fn of_mut(value: &mut Value) -> Option<&mut Self>;

    fn into_value(self) -> Value;

    /// How many elements there are; one at least if an empty one can be the value of a key.
    fn count(&self) -> usize;
}

macro_rules! collection {
    ($type:ty, $variant:ident, $count:expr) => {
        impl Collection for $type {
            fn of(value: &Value) -> Option<&Self> {
                if let Value::$variant(value) = value { Some(value) } else { None }
            }

            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                if let Value::$variant(value) = value { Some(Arc::make_mut(value)) } else { None }
            }

            fn into_value(self) -> Value {
                Value::$variant(Arc::new(self))
            }

            fn count(&self) -> usize {
                $count(self)
            }
        }
    };
}

collection!(List, List, |list: &List| list.len());
collection!(Set, Set, Set::len);
collection!(Zset, Zset, Zset::len);
collection!(Stream, Stream, |_| 1);

impl Context<'_> {
    /// Looks a key up that must hold a collection of a type. Its type changes only by a write of the whole key, so an
    /// intent to read it suffices to refuse it.
    pub(crate) fn collection<C: Collection>(&mut self, key: &Key, access: Access) -> Result<Option<&C>, Failure> {
        self.visit(key, access);
        match self.entry(key).map(|entry| &entry.value) {
            None => Ok(None),
            Some(value) => C::of(value).map(Some).ok_or(WRONG_TYPE),
        }
    }

    /// [`Self::collection`] that is not looked at yet: whether it is there.
    pub(crate) fn has_collection<C: Collection>(&mut self, key: &Key, access: Access) -> Result<bool, Failure> {
        self.look_at(self.db, key, access, |entry| match entry {
            None => Ok(false),
            Some(entry) => C::of(&entry.value).map(|_| true).ok_or(WRONG_TYPE),
        })
    }

    /// The collection of a key as it stands.
    pub(crate) fn collection_now<C: Collection>(&self, key: &Key) -> Option<&C> {
        C::of(&self.entry(key)?.value)
    }

    /// Makes sure that a key that was looked up holds a collection. Tells whether that is a new one.
    pub(crate) fn ensure<C: Collection>(&mut self, key: &Key) -> bool {
        let new = self.entry(key).is_none();
        if new {
            self.store(key, C::default().into_value(), Deadline::Clear);
        }
        new
    }

    /// [`Self::ensure`] of a collection of which a part will be written.
    pub(crate) fn open<C: Collection>(&mut self, key: &Key) {
        if !self.ensure::<C>(key) {
            self.touch_key(key, Access::IntentWrite);
        }
    }

    /// Edits the collection of a key. Declares nothing: the caller knows what it edits.
    pub(crate) fn edit<C: Collection, T>(&mut self, key: &Key, edit: impl FnOnce(&mut C) -> T) -> Option<T> {
        self.engine.databases.edit(self.db, key, |value| C::of_mut(value).map(edit)).flatten()
    }

    /// [`Self::edit`] as a change of the whole key, which is removed if nothing is left in it.
    pub(crate) fn edit_whole<C: Collection, T>(&mut self, key: &Key, edit: impl FnOnce(&mut C) -> T) -> Option<T> {
        self.touch_key(key, Access::Write);
        let (result, empty) = self.edit(key, |collection: &mut C| {
            let result = edit(collection);
            (result, collection.count() == 0)
        })?;
        if empty {
            self.remove(key);
        }
        self.changed(self.db, key);
        Some(result)
    }

    /// Declares that a member is new, or no longer the same.
    pub(crate) fn touch_member(&mut self, key: &Key, member: &Bytes, added: bool) {
        self.touch_field(key, member, Access::Write);
        if added {
            self.touch_cardinality(key, Access::IntentWrite);
        }
    }

    /// Removes a member that exists by `edit`, and the key with its last member: without that one it is gone, and its
    /// deadline with it, so that every removal reads how many there are. Tells whether the key is gone.
    pub(crate) fn take_member<C: Collection>(&mut self, key: &Key, member: &Bytes, edit: impl FnOnce(&mut C)) -> bool {
        self.touch_key(key, Access::IntentWrite);
        self.touch_field(key, member, Access::Write);
        let cardinality = Object::Cardinality(self.db, key.name.clone());
        self.touch(cardinality.clone(), Access::Read);
        self.touch(cardinality, Access::IntentWrite);
        let left = self.edit(key, |collection: &mut C| {
            edit(collection);
            collection.count()
        });
        let empty = left == Some(0);
        if empty {
            self.remove(key);
        }
        empty
    }

    /// Stores what a `…STORE` command has found, or removes the key if it found nothing, and propagates the command if
    /// that changed something. A key whose time is over is there to be removed, so the time does not matter then.
    ///
    /// `event` says what was stored, of which class that is, and whether the reply comes before the event.
    pub(crate) fn store_result<C: Collection>(
        &mut self,
        key: &Key,
        result: C,
        args: &[Bytes],
        (class, event, replies_first): (u32, &'static str, bool),
    ) {
        self.reads = false;
        if result.count() > 0 {
            self.visit(key, Access::IntentRead);
            self.store(key, result.into_value(), Deadline::Clear);
            if replies_first {
                self.replies_here();
            }
            self.event(class, event, key);
            self.propagate(args);
            return;
        }
        self.touch(Object::Keyspace(self.db), Access::IntentRead);
        self.touch_key(key, Access::IntentRead);
        if self.remove(key).is_some() {
            if replies_first {
                self.replies_here();
            }
            self.event(notify::GENERIC, "del", key);
            self.propagate(args);
        }
    }
}
