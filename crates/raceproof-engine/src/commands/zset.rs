//! Sorted sets: members and scores, pops, random members, scans. Ranges and unions have files of their own.
//!
//! Members are objects of their own, as hash fields are; ranks and ranges read the whole key.

use bytes::Bytes;

use super::{Pops, bulk};
use crate::{
    Access, Protocol, Reply,
    command::{Command, Group, KeySpec, Run, first_keys, flag::*, keys},
    context::Context,
    draw::{self, Draw},
    failure::{Answer, Failure, NOT_A_FLOAT, SYNTAX},
    float,
    key::Key,
    notify::{GENERIC, ZSET},
    number::integer_text,
    scan::{self, ScanOptions},
    zset::{Place, Zset},
};

const ACCESS: &[KeySpec] = &[keys(1, 0, 1, &["RO", "access"])];

const fn row(name: &'static str, run: Run, arity: i32, flags: u32, keys: &'static [KeySpec]) -> Command {
    Command::new(name, run, arity, flags, Group::SortedSet).keys(keys)
}

pub(super) const COMMANDS: &[Command] = &[
    row("zadd", zadd, -4, WRITE | DENYOOM | FAST, &[keys(1, 0, 1, &["RW", "update"])]),
    row("zincrby", zincrby, 4, WRITE | DENYOOM | FAST, &[keys(1, 0, 1, &["RW", "access", "update"])]),
    row("zrem", zrem, -3, WRITE | FAST, &[keys(1, 0, 1, &["RW", "delete"])]),
    row("zscore", zscore, 3, READONLY | FAST, ACCESS),
    row("zmscore", zmscore, -3, READONLY | FAST, ACCESS),
    row("zcard", zcard, 2, READONLY | FAST, &[keys(1, 0, 1, &["RO"])]),
    row("zrank", |context, args| rank(context, args, false), 3, READONLY | FAST, ACCESS),
    row("zrevrank", |context, args| rank(context, args, true), 3, READONLY | FAST, ACCESS),
    row("zpopmin", |context, args| pop(context, args, End::Min), -2, WRITE | FAST, super::TAKEN),
    row("zpopmax", |context, args| pop(context, args, End::Max), -2, WRITE | FAST, super::TAKEN),
    row("zmpop", zmpop, -4, WRITE | MOVABLE_KEYS, &[first_keys(1, &["RW", "access", "delete"])]),
    row("zrandmember", zrandmember, -2, READONLY, ACCESS).tips(&["nondeterministic_output"]),
    row("zscan", zscan, -3, READONLY, ACCESS).tips(&["nondeterministic_output"]),
];

/// The options of `ZADD`.
#[derive(Clone, Copy, Debug, Default)]
struct Adding {
    only_new: bool,
    only_existing: bool,
    only_greater: bool,
    only_less: bool,
    count_changed: bool,
    increment: bool,
}

impl Adding {
    /// The options, and the pairs that follow them.
    fn parse(args: &[Bytes]) -> Result<(Self, &[Bytes]), Failure> {
        let mut adding = Self::default();
        let mut pairs = args;
        while let [option, rest @ ..] = pairs {
            match option.to_ascii_lowercase().as_slice() {
                b"nx" => adding.only_new = true,
                b"xx" => adding.only_existing = true,
                b"gt" => adding.only_greater = true,
                b"lt" => adding.only_less = true,
                b"ch" => adding.count_changed = true,
                b"incr" => adding.increment = true,
                _ => break,
            }
            pairs = rest;
        }
        if pairs.is_empty() || !pairs.len().is_multiple_of(2) {
            return Err(SYNTAX);
        }
        if adding.only_new && adding.only_existing {
            return Err(Failure::Constant("ERR XX and NX options at the same time are not compatible"));
        }
        if (adding.only_greater && (adding.only_new || adding.only_less)) || (adding.only_less && adding.only_new) {
            return Err(Failure::Constant("ERR GT, LT, and/or NX options at the same time are not compatible"));
        }
        if adding.increment && pairs.len() > 2 {
            return Err(Failure::Constant("ERR INCR option supports a single increment-element pair"));
        }
        Ok((adding, pairs))
    }

    /// The score that a member gets; `None` if the options leave it as it is.
    fn score(self, old: Option<f64>, given: f64) -> Result<Option<f64>, Failure> {
        let Some(old) = old else { return Ok((!self.only_existing).then_some(given)) };
        if self.only_new {
            return Ok(None);
        }
        let new = if self.increment { old + given } else { given };
        if new.is_nan() {
            return Err(Failure::Constant("ERR resulting score is not a number (NaN)"));
        }
        Ok((!(self.only_less && new >= old || self.only_greater && new <= old)).then_some(new))
    }
}

pub(super) fn zadd(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (adding, pairs) = Adding::parse(&args[2..])?;
    add(context, args, adding, pairs)
}

fn zincrby(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    add(context, args, Adding { increment: true, ..Adding::default() }, &args[2..])
}

