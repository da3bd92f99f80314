//! Hashes.

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use super::bulk;
use crate::{
    Access, Object, Protocol, Reply,
    command::{Command, Group, KeySpec, Run, flag::*, keys},
    context::{Context, Deadline},
    db::Value,
    draw::{self, Draw},
    failure::{self, Answer, Failure, NAN_OR_INFINITY, NOT_A_FLOAT, NOT_AN_INTEGER, SYNTAX, WOULD_OVERFLOW},
    hash::Hash,
    key::Key,
    long_double::LongDouble,
    notify::{GENERIC, HASH},
    number::{integer_text, parse_integer},
    scan::{self, ScanOptions},
};

const ACCESS: &[KeySpec] = &[keys(1, 0, 1, &["RO", "access"])];
const LOOK: &[KeySpec] = &[keys(1, 0, 1, &["RO"])];

const fn reader(name: &'static str, run: Run, arity: i32, flags: u32, key: &'static [KeySpec]) -> Command {
    Command::new(name, run, arity, READONLY | flags, Group::Hash).keys(key)
}

const fn writer(name: &'static str, run: Run, arity: i32) -> Command {
    Command::new(name, run, arity, WRITE | DENYOOM | FAST, Group::Hash)
}

const ANY_ORDER: &[&str] = &["nondeterministic_output_order"];
const UNPREDICTABLE: &[&str] = &["nondeterministic_output"];

pub(super) const COMMANDS: &[Command] = &[
    writer("hset", hset, -4).keys(&[keys(1, 0, 1, &["RW", "update"])]),
    writer("hmset", hmset, -4).keys(&[keys(1, 0, 1, &["RW", "update"])]),
    writer("hsetnx", hsetnx, 4).keys(&[keys(1, 0, 1, &["RW", "insert"])]),
    reader("hget", hget, 3, FAST, ACCESS),
    reader("hmget", hmget, -3, FAST, ACCESS),
    reader("hgetall", hgetall, 2, 0, ACCESS).tips(ANY_ORDER),
    Command::new("hdel", hdel, -3, WRITE | FAST, Group::Hash).keys(&[keys(1, 0, 1, &["RW", "delete"])]),
    reader("hlen", hlen, 2, FAST, LOOK),
    reader("hexists", hexists, 3, FAST, LOOK),
    reader("hkeys", hkeys, 2, 0, ACCESS).tips(ANY_ORDER),
    reader("hvals", hvals, 2, 0, ACCESS).tips(ANY_ORDER),
    writer("hincrby", hincrby, 4).keys(&[keys(1, 0, 1, &["RW", "access", "update"])]),
    writer("hincrbyfloat", hincrbyfloat, 4).keys(&[keys(1, 0, 1, &["RW", "access", "update"])]),
    reader("hstrlen", hstrlen, 3, FAST, LOOK),
    reader("hrandfield", hrandfield, -2, 0, ACCESS).tips(UNPREDICTABLE),
    reader("hscan", hscan, -3, 0, ACCESS).tips(UNPREDICTABLE),
];

/// Makes sure that a key is a hash, and declares that a part of it will be written or, if it is new, all of it.
/// Tells whether it is new.
pub(super) fn open(context: &mut Context<'_>, key: &Key) -> Result<bool, Failure> {
    if context.is_hash(key, Access::IntentRead)? {
        context.touch_key(key, Access::IntentWrite);
        return Ok(false);
    }
    context.store(key, Value::Hash(Arc::default()), Deadline::Clear);
    Ok(true)
}

/// Sets a field of a hash that was opened and tells whether the field is new.
pub(super) fn put(context: &mut Context<'_>, key: &Key, field: &Bytes, value: Bytes) -> bool {
    let limits = context.limits();
    let added = context.edit_hash(key, |hash| hash.set(field, value, limits)).unwrap_or(false);
    touch_put(context, key, field, added);
    added
}

/// Declares that a field was set.
fn touch_put(context: &mut Context<'_>, key: &Key, field: &Bytes, added: bool) {
    context.touch_field(key, field, Access::Write);
    if added {
        context.touch_cardinality(key, Access::IntentWrite);
    }
}

fn put_pairs(context: &mut Context<'_>, args: &[Bytes], command: &str) -> Result<i64, Failure> {
    if !args.len().is_multiple_of(2) {
        return Err(failure::wrong_arity(command));
    }
    let key = Key::new(&args[1]);
    context.tell_later(context.db, &key);
    open(context, &key)?;
    let limits = context.limits();
    let longest = args[2..].iter().map(Bytes::len).max().unwrap_or(0);
    let pairs = || args[2..].chunks_exact(2);
    let kept = !context.footprint.ignores();
    let (mut added, mut forgot, mut new) = (0, false, SmallVec::<[bool; 8]>::new());
    context.edit_hash(&key, |hash| {
        hash.prepare(longest, limits);
        for pair in pairs() {
            if hash.deadline(&pair[0]).is_some() {
                hash.set_deadline(&pair[0], None);
                forgot = true;
            }
            let is_new = hash.set(&pair[0], pair[1].clone(), limits);
            added += i64::from(is_new);
            if kept {
                new.push(is_new);
            }
        }
    });
    if forgot {
        context.touch(Object::Deadlines, Access::IntentWrite);
    }
    for (pair, is_new) in pairs().zip(new) {
        touch_put(context, &key, &pair[0], is_new);
    }
    context.changed(context.db, &key);
    context.replies_here();
    context.tell_now(context.db, &key);
    context.event(HASH, "hset", &key);
    context.propagate_changes(args, args.len() / 2 - 1);
    Ok(added)
}

