//! `XINFO`.

use bytes::Bytes;

use super::{bulk, stream::shown, stream_group::no_such_group, text};
use crate::{
    Access, Reply, Version,
    command::{Command, Group as Family, KeySpec, Run, flag::*, keys},
    context::Context,
    failure::{self, Answer, Failure, NO_SUCH_KEY, NOT_AN_INTEGER},
    key::Key,
    number::parse_integer,
    stream::{Group, Id, Stream},
};

const READ: &[KeySpec] = &[keys(2, 0, 1, &["RO", "access"])];

const fn row(name: &'static str, run: Run, arity: i32) -> Command {
    Command::new(name, run, arity, READONLY, Family::Stream).keys(READ)
}

pub(super) const COMMANDS: &[Command] = &[Command::new("xinfo", help, -2, 0, Family::Server).subcommands(&[
    row("xinfo|stream", stream, -3),
    row("xinfo|groups", groups, 3),
    row("xinfo|consumers", consumers, 4).tips(&["nondeterministic_output"]),
    Command::new("xinfo|help", help, 2, LOADING | STALE, Family::Stream),
])];

fn look_up<'a>(context: &'a mut Context<'_>, args: &[Bytes]) -> Result<&'a Stream, Failure> {
    context.collection::<Stream>(&Key::new(&args[2]), Access::Read)?.ok_or(NO_SUCH_KEY)
}

fn map(pairs: Vec<(&'static str, Reply)>) -> Reply {
    Reply::Map(pairs.into_iter().map(|(name, value)| (text(name), value)).collect())
}

fn id(id: Id) -> Reply {
    Reply::Bulk(id.text())
}

fn size(size: usize) -> Reply {
    Reply::Integer(size as i64)
}

fn known(number: Option<i64>) -> Reply {
    number.map_or(Reply::Null, Reply::Integer)
}

/// How many entries, and pending ones of each, `FULL` shows; `None` if it is not asked for.
fn full(args: &[Bytes]) -> Result<Option<usize>, Failure> {
    match &args[3..] {
        [] => Ok(None),
        [word] if word.eq_ignore_ascii_case(b"full") => Ok(Some(10)),
        [word, option, count] if word.eq_ignore_ascii_case(b"full") && option.eq_ignore_ascii_case(b"count") => {
            let count = parse_integer(count).ok_or(NOT_AN_INTEGER)?;
            Ok(Some(match usize::try_from(count) {
                Err(_) => 10,
                Ok(0) => usize::MAX,
                Ok(count) => count,
            }))
        }
        _ => Err(failure::wrong_subcommand(args)),
    }
}

fn stream(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let version = context.engine.options.version;
    let stream = look_up(context, args)?;
    let full = full(args)?;
    let mut pairs = vec![
        ("length", Reply::Integer(stream.len() as i64)),
        ("radix-tree-keys", size(stream.nodes())),
        ("radix-tree-nodes", size(stream.radix_nodes())),
        ("last-generated-id", id(stream.last_id)),
        ("max-deleted-entry-id", id(stream.max_deleted_id)),
        ("entries-added", Reply::Integer(stream.added)),
        ("recorded-first-entry-id", id(stream.first_id)),
    ];
    if let Some(count) = full {
        let entries = stream.range(Id::MIN, Id::MAX).take(count).map(shown).collect();
        let groups =
            stream.groups.iter().map(|(name, group)| whole_group(stream, name, group, count, version)).collect();
        pairs.extend([("entries", Reply::Array(entries)), ("groups", Reply::Array(groups))]);
    } else {
        let (first, last) = stream.ends();
        let entry = |entry: Option<_>| entry.map_or(Reply::Null, shown);
        pairs.extend([
            ("groups", size(stream.groups.len())),
            ("first-entry", entry(first)),
            ("last-entry", entry(last)),
        ]);
    }
    Ok(map(pairs))
}

fn whole_group(stream: &Stream, name: &Bytes, group: &Group, count: usize, version: Version) -> Reply {
    let pending = group.pending.iter().take(count).map(|(at, pending)| {
        let (time, deliveries) = (Reply::Integer(pending.delivered_ms), Reply::Integer(pending.deliveries));
        Reply::Array(vec![id(*at), bulk(&pending.consumer), time, deliveries])
    });
    let consumers = group.consumers.iter().map(|(name, consumer)| {
        let pending = consumer.pending.iter().take(count).filter_map(|at| {
            let pending = group.pending.get(at)?;
            let (time, deliveries) = (Reply::Integer(pending.delivered_ms), Reply::Integer(pending.deliveries));
            Some(Reply::Array(vec![id(*at), time, deliveries]))
        });
        let pending = Reply::Array(pending.collect());
        let mut pairs = vec![("name", bulk(name)), ("seen-time", Reply::Integer(consumer.seen_ms))];
        if version >= Version::V7_2 {
            pairs.push(("active-time", Reply::Integer(consumer.active_ms.unwrap_or(-1))));
        }
        pairs.extend([("pel-count", size(consumer.pending.len())), ("pending", pending)]);
        map(pairs)
    });
    map(vec![
        ("name", bulk(name)),
        ("last-delivered-id", id(group.last_id)),
        ("entries-read", known(group.entries_read)),
        ("lag", known(stream.lag(group))),
        ("pel-count", size(group.pending.len())),
        ("pending", Reply::Array(pending.collect())),
        ("consumers", Reply::Array(consumers.collect())),
    ])
}

fn groups(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let stream = look_up(context, args)?;
    let shown = stream.groups.iter().map(|(name, group)| {
        map(vec![
            ("name", bulk(name)),
            ("consumers", size(group.consumers.len())),
            ("pending", size(group.pending.len())),
            ("last-delivered-id", id(group.last_id)),
            ("entries-read", known(group.entries_read)),
            ("lag", known(stream.lag(group))),
        ])
    });
    Ok(Reply::Array(shown.collect()))
}

fn consumers(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    context.read_clock();
    let now_ms = context.now_ms();
    let version = context.engine.options.version;
    let group = look_up(context, args)?.groups.get(&args[3]).ok_or_else(|| no_such_group(args))?;
    let shown = group.consumers.iter().map(|(name, consumer)| {
        let mut pairs = vec![
            ("name", bulk(name)),
            ("pending", size(consumer.pending.len())),
            ("idle", Reply::Integer((now_ms - consumer.seen_ms).max(0))),
        ];
        if version >= Version::V7_2 {
            let inactive_ms = consumer.active_ms.map_or(-1, |active_ms| (now_ms - active_ms).max(0));
            pairs.push(("inactive", Reply::Integer(inactive_ms)));
        }
        map(pairs)
    });
    Ok(Reply::Array(shown.collect()))
}

fn help(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(super::help(&[
        "XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CONSUMERS <key> <groupname>",
        "GROUPS <key>",
        "STREAM <key> [FULL [COUNT <count>]",
        "HELP",
    ]))
}
