//! `XCLAIM` and `XAUTOCLAIM`: what is pending for one consumer becomes another's.

use bytes::Bytes;

use super::stream::shown;
use crate::{
    Access, Reply,
    command::{Command, Group as Family, KeySpec, Run, flag::*, keys},
    context::Context,
    failure::{self, Answer, Failure, SYNTAX},
    key::Key,
    notify::STREAM,
    number::{integer_text, parse_integer},
    stream::{Group, Id, Pending, Stream},
};

const fn row(name: &'static str, run: Run, keys: &'static [KeySpec]) -> Command {
    Command::new(name, run, -6, WRITE | FAST, Family::Stream).keys(keys).tips(&["nondeterministic_output"])
}

pub(super) const COMMANDS: &[Command] = &[
    row("xclaim", xclaim, &[keys(1, 0, 1, &["RW", "update"])]),
    row("xautoclaim", xautoclaim, &[keys(1, 0, 1, &["RW", "delete"])]),
];

/// The effect of an entry that has become pending for a consumer, or is no longer pending. Its ID is written as it came.
pub(super) fn claimed(key: &Bytes, group: &Bytes, id: Bytes, pending: &Pending, last_id: Id) -> Vec<Bytes> {
    let word = Bytes::from_static;
    vec![
        word(b"XCLAIM"),
        key.clone(),
        group.clone(),
        pending.consumer.clone(),
        word(b"0"),
        id,
        word(b"TIME"),
        integer_text(pending.delivered_ms),
        word(b"RETRYCOUNT"),
        integer_text(pending.deliveries),
        word(b"FORCE"),
        word(b"JUSTID"),
        word(b"LASTID"),
        last_id.text(),
    ]
}

/// The effect of a group that has gone on without anything pending.
pub(super) fn group_moved(key: &Bytes, name: &Bytes, group: &Group) -> Vec<Bytes> {
    let word = Bytes::from_static;
    let read = integer_text(group.entries_read.unwrap_or(-1));
    vec![word(b"XGROUP"), word(b"SETID"), key.clone(), name.clone(), group.last_id.text(), word(b"ENTRIESREAD"), read]
}

/// What is done to each entry that is claimed.
#[derive(Debug)]
struct Claim<'a> {
    consumer: &'a Bytes,
    min_idle_ms: i64,
    delivered_ms: i64,
    deliveries: Option<i64>,
    just_id: bool,
    force: bool,
    now_ms: i64,
}

/// What became of an entry.
enum Claimed {
    /// It is not pending, or not for long enough.
    No,
    /// It was pending, and is no longer in the stream.
    Gone(Vec<Bytes>),
    /// It was claimed; and whether the consumer was unknown before.
    Yes(Reply, Vec<Bytes>, bool),
}

impl Claim<'_> {
    /// Claims one entry.
    fn one(&self, stream: &mut Stream, key: &Bytes, name: &Bytes, id: Id, written: Bytes) -> Claimed {
        let entry = stream.get(id).map(|entry| if self.just_id { Reply::Bulk(id.text()) } else { shown(entry) });
        let Some(group) = stream.groups.get_mut(name) else { return Claimed::No };
        let Some(reply) = entry else {
            return match group.settle(id) {
                Some(pending) => Claimed::Gone(claimed(key, name, written, &pending, group.last_id)),
                None => Claimed::No,
            };
        };
        let deliveries = match group.pending.get(&id) {
            Some(known) if self.min_idle_ms > 0 && self.now_ms - known.delivered_ms < self.min_idle_ms => {
                return Claimed::No;
            }
            Some(known) => known.deliveries,
            None if self.force => 1,
            None => return Claimed::No,
        };
        let deliveries = self.deliveries.unwrap_or(if self.just_id { deliveries } else { deliveries.wrapping_add(1) });
        let pending = Pending { consumer: self.consumer.clone(), delivered_ms: self.delivered_ms, deliveries };
        let effect = claimed(key, name, written, &pending, group.last_id);
        // A consumer that gets nothing is not even known.
        let new = group.see(self.consumer, self.now_ms);
        group.deliver(id, pending);
        Claimed::Yes(reply, effect, new)
    }
}

