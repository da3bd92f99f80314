//! Names in the order in which scans visit them.

use std::{borrow::Borrow, cmp::Ordering};

use bytes::Bytes;

use crate::rng;

/// How many bits of a name's hash make its position. Cursors stay below 2^53, so that a client which keeps them in a
/// double does not lose its place.
const POSITION_BITS: u32 = 52;

/// The name of a key or a hash field with its position, a fixed hash of the name.
///
/// Tables are ordered by position and a scan's cursor is the position at which it goes on. A name never moves, so a
/// scan returns every name that is present throughout exactly once, whatever is added or removed meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    position: u64,
    pub(crate) name: Bytes,
}

impl Key {
    pub(crate) fn new(name: &Bytes) -> Self {
        Self { position: position(name), name: name.clone() }
    }

    /// The bound at or after which the names of a position are found.
    pub(crate) const fn first_at(position: u64) -> Self {
        Self { position, name: Bytes::new() }
    }
}

/// The name of a key as a database holds it: without what sharing costs, and in the order of [`Key`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Name {
    position: u64,
    bytes: Box<[u8]>,
}

impl Name {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn to_key(&self) -> Key {
        Key { position: self.position, name: Bytes::copy_from_slice(&self.bytes) }
    }
}

impl From<&Key> for Name {
    fn from(key: &Key) -> Self {
        Self { position: key.position, bytes: key.name[..].into() }
    }
}

/// What has a place in a table: a key is found in a database without being copied.
pub(crate) trait Placed {
    /// The position, between 1 and 2^52 (0 is the cursor that begins and ends a scan), and the name.
    fn place(&self) -> (u64, &[u8]);
}

impl Placed for Key {
    fn place(&self) -> (u64, &[u8]) {
        (self.position, &self.name)
    }
}

impl Placed for Name {
    fn place(&self) -> (u64, &[u8]) {
        (self.position, &self.bytes)
    }
}

impl<'a> Borrow<dyn Placed + 'a> for Name {
    fn borrow(&self) -> &(dyn Placed + 'a) {
        self
    }
}

impl PartialEq for dyn Placed + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for dyn Placed + '_ {}

impl PartialOrd for dyn Placed + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn Placed + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

fn position(name: &[u8]) -> u64 {
    let mut hash = name.len() as u64;
    let (chunks, rest) = name.as_chunks::<8>();
    for chunk in chunks {
        hash = rng::mix(hash ^ u64::from_le_bytes(*chunk));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    hash = rng::mix(hash ^ u64::from_le_bytes(last) ^ 0x5261_6365_5072_6f66);
    (hash >> (64 - POSITION_BITS)) + 1
}
