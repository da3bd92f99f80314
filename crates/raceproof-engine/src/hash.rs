//! Hashes: a list in insertion order while small, a table ordered by the hash of the field when large.

use std::collections::{BTreeMap, btree_map};

use bytes::Bytes;

use crate::key::Key;

/// What a hash may hold while it is small (`hash-max-listpack-entries`, `hash-max-listpack-value`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) entries: usize,
    /// Bytes of a field or a value.
    pub(crate) value: usize,
    /// Whether a small hash is kept sorted by field instead of in insertion order
    /// ([`Options::sorted_replies`](crate::Options::sorted_replies)): then writes of different fields commute.
    pub(crate) sorted: bool,
}

/// The fields of one hash. A hash that has become large stays large, as in Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    /// `listpack`
    Small(Vec<(Bytes, Bytes)>),
    /// `hashtable`
    Large(BTreeMap<Key, Bytes>),
}

impl Default for Hash {
    fn default() -> Self {
        Self::Small(Vec::new())
    }
}

impl Hash {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Small(list) => list.len(),
            Self::Large(table) => table.len(),
        }
    }

    pub(crate) fn get(&self, field: &Bytes) -> Option<&Bytes> {
        match self {
            Self::Small(list) => list.iter().find(|(name, _)| name == field).map(|(_, value)| value),
            Self::Large(table) => table.get(&Key::new(field)),
        }
    }

    /// Turns a hash large that is about to receive a field or value that is too long.
    pub(crate) fn prepare(&mut self, longest: usize, limits: Limits) {
        if longest > limits.value {
            self.enlarge();
        }
    }

    /// Sets a field and tells whether it is new.
    pub(crate) fn set(&mut self, field: &Bytes, value: Bytes, limits: Limits) -> bool {
        self.prepare(field.len().max(value.len()), limits);
        let added = match self {
            Self::Small(list) => {
                if let Some((_, old)) = list.iter_mut().find(|(name, _)| name == field) {
                    *old = value;
                    false
                } else {
                    let at = if limits.sorted { list.partition_point(|(name, _)| name < field) } else { list.len() };
                    list.insert(at, (field.clone(), value));
                    true
                }
            }
            Self::Large(table) => table.insert(Key::new(field), value).is_none(),
        };
        if self.len() > limits.entries {
            self.enlarge();
        }
        added
    }

    /// Removes a field and tells whether it existed.
    pub(crate) fn remove(&mut self, field: &Bytes) -> bool {
        match self {
            Self::Small(list) => match list.iter().position(|(name, _)| name == field) {
                Some(at) => {
                    list.remove(at);
                    true
                }
                None => false,
            },
            Self::Large(table) => table.remove(&Key::new(field)).is_some(),
        }
    }

    /// The fields in the order of the encoding.
    pub(crate) fn iter(&self) -> Iter<'_> {
        match self {
            Self::Small(list) => Iter::Small(list.iter()),
            Self::Large(table) => Iter::Large(table.iter()),
        }
    }

    pub(crate) fn enlarge(&mut self) {
        if let Self::Small(list) = self {
            *self = Self::Large(list.drain(..).map(|(field, value)| (Key::new(&field), value)).collect());
        }
    }
}

/// The iterator of [`Hash::iter`].
pub(crate) enum Iter<'a> {
    Small(std::slice::Iter<'a, (Bytes, Bytes)>),
    Large(btree_map::Iter<'a, Key, Bytes>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Bytes, &'a Bytes);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Small(list) => list.next().map(|(field, value)| (field, value)),
            Self::Large(table) => table.next().map(|(field, value)| (&field.name, value)),
        }
    }
}
