//! Nodes as the listpacks in which Redis keeps them: the counts of entries and deleted ones, the fields of the first, and
//! for each entry how it differs from it.

use std::sync::Arc;

use bytes::Bytes;

use super::{Entry, Id, Stream, node::Node};
use crate::rdb::{Element, Listpack, elements};

/// The flags of an entry.
const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

impl Stream {
    /// The nodes with their keys.
    pub(crate) fn packed_nodes(&self) -> impl Iterator<Item = (Id, Vec<u8>)> {
        self.nodes.iter().map(|(id, node)| (*id, pack(*id, node)))
    }

    /// The last node.
    pub(crate) fn last_packed_node(&self) -> Option<Vec<u8>> {
        self.nodes.last_key_value().map(|(id, node)| pack(*id, node))
    }

    /// Adds a node behind the others, whose last ID is the stream's from then on; `None` if it is not one, or not in order.
    pub(crate) fn add_packed_node(&mut self, key: Id, packed: &[u8]) -> Option<()> {
        let node = unpack(key, &elements(packed)?)?;
        if self.nodes.last_key_value().is_some_and(|(_, last)| last.last_id() >= key) {
            return None;
        }
        self.len += node.live() as u64;
        self.last_id = node.last_id();
        self.bytes += node.bytes();
        self.nodes.insert(key, Arc::new(node));
        Some(())
    }
}

fn pack(key: Id, node: &Node) -> Vec<u8> {
    let mut pack = Listpack::new();
    let entries = node.entries().as_slice();
    pack.push_integer(node.live() as i64);
    pack.push_integer((entries.len() - node.live()) as i64);
    let shared: &[(Bytes, Bytes)] = entries.first().map_or(&[], |first| &first.pairs);
    pack.push_integer(shared.len() as i64);
    shared.iter().for_each(|(field, _)| pack.push(field));
    pack.push_integer(0);
    for entry in entries {
        let same = shared.len() == entry.pairs.len()
            && shared.iter().zip(&*entry.pairs).all(|((one, _), (other, _))| one == other);
        let count = entry.pairs.len() as i64;
        let flags = if same { SAME_FIELDS } else { 0 } | if entry.deleted { DELETED } else { 0 };
        pack.push_integer(flags);
        pack.push_integer(entry.id.ms.wrapping_sub(key.ms).cast_signed());
        pack.push_integer(entry.id.seq.wrapping_sub(key.seq).cast_signed());
        if !same {
            pack.push_integer(count);
        }
        for (field, value) in &*entry.pairs {
            if !same {
                pack.push(field);
            }
            pack.push(value);
        }
        pack.push_integer(count + 3 + if same { 0 } else { count + 1 });
    }
    pack.finished()
}

/// Takes elements one by one.
struct Elements<'a, 'b>(std::slice::Iter<'a, Element<'b>>);

impl Elements<'_, '_> {
    fn integer(&mut self) -> Option<i64> {
        self.0.next()?.integer()
    }

    fn text(&mut self) -> Option<Bytes> {
        self.0.next().map(Element::bytes)
    }
}

fn unpack(key: Id, elements: &[Element<'_>]) -> Option<Node> {
    let mut from = Elements(elements.iter());
    let (live, deleted, shared) = (from.integer()?, from.integer()?, from.integer()?);
    let shared = (0..shared).map(|_| from.text()).collect::<Option<Vec<Bytes>>>()?;
    if from.integer()? != 0 {
        return None;
    }
    let mut node: Option<Node> = None;
    let mut gone = Vec::new();
    for _ in 0..live.checked_add(deleted)? {
        let flags = from.integer()?;
        let ms = key.ms.wrapping_add_signed(from.integer()?);
        let id = Id { ms, seq: key.seq.wrapping_add_signed(from.integer()?) };
        let pairs = if flags & SAME_FIELDS != 0 {
            shared.iter().map(|field| Some((field.clone(), from.text()?))).collect::<Option<Vec<_>>>()?
        } else {
            let count = from.integer()?;
            (0..count).map(|_| Some((from.text()?, from.text()?))).collect::<Option<Vec<_>>>()?
        };
        let count = pairs.len() as i64;
        let counted = count + 3 + if flags & SAME_FIELDS != 0 { 0 } else { count + 1 };
        if from.integer()? != counted {
            return None;
        }
        if flags & DELETED != 0 {
            gone.push(id);
        }
        let entry = Entry { id, deleted: false, pairs: pairs.into() };
        match &mut node {
            Some(node) if node.last_id() < id => node.push(entry),
            None if id == key => node = Some(Node::new(entry)),
            _ => return None,
        }
    }
    let mut node = node.filter(|_| from.0.next().is_none() && gone.len() as i64 == deleted)?;
    gone.into_iter().for_each(|id| node.delete(id));
    Some(node)
}