/// Makes sure that the group of a claim is there.
fn check_group(context: &mut Context<'_>, key: &Key, args: &[Bytes]) -> Result<(), Failure> {
    let stream = context.collection::<Stream>(key, Access::Read)?;
    if stream.is_some_and(|stream| stream.groups.contains_key(&args[2])) {
        return Ok(());
    }
    Err(failure::no_group(&args[1], &args[2], ""))
}

/// The options of `XCLAIM`.
#[derive(Debug, Default)]
struct Options {
    /// Unix ms; bogus ones become the present.
    delivered_ms: Option<i64>,
    deliveries: Option<i64>,
    force: bool,
    just_id: bool,
    last_id: Id,
}

impl Options {
    fn parse(args: &[Bytes], now_ms: i64) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut left = args;
        while let [option, rest @ ..] = left {
            left = rest;
            let number = |text: &Bytes, name: &str| {
                let refusal = || Failure::Text(format!("ERR Invalid {name} option argument for XCLAIM"));
                parse_integer(text).ok_or_else(refusal)
            };
            match (option.to_ascii_lowercase().as_slice(), rest) {
                (b"force", _) => options.force = true,
                (b"justid", _) => options.just_id = true,
                (b"idle", [idle, rest @ ..]) => {
                    options.delivered_ms = Some(now_ms.wrapping_sub(number(idle, "IDLE")?));
                    left = rest;
                }
                (b"time", [time, rest @ ..]) => {
                    options.delivered_ms = Some(number(time, "TIME")?);
                    left = rest;
                }
                (b"retrycount", [count, rest @ ..]) => {
                    options.deliveries = Some(number(count, "RETRYCOUNT")?);
                    left = rest;
                }
                (b"lastid", [id, rest @ ..]) => {
                    options.last_id = Id::parse(id)?;
                    left = rest;
                }
                _ => {
                    let mut text = b"ERR Unrecognized XCLAIM option '".to_vec();
                    text.extend_from_slice(failure::quoted(option, option.len()));
                    text.push(b'\'');
                    return Err(Failure::Bytes(text.into()));
                }
            }
        }
        Ok(options)
    }
}

fn xclaim(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    context.reads = true;
    let key = Key::new(&args[1]);
    check_group(context, &key, args)?;
    let refusal = Failure::Constant("ERR Invalid min-idle-time argument for XCLAIM");
    let min_idle_ms = parse_integer(&args[4]).ok_or(refusal)?.max(0);
    let ids: Vec<Id> = args[5..].iter().map_while(|text| Id::parse(text).ok()).collect();
    context.read_clock();
    let now_ms = context.now_ms();
    let options = Options::parse(&args[5 + ids.len()..], now_ms)?;
    let claim = Claim {
        consumer: &args[3],
        min_idle_ms,
        delivered_ms: options.delivered_ms.filter(|at| (0..=now_ms).contains(at)).unwrap_or(now_ms),
        deliveries: options.deliveries.filter(|count| *count >= 0),
        just_id: options.just_id,
        force: options.force,
        now_ms,
    };
    context.touch_key(&key, Access::Write);
    let done = context.edit(&key, |stream: &mut Stream| {
        let (mut replies, mut effects) = (Vec::new(), Vec::new());
        let (mut moved, mut first_seen) = (false, None);
        if let Some(group) = stream.groups.get_mut(&args[2]) {
            moved = options.last_id > group.last_id;
            group.last_id = group.last_id.max(options.last_id);
        }
        for (id, written) in ids.into_iter().zip(&args[5..]) {
            match claim.one(stream, &args[1], &args[2], id, written.clone()) {
                Claimed::No => {}
                Claimed::Gone(effect) => effects.push(effect),
                Claimed::Yes(reply, effect, new) => {
                    first_seen = first_seen.or(new.then_some(replies.len()));
                    replies.push(reply);
                    effects.push(effect);
                }
            }
        }
        if let Some(group) = stream.groups.get(&args[2]).filter(|_| moved && effects.is_empty()) {
            effects.push(group_moved(&args[1], &args[2], group));
        }
        (replies, effects, first_seen)
    });
    let (mut replies, effects, first_seen) = done.unwrap_or_default();
    consumer_created(context, &key, &mut replies, first_seen);
    for effect in effects {
        context.propagate_as(effect);
    }
    Ok(Reply::Array(replies))
}

