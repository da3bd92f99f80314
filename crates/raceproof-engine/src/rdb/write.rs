//! Values in the form of payloads.

use super::{Listpack, kind, strings::Writer};
use crate::{
    config::Config,
    db::{Encoding, Text, Value},
    float,
    hash::Hash,
    list::List,
    set::Set,
    stream::{Id, Stream},
    zset::Zset,
};

/// What a node of a list is: elements in a listpack.
const PACKED: u64 = 2;
/// How much Redis adds to an element when it asks whether a node has room for it.
const ESTIMATED_OVERHEAD: usize = 8;

pub(super) fn value(value: &Value, config: &Config) -> Vec<u8> {
    let mut to = Writer { bytes: Vec::new(), compresses: config.compresses() };
    match value {
        Value::Text(Text { data, encoding }) => {
            to.bytes.push(kind::STRING);
            if *encoding == Encoding::Int { to.number(data) } else { to.string(data) }
        }
        Value::List(list) => write_list(list, config, &mut to),
        Value::Hash(hash) => write_hash(hash, &mut to),
        Value::Set(set) => write_set(set, &mut to),
        Value::Zset(zset) => write_zset(zset, &mut to),
        Value::Stream(stream) => write_stream(stream, &mut to),
    }
    to.bytes
}

/// A list, its nodes filled from the first element on: that is how they are if all were pushed to the end.
fn list_nodes(list: &List, config: &Config) -> Vec<Listpack> {
    let mut nodes = vec![Listpack::new()];
    let mut count = 0;
    for element in list.iter() {
        let fits =
            |node: &Listpack| config.list_node_holds(node.size() + element.len() + ESTIMATED_OVERHEAD, count + 1);
        if !nodes.last().is_some_and(|node| node.is_empty() || fits(node)) {
            nodes.push(Listpack::new());
            count = 0;
        }
        if let Some(node) = nodes.last_mut() {
            node.push(element);
        }
        count += 1;
    }
    nodes
}

/// The bytes of each node of a list.
pub(crate) fn list_node_sizes(list: &List, config: &Config) -> Vec<usize> {
    list_nodes(list, config).iter().map(Listpack::size).collect()
}

fn write_list(list: &List, config: &Config, to: &mut Writer) {
    to.bytes.push(kind::LIST_NODES);
    let nodes = list_nodes(list, config);
    to.len(nodes.len() as u64);
    for node in nodes {
        to.len(PACKED);
        to.string(&node.finished());
    }
}

/// A small hash as its listpack.
pub(crate) fn pack_hash(hash: &Hash) -> Vec<u8> {
    let mut pack = Listpack::new();
    for (field, value) in hash.iter() {
        pack.push(field);
        pack.push(value);
    }
    pack.finished()
}

/// A small sorted set as its listpack.
pub(crate) fn pack_zset(zset: &Zset) -> Vec<u8> {
    let mut pack = Listpack::new();
    for place in zset.iter() {
        pack.push(&place.member);
        pack.push(float::packed_text(place.score).as_bytes());
    }
    pack.finished()
}

/// The bytes of each integer of a set, as many as the widest takes.
pub(crate) fn integer_width(list: &[i64]) -> usize {
    let fits = |low: i64, high: i64| list.iter().all(|number| (low..=high).contains(number));
    if fits(i64::from(i16::MIN), i64::from(i16::MAX)) {
        2
    } else if fits(i64::from(i32::MIN), i64::from(i32::MAX)) {
        4
    } else {
        8
    }
}

fn write_hash(hash: &Hash, to: &mut Writer) {
    if hash.table().is_some() {
        to.bytes.push(kind::HASH);
        to.len(hash.len() as u64);
        for (field, value) in hash.iter() {
            to.string(field);
            to.string(value);
        }
        return;
    }
    to.bytes.push(kind::HASH_LISTPACK);
    to.string(&pack_hash(hash));
}

fn write_set(set: &Set, to: &mut Writer) {
    match set {
        Set::Table { .. } => {
            to.bytes.push(kind::SET);
            to.len(set.len() as u64);
            set.iter().for_each(|member| to.string(&member));
        }
        Set::Integers(list) => {
            to.bytes.push(kind::SET_INTSET);
            let width = integer_width(list);
            let mut packed = Vec::with_capacity(8 + width * list.len());
            packed.extend_from_slice(&(width as u32).to_le_bytes());
            packed.extend_from_slice(&(list.len() as u32).to_le_bytes());
            list.iter().for_each(|number| packed.extend_from_slice(&number.to_le_bytes()[..width]));
            to.string(&packed);
        }
    }
}

fn write_zset(zset: &Zset, to: &mut Writer) {
    match zset {
        Zset::Small(_) => {
            to.bytes.push(kind::ZSET_LISTPACK);
            to.string(&pack_zset(zset));
        }
        // From the highest on: whoever loads it inserts at the head of a skip list.
        Zset::Large { .. } => {
            to.bytes.push(kind::ZSET);
            to.len(zset.len() as u64);
            for place in zset.walk(zset.len().saturating_sub(1), true) {
                to.string(&place.member);
                to.bytes.extend_from_slice(&place.score.to_le_bytes());
            }
        }
    }
}

fn write_id(id: Id, to: &mut Writer) {
    to.len(id.ms);
    to.len(id.seq);
}

fn write_stream(stream: &Stream, to: &mut Writer) {
    // A version before 7.2 keeps no activity, and knows no other form.
    let consumers = || stream.groups.values().flat_map(|group| group.consumers.values());
    let with_activity = consumers().any(|consumer| consumer.active_ms.is_some());
    to.bytes.push(if with_activity { kind::STREAM_3 } else { kind::STREAM_2 });
    to.len(stream.nodes() as u64);
    for (id, packed) in stream.packed_nodes() {
        to.string(&id.key());
        to.string(&packed);
    }
    to.len(stream.len());
    write_id(stream.last_id, to);
    write_id(stream.first_id, to);
    write_id(stream.max_deleted_id, to);
    to.len(stream.added.cast_unsigned());
    to.len(stream.groups.len() as u64);
    for (name, group) in &stream.groups {
        to.string(name);
        write_id(group.last_id, to);
        to.len(group.entries_read.unwrap_or(-1).cast_unsigned());
        to.len(group.pending.len() as u64);
        for (id, pending) in &group.pending {
            to.bytes.extend_from_slice(&id.key());
            to.bytes.extend_from_slice(&pending.delivered_ms.to_le_bytes());
            to.len(pending.deliveries.cast_unsigned());
        }
        to.len(group.consumers.len() as u64);
        for (name, consumer) in &group.consumers {
            to.string(name);
            to.bytes.extend_from_slice(&consumer.seen_ms.to_le_bytes());
            if with_activity {
                to.bytes.extend_from_slice(&consumer.active_ms.unwrap_or(-1).to_le_bytes());
            }
            to.len(consumer.pending.len() as u64);
            consumer.pending.iter().for_each(|id| to.bytes.extend_from_slice(&id.key()));
        }
    }
}
