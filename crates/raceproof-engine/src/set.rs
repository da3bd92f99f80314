//! Sets: sorted integers while all members are integers and few, a table ordered by the hash of the member otherwise.

use bytes::Bytes;

use crate::{
    key::Key,
    memory,
    number::{integer_text, parse_integer},
    tree::{self, Tree},
};

/// One set. One that has become a table stays one, as in Redis 7.0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Set {
    /// `intset`
    Integers(Vec<i64>),
    /// `hashtable`
    Table {
        members: Tree<Key, ()>,
        /// What the members take (`memory::element`).
        bytes: usize,
    },
}

impl Default for Set {
    fn default() -> Self {
        Self::Integers(Vec::new())
    }
}

impl Set {
    /// What `OBJECT ENCODING` says.
    pub(crate) const fn encoding(&self) -> &'static str {
        match self {
            Self::Integers(_) => "intset",
            Self::Table { .. } => "hashtable",
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Integers(list) => list.len(),
            Self::Table { members, .. } => members.len(),
        }
    }

    pub(crate) fn contains(&self, member: &Bytes) -> bool {
        match self {
            Self::Integers(list) => parse_integer(member).is_some_and(|number| list.binary_search(&number).is_ok()),
            Self::Table { members, .. } => members.get(&Key::new(member)).is_some(),
        }
    }

    /// Adds a member and tells whether it is new. A set of more integers than `max_integers` becomes a table.
    pub(crate) fn add(&mut self, member: &Bytes, max_integers: usize) -> bool {
        if let Self::Integers(list) = self {
            let Some(number) = parse_integer(member) else {
                self.enlarge();
                return self.add(member, max_integers);
            };
            let Err(at) = list.binary_search(&number) else { return false };
            list.insert(at, number);
            if list.len() > max_integers {
                self.enlarge();
            }
            return true;
        }
        let Self::Table { members, bytes } = self else { return false };
        let added = members.insert(Key::new(member), ()).is_none();
        if added {
            *bytes += memory::element(member);
        }
        added
    }

    /// Removes a member and tells whether it was there.
    pub(crate) fn remove(&mut self, member: &Bytes) -> bool {
        match self {
            Self::Integers(list) => {
                let found = parse_integer(member).and_then(|number| list.binary_search(&number).ok());
                found.map(|at| list.remove(at)).is_some()
            }
            Self::Table { members, bytes } => {
                let removed = members.remove(&Key::new(member)).is_some();
                if removed {
                    *bytes -= memory::element(member);
                }
                removed
            }
        }
    }

    /// The member of a rank in the order of the encoding.
    pub(crate) fn nth(&self, rank: usize) -> Option<Bytes> {
        match self {
            Self::Integers(list) => list.get(rank).copied().map(integer_text),
            Self::Table { members, .. } => members.nth(rank).map(|(key, ())| key.name.clone()),
        }
    }

    /// The members in the order of the encoding.
    pub(crate) fn iter(&self) -> Iter<'_> {
        match self {
            Self::Integers(list) => Iter::Integers(list.iter()),
            Self::Table { members, .. } => Iter::Table(members.iter()),
        }
    }

    pub(crate) fn enlarge(&mut self) {
        if let Self::Integers(list) = self {
            let members: Tree<Key, ()> = list.iter().map(|number| (Key::new(&integer_text(*number)), ())).collect();
            let bytes = members.iter().map(|(member, ())| memory::element(&member.name)).sum();
            *self = Self::Table { members, bytes };
        }
    }
}

/// The iterator of [`Set::iter`].
pub(crate) enum Iter<'a> {
    Integers(std::slice::Iter<'a, i64>),
    Table(tree::Iter<'a, Key, ()>),
}

impl Iterator for Iter<'_> {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::Integers(list) => list.next().copied().map(integer_text),
            Self::Table(table) => table.next().map(|(key, ())| key.name.clone()),
        }
    }
}
