//! Nodes of streams, and the size of the listpack that Redis keeps each in.

use std::sync::Arc;

use bytes::Bytes;

use super::Id;
use crate::number::parse_integer;

/// What a node may hold (`stream-node-max-bytes`, `stream-node-max-entries`); 0 entries are without limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    pub(crate) entries: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub(crate) id: Id,
    /// Deleted entries stay in their node.
    pub(crate) deleted: bool,
    pub(crate) pairs: Arc<[(Bytes, Bytes)]>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node {
    /// In the order of IDs; the fields of the first one are shared by those that have the same.
    entries: Vec<Entry>,
    live: usize,
    /// The bytes of the listpack without its two counters of entries.
    bytes: usize,
}

/// The header and the end of a listpack.
const FRAME: usize = 7;

impl Node {
    pub(super) fn new(first: Entry) -> Self {
        let fields: usize = first.pairs.iter().map(|(field, _)| text_size(field)).sum();
        let bytes = FRAME + integer_size(first.pairs.len() as i64) + fields + integer_size(0);
        let mut node = Self { entries: vec![first.clone()], live: 1, bytes };
        node.bytes += node.size_of(&first);
        node
    }

    pub(super) fn has_room(&self, entry: &Entry, limits: Limits) -> bool {
        let deleted = self.entries.len() - self.live;
        let bytes = self.bytes + integer_size(self.live as i64) + integer_size(deleted as i64);
        let more: usize = entry.pairs.iter().map(|(field, value)| field.len() + value.len()).sum();
        bytes + more < limits.bytes && (limits.entries == 0 || self.entries.len() < limits.entries)
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.bytes += self.size_of(&entry);
        self.live += 1;
        self.entries.push(entry);
    }

    pub(super) fn entries(&self) -> std::slice::Iter<'_, Entry> {
        self.entries.iter()
    }

    /// Without the two counters of entries.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) const fn live(&self) -> usize {
        self.live
    }

    /// The ID of the last entry, also if that is deleted.
    pub(super) fn last_id(&self) -> Id {
        self.entries.last().map_or(Id::MIN, |entry| entry.id)
    }

    pub(super) fn has(&self, id: Id) -> bool {
        self.position(id).is_some_and(|at| !self.entries[at].deleted)
    }

    fn position(&self, id: Id) -> Option<usize> {
        self.entries.binary_search_by_key(&id, |entry| entry.id).ok()
    }

    pub(super) fn delete(&mut self, id: Id) {
        if let Some(at) = self.position(id) {
            self.delete_at(at);
        }
    }

    fn delete_at(&mut self, at: usize) -> u64 {
        let newly = !std::mem::replace(&mut self.entries[at].deleted, true);
        self.live -= usize::from(newly);
        u64::from(newly)
    }

    /// Deletes the first entries and tells how many there were.
    pub(super) fn delete_first(&mut self, count: u64) -> u64 {
        let mut deleted = 0;
        for at in 0..self.entries.len() {
            if deleted == count {
                break;
            }
            deleted += self.delete_at(at);
        }
        deleted
    }

    /// Deletes the entries before an ID and tells how many there were.
    pub(super) fn delete_before(&mut self, id: Id) -> u64 {
        let end = self.entries.partition_point(|entry| entry.id < id);
        (0..end).map(|at| self.delete_at(at)).sum()
    }

    /// The bytes of an entry: flags, how its ID differs from the first one's, its fields unless they are the first one's,
    /// its values, and how many elements that makes.
    fn size_of(&self, entry: &Entry) -> usize {
        let first = &self.entries[0];
        let same = first.pairs.len() == entry.pairs.len()
            && first.pairs.iter().zip(&*entry.pairs).all(|((one, _), (other, _))| one == other);
        let count = entry.pairs.len();
        let values: usize = entry.pairs.iter().map(|(_, value)| text_size(value)).sum();
        let fields: usize = if same {
            0
        } else {
            integer_size(count as i64) + entry.pairs.iter().map(|(field, _)| text_size(field)).sum::<usize>()
        };
        let elements = count + 3 + if same { 0 } else { count + 1 };
        integer_size(if same { 2 } else { 0 })
            + integer_size(entry.id.ms.wrapping_sub(first.id.ms) as i64)
            + integer_size(entry.id.seq.wrapping_sub(first.id.seq) as i64)
            + fields
            + values
            + integer_size(elements as i64)
    }
}

/// The bytes of an integer in a listpack.
const fn integer_size(value: i64) -> usize {
    let encoded = match value {
        0..=127 => 1,
        -4096..=4095 => 2,
        -32_768..=32_767 => 3,
        -8_388_608..=8_388_607 => 4,
        -2_147_483_648..=2_147_483_647 => 5,
        _ => 9,
    };
    encoded + 1
}

/// The bytes of a text in a listpack, which is an integer if it looks like one.
pub(crate) fn text_size(text: &[u8]) -> usize {
    if let Some(value) = parse_integer(text) {
        return integer_size(value);
    }
    let encoded = match text.len() {
        0..64 => 1,
        64..4096 => 2,
        _ => 5,
    } + text.len();
    let back = match encoded {
        0..=127 => 1,
        128..=16_382 => 2,
        16_383..=2_097_150 => 3,
        2_097_151..=268_435_454 => 4,
        _ => 5,
    };
    encoded + back
}
