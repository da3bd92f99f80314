//! `SLOWLOG` and `MEMORY`: how the server fares. Commands take no time here but for `DEBUG SLEEP`, and memory is nobody's.

use bytes::Bytes;

use super::{bulk, help, text};
use crate::{
    Access, Object, Reply,
    command::{Command, Group, Run, flag::*, keys},
    context::Context,
    failure::{self, Answer, Failure},
    number::parse_integer,
    statistics::Slow,
};

const fn container(name: &'static str, subcommands: &'static [Command]) -> Command {
    Command::new(name, never, -2, 0, Group::Server).subcommands(subcommands)
}

const fn row(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, flags, Group::Server)
}

const SLOWLOG: u32 = ADMIN | LOADING | STALE;
const HELP_FLAGS: u32 = LOADING | STALE;

const EVERY_SHARD: &[&str] = &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"];
const RESET: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];

pub(super) const COMMANDS: &[Command] = &[
    container(
        "slowlog",
        &[
            row("slowlog|get", slowlog_get, -2, SLOWLOG).tips(&["request_policy:all_nodes", "nondeterministic_output"]),
            row("slowlog|len", slowlog_len, 2, SLOWLOG).tips(&[
                "request_policy:all_nodes",
                "response_policy:agg_sum",
                "nondeterministic_output",
            ]),
            row("slowlog|reset", slowlog_reset, 2, SLOWLOG).tips(RESET),
            row("slowlog|help", help::slowlog, 2, HELP_FLAGS),
        ],
    ),
    container(
        "memory",
        &[
            row("memory|doctor", memory_doctor, 2, 0).tips(EVERY_SHARD),
            row("memory|malloc-stats", malloc_stats, 2, 0).tips(EVERY_SHARD),
            row("memory|purge", purge, 2, 0).tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
            row("memory|stats", memory_stats, 2, 0).tips(EVERY_SHARD),
            row("memory|usage", super::memory::usage, -3, READONLY).keys(&[keys(2, 0, 1, &["RO"])]),
            row("memory|help", help::memory, 2, HELP_FLAGS),
        ],
    ),
];

/// A container is not called without a subcommand.
pub(super) fn never(_: &mut Context<'_>, args: &[Bytes]) -> Answer {
    Err(failure::unknown_command(args))
}

fn slowlog_get(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let count = match &args[2..] {
        [] => 10,
        [count] => parse_integer(count)
            .filter(|count| *count >= -1)
            .ok_or(Failure::Constant("ERR count should be greater than or equal to -1"))?,
        _ => return Err(failure::wrong_subcommand(args)),
    };
    context.touch(Object::Server, Access::Read);
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    let slow = context.engine.statistics.iter().flat_map(|statistics| statistics.slow.iter());
    Ok(Reply::Array(slow.take(most).map(describe).collect()))
}

fn describe(slow: &Slow) -> Reply {
    Reply::Array(vec![
        Reply::Integer(slow.id),
        Reply::Integer(slow.at_s),
        Reply::Integer(slow.took_us),
        Reply::Array(slow.args.iter().map(bulk).collect()),
        bulk(&slow.address),
        bulk(&slow.client),
    ])
}

fn slowlog_len(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    context.touch(Object::Server, Access::Read);
    let length = context.engine.statistics.as_ref().map_or(0, |statistics| statistics.slow.len());
    Ok(Reply::Integer(length as i64))
}

fn slowlog_reset(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    context.touch(Object::Server, Access::Write);
    if let Some(statistics) = &mut context.engine.statistics {
        statistics.slow.clear();
    }
    Ok(Reply::Simple("OK"))
}

fn memory_doctor(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    let told = "Hi Sam, this instance is empty or is using very little memory, my issues detector can't be used in these \
                conditions. Please, leave for your mission on Earth and fill it with some data. The new Sam and I will be \
                back to our programming as soon as I finished rebooting.\n";
    Ok(Reply::Verbatim(*b"txt", Bytes::from_static(told.as_bytes())))
}

/// What a server says that was built without an allocator of its own.
fn malloc_stats(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(Reply::Verbatim(*b"txt", Bytes::from_static(b"Stats not supported for the current allocator")))
}

fn purge(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(Reply::Simple("OK"))
}

/// The same fields as Redis; what is known is how many keys there are, and what they would take.
fn memory_stats(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    const AT_START: i64 = crate::memory::AT_START as i64;
    context.read_memory();
    let used = context.engine.used_memory() as i64;
    let number = |name, value: i64| (text(name), Reply::Integer(value));
    let part = |name, value: f64| (text(name), Reply::Double(value));
    let mut fields =
        vec![number("peak.allocated", used), number("total.allocated", used), number("startup.allocated", AT_START)];
    fields.extend(
        ["replication.backlog", "clients.slaves", "clients.normal", "cluster.links", "aof.buffer", "lua.caches"]
            .map(|name| number(name, 0)),
    );
    fields.push(number("functions.caches", 0));
    let mut keys = 0;
    for db in 0..context.engine.config.databases() {
        context.touch(Object::Keyspace(db), Access::Read);
        let count = context.databases().get(db).keys.len();
        keys += count as i64;
        if count > 0 {
            let names = ["overhead.hashtable.main", "overhead.hashtable.expires", "overhead.hashtable.slot-to-keys"];
            fields.push((Reply::Bulk(format!("db.{db}").into()), Reply::Map(names.map(|name| number(name, 0)).into())));
        }
    }
    fields.extend([
        number("overhead.total", AT_START),
        number("keys.count", keys),
        number("keys.bytes-per-key", (used - AT_START).checked_div(keys).unwrap_or(0)),
        number("dataset.bytes", used - AT_START),
        part("dataset.percentage", if used > AT_START { 100.0 } else { 0.0 }),
        part("peak.percentage", 100.0),
        number("allocator.allocated", used),
        number("allocator.active", used),
        number("allocator.resident", used),
        part("allocator-fragmentation.ratio", 1.0),
        number("allocator-fragmentation.bytes", 0),
        part("allocator-rss.ratio", 1.0),
        number("allocator-rss.bytes", 0),
        part("rss-overhead.ratio", 1.0),
        number("rss-overhead.bytes", 0),
        part("fragmentation", 1.0),
        number("fragmentation.bytes", 0),
    ]);
    Ok(Reply::Map(fields))
}
