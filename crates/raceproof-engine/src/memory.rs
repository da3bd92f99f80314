//! How much memory a value takes in a Redis of 64 bits with jemalloc, as `MEMORY USAGE` counts it.
//!
//! A function of the data alone: what a string was before, how far a table has grown beyond its members and what the
//! allocator keeps in reserve are left out. Nodes of skip lists count what they have on average.

use crate::{
    config::Config,
    db::{Encoding, Entry, Text, Value},
    hash::Hash,
    key::Key,
    rdb,
    set::Set,
    stream::{Stream, text_size},
    zset::Zset,
};

/// An object, which refers to the value or is in one piece with it.
const OBJECT: usize = 16;
/// What the elements of a table hang on.
const TABLE: usize = 56;
const TABLE_ENTRY: usize = 24;
const SLOT: usize = 8;
const LIST: usize = 40;
const LIST_NODE: usize = 40;
/// The structure, the skip list and its header with 32 levels.
const SKIP_LIST: usize = 16 + 32 + 640;
/// A node of a skip list has one level, and each further one with a probability of a quarter.
const SKIP_LIST_NODE: f64 = 53.3;
const STREAM: usize = 80;
const GROUP: usize = 40;
const PENDING: usize = 24;
const CONSUMER: usize = 24;
/// What the last node of a stream has room for.
const STREAM_NODE: usize = 4096;
/// The header and the end of a listpack.
const LISTPACK: usize = 7;
/// The bytes of a list's node, if that has its default size.
const LIST_NODE_HOLDS: usize = 8192;
/// About what an ID takes in a radix tree.
const RADIX_NODE: usize = 48;

/// What a server uses that holds no data.
pub(crate) const AT_START: usize = 1 << 20;

/// What the allocator gives for so many bytes: four sizes between each power of two and the next.
pub(crate) const fn allocated(bytes: usize) -> usize {
    match bytes {
        0..=8 => 8,
        9..=128 => bytes.next_multiple_of(16),
        _ => bytes.next_multiple_of(bytes.next_power_of_two() / 8),
    }
}

/// A string with its length before it and a zero behind it.
const fn string(len: usize) -> usize {
    let header = match len {
        1..32 => 1,
        0..256 => 3,
        256..65_536 => 5,
        _ if len as u64 <= u32::MAX as u64 => 9,
        _ => 17,
    };
    allocated(header + len + 1)
}

/// A member of a table.
pub(crate) const fn element(member: &[u8]) -> usize {
    allocated(TABLE_ENTRY) + string(member.len())
}

/// A field of a table with its value.
pub(crate) const fn pair(field: &[u8], value: &[u8]) -> usize {
    element(field) + string(value.len())
}

/// What a key adds to the memory in use, its deadline included: what was allocated for it, where [`of_key`] tells what
/// `MEMORY USAGE` does. Takes no longer for large values, since they keep the sizes of what is in them.
pub(crate) fn in_use(name: &[u8], entry: &Entry) -> usize {
    let expiry = if entry.deadline().is_some() { allocated(TABLE_ENTRY) } else { 0 };
    element(name) + expiry + value_in_use(&entry.value)
}

fn value_in_use(value: &Value) -> usize {
    match value {
        Value::Text(Text { data, encoding }) => match encoding {
            Encoding::Int => OBJECT,
            Encoding::Embstr => allocated(OBJECT + 3 + data.len() + 1),
            Encoding::Raw => OBJECT + string(data.len()),
        },
        Value::List(list) => {
            let nodes = list.packed().div_ceil(LIST_NODE_HOLDS).max(1);
            let bytes = list.packed() / nodes + LISTPACK;
            OBJECT + allocated(LIST) + nodes * (allocated(LIST_NODE) + allocated(bytes))
        }
        Value::Set(set) => match &**set {
            Set::Integers(list) => OBJECT + allocated(8 + rdb::integer_width(list) * list.len()),
            Set::Table { members, bytes } => OBJECT + table(members.len()) + bytes,
        },
        Value::Zset(zset) => match &**zset {
            Zset::Small(places) => {
                let packed: usize = places.iter().map(|place| text_size(&place.member) + score_size(place.score)).sum();
                OBJECT + allocated(LISTPACK + packed)
            }
            Zset::Large { order, bytes, .. } => {
                let nodes = (SKIP_LIST_NODE * order.len() as f64) as usize;
                OBJECT + SKIP_LIST + table(order.len()) + nodes + bytes
            }
        },
        Value::Hash(hash) if hash.table().is_some() => OBJECT + table(hash.len()) + hash.bytes(),
        Value::Hash(hash) => OBJECT + allocated(LISTPACK + hash.bytes()),
        Value::Stream(stream) => {
            // The last node has room to grow.
            let nodes = stream.bytes().max(STREAM_NODE) + stream.nodes() * RADIX_NODE;
            let groups = stream.groups.values().map(|group| {
                GROUP
                    + group.pending.len() * (PENDING + 2 * RADIX_NODE)
                    + group.consumers.len() * (CONSUMER + RADIX_NODE)
            });
            OBJECT + STREAM + nodes + groups.sum::<usize>()
        }
    }
}

/// The bytes of a score in a listpack. A fraction is text of some length, which is not worth making.
fn score_size(score: f64) -> usize {
    const FRACTION: usize = 12;
    if score.fract() == 0.0 && score.abs() < 1e15 { text_size(score.to_string().as_bytes()) } else { FRACTION }
}

