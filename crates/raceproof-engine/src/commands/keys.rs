//! Keys whatever they hold: existence, removal, names, types. Scans and whole databases have a file of their own.

use bytes::Bytes;

use crate::{
    Access, Object, Reply,
    access::Used,
    command::{Command, Group, KeySpec, Run, flag::*, keys},
    config::Config,
    context::{Context, Deadline},
    db::{Encoding, Text, Value},
    evict::Order,
    failure::{Answer, DB_OUT_OF_RANGE, Failure, NO_SUCH_KEY, SAME_OBJECT, SYNTAX},
    key::Key,
    notify::{GENERIC, NEW},
};

const fn row(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, flags, Group::Keyspace)
}

const SUM: &[&str] = &["request_policy:multi_shard", "response_policy:agg_sum"];

const OBJECT_KEY: &[KeySpec] = &[keys(2, 0, 1, &["RO"])];

const fn object_row(name: &'static str, run: Run) -> Command {
    row(name, run, 3, READONLY | NO_TOUCH).keys(OBJECT_KEY).tips(&["nondeterministic_output"])
}

pub(super) const COMMANDS: &[Command] = &[
    row("del", del, -2, WRITE).keys(&[keys(1, -1, 1, &["RM", "delete"])]).tips(SUM),
    row("unlink", del, -2, WRITE | FAST).keys(&[keys(1, -1, 1, &["RM", "delete"])]).tips(SUM),
    row("exists", exists, -2, READONLY | FAST | NO_TOUCH).keys(&[keys(1, -1, 1, &["RO"])]).tips(SUM),
    row("touch", exists, -2, READONLY | FAST).keys(&[keys(1, -1, 1, &["RO"])]).tips(SUM),
    row("type", kind, 2, READONLY | FAST | NO_TOUCH).keys(&[keys(1, 0, 1, &["RO"])]),
    row("rename", rename, 3, WRITE)
        .keys(&[keys(1, 0, 1, &["RW", "access", "delete"]), keys(2, 0, 1, &["OW", "update"])]),
    row("renamenx", renamenx, 3, WRITE | FAST)
        .keys(&[keys(1, 0, 1, &["RW", "access", "delete"]), keys(2, 0, 1, &["OW", "insert"])]),
    row("copy", copy, -3, WRITE | DENYOOM).keys(&[keys(1, 0, 1, &["RO", "access"]), keys(2, 0, 1, &["OW", "update"])]),
    row("move", move_key, 3, WRITE | FAST).keys(&[keys(1, 0, 1, &["RW", "access", "update"])]),
    Command::new("object", help, -2, 0, Group::Server).subcommands(&[
        row("object|help", help, 2, LOADING | STALE),
        object_row("object|freq", freq),
        object_row("object|encoding", encoding),
        object_row("object|idletime", idletime),
        object_row("object|refcount", refcount),
    ]),
];

pub(super) fn del(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let mut removed = 0_usize;
    for name in &args[1..] {
        let key = Key::new(name);
        if context.visit(&key, Access::IntentRead) {
            context.remove(&key);
            context.event(GENERIC, "del", &key);
            removed += 1;
        }
    }
    if removed > 0 {
        context.propagate_changes(args, removed);
    }
    Ok(Reply::Integer(removed as i64))
}

/// Also `TOUCH`, which counts as an access.
fn exists(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let found = args[1..].iter().filter(|name| context.visit(&Key::new(name), Access::IntentRead)).count();
    Ok(Reply::Integer(found as i64))
}

/// Existence and type change only by a write of the whole key, so an intent to read it suffices.
fn kind(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    context.visit(&key, Access::IntentRead);
    Ok(Reply::Simple(context.entry(&key).map_or("none", |entry| entry.value.type_name())))
}

fn rename(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (from, to) = (Key::new(&args[1]), Key::new(&args[2]));
    if !context.visit(&from, Access::Read) {
        return Err(NO_SUCH_KEY);
    }
    if from != to {
        let replaces = context.visit(&to, Access::IntentRead);
        rename_to(context, &from, &to, replaces);
        context.propagate(args);
    }
    Ok(Reply::Simple("OK"))
}

fn renamenx(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (from, to) = (Key::new(&args[1]), Key::new(&args[2]));
    if !context.visit(&from, Access::Read) {
        return Err(NO_SUCH_KEY);
    }
    if from == to || context.visit(&to, Access::IntentRead) {
        return Ok(Reply::Integer(0));
    }
    rename_to(context, &from, &to, false);
    context.propagate(args);
    Ok(Reply::Integer(1))
}

/// Redis removes a key that is in the way, so that what takes its place is a new one.
fn rename_to(context: &mut Context<'_>, from: &Key, to: &Key, replaces: bool) {
    let db = context.db;
    context.tell_later(db, from);
    context.tell_later(db, to);
    if let Some(entry) = context.remove(from) {
        let (deadline, used) = (entry.deadline(), entry.used);
        context.store(to, entry.value, deadline.map_or(Deadline::Clear, Deadline::At));
        context.put_use(db, to, used);
        context.signal_added(db, to);
        if replaces {
            context.event(NEW, "new", to);
        }
        context.tell_now(db, from);
        context.tell_now(db, to);
        context.event(GENERIC, "rename_from", from);
        context.event(GENERIC, "rename_to", to);
    }
}

