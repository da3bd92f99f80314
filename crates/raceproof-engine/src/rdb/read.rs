//! Values out of payloads, in every form that Redis 7.0 still reads.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;

use super::{Element, elements, kind, strings::Reader, ziplist};
use crate::{
    Version,
    config::Config,
    db::{Text, Value},
    float,
    hash::Hash,
    list::List,
    number::parse_integer,
    set::Set,
    stream::{Group, Id, Pending, Stream},
    zset::{Place, Zset},
};

/// What a node of a list is: one element, or a listpack of some.
const PLAIN: u64 = 1;
const PACKED: u64 = 2;

/// The value that a payload begins with. What follows it is not looked at.
pub(super) fn value(payload: &[u8], config: &Config, version: Version) -> Option<Value> {
    let mut from = Reader(payload);
    match from.byte()? {
        kind::STRING => from.string().map(|text| Value::Text(Text::new(&text))),
        kind::LIST => {
            let count = from.len()?;
            list((0..count).map(|_| from.string()).collect::<Option<List>>()?)
        }
        kind::LIST_ZIPLIST => list(texts(&ziplist::elements(&from.string()?)?)),
        kind::LIST_ZIPLISTS => {
            let mut whole = List::new();
            for _ in 0..from.len()? {
                whole.extend(texts(&ziplist::elements(&from.string()?)?).iter().cloned());
            }
            list(whole)
        }
        kind::LIST_NODES => list_of_nodes(&mut from),
        kind::SET => set(&mut from, config),
        kind::SET_INTSET => integers(&from.string()?, config),
        kind::ZSET_TEXT => zset(&mut from, config, text_score),
        kind::ZSET => zset(&mut from, config, |from| from.eight().map(f64::from_le_bytes)),
        kind::ZSET_ZIPLIST => packed_zset(&ziplist::elements(&from.string()?)?, config),
        kind::ZSET_LISTPACK => packed_zset(&elements(&from.string()?)?, config),
        kind::HASH => hash(&mut from, config),
        kind::HASH_ZIPMAP => {
            let packed = from.string()?;
            let pairs = ziplist::zipmap(&packed)?;
            let copied = |text: &[u8]| Bytes::copy_from_slice(text);
            packed_hash(pairs.into_iter().map(|(field, value)| (copied(field), copied(value))).collect(), config, true)
        }
        kind::HASH_ZIPLIST => packed_hash(pairs(&ziplist::elements(&from.string()?)?)?, config, false),
        kind::HASH_LISTPACK => packed_hash(pairs(&elements(&from.string()?)?)?, config, false),
        form @ (kind::STREAM_1 | kind::STREAM_2) => stream(&mut from, form, version),
        kind::SET_LISTPACK if version >= Version::V7_2 => packed_set(&elements(&from.string()?)?, config),
        kind::STREAM_3 if version >= Version::V7_2 => stream(&mut from, kind::STREAM_3, version),
        _ => None,
    }
}

