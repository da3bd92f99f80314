//! The keys of one database: a table in the order of scans.
//!
//! To find a key, positions are compared, which are numbers that lie side by side; names are compared once they are equal. Two
//! names hardly ever have one position (52 bits of a hash): those that do share a slot.

use std::{
    collections::{BTreeMap, btree_map},
    hash::{Hash, Hasher},
    slice,
};

use crate::{
    db::Entry,
    key::{Key, Name},
};

/// The keys of one database, in the order of their positions and then of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    slots: BTreeMap<u64, Slot>,
    len: usize,
}

/// The keys of one position.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Slot {
    One(Held),
    /// Two at least, in the order of their names.
    Many(Box<[Held]>),
}

/// A key. Its name is held without what sharing costs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    name: Box<[u8]>,
    entry: Entry,
}

impl Held {
    fn new(key: &Key, entry: Entry) -> Self {
        Self { name: key.name[..].into(), entry }
    }
}

impl Slot {
    fn as_slice(&self) -> &[Held] {
        match self {
            Self::One(held) => slice::from_ref(held),
            Self::Many(list) => list,
        }
    }

    fn get_mut(&mut self, name: &[u8]) -> Option<&mut Entry> {
        let held = match self {
            Self::One(held) => (*held.name == *name).then_some(held),
            Self::Many(list) => list.iter_mut().find(|held| *held.name == *name),
        };
        held.map(|held| &mut held.entry)
    }

    /// Adds a key that is not there.
    fn add(&mut self, new: Held) {
        let mut list = match std::mem::replace(self, Self::Many(Box::default())) {
            Self::One(held) => vec![held],
            Self::Many(list) => list.into_vec(),
        };
        list.insert(list.partition_point(|held| held.name < new.name), new);
        *self = Self::Many(list.into_boxed_slice());
    }

    /// Takes out one of the keys; what is left is a slot again unless it was the only one.
    fn take(self, at: usize) -> (Entry, Option<Self>) {
        match self {
            Self::One(held) => (held.entry, None),
            Self::Many(list) => {
                let mut list = list.into_vec();
                let taken = list.remove(at).entry;
                let left = match list.len() {
                    1 => list.pop().map(Self::One),
                    _ => Some(Self::Many(list.into_boxed_slice())),
                };
                (taken, left)
            }
        }
    }
}

impl Keys {
    pub(crate) const fn new() -> Self {
        Self { slots: BTreeMap::new(), len: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new();
    }

    #[inline]
    pub(crate) fn get(&self, key: &Key) -> Option<&Entry> {
        match self.slots.get(&key.position())? {
            Slot::One(held) => (*held.name == *key.name).then_some(&held.entry),
            Slot::Many(list) => list.iter().find(|held| *held.name == *key.name).map(|held| &held.entry),
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: &Key) -> Option<&mut Entry> {
        self.slots.get_mut(&key.position())?.get_mut(&key.name)
    }

    /// Adds a key that is not there.
    pub(crate) fn add(&mut self, key: &Key, entry: Entry) {
        self.len += 1;
        let new = Held::new(key, entry);
        match self.slots.entry(key.position()) {
            btree_map::Entry::Vacant(place) => {
                place.insert(Slot::One(new));
            }
            btree_map::Entry::Occupied(mut place) => place.get_mut().add(new),
        }
    }

    pub(crate) fn remove(&mut self, key: &Key) -> Option<Entry> {
        let btree_map::Entry::Occupied(place) = self.slots.entry(key.position()) else { return None };
        let at = place.get().as_slice().iter().position(|held| *held.name == *key.name)?;
        let (taken, left) = place.remove().take(at);
        self.len -= 1;
        if let Some(left) = left {
            self.slots.insert(key.position(), left);
        }
        Some(taken)
    }

    /// Every key in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Name<'_>, &Entry)> {
        flat(self.slots.iter())
    }

    /// The keys from a position on.
    pub(crate) fn starting_at(&self, position: u64) -> impl Iterator<Item = (Name<'_>, &Entry)> {
        flat(self.slots.range(position..))
    }
}

fn flat<'a>(slots: impl Iterator<Item = (&'a u64, &'a Slot)>) -> impl Iterator<Item = (Name<'a>, &'a Entry)> {
    slots.flat_map(|(position, slot)| {
        let named = |held: &'a Held| (Name { position: *position, bytes: &held.name }, &held.entry);
        slot.as_slice().iter().map(named)
    })
}

impl Hash for Keys {
    /// Positions follow from names.
    fn hash<H: Hasher>(&self, to: &mut H) {
        self.len.hash(to);
        self.iter().for_each(|(name, entry)| (name.bytes, entry).hash(to));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::db::{Text, Value};

    fn key(name: &[u8]) -> Key {
        Key::new(&Bytes::copy_from_slice(name))
    }

    fn entry(text: &'static str) -> Entry {
        Entry::new(Value::Text(Text::new(&Bytes::from_static(text.as_bytes()))))
    }

    #[test]
    fn a_slot_takes_no_more_than_a_key() {
        assert_eq!(size_of::<Slot>(), size_of::<Held>());
        assert_eq!(size_of::<Held>() + size_of::<u64>(), 64);
    }

    #[test]
    fn keys_of_one_position_are_told_apart_by_name() {
        let twins = crate::key::of_one_position();
        let [first, second, third] = twins.each_ref().map(|name| key(name));
        assert!(first.position() == second.position() && second.position() == third.position());
        let mut keys = Keys::new();
        for (key, text) in [(&second, "2"), (&third, "3")] {
            assert_eq!(keys.get(key), None);
            keys.add(key, entry(text));
        }
        assert_eq!(keys.get(&first), None);
        assert_eq!(keys.get_mut(&first), None);
        assert_eq!(keys.remove(&first), None);
        keys.add(&first, entry("1"));
        keys.add(&key(b"else"), entry("4"));
        assert_eq!(keys.len(), 4);
        let mut names: Vec<_> = twins.iter().map(|name| &name[..]).collect();
        names.sort_unstable();
        let position = first.position();
        let here = keys.starting_at(position).map(|(name, _)| name).take_while(|name| name.position == position);
        assert_eq!(here.map(|name| name.bytes).collect::<Vec<_>>(), names);
        assert_eq!(keys.get(&second), Some(&entry("2")));
        assert_eq!(keys.get_mut(&third), Some(&mut entry("3")));
        let copy = keys.clone();
        for (at, key) in [&second, &first, &third].into_iter().enumerate() {
            assert!(keys.remove(key).is_some());
            assert_eq!((keys.get(key), keys.len()), (None, 3 - at));
        }
        assert_eq!((copy.len(), keys.iter().count()), (4, 1));
        assert_ne!(copy, keys);
        for (text, key) in [("2", &second), ("3", &third), ("1", &first)] {
            keys.add(key, entry(text));
        }
        assert_eq!(copy, keys);
    }
}