/// The number of a database given as an argument.
pub(super) fn database(context: &Context<'_>, text: &[u8]) -> Result<u32, Failure> {
    let number = super::parse_int(text)?;
    u32::try_from(number).ok().filter(|db| *db < context.engine.config.databases()).ok_or(DB_OUT_OF_RANGE)
}

fn copy(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (from, to) = (Key::new(&args[1]), Key::new(&args[2]));
    let (mut db, mut replace) = (context.db, false);
    let mut options = args[3..].iter();
    while let Some(option) = options.next() {
        if option.eq_ignore_ascii_case(b"replace") {
            replace = true;
        } else if option.eq_ignore_ascii_case(b"db") {
            db = database(context, options.next().ok_or(SYNTAX)?)?;
        } else {
            return Err(SYNTAX);
        }
    }
    if db == context.db && from == to {
        return Err(SAME_OBJECT);
    }
    context.reads = true;
    context.visit(&from, Access::Read);
    context.reads = false;
    let Some(entry) = context.entry(&from).cloned() else { return Ok(Reply::Integer(0)) };
    let replaces = context.visit_in(db, &to, Access::IntentRead);
    if replaces && !replace {
        return Ok(Reply::Integer(0));
    }
    let deadline = entry.deadline().map_or(Deadline::Clear, Deadline::At);
    context.tell_later(db, &to);
    context.store_in(db, &to, entry.value, deadline);
    if replaces {
        context.notify(NEW, "new", db, &to.name);
    }
    context.tell_now(db, &to);
    context.notify(GENERIC, "copy_to", db, &to.name);
    context.signal_added(db, &to);
    context.propagate(args);
    Ok(Reply::Integer(1))
}

fn move_key(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (from, db) = (context.db, database(context, &args[2])?);
    if from == db {
        return Err(SAME_OBJECT);
    }
    let key = Key::new(&args[1]);
    if !context.visit(&key, Access::Read) || context.visit_in(db, &key, Access::IntentRead) {
        return Ok(Reply::Integer(0));
    }
    context.tell_later(from, &key);
    if let Some(entry) = context.remove(&key) {
        let (deadline, used) = (entry.deadline(), entry.used);
        context.tell_later(db, &key);
        context.store_in(db, &key, entry.value, deadline.map_or(Deadline::Clear, Deadline::At));
        context.put_use(db, &key, used);
        context.tell_now(from, &key);
        context.tell_now(db, &key);
        context.notify(GENERIC, "move_from", from, &key.name);
        context.notify(GENERIC, "move_to", db, &key.name);
        context.propagate(args);
    }
    Ok(Reply::Integer(1))
}

fn encoding(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    context.reads = false;
    let key = Key::new(&args[2]);
    context.visit(&key, Access::Read);
    let Some(entry) = context.entry(&key) else { return Ok(Reply::Null) };
    Ok(Reply::Bulk(Bytes::from_static(entry.value.encoding().as_bytes())))
}

/// Redis shares the integers below this bound; they count as referred to without end.
const SHARED_INTEGERS: i64 = 10_000;

fn refcount(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    context.reads = false;
    let key = Key::new(&args[2]);
    context.visit(&key, Access::Read);
    let Some(entry) = context.entry(&key) else { return Ok(Reply::Null) };
    let shared = shared_integer(&entry.value, &context.engine.config);
    Ok(Reply::Integer(if shared.is_some() { i64::from(i32::MAX) } else { 1 }))
}

/// The integer that a value shares with all its equals. Where evictions go by use, each value has an object of its own.
pub(super) fn shared_integer(value: &Value, config: &Config) -> Option<i64> {
    let own = config.memory_limit().is_some() && matches!(config.policy().order, Some(Order::Lru | Order::Lfu));
    match value {
        Value::Text(Text { data, encoding: Encoding::Int }) if !own => {
            crate::number::parse_integer(data).filter(|value| (0..SHARED_INTEGERS).contains(value))
        }
        _ => None,
    }
}

/// What a key remembers of how it was used; 0 where it does not.
fn used(context: &mut Context<'_>, key: &Key) -> Option<Used> {
    context.reads = false;
    let exists = context.visit(key, Access::IntentRead);
    context.touch(Object::Server, Access::Read);
    if exists && context.engine.notes_use() {
        context.touch_use(Access::Read);
    }
    context.entry(key).map(|entry| entry.used)
}

fn idletime(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let Some(used) = used(context, &Key::new(&args[2])) else { return Ok(Reply::Null) };
    if context.engine.config.counting().is_some() {
        return Err(Failure::Constant(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between \
             policies at runtime LRU and LFU data will take some time to adjust.",
        ));
    }
    let idle_s = if context.engine.notes_use() { used.idle_s(context.now_ms()) } else { 0 };
    Ok(Reply::Integer(i64::from(idle_s)))
}

fn freq(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let Some(used) = used(context, &Key::new(&args[2])) else { return Ok(Reply::Null) };
    let Some(counting) = context.engine.config.counting() else {
        return Err(Failure::Constant(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
             switching between policies at runtime LRU and LFU data will take some time to adjust.",
        ));
    };
    let count = if context.engine.notes_use() { used.count(context.now_ms(), counting) } else { 0 };
    Ok(Reply::Integer(i64::from(count)))
}

fn help(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(super::help(&[
        "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "ENCODING <key>",
        "FREQ <key>",
        "IDLETIME <key>",
        "REFCOUNT <key>",
        "HELP",
    ]))
}