fn add(context: &mut Context<'_>, args: &[Bytes], adding: Adding, pairs: &[Bytes]) -> Answer {
    let mut scores = Vec::with_capacity(pairs.len() / 2);
    for pair in pairs.chunks_exact(2) {
        scores.push(float::parse(&pair[0]).ok_or(NOT_A_FLOAT)?);
    }
    let key = Key::new(&args[1]);
    context.has_collection::<Zset>(&key, Access::IntentRead)?;
    let (mut added, mut moved, mut last) = (0, 0, None);
    context.tell_later(context.db, &key);
    for (given, pair) in scores.into_iter().zip(pairs.chunks_exact(2)) {
        let old = read(context, &key, &pair[1]);
        last = adding.score(old, given)?;
        if let Some(score) = last.filter(|score| old != Some(*score)) {
            put(context, &key, &pair[1], score, old.is_none());
            if old.is_some() { moved += 1 } else { added += 1 }
        }
    }
    if added + moved > 0 {
        context.changed(context.db, &key);
        context.replies_here();
        context.tell_now(context.db, &key);
        context.event(ZSET, if adding.increment { "zincr" } else { "zadd" }, &key);
        context.propagate(args);
        context.count_changes(added + moved - 1);
    }
    if adding.increment {
        return Ok(last.map_or(Reply::Null, Reply::Double));
    }
    Ok(Reply::Integer(if adding.count_changed { added + moved } else { added }))
}

/// The score of a member of the sorted set of a key that was looked up.
fn read(context: &mut Context<'_>, key: &Key, member: &Bytes) -> Option<f64> {
    context.touch_field(key, member, Access::Read);
    context.collection_now::<Zset>(key)?.score(member)
}

/// Sets the score of a member.
fn put(context: &mut Context<'_>, key: &Key, member: &Bytes, score: f64, new: bool) {
    context.open::<Zset>(key);
    let limits = context.engine.config.zset_limits();
    context.edit(key, |zset: &mut Zset| zset.set(member, score, limits));
    context.touch_member(key, member, new);
}

fn zrem(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    if context.collection::<Zset>(&key, Access::IntentRead)?.is_none() {
        return Ok(Reply::Integer(0));
    }
    let mut removed = 0;
    context.tell_later(context.db, &key);
    for member in &args[2..] {
        if read(context, &key, member).is_none() {
            continue;
        }
        removed += 1;
        if context.take_member(&key, member, |zset: &mut Zset| {
            zset.remove(member);
        }) {
            break;
        }
    }
    if removed > 0 {
        context.changed(context.db, &key);
        context.event(ZSET, "zrem", &key);
        removed_if_empty(context, &key);
        context.tell_now(context.db, &key);
        context.propagate(args);
        context.count_changes(removed - 1);
    }
    Ok(Reply::Integer(removed))
}

fn zscore(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    context.collection::<Zset>(&key, Access::IntentRead)?;
    Ok(read(context, &key, &args[2]).map_or(Reply::Null, Reply::Double))
}

fn zmscore(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    context.collection::<Zset>(&key, Access::IntentRead)?;
    let score = |member| read(context, &key, member).map_or(Reply::Null, Reply::Double);
    Ok(Reply::Array(args[2..].iter().map(score).collect()))
}

fn zcard(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    context.collection::<Zset>(&key, Access::IntentRead)?;
    context.touch_cardinality(&key, Access::Read);
    Ok(Reply::Integer(context.collection_now::<Zset>(&key).map_or(0, Zset::len) as i64))
}

fn rank(context: &mut Context<'_>, args: &[Bytes], from_last: bool) -> Answer {
    let Some(zset) = context.collection::<Zset>(&Key::new(&args[1]), Access::Read)? else { return Ok(Reply::Null) };
    let Some(rank) = zset.rank(&args[2]) else { return Ok(Reply::Null) };
    Ok(Reply::Integer(if from_last { zset.len() - 1 - rank } else { rank } as i64))
}

/// Places as replies: members, and their scores if these are wanted, each pair an array of its own if `nested`.
pub(super) fn shown<'a>(places: impl IntoIterator<Item = &'a Place>, with_scores: bool, nested: bool) -> Vec<Reply> {
    let mut replies = Vec::new();
    for place in places {
        let member = Reply::Bulk(place.member.clone());
        match (with_scores, nested) {
            (false, _) => replies.push(member),
            (true, false) => replies.extend([member, Reply::Double(place.score)]),
            (true, true) => replies.push(Reply::Array(vec![member, Reply::Double(place.score)])),
        }
    }
    replies
}

/// One end of a sorted set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Min,
    Max,
}

impl End {
    pub(super) fn parse(text: &[u8]) -> Result<Self, Failure> {
        match text.to_ascii_lowercase().as_slice() {
            b"min" => Ok(Self::Min),
            b"max" => Ok(Self::Max),
            _ => Err(SYNTAX),
        }
    }
}

/// Takes up to `count` places from one end of the sorted set of a key that was looked up. Whoever may wait for a sorted
/// set pops by this as well.
pub(super) fn take(context: &mut Context<'_>, key: &Key, end: End, count: usize) -> Vec<Place> {
    let taken = context.edit_whole(key, |zset: &mut Zset| {
        let first = if end == End::Min { 0 } else { zset.len() - 1 };
        let taken: Vec<Place> = zset.walk(first, end == End::Max).take(count).cloned().collect();
        for place in &taken {
            zset.remove(&place.member);
        }
        taken
    });
    taken.unwrap_or_default()
}