/// Tells that the consumer was created for one of the entries, just before that.
fn consumer_created(context: &mut Context<'_>, key: &Key, replies: &mut [Reply], first_seen: Option<usize>) {
    if let Some(first) = first_seen.and_then(|at| replies.get_mut(at)) {
        let sent = context.deliveries.len();
        context.event(STREAM, "xgroup-createconsumer", key);
        context.count_changes(1);
        *first = context.woven(sent, std::mem::replace(first, Reply::Null));
    }
}

/// How many pending entries `XAUTOCLAIM` looks at for each that it may claim.
const LOOKED_AT: usize = 10;

fn xautoclaim(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    context.reads = true;
    let key = Key::new(&args[1]);
    context.visit(&key, Access::Read);
    context.reads = false;
    let refusal = Failure::Constant("ERR Invalid min-idle-time argument for XAUTOCLAIM");
    let min_idle_ms = parse_integer(&args[4]).ok_or(refusal)?.max(0);
    let start = Id::parse_start(&args[5])?;
    let (mut count, mut just_id) = (100, false);
    let mut options = &args[6..];
    while let [option, rest @ ..] = options {
        options = rest;
        match (option.to_ascii_lowercase().as_slice(), rest) {
            (b"count", [number, rest @ ..]) => {
                const TOO_MANY: usize = i64::MAX as usize / 16;
                count = super::at_least(number, 1, "ERR COUNT must be > 0")?;
                if count > TOO_MANY {
                    return Err(Failure::Constant("ERR COUNT must be > 0"));
                }
                options = rest;
            }
            (b"justid", _) => just_id = true,
            _ => return Err(SYNTAX),
        }
    }
    check_group(context, &key, args)?;
    context.read_clock();
    let now_ms = context.now_ms();
    let claim = Claim {
        consumer: &args[3],
        min_idle_ms,
        delivered_ms: now_ms,
        deliveries: None,
        just_id,
        force: false,
        now_ms,
    };
    context.touch_key(&key, Access::Write);
    let done = context.edit(&key, |stream: &mut Stream| claim_from(stream, &claim, args, start, count));
    let Some((mut replies, gone, effects, next, first_seen)) = done else { return Ok(Reply::Array(Vec::new())) };
    consumer_created(context, &key, &mut replies, first_seen);
    for effect in effects {
        context.propagate_as(effect);
    }
    Ok(Reply::Array(vec![Reply::Bulk(next.text()), Reply::Array(replies), Reply::Array(gone)]))
}

/// What is claimed, what was gone, the effects, where the next call goes on, and for which of the claimed entries the
/// consumer was created.
type Progress = (Vec<Reply>, Vec<Reply>, Vec<Vec<Bytes>>, Id, Option<usize>);

fn claim_from(stream: &mut Stream, claim: &Claim<'_>, args: &[Bytes], start: Id, mut count: usize) -> Progress {
    let (mut replies, mut gone, mut effects, mut first_seen) = (Vec::new(), Vec::new(), Vec::new(), None);
    let Some(group) = stream.groups.get(&args[2]) else { return (replies, gone, effects, Id::MIN, None) };
    let attempts = count.saturating_mul(LOOKED_AT);
    // One more than is looked at, to know where the next call goes on.
    let ids: Vec<Id> = group.pending.range(start..).take(attempts.saturating_add(1)).map(|(id, _)| *id).collect();
    let mut looked_at = 0;
    for id in ids.iter().take(attempts) {
        if count == 0 {
            break;
        }
        looked_at += 1;
        match claim.one(stream, &args[1], &args[2], *id, id.text()) {
            Claimed::No => continue,
            Claimed::Gone(effect) => {
                gone.push(Reply::Bulk(id.text()));
                effects.push(effect);
            }
            Claimed::Yes(reply, effect, new) => {
                first_seen = first_seen.or(new.then_some(replies.len()));
                replies.push(reply);
                effects.push(effect);
            }
        }
        count -= 1;
    }
    (replies, gone, effects, ids.get(looked_at).copied().unwrap_or_default(), first_seen)
}
