//! Streams: entries in nodes, and the groups that read them.
//!
//! Redis packs up to a hundred entries into a node, and approximate trimming removes whole nodes. Which entries share one
//! can be seen, so nodes are kept here with the sizes that Redis's have (`node.rs`).

mod group;
mod id;
mod node;
mod packed;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;

pub(crate) use group::{Group, Pending};
pub(crate) use id::Id;
use node::Node;
pub(crate) use node::{Entry, Limits, text_size};

/// One stream. A stream without entries is a key all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Stream {
    /// By the ID of the first entry that each ever had.
    nodes: BTreeMap<Id, Arc<Node>>,
    len: u64,
    /// The bytes of all nodes.
    bytes: usize,
    /// The ID of the last entry that was ever added, or what `XSETID` says.
    pub(crate) last_id: Id,
    /// The ID of the first entry, 0-0 without entries.
    pub(crate) first_id: Id,
    /// The greatest ID that `XDEL` removed.
    pub(crate) max_deleted_id: Id,
    /// How many entries were ever added.
    pub(crate) added: i64,
    pub(crate) groups: BTreeMap<Bytes, Group>,
}

/// Where trimming stops.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keep {
    /// At so many entries.
    Newest(u64),
    /// At the first entry with this ID or a greater one.
    From(Id),
}

impl Stream {
    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    /// How many nodes there are.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The bytes of all nodes, without their counters of entries.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many nodes Redis's radix tree has for the IDs of the nodes.
    pub(crate) fn radix_nodes(&self) -> usize {
        let keys: Vec<[u8; 16]> = self.nodes.keys().map(|id| id.key()).collect();
        radix_nodes_of(&keys)
    }

    /// Appends an entry whose ID is greater than the last one.
    pub(crate) fn push(&mut self, id: Id, pairs: Arc<[(Bytes, Bytes)]>, limits: Limits) {
        let entry = Entry { id, deleted: false, pairs };
        match self.nodes.last_entry() {
            Some(mut last) if last.get().has_room(&entry, limits) => {
                let node = Arc::make_mut(last.get_mut());
                self.bytes -= node.bytes();
                node.push(entry);
                self.bytes += node.bytes();
            }
            _ => {
                let node = Node::new(entry);
                self.bytes += node.bytes();
                self.nodes.insert(id, Arc::new(node));
            }
        }
        self.added = self.added.wrapping_add(1);
        self.last_id = id;
        self.len += 1;
        if self.len == 1 {
            self.first_id = id;
        }
    }

    /// The entries between two IDs, both included.
    pub(crate) fn range(&self, start: Id, end: Id) -> impl DoubleEndedIterator<Item = &Entry> {
        let first = self.nodes.range(..=start).next_back().map_or(start, |(id, _)| *id);
        let nodes = (start <= end).then(|| self.nodes.range(first..=end));
        nodes
            .into_iter()
            .flatten()
            .flat_map(|(_, node)| node.entries())
            .filter(move |entry| !entry.deleted && start <= entry.id && entry.id <= end)
    }

    pub(crate) fn get(&self, id: Id) -> Option<&Entry> {
        self.range(id, id).next()
    }

    /// The first entry and the last one.
    pub(crate) fn ends(&self) -> (Option<&Entry>, Option<&Entry>) {
        (self.range(Id::MIN, Id::MAX).next(), self.range(Id::MIN, Id::MAX).next_back())
    }

    /// The ID of the first entry, deleted ones that are still in a node included.
    pub(crate) fn first_trace(&self) -> Id {
        self.nodes.first_key_value().map_or(Id::MAX, |(id, _)| *id)
    }

    fn settle_first(&mut self) {
        self.first_id = self.ends().0.map_or(Id::MIN, |entry| entry.id);
    }

    /// Removes an entry and tells whether it was there.
    pub(crate) fn delete(&mut self, id: Id) -> bool {
        let Some((&master, node)) = self.nodes.range_mut(..=id).next_back() else { return false };
        if !node.has(id) {
            return false;
        }
        let node = Arc::make_mut(node);
        node.delete(id);
        if node.live() == 0 {
            self.bytes -= node.bytes();
            self.nodes.remove(&master);
        }
        self.len -= 1;
        self.max_deleted_id = self.max_deleted_id.max(id);
        if self.len == 0 || self.first_id == id {
            self.settle_first();
        }
        true
    }

