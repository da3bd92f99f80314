//! Hashes: a list in insertion order while small, a table ordered by the hash of the field when large.

use std::collections::{BTreeMap, btree_map};

use bytes::Bytes;

use crate::{key::Key, memory, stream::text_size};

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

/// One hash. A hash that has become large stays large, as in Redis.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Hash {
    fields: Fields,
    /// What fields and values take: in a listpack, or in a table (`memory::pair`).
    bytes: usize,
    /// The fields that have a deadline of their own (7.4), Unix ms.
    deadlines: BTreeMap<Bytes, i64>,
    /// Whether a field ever had one while the hash was small; its encoding has another name then.
    extended: bool,
}

/// Fields and values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Fields {
    /// `listpack`
    Small(Vec<(Bytes, Bytes)>),
    /// `hashtable`
    Large(BTreeMap<Key, Bytes>),
}

impl Default for Fields {
    fn default() -> Self {
        Self::Small(Vec::new())
    }
}

impl Hash {
    /// What `OBJECT ENCODING` says.
    pub(crate) const fn encoding(&self) -> &'static str {
        match (&self.fields, self.extended) {
            (Fields::Small(_), false) => "listpack",
            (Fields::Small(_), true) => "listpackex",
            (Fields::Large(_), _) => "hashtable",
        }
    }

    /// The table of a large hash, in the order of scans.
    pub(crate) const fn table(&self) -> Option<&BTreeMap<Key, Bytes>> {
        match &self.fields {
            Fields::Small(_) => None,
            Fields::Large(table) => Some(table),
        }
    }

    /// The deadline of a field.
    pub(crate) fn deadline(&self, field: &Bytes) -> Option<i64> {
        if self.deadlines.is_empty() {
            return None;
        }
        self.deadlines.get(field).copied()
    }

    /// The earliest deadline of a field.
    pub(crate) fn first_deadline(&self) -> Option<i64> {
        if self.deadlines.is_empty() {
            return None;
        }
        self.deadlines.values().min().copied()
    }

    /// The fields whose deadline has passed.
    pub(crate) fn due(&self, now_ms: i64) -> Vec<Bytes> {
        self.deadlines.iter().filter(|(_, deadline)| now_ms > **deadline).map(|(field, _)| field.clone()).collect()
    }

    /// Sets or removes the deadline of a field that exists.
    pub(crate) fn set_deadline(&mut self, field: &Bytes, deadline: Option<i64>) {
        match deadline {
            Some(deadline) => {
                self.extended |= matches!(self.fields, Fields::Small(_));
                self.deadlines.insert(field.clone(), deadline);
            }
            None => {
                self.deadlines.remove(field);
            }
        }
    }

    /// What fields and values take: in a listpack, or in a table.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        match &self.fields {
            Fields::Small(list) => list.len(),
            Fields::Large(table) => table.len(),
        }
    }

    pub(crate) fn get(&self, field: &Bytes) -> Option<&Bytes> {
        match &self.fields {
            Fields::Small(list) => list.iter().find(|(name, _)| name == field).map(|(_, value)| value),
            Fields::Large(table) => table.get(&Key::new(field)),
        }
    }

    /// Turns a hash large that is about to receive a field or value that is too long.
    pub(crate) fn prepare(&mut self, longest: usize, limits: Limits) {
        if longest > limits.value {
            self.enlarge();
        }
    }

    /// Sets a field and tells whether it is new. Its deadline stays.
    pub(crate) fn set(&mut self, field: &Bytes, value: Bytes, limits: Limits) -> bool {
        self.prepare(field.len().max(value.len()), limits);
        let added = match &mut self.fields {
            Fields::Small(list) => {
                self.bytes += text_size(&value);
                if let Some((_, old)) = list.iter_mut().find(|(name, _)| name == field) {
                    self.bytes -= text_size(old);
                    *old = value;
                    false
                } else {
                    self.bytes += text_size(field);
                    let at = if limits.sorted { list.partition_point(|(name, _)| name < field) } else { list.len() };
                    list.insert(at, (field.clone(), value));
                    true
                }
            }
            Fields::Large(table) => {
                self.bytes += memory::pair(field, &value);
                let old = table.insert(Key::new(field), value);
                if let Some(old) = &old {
                    self.bytes -= memory::pair(field, old);
                }
                old.is_none()
            }
        };
        if self.len() > limits.entries {
            self.enlarge();
        }
        added
    }

    /// Removes a field and tells whether it existed.
    pub(crate) fn remove(&mut self, field: &Bytes) -> bool {
        self.deadlines.remove(field);
        match &mut self.fields {
            Fields::Small(list) => match list.iter().position(|(name, _)| name == field) {
                Some(at) => {
                    let (name, value) = list.remove(at);
                    self.bytes -= text_size(&name) + text_size(&value);
                    true
                }
                None => false,
            },
            Fields::Large(table) => {
                let old = table.remove(&Key::new(field));
                if let Some(old) = &old {
                    self.bytes -= memory::pair(field, old);
                }
                old.is_some()
            }
        }
    }

    /// The fields in the order of the encoding.
    pub(crate) fn iter(&self) -> Iter<'_> {
        match &self.fields {
            Fields::Small(list) => Iter::Small(list.iter()),
            Fields::Large(table) => Iter::Large(table.iter()),
        }
    }

    pub(crate) fn enlarge(&mut self) {
        if let Fields::Small(list) = &mut self.fields {
            self.bytes = list.iter().map(|(field, value)| memory::pair(field, value)).sum();
            self.fields = Fields::Large(list.drain(..).map(|(field, value)| (Key::new(&field), value)).collect());
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
