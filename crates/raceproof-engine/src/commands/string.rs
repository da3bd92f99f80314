//! Strings: `GET`, `SET` and their family. Counters and `LCS` have files of their own.

use bytes::{Bytes, BytesMut};

use super::compare::Condition;
use crate::{
    Access, Reply, Version,
    command::{Command, Group, flag::*, keys},
    context::{Context, Deadline},
    db::{Text, Value},
    failure::{self, Answer, Failure, NOT_AN_INTEGER, OFFSET_OUT_OF_RANGE, SYNTAX, TOO_LONG},
    key::Key,
    notify::{GENERIC, STRING},
    number::{integer_text, parse_integer},
};

const fn row(name: &'static str, run: crate::command::Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, flags, Group::String)
}

pub(super) const COMMANDS: &[Command] = &[
    row("get", get, 2, READONLY | FAST).keys(&[keys(1, 0, 1, &["RO", "access"])]),
    row("set", set, -3, WRITE | DENYOOM).keys(&[crate::command::KeySpec {
        notes: Some("RW and ACCESS due to the optional `GET` argument"),
        ..keys(1, 0, 1, &["RW", "access", "update", "variable_flags"])
    }]),
    row("setnx", setnx, 3, WRITE | DENYOOM | FAST).keys(&[keys(1, 0, 1, &["OW", "insert"])]),
    row("setex", setex, 4, WRITE | DENYOOM).keys(&[keys(1, 0, 1, &["OW", "update"])]),
    row("psetex", psetex, 4, WRITE | DENYOOM).keys(&[keys(1, 0, 1, &["OW", "update"])]),
    row("getset", getset, 3, WRITE | DENYOOM | FAST).keys(&[keys(1, 0, 1, &["RW", "access", "update"])]),
    row("getdel", getdel, 2, WRITE | FAST).keys(&[keys(1, 0, 1, &["RW", "access", "delete"])]),
    row("getex", getex, -2, WRITE | FAST).keys(&[crate::command::KeySpec {
        notes: Some("RW and UPDATE because it changes the TTL"),
        ..keys(1, 0, 1, &["RW", "access", "update"])
    }]),
    row("mget", mget, -2, READONLY | FAST)
        .keys(&[keys(1, -1, 1, &["RO", "access"])])
        .tips(&["request_policy:multi_shard"]),
    row("mset", mset, -3, WRITE | DENYOOM)
        .keys(&[keys(1, -1, 2, &["OW", "update"])])
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"]),
    row("msetnx", msetnx, -3, WRITE | DENYOOM)
        .keys(&[keys(1, -1, 2, &["OW", "insert"])])
        .tips(&["request_policy:multi_shard", "response_policy:agg_min"]),
    row("append", append, 3, WRITE | DENYOOM | FAST).keys(&[keys(1, 0, 1, &["RW", "insert"])]),
    row("strlen", strlen, 2, READONLY | FAST).keys(&[keys(1, 0, 1, &["RO"])]),
    row("getrange", getrange, 4, READONLY).keys(&[keys(1, 0, 1, &["RO", "access"])]),
    row("substr", getrange, 4, READONLY).keys(&[keys(1, 0, 1, &["RO", "access"])]),
    row("setrange", setrange, 4, WRITE | DENYOOM).keys(&[keys(1, 0, 1, &["RW", "update"])]),
];

fn bulk_or_null(text: Option<&Text>) -> Reply {
    text.map_or(Reply::Null, |text| Reply::Bulk(text.data.to_bytes()))
}

fn get(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    context.look_at_text(&Key::new(&args[1]), bulk_or_null)
}

/// How an expire time is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    Seconds,
    Milliseconds,
    UnixSeconds,
    UnixMilliseconds,
}

/// The options of `SET` and `GETEX`.
#[derive(Debug, Default)]
struct Options {
    only_new: bool,
    only_existing: bool,
    get: bool,
    keep_ttl: bool,
    persist: bool,
    expire: Option<(Expiry, Bytes)>,
    /// What the string has to be (8.4).
    condition: Option<Condition>,
}