    /// Removes old entries and tells how many. An approximate trim removes whole nodes only; none removes more than
    /// `limit` entries by whole nodes, unless that is 0.
    pub(crate) fn trim(&mut self, keep: Keep, approximate: bool, limit: u64) -> u64 {
        let before = self.len;
        while let Some(mut first) = self.nodes.first_entry() {
            let live = first.get().live() as u64;
            let removed = before - self.len;
            if matches!(keep, Keep::Newest(most) if self.len <= most) || (limit > 0 && removed + live > limit) {
                break;
            }
            let whole = match keep {
                Keep::Newest(most) => self.len - live >= most,
                Keep::From(id) => first.get().last_id() < id,
            };
            if whole {
                self.bytes -= first.remove().bytes();
                self.len -= live;
                continue;
            }
            if !approximate {
                let node = Arc::make_mut(first.get_mut());
                self.len -= match keep {
                    Keep::Newest(most) => node.delete_first(self.len - most),
                    Keep::From(id) => node.delete_before(id),
                };
            }
            break;
        }
        if self.len < before {
            self.settle_first();
        }
        before - self.len
    }

    /// Whether an entry at or after an ID was deleted, as far as can be known.
    pub(crate) fn may_have_gaps_from(&self, id: Id) -> bool {
        self.len > 0
            && self.max_deleted_id != Id::MIN
            && id <= self.max_deleted_id
            && self.first_id <= self.max_deleted_id
    }

    /// How many entries were ever added up to an ID; `None` if that cannot be known.
    pub(crate) fn added_until(&self, id: Id) -> Option<i64> {
        if self.added == 0 {
            return Some(0);
        }
        if self.len == 0 && id <= self.last_id {
            return Some(self.added);
        }
        if id >= self.last_id {
            return (id == self.last_id).then_some(self.added);
        }
        if self.max_deleted_id != Id::MIN && self.max_deleted_id >= self.first_id {
            return None;
        }
        let before_first = self.added.wrapping_sub_unsigned(self.len);
        match id.cmp(&self.first_id) {
            std::cmp::Ordering::Less => Some(before_first),
            std::cmp::Ordering::Equal => Some(before_first.wrapping_add(1)),
            std::cmp::Ordering::Greater => None,
        }
    }

    /// How many entries a group has not read yet; `None` if that cannot be known.
    pub(crate) fn lag(&self, group: &Group) -> Option<i64> {
        if self.added == 0 {
            return Some(0);
        }
        let read = group.entries_read.filter(|_| !self.may_have_gaps_from(group.last_id));
        read.or_else(|| self.added_until(group.last_id)).map(|read| self.added.wrapping_sub(read))
    }
}

/// How many nodes Redis's radix tree of sorted IDs has.
pub(crate) fn radix_nodes_of(keys: &[[u8; 16]]) -> usize {
    if keys.is_empty() { 1 } else { radix_nodes(keys, 0) }
}

/// The nodes of a compressed radix tree of sorted keys that agree up to `depth`: a chain that all keys go through is one
/// node, so is a branching, and so is the end of each key.
fn radix_nodes(keys: &[[u8; 16]], depth: usize) -> usize {
    let (first, last) = (&keys[0], &keys[keys.len() - 1]);
    let Some(common) = (depth..16).find(|at| first[*at] != last[*at]) else {
        return usize::from(depth < 16) + 1;
    };
    let chain = usize::from(common > depth);
    let branches = keys.chunk_by(|one, other| one[common] == other[common]);
    chain + 1 + branches.map(|keys| radix_nodes(keys, common + 1)).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn radix_trees_are_counted_as_redis_does() {
        let key = |ms: u64| Id { ms, seq: 0 }.key();
        assert_eq!(radix_nodes(&[key(1)], 0), 2);
        // Seven bytes alike, a branching, eight bytes and an end for each.
        assert_eq!(radix_nodes(&[key(1), key(2)], 0), 6);
    }
}
