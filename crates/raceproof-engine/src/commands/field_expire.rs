//! Deadlines of single hash fields (7.4).

use bytes::Bytes;

use super::expire::Conditions;
use crate::{
    Access, Object, Reply, Version,
    command::{Command, Group, KeySpec, Run, flag::*, keys},
    context::Context,
    failure::{self, Answer, Failure, NOT_AN_INTEGER},
    key::Key,
    notify::{GENERIC, HASH},
    number::{integer_text, parse_integer},
};

const WRITTEN: &[KeySpec] = &[keys(1, 0, 1, &["RW", "update"])];
const READ: &[KeySpec] = &[keys(1, 0, 1, &["RO", "access"])];

const fn writer(name: &'static str, run: Run, arity: i32) -> Command {
    Command::new(name, run, arity, WRITE | FAST, Group::Hash).keys(WRITTEN).since(Version::V7_4)
}

const fn reader(name: &'static str, run: Run) -> Command {
    Command::new(name, run, -5, READONLY | FAST, Group::Hash).keys(READ).since(Version::V7_4)
}

const VARIES: &[&str] = &["nondeterministic_output"];

pub(super) const COMMANDS: &[Command] = &[
    writer("hexpire", |context, args| expire(context, args, &HEXPIRE), -6),
    writer("hpexpire", |context, args| expire(context, args, &HPEXPIRE), -6),
    writer("hexpireat", |context, args| expire(context, args, &HEXPIREAT), -6),
    writer("hpexpireat", |context, args| expire(context, args, &HPEXPIREAT), -6),
    writer("hpersist", persist, -5),
    reader("httl", |context, args| ttl(context, args, true, true)).tips(VARIES),
    reader("hpttl", |context, args| ttl(context, args, false, true)).tips(VARIES),
    reader("hexpiretime", |context, args| ttl(context, args, true, false)),
    reader("hpexpiretime", |context, args| ttl(context, args, false, false)),
];

/// One of the four ways to say when.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) command: &'static str,
    pub(super) seconds: bool,
    pub(super) relative: bool,
}

const HEXPIRE: Form = Form { command: "hexpire", seconds: true, relative: true };
const HPEXPIRE: Form = Form { command: "hpexpire", seconds: false, relative: true };
const HEXPIREAT: Form = Form { command: "hexpireat", seconds: true, relative: false };
const HPEXPIREAT: Form = Form { command: "hpexpireat", seconds: false, relative: false };

/// The latest deadline that a field can have, Unix ms.
const LATEST_MS: i64 = (1 << 46) - 1;

/// What is replied for a field that does not exist.
const NO_FIELD: i64 = -2;

/// The fields of a command, after `FIELDS` and their number.
fn fields(args: &[Bytes]) -> Result<&[Bytes], Failure> {
    let (Some(word), Some(count)) = (args.first(), args.get(1)) else {
        return Err(Failure::Constant("ERR Mandatory argument FIELDS is missing or not at the right position"));
    };
    if !word.eq_ignore_ascii_case(b"fields") {
        return Err(Failure::Constant("ERR Mandatory argument FIELDS is missing or not at the right position"));
    }
    match parse_integer(count) {
        Some(count) if count >= 1 && count == args.len() as i64 - 2 => Ok(&args[2..]),
        Some(count) if count >= 1 => {
            Err(Failure::Constant("ERR The `numfields` parameter must match the number of arguments"))
        }
        _ => Err(Failure::Constant("ERR Parameter `numFields` should be greater than 0")),
    }
}

/// The deadline that is asked for, Unix ms.
pub(super) fn deadline(context: &mut Context<'_>, text: &[u8], form: &Form) -> Result<i64, Failure> {
    let value = parse_integer(text).ok_or(NOT_AN_INTEGER)?;
    if value < 0 {
        return Err(Failure::Constant("ERR invalid expire time, must be >= 0"));
    }
    let base = if form.relative {
        context.read_clock();
        context.now_ms()
    } else {
        0
    };
    let ms = if form.seconds { value.checked_mul(1000) } else { Some(value) };
    ms.and_then(|ms| ms.checked_add(base))
        .filter(|at| *at <= LATEST_MS)
        .ok_or_else(|| failure::invalid_expire_time(form.command))
}