impl Options {
    fn parse(args: &[Bytes], of_set: bool, version: Version) -> Result<Self, Failure> {
        let compares = of_set && version >= Version::V8_4;
        let mut options = Self::default();
        let mut rest = args.iter();
        while let Some(option) = rest.next() {
            let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
            let free = !options.keep_ttl && !options.persist;
            let unconditional = !options.only_new && !options.only_existing && options.condition.is_none();
            if compares
                && unconditional
                && let Some(condition) = Condition::named(option, rest.as_slice().first())
            {
                rest.next();
                options.condition = Some(condition?);
            } else if of_set && is("nx") && !options.only_existing && options.condition.is_none() {
                options.only_new = true;
            } else if of_set && is("xx") && !options.only_new && options.condition.is_none() {
                options.only_existing = true;
            } else if of_set && is("get") {
                options.get = true;
            } else if of_set && is("keepttl") && !options.persist && options.expire.is_none() {
                options.keep_ttl = true;
            } else if !of_set && is("persist") && !options.keep_ttl && options.expire.is_none() {
                options.persist = true;
            } else if let Some(unit) = Expiry::named(option)
                && free
                && options.expire.as_ref().is_none_or(|(known, _)| *known == unit)
            {
                options.expire = Some((unit, rest.next().ok_or(SYNTAX)?.clone()));
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(options)
    }

    /// The deadline that was asked for, in Unix ms.
    fn deadline(&self, context: &mut Context<'_>, command: &str) -> Result<Option<i64>, Failure> {
        let Some((unit, text)) = &self.expire else { return Ok(None) };
        unit.deadline(context, text, command).map(Some)
    }
}

impl Expiry {
    /// What an option of that name says.
    pub(super) fn named(option: &[u8]) -> Option<Self> {
        let units: [(&[u8], Self); 4] = [
            (b"ex", Self::Seconds),
            (b"px", Self::Milliseconds),
            (b"exat", Self::UnixSeconds),
            (b"pxat", Self::UnixMilliseconds),
        ];
        units.iter().find(|(name, _)| option.eq_ignore_ascii_case(name)).map(|(_, unit)| *unit)
    }

    /// The deadline that is asked for, in Unix ms.
    pub(super) fn deadline(self, context: &mut Context<'_>, text: &[u8], command: &str) -> Result<i64, Failure> {
        let value = parse_integer(text).ok_or(NOT_AN_INTEGER)?;
        let refused = || failure::invalid_expire_time(command);
        if value <= 0 {
            return Err(refused());
        }
        let ms = match self {
            Self::Seconds | Self::UnixSeconds => value.checked_mul(1000).ok_or_else(refused)?,
            Self::Milliseconds | Self::UnixMilliseconds => value,
        };
        if matches!(self, Self::UnixSeconds | Self::UnixMilliseconds) {
            return Ok(ms);
        }
        context.read_clock();
        ms.checked_add(context.now_ms()).filter(|deadline| *deadline > 0).ok_or_else(refused)
    }
}

fn set(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let options = Options::parse(&args[3..], true, context.engine.options.version)?;
    let deadline = options.deadline(context, "set")?;
    let key = Key::new(&args[1]);
    let (old, found) = if options.get {
        context.reads = true;
        let text = context.text(&key)?;
        let found = text.is_some();
        let old = bulk_or_null(text);
        context.reads = false;
        context.replies_here();
        look_again(context, &key, found);
        (old, found)
    } else {
        // Overwriting is no reading, unless the condition asks whether the key exists.
        (Reply::Null, context.visit(&key, Access::IntentRead))
    };
    if (options.only_new && found) || (options.only_existing && !found) {
        return Ok(old);
    }
    if let Some(condition) = &options.condition {
        let admitted = match context.text(&key)? {
            None => condition.admits_nothing(),
            Some(text) => condition.admits(&text.data)?,
        };
        if !admitted {
            return Ok(old);
        }
    }
    let after = match deadline {
        Some(at) => Deadline::At(at),
        None if options.keep_ttl => Deadline::Keep,
        None => Deadline::Clear,
    };
    context.store(&key, Value::Text(Text::new(&args[2])), after);
    context.event(STRING, "set", &key);
    if deadline.is_some() {
        context.event(GENERIC, "expire", &key);
    }
    propagate_set(context, args, &options, deadline);
    Ok(if options.get { old } else { Reply::Simple("OK") })
}

/// A deadline is propagated as such and without conditions, the `GET` option not at all.
fn propagate_set(context: &mut Context<'_>, args: &[Bytes], options: &Options, deadline: Option<i64>) {
    match deadline {
        Some(at) => propagate_deadline(context, &args[1], &args[2], at),
        None if options.get => {
            let compared = |index: usize| Condition::named(&args[index - 1], Some(&args[index])).is_some();
            let kept = |(index, arg): (usize, &Bytes)| {
                let is_get = index >= 3 && arg.eq_ignore_ascii_case(b"get") && (index == 3 || !compared(index));
                (!is_get).then(|| arg.clone())
            };
            context.propagate_as(args.iter().enumerate().filter_map(kept).collect());
        }
        None => context.propagate(args),
    }
}

fn propagate_deadline(context: &mut Context<'_>, key: &Bytes, value: &Bytes, at: i64) {
    let args =
        vec![Bytes::from_static(b"SET"), key.clone(), value.clone(), Bytes::from_static(b"PXAT"), integer_text(at)];
    context.propagate_as(args);
}

fn setnx(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    if context.visit(&key, Access::IntentRead) {
        return Ok(Reply::Integer(0));
    }
    context.store(&key, Value::Text(Text::new(&args[2])), Deadline::Clear);
    context.event(STRING, "set", &key);
    context.propagate(args);
    Ok(Reply::Integer(1))
}

fn setex(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    set_for(context, args, Expiry::Seconds, "setex")
}

fn psetex(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    set_for(context, args, Expiry::Milliseconds, "psetex")
}

fn set_for(context: &mut Context<'_>, args: &[Bytes], unit: Expiry, command: &str) -> Answer {
    let at = unit.deadline(context, &args[2], command)?;
    let key = Key::new(&args[1]);
    context.visit(&key, Access::IntentRead);
    context.store(&key, Value::Text(Text::new(&args[3])), Deadline::At(at));
    context.event(STRING, "set", &key);
    context.event(GENERIC, "expire", &key);
    propagate_deadline(context, &args[1], &args[3], at);
    Ok(Reply::Simple("OK"))
}

/// What replies with the old value and then sets a new one looks the key up twice, which counts as two accesses.
fn look_again(context: &mut Context<'_>, key: &Key, found: bool) {
    if found {
        context.note_use(context.db, key);
    }
}

/// Reads what is replied at once, before anything is changed.
fn read_for_reply(context: &mut Context<'_>, key: &Key) -> Answer {
    context.reads = true;
    let old = bulk_or_null(context.text(key)?);
    context.reads = false;
    context.replies_here();
    Ok(old)
}

fn getset(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    let old = read_for_reply(context, &key)?;
    let found = context.entry(&key).is_some();
    look_again(context, &key, found);
    context.store(&key, Value::Text(Text::new(&args[2])), Deadline::Clear);
    context.event(STRING, "set", &key);
    context.propagate_as(vec![Bytes::from_static(b"SET"), args[1].clone(), args[2].clone()]);
    Ok(old)
}

fn getdel(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    let old = read_for_reply(context, &key)?;
    if context.remove(&key).is_some() {
        context.event(GENERIC, "del", &key);
        context.propagate_as(vec![Bytes::from_static(b"DEL"), args[1].clone()]);
    }
    Ok(old)
}

fn getex(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let options = Options::parse(&args[2..], false, context.engine.options.version)?;
    let key = Key::new(&args[1]);
    context.reads = true;
    let Some(text) = context.text(&key)? else { return Ok(Reply::Null) };
    let reply = Reply::Bulk(text.data.to_bytes());
    let deadline = options.deadline(context, "getex")?;
    context.replies_here();
    if let (Some((unit, _)), Some(at)) = (&options.expire, deadline) {
        context.read_clock();
        let absolute = matches!(unit, Expiry::UnixSeconds | Expiry::UnixMilliseconds);
        if absolute && at <= context.now_ms() {
            context.remove(&key);
            context.event(GENERIC, "del", &key);
            let name = context.engine.config.expiry_command();
            context.propagate_as(vec![name, args[1].clone()]);
        } else {
            context.set_deadline(&key, Some(at));
            context.event(GENERIC, "expire", &key);
            context.propagate_as(vec![Bytes::from_static(b"PEXPIREAT"), args[1].clone(), integer_text(at)]);
        }
    } else if options.persist && context.entry(&key).is_some_and(|entry| entry.deadline().is_some()) {
        context.set_deadline(&key, None);
        context.event(GENERIC, "persist", &key);
        context.propagate_as(vec![Bytes::from_static(b"PERSIST"), args[1].clone()]);
    }
    Ok(reply)
}

fn mget(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let sent = context.deliveries.len();
    let values = args[1..].iter().map(|name| {
        let value = context.look_at_text(&Key::new(name), bulk_or_null).unwrap_or(Reply::Null);
        context.woven(sent, value)
    });
    Ok(Reply::Array(values.collect()))
}

fn mset(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    if args.len().is_multiple_of(2) {
        return Err(failure::wrong_arity("mset"));
    }
    store_pairs(context, args);
    Ok(Reply::Simple("OK"))
}

fn msetnx(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    if args.len().is_multiple_of(2) {
        return Err(failure::wrong_arity("msetnx"));
    }
    for name in args[1..].iter().step_by(2) {
        if context.visit(&Key::new(name), Access::IntentRead) {
            return Ok(Reply::Integer(0));
        }
    }
    store_pairs(context, args);
    Ok(Reply::Integer(1))
}

fn store_pairs(context: &mut Context<'_>, args: &[Bytes]) {
    args[1..].chunks_exact(2).for_each(|pair| store_pair(context, pair, Deadline::Clear));
    context.propagate_changes(args, args.len() / 2);
}

/// Stores a value under a name.
pub(super) fn store_pair(context: &mut Context<'_>, pair: &[Bytes], deadline: Deadline) {
    let key = Key::new(&pair[0]);
    context.visit(&key, Access::IntentRead);
    context.store(&key, Value::Text(Text::new(&pair[1])), deadline);
    context.event(STRING, "set", &key);
}

fn append(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    let text = match context.text(&key)?.map(|text| text.data.clone()) {
        None => Text::new(&args[2]),
        Some(old) => {
            check_len(context, old.len(), args[2].len())?;
            let mut data = BytesMut::with_capacity(old.len() + args[2].len());
            data.extend_from_slice(&old);
            data.extend_from_slice(&args[2]);
            Text::raw(data.freeze())
        }
    };
    let len = text.data.len();
    context.store_text(&key, text);
    context.event(STRING, "append", &key);
    context.propagate(args);
    Ok(Reply::Integer(len as i64))
}

fn check_len(context: &Context<'_>, len: usize, more: usize) -> Result<(), Failure> {
    match len.checked_add(more) {
        Some(total) if total <= context.engine.config.longest_string() => Ok(()),
        _ => Err(TOO_LONG),
    }
}

fn strlen(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let text = context.text(&Key::new(&args[1]))?;
    Ok(Reply::Integer(text.map_or(0, |text| text.data.len() as i64)))
}

fn getrange(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let start = parse_integer(&args[2]).ok_or(NOT_AN_INTEGER)?;
    let end = parse_integer(&args[3]).ok_or(NOT_AN_INTEGER)?;
    let Some(text) = context.text(&Key::new(&args[1]))? else { return Ok(Reply::Bulk(Bytes::new())) };
    let len = text.data.len() as i64;
    let from_end = |at: i64| if at < 0 { at.saturating_add(len).max(0) } else { at };
    let (first, last) = (from_end(start), from_end(end).min(len - 1));
    if (start < 0 && end < 0 && start > end) || first > last {
        return Ok(Reply::Bulk(Bytes::new()));
    }
    Ok(Reply::Bulk(text.data.slice(first as usize..=last as usize)))
}

fn setrange(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let offset = parse_integer(&args[2]).ok_or(NOT_AN_INTEGER)?;
    let offset = usize::try_from(offset).map_err(|_| OFFSET_OUT_OF_RANGE)?;
    let (key, patch) = (Key::new(&args[1]), &args[3]);
    let old = context.text(&key)?.map(|text| text.data.clone()).unwrap_or_default();
    if patch.is_empty() {
        return Ok(Reply::Integer(old.len() as i64));
    }
    check_len(context, offset, patch.len())?;
    let mut data = BytesMut::zeroed(old.len().max(offset + patch.len()));
    data[..old.len()].copy_from_slice(&old);
    data[offset..offset + patch.len()].copy_from_slice(patch);
    let len = data.len();
    context.store_text(&key, Text::raw(data.freeze()));
    context.event(STRING, "setrange", &key);
    context.propagate(args);
    Ok(Reply::Integer(len as i64))
}
