//! `XREAD` and `XREADGROUP`.

use bytes::Bytes;

use super::{
    bulk,
    stream::shown,
    stream_claim::{claimed, group_moved},
};
use crate::{
    Access, Protocol, Reply,
    command::{Command, FindKeys, Group, KeySpec, flag::*},
    context::Context,
    failure::{self, Answer, Failure, NOT_AN_INTEGER, SYNTAX},
    key::Key,
    notify::STREAM,
    number::parse_integer,
    stream::{Id, Pending, Stream},
};

const fn after_streams(begin: usize) -> KeySpec {
    KeySpec { begin, find: FindKeys::AfterStreams, flags: &["RO", "access"], notes: None }
}

pub(super) const COMMANDS: &[Command] = &[
    Command::new(
        "xread",
        |context, args| read(context, args, false),
        -4,
        READONLY | BLOCKING | MOVABLE_KEYS,
        Group::Stream,
    )
    .keys(&[after_streams(1)]),
    Command::new(
        "xreadgroup",
        |context, args| read(context, args, true),
        -7,
        WRITE | BLOCKING | MOVABLE_KEYS,
        Group::Stream,
    )
    .keys(&[after_streams(4)]),
];

/// What is read.
#[derive(Debug)]
struct Query<'a> {
    /// Whether to wait if there is nothing, and for how long (ms) at most.
    waits: Option<Option<i64>>,
    /// 0 for all.
    count: usize,
    no_ack: bool,
    /// The group and the consumer.
    reader: Option<(&'a Bytes, &'a Bytes)>,
    names: &'a [Bytes],
    ids: &'a [Bytes],
}

impl<'a> Query<'a> {
    fn parse(context: &Context<'_>, args: &'a [Bytes], grouped: bool) -> Result<Self, Failure> {
        let mut query = Self { waits: None, count: 0, no_ack: false, reader: None, names: &[], ids: &[] };
        let mut left = &args[1..];
        while let [option, rest @ ..] = left {
            left = rest;
            match (option.to_ascii_lowercase().as_slice(), rest) {
                (b"block", [timeout, rest @ ..]) => {
                    if context.script.is_some() {
                        let mut text = b"ERR ".to_vec();
                        text.extend_from_slice(&args[0]);
                        text.extend_from_slice(b" command is not allowed with BLOCK option from scripts");
                        return Err(Failure::Bytes(text.into()));
                    }
                    query.waits = Some(super::milliseconds(timeout)?);
                    left = rest;
                }
                (b"count", [count, rest @ ..]) => {
                    let count = parse_integer(count).ok_or(NOT_AN_INTEGER)?;
                    query.count = usize::try_from(count).unwrap_or(0);
                    left = rest;
                }
                (b"streams", [_, ..]) => {
                    if !rest.len().is_multiple_of(2) {
                        return Err(Failure::Constant(
                            "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
                        ));
                    }
                    (query.names, query.ids) = rest.split_at(rest.len() / 2);
                    break;
                }
                (b"group", [group, consumer, rest @ ..]) => {
                    if !grouped {
                        return Err(Failure::Constant(
                            "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
                        ));
                    }
                    query.reader = Some((group, consumer));
                    left = rest;
                }
                (b"noack", _) => {
                    if !grouped {
                        return Err(Failure::Constant(
                            "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
                        ));
                    }
                    query.no_ack = true;
                }
                _ => return Err(SYNTAX),
            }
        }
        if query.names.is_empty() {
            return Err(SYNTAX);
        }
        if grouped && query.reader.is_none() {
            return Err(Failure::Constant("ERR Missing GROUP option for XREADGROUP"));
        }
        Ok(query)
    }
}

/// From where a stream is read.
#[derive(Clone, Copy, Debug)]
enum From {
    After(Id),
    /// `>`: what was not delivered to the group yet.
    Undelivered,
}

fn read(context: &mut Context<'_>, args: &[Bytes], grouped: bool) -> Answer {
    let query = Query::parse(context, args, grouped)?;
    context.reads = true;
    let mut starts = Vec::with_capacity(query.names.len());
    for (name, id) in query.names.iter().zip(query.ids) {
        starts.push(start(context, &query, name, id)?);
    }
    let mut found: Vec<Found> = Vec::new();
    let mut sent = 0;
    for (name, &from) in query.names.iter().zip(&starts) {
        let key = Key::new(name);
        context.visit(&key, Access::Read);
        let seen = context.deliveries.len();
        let entries = match query.reader {
            Some((group, _)) if matches!(from, From::Undelivered) && !has_undelivered(context, &key, group) => None,
            Some((group, consumer)) => Some(read_as(context, &key, &query, group, consumer, from)),
            None => entries_after(context, &key, from, query.count),
        };
        let Some(entries) = entries else { continue };
        // Messages of the session itself stand before the reply, between the streams, after a stream's name, and after
        // the reply.
        let entries = context.woven(seen, Reply::Array(entries));
        let before = if found.is_empty() { Vec::new() } else { context.messages_since(sent) };
        if found.is_empty() {
            context.replied.get_or_insert(seen);
        }
        sent = context.deliveries.len();
        found.push(Found { before, name: bulk(name), entries });
    }
    if !found.is_empty() {
        return Ok(shown_by_stream(context, found));
    }
    let Some(timeout_ms) = query.waits.filter(|_| context.can_wait()) else { return Ok(Reply::NullArray) };
    // Only what comes from now on is waited for, so that "now" is written down.
    let mut waited = args.to_vec();
    let first_id = args.len() - query.ids.len();
    for (id, from) in waited[first_id..].iter_mut().zip(starts) {
        if let From::After(after) = from {
            *id = after.text();
        }
    }
    let serve = if grouped { serve_group } else { serve_reader };
    context.wait(waited, query.names, serve, timeout_ms, Reply::NullArray)
}

