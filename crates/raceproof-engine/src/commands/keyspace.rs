//! Whole databases: scans, sizes, choosing, emptying and swapping them.

use bytes::Bytes;

use crate::{
    Access, Object, Reply,
    command::{Command, Group, Run, flag::*},
    context::Context,
    failure::{Answer, DB_OUT_OF_RANGE, Failure, SYNTAX},
    glob,
    key::{Key, Name},
    number::parse_integer,
    scan::{self, ScanOptions},
};

const fn row(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, flags, Group::Keyspace)
}

const fn dangerous(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, flags, Group::KeyspaceDangerous)
}

pub(super) const COMMANDS: &[Command] = &[
    dangerous("keys", keys, 2, READONLY).tips(&["request_policy:all_shards", "nondeterministic_output_order"]),
    row("scan", scan, -2, READONLY | ANY_KEYS | NO_TOUCH).tips(&["nondeterministic_output", "request_policy:special"]),
    row("randomkey", randomkey, 1, READONLY | ANY_KEYS | NO_TOUCH)
        .tips(&["request_policy:all_shards", "nondeterministic_output"]),
    row("dbsize", dbsize, 1, READONLY | FAST).tips(&["request_policy:all_shards", "response_policy:agg_sum"]),
    Command::new("select", select, 2, LOADING | STALE | FAST, Group::Connection),
    dangerous("swapdb", swapdb, 3, WRITE | FAST),
    dangerous("flushdb", flushdb, -1, WRITE).tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    dangerous("flushall", flushall, -1, WRITE).tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
];

/// Which keys exist is read; so is the clock, since a key whose time is over does not show.
fn read_keyspace(context: &mut Context<'_>) {
    context.touch(Object::Keyspace(context.db), Access::Read);
    context.read_clock();
}

fn keys(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    read_keyspace(context);
    let now_ms = context.now_ms();
    let everything = &args[1] == "*";
    let database = context.databases().get(context.db);
    let mut names: Vec<&[u8]> = database
        .keys
        .iter()
        .filter(|(name, entry)| {
            (everything || glob::matches(&args[1], name.bytes, false))
                && entry.deadline().is_none_or(|deadline| now_ms <= deadline)
        })
        .map(|(name, _)| name.bytes)
        .collect();
    if context.engine.options.sorted_replies {
        names.sort_unstable();
    }
    Ok(Reply::Array(names.into_iter().map(|name| Reply::Bulk(Bytes::copy_from_slice(name))).collect()))
}

fn scan(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let cursor = scan::cursor(&args[1])?;
    let options = ScanOptions::parse(&args[2..], true)?;
    read_keyspace(context);
    context.reads = false;
    let database = context.databases().get(context.db);
    let (part, next) = scan::part(database.keys.starting_at(cursor), options.count);
    let admitted = part.into_iter().map(|(name, _)| name).filter(|name| options.admits(name.bytes));
    let candidates: Vec<Key> = admitted.map(Name::to_key).collect();
    let mut names = Vec::with_capacity(candidates.len());
    for key in candidates {
        // A key whose time is not over is known to be there, and whoever makes it vanish writes the keyspace; only its
        // type, if asked for, is still to be read.
        let due = context.entry(&key).is_some_and(|entry| entry.deadline().is_some_and(|at| context.now_ms() > at));
        if (due || options.kind.is_some()) && !context.visit(&key, Access::IntentRead) {
            continue;
        }
        if let Some(kind) = &options.kind
            && !context.entry(&key).is_some_and(|entry| kind.eq_ignore_ascii_case(entry.value.type_name().as_bytes()))
        {
            continue;
        }
        names.push(key.name);
    }
    if context.engine.options.sorted_replies {
        names.sort_unstable();
    }
    Ok(scan::reply(next, names.into_iter().map(Reply::Bulk).collect()))
}

/// Up to this many keys, `RANDOMKEY` counts them off and is fair; beyond, it takes the key that follows a random
/// position, which favours keys after a gap a little but looks at one key only.
const COUNTED_OFF: usize = 1024;