fn texts(elements: &[Element<'_>]) -> List {
    elements.iter().map(Element::bytes).collect()
}

fn list(list: List) -> Option<Value> {
    (!list.is_empty()).then(|| Value::List(Arc::new(list)))
}

fn list_of_nodes(from: &mut Reader<'_>) -> Option<Value> {
    let mut whole = List::new();
    for _ in 0..from.len()? {
        let container = from.len()?;
        let node = from.string()?;
        match container {
            PLAIN => whole.push_back(node),
            PACKED => whole.extend(texts(&elements(&node)?).iter().cloned()),
            _ => return None,
        }
    }
    list(whole)
}

fn set(from: &mut Reader<'_>, config: &Config) -> Option<Value> {
    let count = from.len().filter(|count| *count > 0)?;
    let most = config.set_integers();
    let mut set = if count > most as u64 {
        Set::Table { members: crate::tree::Tree::default(), bytes: 0 }
    } else {
        Set::default()
    };
    for _ in 0..count {
        if !set.add(&from.string()?, most) {
            return None;
        }
    }
    Some(Value::Set(Arc::new(set)))
}

fn packed_set(elements: &[Element<'_>], config: &Config) -> Option<Value> {
    let mut set = Set::default();
    let all_new = elements.iter().all(|element| set.add(&element.bytes(), config.set_integers()));
    (all_new && !elements.is_empty()).then(|| Value::Set(Arc::new(set)))
}

fn integers(packed: &Bytes, config: &Config) -> Option<Value> {
    let width = u32::from_le_bytes(packed.get(..4)?.try_into().ok()?) as usize;
    let count = u32::from_le_bytes(packed.get(4..8)?.try_into().ok()?) as usize;
    let numbers = &packed[8..];
    if !matches!(width, 2 | 4 | 8) || count == 0 || numbers.len() != width.checked_mul(count)? {
        return None;
    }
    let number = |bytes: &[u8]| {
        let mut whole = [0; 8];
        whole[8 - width..].copy_from_slice(bytes);
        i64::from_le_bytes(whole) >> (64 - 8 * width)
    };
    let list: Vec<i64> = numbers.chunks_exact(width).map(number).collect();
    if !list.is_sorted_by(|one, other| one < other) {
        return None;
    }
    let mut set = Set::Integers(list);
    if count > config.set_integers() {
        set.enlarge();
    }
    Some(Value::Set(Arc::new(set)))
}

/// A score as the oldest payloads have it.
fn text_score(from: &mut Reader<'_>) -> Option<f64> {
    match from.byte()? {
        255 => Some(f64::NEG_INFINITY),
        254 => Some(f64::INFINITY),
        253 => None,
        len => float::parse_beginning(from.take(usize::from(len))?),
    }
}

fn zset(from: &mut Reader<'_>, config: &Config, score: fn(&mut Reader<'_>) -> Option<f64>) -> Option<Value> {
    let count = from.len().filter(|count| *count > 0)?;
    let mut places = Vec::new();
    for _ in 0..count {
        let member = from.string()?;
        let score = score(from).filter(|score| !score.is_nan())?;
        places.push(Place { score, member });
    }
    are_distinct(places.iter().map(|place| &place.member))
        .then(|| Value::Zset(Arc::new(Zset::of(places, config.zset_limits()))))
}

fn are_distinct<'a>(mut names: impl Iterator<Item = &'a Bytes>) -> bool {
    let mut known = BTreeSet::new();
    names.all(|name| known.insert(name))
}

/// Whole pairs.
fn pairs(elements: &[Element<'_>]) -> Option<Vec<(Bytes, Bytes)>> {
    let (pairs, rest) = elements.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[one, other]| (one.bytes(), other.bytes())).collect())
}