/// What was found in a stream, and what the session was sent just before.
#[derive(Debug)]
struct Found {
    before: Vec<Reply>,
    name: Reply,
    entries: Reply,
}

fn shown_by_stream(context: &Context<'_>, found: Vec<Found>) -> Reply {
    let after = |mut before: Vec<Reply>, part: Reply| {
        if before.is_empty() {
            return part;
        }
        before.push(part);
        Reply::Inline(before)
    };
    match context.protocol() {
        Protocol::Resp2 => {
            let pair = |Found { before, name, entries }| after(before, Reply::Array(vec![name, entries]));
            Reply::Array(found.into_iter().map(pair).collect())
        }
        Protocol::Resp3 => {
            Reply::Map(found.into_iter().map(|one| (after(one.before, one.name), one.entries)).collect())
        }
    }
}

fn shown_alone(context: &Context<'_>, key: &Key, entries: Vec<Reply>) -> Reply {
    let found = Found { before: Vec::new(), name: bulk(&key.name), entries: Reply::Array(entries) };
    shown_by_stream(context, vec![found])
}

/// The ID that stands for a stream in a command that waits; of a stream that is named twice the first counts.
fn waited_id<'a>(query: &Query<'a>, key: &Key) -> Option<&'a Bytes> {
    query.names.iter().position(|name| *name == key.name).map(|at| &query.ids[at])
}

/// Serves a reader if an entry was added, even if it is gone again: then there is nothing to be shown.
fn serve_reader(context: &mut Context<'_>, args: &[Bytes], key: &Key) -> Result<Option<Reply>, Failure> {
    let query = Query::parse(context, args, false)?;
    if !matches!(context.collection::<Stream>(key, Access::Read), Ok(Some(_))) {
        return Ok(None);
    }
    let Some(id) = waited_id(&query, key) else { return Ok(None) };
    let id = Id::parse(id)?;
    let mut entries = entries_after(context, key, From::After(id), query.count);
    if entries.is_none() && context.collection_now::<Stream>(key).is_some_and(|stream| stream.last_id > id) {
        // What came was trimmed away at once.
        entries = Some(Vec::new());
    }
    Ok(entries.map(|entries| shown_alone(context, key, entries)))
}

/// Serves a consumer. It has waited for a stream with its group, both of which may be gone.
fn serve_group(context: &mut Context<'_>, args: &[Bytes], key: &Key) -> Result<Option<Reply>, Failure> {
    let query = Query::parse(context, args, true)?;
    let Ok(Some(stream)) = context.collection::<Stream>(key, Access::Read) else {
        return Err(Failure::Constant("UNBLOCKED the stream key no longer exists"));
    };
    let Some((group, consumer)) = query.reader else { return Ok(None) };
    let Some(known) = stream.groups.get(group) else {
        return Err(Failure::Constant("NOGROUP the consumer group this client was blocked on no longer exists"));
    };
    if stream.last_id <= known.last_id {
        return Ok(None);
    }
    let entries = read_as(context, key, &query, group, consumer, From::Undelivered);
    Ok(Some(shown_alone(context, key, entries)))
}

/// Looks a stream up and says from where it is read.
fn start(context: &mut Context<'_>, query: &Query<'_>, name: &Bytes, id: &Bytes) -> Result<From, Failure> {
    let stream = context.collection::<Stream>(&Key::new(name), Access::Read)?;
    if let Some((group, _)) = query.reader
        && !stream.is_some_and(|stream| stream.groups.contains_key(group))
    {
        return Err(failure::no_group(name, group, " in XREADGROUP with GROUP option"));
    }
    match (&id[..], query.reader) {
        (b"$", Some(_)) => Err(Failure::Constant(
            "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by \
             specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result \
             set.",
        )),
        (b"$", None) => Ok(From::After(stream.map_or(Id::MIN, |stream| stream.last_id))),
        (b">", Some(_)) => Ok(From::Undelivered),
        (b">", None) => Err(Failure::Constant(
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
        )),
        _ => Id::parse(id).map(From::After),
    }
}

const fn most(count: usize) -> usize {
    if count == 0 { usize::MAX } else { count }
}

