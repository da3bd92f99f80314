//! Names in the order in which scans visit them.

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

    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// The bound at or after which the names of a position are found.
    pub(crate) const fn first_at(position: u64) -> Self {
        Self { position, name: Bytes::new() }
    }
}

/// The name of a key where it lies in a database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a> {
    pub(crate) position: u64,
    pub(crate) bytes: &'a [u8],
}

impl Name<'_> {
    pub(crate) fn to_key(self) -> Key {
        Key { position: self.position, name: Bytes::copy_from_slice(self.bytes) }
    }
}

/// What has a place in a table that scans go through.
pub(crate) trait Placed {
    /// Between 1 and 2^52; 0 is the cursor that begins and ends a scan.
    fn position(&self) -> u64;
}

impl Placed for &Key {
    fn position(&self) -> u64 {
        self.position
    }
}

impl Placed for Name<'_> {
    fn position(&self) -> u64 {
        self.position
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

/// Names that have one position: of 16 bytes, the first half of each is made up, and the second undoes the difference.
#[cfg(test)]
pub(crate) fn of_one_position() -> [Vec<u8>; 3] {
    let same = 7;
    [1_u64, 2, 3].map(|first| {
        let second = rng::mix(16 ^ first) ^ same;
        [first.to_le_bytes(), second.to_le_bytes()].concat()
    })
}