fn randomkey(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    read_keyspace(context);
    (context.reads, context.counts_lookups) = (false, false);
    loop {
        let size = context.databases().get(context.db).keys.len();
        if size == 0 {
            return Ok(Reply::Null);
        }
        context.touch(Object::Random, Access::Write);
        let random = &mut context.engine.random;
        let (nth, position) = if size <= COUNTED_OFF { (random.below(size), 0) } else { (0, random.next() >> 12) };
        let database = context.databases().get(context.db);
        let found = database.keys.starting_at(position).nth(nth).or_else(|| database.keys.iter().next());
        let Some(key) = found.map(|(name, _)| name.to_key()) else { return Ok(Reply::Null) };
        if context.visit(&key, Access::IntentRead) {
            return Ok(Reply::Bulk(key.name));
        }
    }
}

fn dbsize(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    read_keyspace(context);
    Ok(Reply::Integer(context.databases().get(context.db).keys.len() as i64))
}

fn select(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let db = super::keys::database(context, &args[1])?;
    context.db = db;
    if context.script.is_none() {
        context.touch_client();
        context.session_mut().db = db;
    }
    Ok(Reply::Simple("OK"))
}

fn swapdb(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let number = |text: &Bytes, failure: Failure| {
        parse_integer(text).and_then(|number| i32::try_from(number).ok()).ok_or(failure)
    };
    let one = number(&args[1], Failure::Constant("ERR invalid first DB index"))?;
    let other = number(&args[2], Failure::Constant("ERR invalid second DB index"))?;
    let in_range = |number| u32::try_from(number).ok().filter(|db| *db < context.engine.config.databases());
    let (Some(one), Some(other)) = (in_range(one), in_range(other)) else { return Err(DB_OUT_OF_RANGE) };
    if one != other {
        let now_ms = context.now_ms();
        context.touch(Object::Keyspace(one), Access::Write);
        context.touch(Object::Keyspace(other), Access::Write);
        context.touch(Object::Deadlines, Access::IntentWrite);
        let volatile = |db| context.databases().deadlines(db).next().is_some();
        if !context.engine.watchers.is_empty() && (volatile(one) || volatile(other)) {
            // Whether a watched key was changed depends on whether it, or what comes in its place, has expired.
            context.read_clock();
        }
        context.engine.touch_watched_in(one, Some(other), now_ms);
        context.engine.touch_watched_in(other, Some(one), now_ms);
        context.engine.databases.swap(one, other);
        context.engine.waiting.signal_all(one);
        context.engine.waiting.signal_all(other);
    }
    context.propagate(args);
    Ok(Reply::Simple("OK"))
}

/// `[ASYNC | SYNC]`: memory is freed at once either way.
fn check_flush_options(args: &[Bytes]) -> Result<(), Failure> {
    match &args[1..] {
        [] => Ok(()),
        [how] if how.eq_ignore_ascii_case(b"sync") || how.eq_ignore_ascii_case(b"async") => Ok(()),
        _ => Err(SYNTAX),
    }
}

/// Tells how many keys there were.
fn empty(context: &mut Context<'_>, db: u32) -> usize {
    let now_ms = context.now_ms();
    context.touch(Object::Keyspace(db), Access::Write);
    if context.databases().is_volatile(db) {
        context.touch(Object::Deadlines, Access::IntentWrite);
    }
    context.engine.touch_watched_in(db, None, now_ms);
    let keys = context.databases().get(db).keys.len();
    context.engine.databases.clear(db);
    context.engine.waiting.signal_all(db);
    keys
}

fn flushdb(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    check_flush_options(args)?;
    context.invalidate_all();
    let keys = empty(context, context.db);
    context.propagate_changes(args, keys);
    Ok(Reply::Simple("OK"))
}

/// Also databases that are empty are declared as written: a key that is set in one of them before or after makes a
/// difference.
fn flushall(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    check_flush_options(args)?;
    context.invalidate_all();
    let keys = (0..context.engine.config.databases()).map(|db| empty(context, db)).sum();
    context.propagate_changes(args, keys);
    // With save points the empty data is saved at once. Without counts the time of it is nobody's business: to note it would
    // be a write of the server.
    if context.engine.statistics.is_some() && context.engine.config.saves() {
        super::admin::saved(context);
    }
    Ok(Reply::Simple("OK"))
}
