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

    /// Between 1 and 2^52: 0 is the cursor that begins and ends a scan.
    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// The bound at or after which the names of a position are found.
    pub(crate) const fn first_at(position: u64) -> Self {
        Self { position, name: Bytes::new() }
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