/// All tables of keys, of so many keys of which so many have a deadline.
pub(crate) fn tables(keys: impl Iterator<Item = usize>, volatile: usize) -> usize {
    let slots = |members: usize| if members == 0 { 0 } else { SLOT * members.next_power_of_two().max(4) };
    keys.map(slots).sum::<usize>() + slots(volatile)
}

/// A key with its value.
pub(crate) fn of_key(key: &Key, entry: &Entry, samples: usize, config: &Config) -> usize {
    string(key.name.len()) + TABLE_ENTRY + of_value(&entry.value, samples, config)
}

fn of_value(value: &Value, samples: usize, config: &Config) -> usize {
    match value {
        Value::Text(Text { data, encoding }) => match encoding {
            Encoding::Int => OBJECT,
            Encoding::Embstr => allocated(OBJECT + 3 + data.len() + 1),
            Encoding::Raw => OBJECT + string(data.len()),
        },
        Value::List(list) => {
            let nodes = rdb::list_node_sizes(list, config);
            let sampled = nodes.len().min(samples);
            let bytes = nodes[..sampled].iter().map(|bytes| LIST_NODE + allocated(*bytes)).sum();
            OBJECT + LIST + average(bytes, sampled, nodes.len())
        }
        Value::Set(set) => of_set(set, samples),
        Value::Zset(zset) => of_zset(zset, samples),
        Value::Hash(hash) => of_hash(hash, samples),
        Value::Stream(stream) => of_stream(stream, samples),
    }
}

/// What all elements take if those that were looked at are like the others.
fn average(bytes: usize, sampled: usize, all: usize) -> usize {
    if sampled == 0 { 0 } else { (bytes as f64 / sampled as f64 * all as f64) as usize }
}

/// A table: its slots are a power of two that is not less than its members.
fn table(members: usize) -> usize {
    TABLE + SLOT * members.next_power_of_two().max(4)
}

fn of_set(set: &Set, samples: usize) -> usize {
    match set {
        Set::Integers(list) => OBJECT + allocated(8 + rdb::integer_width(list) * list.len()),
        Set::Table { .. } => {
            let bytes = set.iter().take(samples).map(|member| TABLE_ENTRY + string(member.len())).sum();
            OBJECT + table(set.len()) + average(bytes, set.len().min(samples), set.len())
        }
    }
}

fn of_zset(zset: &Zset, samples: usize) -> usize {
    match zset {
        Zset::Small(_) => OBJECT + allocated(rdb::pack_zset(zset).len()),
        Zset::Large { .. } => {
            let members = zset.iter().take(samples);
            let bytes: usize = members.map(|place| TABLE_ENTRY + string(place.member.len())).sum();
            let sampled = zset.len().min(samples);
            let nodes = (SKIP_LIST_NODE * zset.len() as f64) as usize;
            OBJECT + SKIP_LIST + table(zset.len()) + nodes + average(bytes, sampled, zset.len())
        }
    }
}

fn of_hash(hash: &Hash, samples: usize) -> usize {
    if hash.table().is_none() {
        return OBJECT + allocated(rdb::pack_hash(hash).len());
    }
    let fields = hash.iter().take(samples);
    let bytes = fields.map(|(field, value)| TABLE_ENTRY + string(field.len()) + string(value.len())).sum();
    OBJECT + table(hash.len()) + average(bytes, hash.len().min(samples), hash.len())
}

/// A radix tree of IDs, as Redis estimates it.
const fn radix_tree(elements: usize, nodes: usize) -> usize {
    elements * 16 + nodes * 4 + nodes * 8 * 30
}

fn of_stream(stream: &Stream, samples: usize) -> usize {
    let mut bytes = OBJECT + STREAM + radix_tree(stream.nodes(), stream.radix_nodes());
    let sizes = stream.packed_nodes().map(|(_, packed)| allocated(packed.len()));
    let room = |size: usize| size.max(STREAM_NODE);
    if stream.nodes() <= samples {
        let mut sizes: Vec<usize> = sizes.collect();
        if let Some(last) = sizes.last_mut() {
            *last = room(*last);
        }
        bytes += sizes.into_iter().sum::<usize>();
    } else {
        let sampled: usize = sizes.take(samples).sum();
        bytes += sampled.checked_div(samples).unwrap_or_default() * (stream.nodes() - 1);
        bytes += stream.last_packed_node().map_or(0, |packed| room(allocated(packed.len())));
    }
    for group in stream.groups.values() {
        let nodes = |ids: Vec<[u8; 16]>| (ids.len(), crate::stream::radix_nodes_of(&ids));
        let (pending, pending_nodes) = nodes(group.pending.keys().map(|id| id.key()).collect());
        bytes += GROUP + radix_tree(pending, pending_nodes) + PENDING * pending;
        for (name, consumer) in &group.consumers {
            let (pending, pending_nodes) = nodes(consumer.pending.iter().map(|id| id.key()).collect());
            bytes += CONSUMER + name.len() + radix_tree(pending, pending_nodes);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::allocated;

    #[test]
    fn sizes_are_those_of_jemalloc() {
        for (bytes, size) in [
            (1, 8),
            (8, 8),
            (9, 16),
            (17, 32),
            (112, 112),
            (113, 128),
            (129, 160),
            (161, 192),
            (256, 256),
            (257, 320),
            (640, 640),
            (641, 768),
            (4096, 4096),
            (4097, 5120),
            (8193, 10_240),
        ] {
            assert_eq!(allocated(bytes), size, "{bytes}");
        }
    }
}
