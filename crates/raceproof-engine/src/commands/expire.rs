//! Deadlines of keys.

use bytes::Bytes;

use crate::{
    Access, Reply,
    command::{Command, Group, KeySpec, Run, flag::*, keys},
    context::Context,
    db::Entry,
    failure::{self, Answer, Failure, NOT_AN_INTEGER},
    key::Key,
    notify::GENERIC,
    number::{integer_text, parse_integer},
};

const WRITTEN: &[KeySpec] = &[keys(1, 0, 1, &["RW", "update"])];
const READ: &[KeySpec] = &[keys(1, 0, 1, &["RO", "access"])];

const fn writer(name: &'static str, run: Run, arity: i32) -> Command {
    Command::new(name, run, arity, WRITE | FAST, Group::Keyspace).keys(WRITTEN)
}

const fn reader(name: &'static str, run: Run, tips: &'static [&'static str]) -> Command {
    Command::new(name, run, 2, READONLY | FAST | NO_TOUCH, Group::Keyspace).keys(READ).tips(tips)
}

pub(super) const COMMANDS: &[Command] = &[
    writer("expire", |context, args| expire(context, args, &EXPIRE), -3),
    writer("pexpire", |context, args| expire(context, args, &PEXPIRE), -3),
    writer("expireat", |context, args| expire(context, args, &EXPIREAT), -3),
    writer("pexpireat", |context, args| expire(context, args, &PEXPIREAT), -3),
    writer("persist", persist, 2),
    reader("ttl", |context, args| ttl(context, args, Shown::Seconds, Since::Now), &["nondeterministic_output"]),
    reader("pttl", |context, args| ttl(context, args, Shown::Milliseconds, Since::Now), &["nondeterministic_output"]),
    reader("expiretime", |context, args| ttl(context, args, Shown::Seconds, Since::Epoch), &[]),
    reader("pexpiretime", |context, args| ttl(context, args, Shown::Milliseconds, Since::Epoch), &[]),
];

/// One of the four ways to say when.
#[derive(Debug)]
struct Form {
    command: &'static str,
    seconds: bool,
    relative: bool,
}

const EXPIRE: Form = Form { command: "expire", seconds: true, relative: true };
const PEXPIRE: Form = Form { command: "pexpire", seconds: false, relative: true };
const EXPIREAT: Form = Form { command: "expireat", seconds: true, relative: false };
const PEXPIREAT: Form = Form { command: "pexpireat", seconds: false, relative: false };

/// The conditions on the deadline that a key has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Conditions {
    none: bool,
    some: bool,
    later: bool,
    earlier: bool,
}

impl Conditions {
    pub(super) fn parse(options: &[Bytes]) -> Result<Self, Failure> {
        let mut conditions = Self::default();
        for option in options {
            match option.to_ascii_lowercase().as_slice() {
                b"nx" => conditions.none = true,
                b"xx" => conditions.some = true,
                b"gt" => conditions.later = true,
                b"lt" => conditions.earlier = true,
                _ => {
                    let mut text = b"ERR Unsupported option ".to_vec();
                    text.extend_from_slice(failure::quoted(option, option.len()));
                    return Err(Failure::Bytes(text.into()));
                }
            }
        }
        if conditions.none && (conditions.some || conditions.later || conditions.earlier) {
            return Err(Failure::Constant("ERR NX and XX, GT or LT options at the same time are not compatible"));
        }
        if conditions.later && conditions.earlier {
            return Err(Failure::Constant("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(conditions)
    }

    /// A key without a deadline lives for ever: nothing is later, everything earlier.
    pub(super) fn admit(self, current: Option<i64>, new: i64) -> bool {
        !(self.none && current.is_some()
            || self.some && current.is_none()
            || self.later && current.is_none_or(|current| new <= current)
            || self.earlier && current.is_some_and(|current| new >= current))
    }
}

fn expire(context: &mut Context<'_>, args: &[Bytes], form: &Form) -> Answer {
    let conditions = Conditions::parse(&args[3..])?;
    let refused = || failure::invalid_expire_time(form.command);
    let mut at = parse_integer(&args[2]).ok_or(NOT_AN_INTEGER)?;
    if form.seconds {
        at = at.checked_mul(1000).ok_or_else(refused)?;
    }
    if form.relative {
        context.read_clock();
        at = at.checked_add(context.now_ms()).ok_or_else(refused)?;
    }
    let key = Key::new(&args[1]);
    if !context.visit(&key, Access::IntentRead) {
        return Ok(Reply::Integer(0));
    }
    let current = context.entry(&key).and_then(Entry::deadline);
    if !conditions.admit(current, at) {
        return Ok(Reply::Integer(0));
    }
    // A deadline that has come removes the key at once, so also an absolute one depends on the time.
    context.read_clock();
    if at <= context.now_ms() {
        context.remove(&key);
        context.event(GENERIC, "del", &key);
        let name = context.engine.config.expiry_command();
        context.propagate_as(vec![name, args[1].clone()]);
        return Ok(Reply::Integer(1));
    }
    context.tell_later(context.db, &key);
    context.set_deadline(&key, Some(at));
    context.replies_here();
    context.tell_now(context.db, &key);
    context.event(GENERIC, "expire", &key);
    let mut effect = args.to_vec();
    if form.seconds || form.relative {
        effect[0] = Bytes::from_static(b"PEXPIREAT");
        effect[2] = integer_text(at);
    }
    context.propagate_as(effect);
    Ok(Reply::Integer(1))
}

fn persist(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    context.visit(&key, Access::IntentRead);
    if context.entry(&key).and_then(Entry::deadline).is_none() {
        return Ok(Reply::Integer(0));
    }
    context.set_deadline(&key, None);
    context.event(GENERIC, "persist", &key);
    context.propagate(args);
    Ok(Reply::Integer(1))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Seconds,
    Milliseconds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    Now,
    Epoch,
}

/// A deadline is written with the whole key only, so an intent to read the key suffices.
fn ttl(context: &mut Context<'_>, args: &[Bytes], shown: Shown, since: Since) -> Answer {
    let key = Key::new(&args[1]);
    if !context.visit(&key, Access::IntentRead) {
        return Ok(Reply::Integer(-2));
    }
    let Some(deadline) = context.entry(&key).and_then(Entry::deadline) else { return Ok(Reply::Integer(-1)) };
    let ms = match since {
        Since::Now => (deadline - context.now_ms()).max(0),
        Since::Epoch => deadline,
    };
    Ok(Reply::Integer(match shown {
        Shown::Milliseconds => ms,
        // No deadline is negative, so Redis's addition has room at the very end of time.
        Shown::Seconds => ((ms as u64 + 500) / 1000) as i64,
    }))
}