fn packed_zset(elements: &[Element<'_>], config: &Config) -> Option<Value> {
    let pairs = pairs(elements).filter(|pairs| !pairs.is_empty())?;
    let place = |(member, score): (Bytes, Bytes)| {
        // What is no number counts as 0.
        let score = parse_integer(&score).map(|number| number as f64).or_else(|| float::parse_beginning(&score));
        let score = score.unwrap_or(0.0);
        (!score.is_nan()).then_some(Place { score, member })
    };
    let mut places = pairs.into_iter().map(place).collect::<Option<Vec<Place>>>()?;
    if !are_distinct(places.iter().map(|place| &place.member)) {
        return None;
    }
    places.sort_unstable();
    let large = places.len() > config.zset_limits().entries;
    let mut zset = Zset::Small(places);
    if large {
        zset.enlarge();
    }
    Some(Value::Zset(Arc::new(zset)))
}

fn hash(from: &mut Reader<'_>, config: &Config) -> Option<Value> {
    let count = from.len().filter(|count| *count > 0)?;
    let limits = config.limits(false);
    let mut hash = Hash::default();
    if count > limits.entries as u64 {
        hash.enlarge();
    }
    for _ in 0..count {
        let (field, value) = (from.string()?, from.string()?);
        if !hash.set(&field, value, limits) {
            return None;
        }
    }
    Some(Value::Hash(Arc::new(hash)))
}

/// A hash that was small. It stays small unless it has too many fields now; a zipmap also if one of them is too long.
fn packed_hash(pairs: Vec<(Bytes, Bytes)>, config: &Config, of_zipmap: bool) -> Option<Value> {
    if pairs.is_empty() || !are_distinct(pairs.iter().map(|(field, _)| field)) {
        return None;
    }
    let mut limits = config.limits(false);
    if !of_zipmap {
        limits.value = usize::MAX;
    }
    let mut hash = Hash::default();
    for (field, value) in pairs {
        hash.set(&field, value, limits);
    }
    Some(Value::Hash(Arc::new(hash)))
}

fn id(from: &mut Reader<'_>) -> Option<Id> {
    Some(Id { ms: from.number()?, seq: from.number()? })
}

fn key_id(from: &mut Reader<'_>) -> Option<Id> {
    Id::of_key(from.take(16)?)
}

fn stream(from: &mut Reader<'_>, form: u8, version: Version) -> Option<Value> {
    let second_form = form != kind::STREAM_1;
    let mut stream = Stream::default();
    for _ in 0..from.len()? {
        let id = Id::of_key(&from.string()?)?;
        stream.add_packed_node(id, &from.string()?)?;
    }
    let len = from.number()?;
    if len > 0 && stream.nodes() == 0 {
        return None;
    }
    let highest = stream.last_id;
    stream.last_id = id(from).filter(|last| *last >= highest)?;
    if second_form {
        stream.first_id = id(from)?;
        stream.max_deleted_id = id(from)?;
        stream.added = from.number()?.cast_signed();
    } else {
        stream.added = len.cast_signed();
        stream.first_id = stream.ends().0.map_or(Id::MIN, |entry| entry.id);
    }
    for _ in 0..from.len()? {
        let name = from.string()?;
        let group = group(from, &stream, form, version)?;
        if stream.groups.insert(name, group).is_some() {
            return None;
        }
    }
    Some(Value::Stream(Arc::new(stream)))
}

fn group(from: &mut Reader<'_>, stream: &Stream, form: u8, version: Version) -> Option<Group> {
    let second_form = form != kind::STREAM_1;
    let last_id = id(from)?;
    let read = if second_form { Some(from.number()?.cast_signed()) } else { stream.added_until(last_id) };
    let mut group = Group { last_id, entries_read: read.filter(|read| *read != -1), ..Group::default() };
    // Whose they are is said by the consumers, which come next.
    let mut known = std::collections::BTreeMap::new();
    for _ in 0..from.len()? {
        let id = key_id(from)?;
        let delivered_ms = i64::from_le_bytes(from.eight()?);
        let deliveries = from.number()?.cast_signed();
        if known.insert(id, (delivered_ms, deliveries)).is_some() {
            return None;
        }
    }
    for _ in 0..from.len()? {
        let consumer = from.string()?;
        let seen_ms = i64::from_le_bytes(from.eight()?);
        if !group.see(&consumer, seen_ms) {
            return None;
        }
        // Where a payload does not say when a consumer got something last, it is when it was seen.
        let active_ms = if form == kind::STREAM_3 { i64::from_le_bytes(from.eight()?) } else { seen_ms };
        group.note_activity(&consumer, (version >= Version::V7_2 && active_ms != -1).then_some(active_ms));
        for _ in 0..from.len()? {
            let id = key_id(from)?;
            let (delivered_ms, deliveries) = *known.get(&id)?;
            let pending = Pending { consumer: consumer.clone(), delivered_ms, deliveries };
            if group.pending.get(&id).is_some_and(|other| other.consumer == consumer) {
                return None;
            }
            group.deliver(id, pending);
        }
    }
    (group.pending.len() == known.len()).then_some(group)
}