/// A field that is set anew lives for ever again.
pub(super) fn forget_deadline(context: &mut Context<'_>, key: &Key, field: &Bytes) {
    if context.hash_now(key).is_some_and(|hash| hash.deadline(field).is_some()) {
        context.touch(Object::Deadlines, Access::IntentWrite);
        context.edit_hash(key, |hash| hash.set_deadline(field, None));
    }
}

fn hset(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    put_pairs(context, args, "hset").map(Reply::Integer)
}

fn hmset(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    put_pairs(context, args, "hmset").map(|_| Reply::Simple("OK"))
}

fn hsetnx(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (key, field) = (Key::new(&args[1]), &args[2]);
    if context.hash(&key, Access::IntentRead)?.is_some_and(|hash| hash.get(field).is_some()) {
        context.touch_field(&key, field, Access::Read);
        return Ok(Reply::Integer(0));
    }
    context.tell_later(context.db, &key);
    open(context, &key)?;
    put(context, &key, field, args[3].clone());
    context.changed(context.db, &key);
    context.replies_here();
    context.tell_now(context.db, &key);
    context.event(HASH, "hset", &key);
    context.propagate(args);
    Ok(Reply::Integer(1))
}

/// The value of a field, read as a field.
fn read<'a>(context: &'a mut Context<'_>, key: &Key, field: &Bytes) -> Result<Option<&'a Bytes>, Failure> {
    context.hash(key, Access::IntentRead)?;
    context.touch_field(key, field, Access::Read);
    Ok(context.hash_now(key).and_then(|hash| hash.get(field)))
}

pub(super) fn bulk_or_null(value: Option<&Bytes>) -> Reply {
    value.map_or(Reply::Null, |value| Reply::Bulk(value.clone()))
}

fn hget(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    Ok(bulk_or_null(read(context, &Key::new(&args[1]), &args[2])?))
}

fn hmget(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    context.hash(&key, Access::IntentRead)?;
    let mut values = Vec::with_capacity(args.len() - 2);
    for field in &args[2..] {
        context.touch_field(&key, field, Access::Read);
        values.push(bulk_or_null(context.hash_now(&key).and_then(|hash| hash.get(field))));
    }
    Ok(Reply::Array(values))
}

fn hexists(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let value = read(context, &Key::new(&args[1]), &args[2])?;
    Ok(Reply::Integer(i64::from(value.is_some())))
}

fn hstrlen(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let value = read(context, &Key::new(&args[1]), &args[2])?;
    Ok(Reply::Integer(value.map_or(0, |value| value.len() as i64)))
}

fn hlen(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    context.hash(&key, Access::IntentRead)?;
    context.touch_cardinality(&key, Access::Read);
    Ok(Reply::Integer(context.hash_now(&key).map_or(0, Hash::len) as i64))
}

/// All fields and values in the order in which replies show them. (A small hash is kept sorted if replies are to be.)
fn read_all<'a>(context: &'a mut Context<'_>, key: &Key) -> Result<Vec<(&'a Bytes, &'a Bytes)>, Failure> {
    let sorted = context.engine.options.sorted_replies;
    let mut pairs: Vec<_> = context.hash(key, Access::Read)?.map(|hash| hash.iter().collect()).unwrap_or_default();
    if sorted {
        pairs.sort_unstable();
    }
    Ok(pairs)
}

fn hgetall(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let pairs = read_all(context, &Key::new(&args[1]))?;
    Ok(Reply::Map(pairs.into_iter().map(|(field, value)| (bulk(field), bulk(value))).collect()))
}

fn hkeys(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let pairs = read_all(context, &Key::new(&args[1]))?;
    Ok(Reply::Array(pairs.into_iter().map(|(field, _)| bulk(field)).collect()))
}

fn hvals(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let pairs = read_all(context, &Key::new(&args[1]))?;
    Ok(Reply::Array(pairs.into_iter().map(|(_, value)| bulk(value)).collect()))
}

/// Removing a field reads how many there are: without the last one the key is gone, and its deadline with it.
fn hdel(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    let mut removed = 0_usize;
    if context.hash(&key, Access::IntentRead)?.is_none() {
        return Ok(Reply::Integer(0));
    }
    for field in &args[2..] {
        if context.hash_now(&key).is_none_or(|hash| hash.get(field).is_none()) {
            context.touch_field(&key, field, Access::Read);
            continue;
        }
        removed += 1;
        if context.remove_field(&key, field) {
            break;
        }
    }
    if removed > 0 {
        context.changed(context.db, &key);
        context.event(HASH, "hdel", &key);
        if context.entry(&key).is_none() {
            context.event(GENERIC, "del", &key);
        }
        context.propagate_changes(args, removed);
    }
    Ok(Reply::Integer(removed as i64))
}