fn removed_if_empty(context: &mut Context<'_>, key: &Key) {
    if context.entry(key).is_none() {
        context.event(GENERIC, "del", key);
    }
}

/// [`take`] with its events, the first of which Redis sends just before the first place, and the last after the reply.
pub(super) fn take_shown(context: &mut Context<'_>, key: &Key, end: End, count: usize, nested: bool) -> Vec<Reply> {
    context.tell_later(context.db, key);
    let taken = take(context, key, end, count);
    let sent = context.deliveries.len();
    context.event(ZSET, if end == End::Min { "zpopmin" } else { "zpopmax" }, key);
    let mut replies = shown(&taken, true, nested);
    if let Some(first) = replies.first_mut() {
        *first = context.woven(sent, std::mem::replace(first, Reply::Null));
    }
    context.replies_here();
    context.tell_now(context.db, key);
    removed_if_empty(context, key);
    replies
}

fn pop(context: &mut Context<'_>, args: &[Bytes], end: End) -> Answer {
    let wanted = match &args[2..] {
        [] => None,
        [count] => Some(super::count(count)?),
        _ => return Err(SYNTAX),
    };
    let key = Key::new(&args[1]);
    if context.collection::<Zset>(&key, Access::Read)?.is_none() || wanted == Some(0) {
        return Ok(Reply::Array(Vec::new()));
    }
    let nested = wanted.is_some() && context.protocol() == Protocol::Resp3;
    let taken = take_shown(context, &key, end, wanted.unwrap_or(1), nested);
    context.propagate_changes(args, if nested { taken.len() } else { taken.len() / 2 });
    Ok(Reply::Array(taken))
}

fn zmpop(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let Pops { keys, end, count } = Pops::parse(&args[1..], End::parse)?;
    for name in keys {
        let key = Key::new(name);
        if context.collection::<Zset>(&key, Access::Read)?.is_none() {
            continue;
        }
        return Ok(pop_many(context, &key, end, count));
    }
    Ok(Reply::NullArray)
}

/// Takes up to `count` places, with the effect and the reply of `ZMPOP`, from a sorted set that was looked up.
pub(super) fn pop_many(context: &mut Context<'_>, key: &Key, end: End, count: usize) -> Reply {
    let taken = take_shown(context, key, end, count, true);
    let command = if end == End::Min { "ZPOPMIN" } else { "ZPOPMAX" };
    let effect = vec![Bytes::from_static(command.as_bytes()), key.name.clone(), integer_text(taken.len() as i64)];
    context.propagate_as(effect);
    context.count_changes(taken.len() as i64 - 1);
    Reply::Array(vec![bulk(&key.name), Reply::Array(taken)])
}

fn zrandmember(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let draw = args.get(2).map(|count| Draw::parse(count)).transpose()?;
    let with_scores = match args.get(3..).unwrap_or_default() {
        [] => false,
        [option] if option.eq_ignore_ascii_case(b"withscores") => true,
        _ => return Err(SYNTAX),
    };
    let wanted = draw.unwrap_or(Draw::Repeating(1)).limited(with_scores)?;
    let key = Key::new(&args[1]);
    let len = context.collection::<Zset>(&key, Access::Read)?.map_or(0, Zset::len);
    let ranks = draw::ranks(context, len, wanted);
    let nested = context.protocol() == Protocol::Resp3;
    let zset = context.collection_now::<Zset>(&key);
    let drawn = ranks.into_iter().filter_map(|rank| zset?.nth(rank));
    let mut replies = shown(drawn, with_scores, nested).into_iter();
    Ok(match draw {
        None => replies.next().unwrap_or(Reply::Null),
        Some(_) => Reply::Array(replies.collect()),
    })
}

fn zscan(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let cursor = scan::cursor(&args[2])?;
    let sorted = context.engine.options.sorted_replies;
    let Some(zset) = context.collection::<Zset>(&Key::new(&args[1]), Access::Read)? else {
        return Ok(scan::reply(0, Vec::new()));
    };
    let options = ScanOptions::parse(&args[3..], false)?;
    let (mut pairs, next): (Vec<(&Bytes, f64)>, u64) = match zset.table() {
        None => (zset.iter().map(|place| (&place.member, place.score)).collect(), 0),
        Some(table) => {
            let (part, next) = scan::next_of(table, cursor, options.count);
            (part.into_iter().map(|(key, score)| (&key.name, *score)).collect(), next)
        }
    };
    pairs.retain(|(member, _)| options.admits(member));
    if sorted {
        pairs.sort_unstable_by_key(|(member, _)| *member);
    }
    let score_text = if zset.table().is_none() { float::packed_text } else { float::text };
    let replies = pairs.into_iter().flat_map(|(member, score)| [bulk(member), Reply::Bulk(score_text(score).into())]);
    Ok(scan::reply(next, replies.collect()))
}