fn expire(context: &mut Context<'_>, args: &[Bytes], form: &Form) -> Answer {
    let key = Key::new(&args[1]);
    let exists = context.hash(&key, Access::IntentRead)?.is_some();
    let at = deadline(context, &args[2], form)?;
    let is_condition = [&b"nx"[..], b"xx", b"gt", b"lt"].iter().any(|name| args[3].eq_ignore_ascii_case(name));
    let (options, rest) = args[3..].split_at(usize::from(is_condition));
    let conditions = Conditions::parse(options)?;
    let fields = fields(rest)?;
    if !exists {
        return Ok(Reply::Array(vec![Reply::Integer(NO_FIELD); fields.len()]));
    }
    // A deadline that has come removes the field at once, so also an absolute one depends on the time.
    context.read_clock();
    let past = at <= context.now_ms();
    let mut replies = Vec::with_capacity(fields.len());
    let (mut moved, mut removed) = (false, false);
    for field in fields {
        context.touch_field(&key, field, Access::Read);
        let Some(hash) = context.hash_now(&key).filter(|hash| hash.get(field).is_some()) else {
            replies.push(Reply::Integer(NO_FIELD));
            continue;
        };
        if !conditions.admit(hash.deadline(field), at) {
            replies.push(Reply::Integer(0));
        } else if past {
            context.remove_field(&key, field);
            context.propagate_as(vec![Bytes::from_static(b"HDEL"), args[1].clone(), field.clone()]);
            context.changed(context.db, &key);
            removed = true;
            replies.push(Reply::Integer(2));
        } else {
            move_deadline(context, &key, field, Some(at));
            moved = true;
            replies.push(Reply::Integer(1));
        }
    }
    if removed {
        context.event(HASH, "hdel", &key);
        if context.entry(&key).is_none() {
            context.event(GENERIC, "del", &key);
        }
    }
    if moved {
        context.event(HASH, "hexpire", &key);
        let mut effect = args.to_vec();
        effect[0] = Bytes::from_static(b"HPEXPIREAT");
        effect[2] = integer_text(at);
        context.propagate_as(effect);
    }
    Ok(Reply::Array(replies))
}

pub(super) fn move_deadline(context: &mut Context<'_>, key: &Key, field: &Bytes, deadline: Option<i64>) {
    context.touch_key(key, Access::IntentWrite);
    context.touch_field(key, field, Access::Write);
    context.touch(Object::Deadlines, Access::IntentWrite);
    context.edit_hash(key, |hash| hash.set_deadline(field, deadline));
    context.changed(context.db, key);
}

fn persist(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    context.hash(&key, Access::IntentRead)?;
    let mut replies = Vec::new();
    for field in fields(&args[2..])? {
        let deadline = shown_deadline(context, &key, field);
        if deadline > 0 {
            move_deadline(context, &key, field, None);
        }
        replies.push(Reply::Integer(if deadline > 0 { 1 } else { deadline }));
    }
    if replies.contains(&Reply::Integer(1)) {
        context.event(HASH, "hpersist", &key);
        context.propagate(args);
    }
    Ok(Reply::Array(replies))
}

/// The deadline of a field, -1 if it has none, -2 if there is no such field.
fn shown_deadline(context: &mut Context<'_>, key: &Key, field: &Bytes) -> i64 {
    context.touch_field(key, field, Access::Read);
    match context.hash_now(key).filter(|hash| hash.get(field).is_some()) {
        None => NO_FIELD,
        Some(hash) => hash.deadline(field).unwrap_or(-1),
    }
}

fn ttl(context: &mut Context<'_>, args: &[Bytes], seconds: bool, relative: bool) -> Answer {
    let key = Key::new(&args[1]);
    context.hash(&key, Access::IntentRead)?;
    let base = if relative { context.now_ms() } else { 0 };
    let mut replies = Vec::new();
    for field in fields(&args[2..])? {
        let deadline = shown_deadline(context, &key, field);
        replies.push(Reply::Integer(match deadline {
            ..0 => deadline,
            _ if seconds => (deadline + 999 - base) / 1000,
            _ => deadline - base,
        }));
    }
    Ok(Reply::Array(replies))
}