/// The entries after an ID; `None` if there is none.
fn entries_after(context: &Context<'_>, key: &Key, from: From, count: usize) -> Option<Vec<Reply>> {
    let From::After(id) = from else { return None };
    let stream = context.collection_now::<Stream>(key)?;
    let entries: Vec<Reply> = stream.range(id.next()?, Id::MAX).take(most(count)).map(shown).collect();
    (!entries.is_empty()).then_some(entries)
}

/// Whether an entry is there that was not delivered to a group yet.
fn has_undelivered(context: &Context<'_>, key: &Key, group: &Bytes) -> bool {
    let Some(stream) = context.collection_now::<Stream>(key) else { return false };
    let last = stream.ends().1.map(|entry| entry.id);
    stream.groups.get(group).is_some_and(|group| last > Some(group.last_id))
}

/// Reads as a consumer of a group: what is new, or what is pending for the consumer.
fn read_as(
    context: &mut Context<'_>,
    key: &Key,
    query: &Query<'_>,
    group: &Bytes,
    consumer: &Bytes,
    from: From,
) -> Vec<Reply> {
    context.touch_key(key, Access::Write);
    context.read_clock();
    let now_ms = context.now_ms();
    let before = context.changes();
    let new = context
        .edit(key, |stream: &mut Stream| stream.groups.get_mut(group).is_some_and(|group| group.see(consumer, now_ms)));
    if new == Some(true) {
        context.event(STREAM, "xgroup-createconsumer", key);
    }
    if new == Some(true) && query.no_ack {
        let words = [&b"XGROUP"[..], b"CREATECONSUMER", &key.name, group, consumer];
        context.propagate_as(words.iter().map(|word| Bytes::copy_from_slice(word)).collect());
    }
    let entries = match from {
        From::After(id) => history(context, key, group, consumer, id, query.count),
        From::Undelivered => undelivered(context, key, query, group, consumer),
    };
    // The stream counts, however much of it was delivered, and so does a new consumer.
    let counted = context.changes() - before;
    context.count_changes(1 + i64::from(new == Some(true)) - counted);
    entries
}

/// What is pending for a consumer after an ID. Entries that are gone are shown without their fields.
fn history(context: &mut Context<'_>, key: &Key, group: &Bytes, consumer: &Bytes, id: Id, count: usize) -> Vec<Reply> {
    let now_ms = context.now_ms();
    let shown = context.edit(key, |stream: &mut Stream| {
        let Some(id) = id.next() else { return Vec::new() };
        let known = stream.groups.get(group).and_then(|group| group.consumers.get(consumer));
        let ids: Vec<Id> =
            known.into_iter().flat_map(|known| known.pending.range(id..)).take(most(count)).copied().collect();
        let replies = ids.iter().map(|id| match stream.get(*id) {
            Some(entry) => shown(entry),
            None => Reply::Array(vec![Reply::Bulk(id.text()), Reply::NullArray]),
        });
        let replies: Vec<Reply> = replies.collect();
        let there: Vec<Id> = ids.into_iter().filter(|id| stream.get(*id).is_some()).collect();
        for id in there {
            if let Some(pending) = stream.groups.get_mut(group).and_then(|group| group.pending.get_mut(&id)) {
                pending.delivered_ms = now_ms;
                pending.deliveries = pending.deliveries.wrapping_add(1);
            }
        }
        replies
    });
    shown.unwrap_or_default()
}

/// Delivers what was not delivered to the group yet, each entry with its effect.
fn undelivered(
    context: &mut Context<'_>,
    key: &Key,
    query: &Query<'_>,
    group_name: &Bytes,
    consumer: &Bytes,
) -> Vec<Reply> {
    let now_ms = context.now_ms();
    let done = context.edit(key, |stream: &mut Stream| {
        let mut group = stream.groups.get(group_name).cloned().unwrap_or_default();
        let (mut replies, mut effects) = (Vec::new(), Vec::new());
        let start = group.last_id.next();
        let entries = start.into_iter().flat_map(|start| stream.range(start, Id::MAX));
        for entry in entries.take(most(query.count)) {
            group.entries_read = match group.entries_read {
                Some(read) if !stream.may_have_gaps_from(entry.id) => Some(read.wrapping_add(1)),
                known if stream.added == 0 => known,
                _ => stream.added_until(entry.id),
            };
            group.last_id = entry.id;
            replies.push(shown(entry));
            if !query.no_ack {
                let pending = Pending { consumer: consumer.clone(), delivered_ms: now_ms, deliveries: 1 };
                effects.push(claimed(&key.name, group_name, entry.id.text(), &pending, group.last_id));
                group.deliver(entry.id, pending);
            }
        }
        if query.no_ack && !replies.is_empty() {
            effects.push(group_moved(&key.name, group_name, &group));
        }
        stream.groups.insert(group_name.clone(), group);
        (replies, effects)
    });
    let (replies, effects) = done.unwrap_or_default();
    for effect in effects {
        context.propagate_as(effect);
    }
    replies
}