fn hincrby(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let step = parse_integer(&args[3]).ok_or(NOT_AN_INTEGER)?;
    let (key, field) = (Key::new(&args[1]), &args[2]);
    let old = match read(context, &key, field)? {
        None => 0,
        Some(value) => parse_integer(value).ok_or(Failure::Constant("ERR hash value is not an integer"))?,
    };
    let new = old.checked_add(step).ok_or(WOULD_OVERFLOW)?;
    context.touches = false;
    context.tell_later(context.db, &key);
    open(context, &key)?;
    put(context, &key, field, integer_text(new));
    context.changed(context.db, &key);
    context.replies_here();
    context.tell_now(context.db, &key);
    context.event(HASH, "hincrby", &key);
    context.propagate(args);
    Ok(Reply::Integer(new))
}

/// Propagated as the `HSET` of the result, since a replica's floats may round differently.
fn hincrbyfloat(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let step = LongDouble::parse(&args[3]).ok_or(NOT_A_FLOAT)?;
    if step.is_infinite() {
        return Err(Failure::Constant("ERR value is NaN or Infinity"));
    }
    let (key, field) = (Key::new(&args[1]), &args[2]);
    let old = match read(context, &key, field)? {
        None => LongDouble::parse(b"0"),
        Some(value) => LongDouble::parse(value),
    };
    let old = old.ok_or(Failure::Constant("ERR hash value is not a float"))?;
    let new = Bytes::from(old.checked_add(step).ok_or(NAN_OR_INFINITY)?.text());
    context.touches = false;
    context.tell_later(context.db, &key);
    open(context, &key)?;
    put(context, &key, field, new.clone());
    context.changed(context.db, &key);
    context.replies_here();
    context.tell_now(context.db, &key);
    context.event(HASH, "hincrbyfloat", &key);
    context.propagate_as(vec![Bytes::from_static(b"HSET"), args[1].clone(), field.clone(), new.clone()]);
    Ok(Reply::Bulk(new))
}

fn hrandfield(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    let Some(count) = args.get(2) else {
        let drawn = draw(context, &key, Draw::Repeating(1))?;
        return Ok(drawn.into_iter().next().map_or(Reply::Null, |(field, _)| Reply::Bulk(field)));
    };
    let wanted = Draw::parse(count)?;
    let with_values = match &args[3..] {
        [] => false,
        [option] if option.eq_ignore_ascii_case(b"withvalues") => true,
        _ => return Err(SYNTAX),
    };
    let nested = with_values && context.protocol() == Protocol::Resp3;
    let drawn = draw(context, &key, wanted.limited(with_values)?)?;
    let mut replies = Vec::with_capacity(drawn.len());
    for (field, value) in drawn {
        match (with_values, nested) {
            (false, _) => replies.push(Reply::Bulk(field)),
            (true, false) => replies.extend([Reply::Bulk(field), Reply::Bulk(value)]),
            (true, true) => replies.push(Reply::Array(vec![Reply::Bulk(field), Reply::Bulk(value)])),
        }
    }
    Ok(Reply::Array(replies))
}

/// Draws fields with their values.
fn draw(context: &mut Context<'_>, key: &Key, wanted: Draw) -> Result<Vec<(Bytes, Bytes)>, Failure> {
    let len = context.hash(key, Access::Read)?.map_or(0, Hash::len);
    let ranks = draw::ranks(context, len, wanted);
    let Some(hash) = context.hash_now(key).filter(|_| !ranks.is_empty()) else { return Ok(Vec::new()) };
    let all: Vec<(&Bytes, &Bytes)> = hash.iter().collect();
    let cloned = |rank: usize| all.get(rank).map(|(field, value)| ((*field).clone(), (*value).clone()));
    Ok(ranks.into_iter().filter_map(cloned).collect())
}

fn hscan(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let cursor = scan::cursor(&args[2])?;
    let sorted = context.engine.options.sorted_replies;
    // Redis answers for a key that is missing before it looks at the options.
    let Some(hash) = context.hash(&Key::new(&args[1]), Access::Read)? else {
        return Ok(scan::reply(0, Vec::new()));
    };
    let options = ScanOptions::parse(&args[3..], false)?;
    let (mut pairs, next): (Vec<(&Bytes, &Bytes)>, u64) = match hash.table() {
        None => (hash.iter().collect(), 0),
        Some(table) => {
            let (part, next) = scan::next_part(table, cursor, options.count);
            (part.into_iter().map(|(key, value)| (&key.name, value)).collect(), next)
        }
    };
    pairs.retain(|(field, _)| options.admits(field));
    if sorted {
        pairs.sort_unstable();
    }
    Ok(scan::reply(next, pairs.into_iter().flat_map(|(field, value)| [bulk(field), bulk(value)]).collect()))
}
