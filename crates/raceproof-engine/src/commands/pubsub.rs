//! Channels: who listens, and what is said to them.

use bytes::Bytes;

use super::bulk;
use crate::{
    Access, Object, Reply,
    channels::Kind,
    command::{Command, Group, KeySpec, Run, flag::*, keys},
    context::Context,
    failure::{self, Answer, Failure},
    glob,
};

const fn row(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, PUBSUB | LOADING | STALE | flags, Group::PubSub)
}

/// Shard channels are shown as keys are, so that clients of a cluster find their node; they are none.
const SHARD_CHANNEL: &[KeySpec] = &[keys(1, 0, 1, &["not_key"])];
const SHARD_CHANNELS: &[KeySpec] = &[keys(1, -1, 1, &["not_key"])];

pub(super) const COMMANDS: &[Command] = &[
    row("subscribe", |context, args| subscribe(context, args, Kind::Channel), -2, NOSCRIPT | SUBSCRIBED),
    row("unsubscribe", |context, args| unsubscribe(context, args, Kind::Channel), -1, NOSCRIPT | SUBSCRIBED),
    row("psubscribe", |context, args| subscribe(context, args, Kind::Pattern), -2, NOSCRIPT | SUBSCRIBED),
    row("punsubscribe", |context, args| unsubscribe(context, args, Kind::Pattern), -1, NOSCRIPT | SUBSCRIBED),
    row("ssubscribe", |context, args| subscribe(context, args, Kind::Shard), -2, NOSCRIPT | SUBSCRIBED)
        .keys(SHARD_CHANNELS),
    row("sunsubscribe", |context, args| unsubscribe(context, args, Kind::Shard), -1, NOSCRIPT | SUBSCRIBED)
        .keys(SHARD_CHANNELS),
    row("publish", publish, 3, FAST),
    row("spublish", spublish, 3, FAST).keys(SHARD_CHANNEL),
    Command::new("pubsub", help, -2, 0, Group::Server).subcommands(&[
        row("pubsub|channels", |context, args| names(context, args, Kind::Channel), -2, 0),
        row("pubsub|numsub", |context, args| counts(context, args, Kind::Channel), -2, 0),
        row("pubsub|numpat", numpat, 2, 0),
        row("pubsub|shardchannels", |context, args| names(context, args, Kind::Shard), -2, 0),
        row("pubsub|shardnumsub", |context, args| counts(context, args, Kind::Shard), -2, 0),
        Command::new("pubsub|help", help, 2, LOADING | STALE, Group::Server),
    ]),
];

/// Says that the session has subscribed to a name, or no longer does. There is no other reply.
fn tell(context: &mut Context<'_>, word: &'static str, name: Option<&Bytes>, kind: Kind) {
    let count = context.session().subscriptions.counted(kind);
    let message = vec![super::text(word), name.map_or(Reply::Null, bulk), Reply::Integer(count)];
    context.push(context.session, Reply::Push(message));
}

fn subscribe(context: &mut Context<'_>, args: &[Bytes], kind: Kind) -> Answer {
    if kind == Kind::Shard && !context.may_wait {
        return Err(Failure::Constant("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"));
    }
    let word = match kind {
        Kind::Channel => "subscribe",
        Kind::Pattern => "psubscribe",
        Kind::Shard => "ssubscribe",
    };
    context.touch_client();
    for name in &args[1..] {
        context.subscribe(kind, name);
        tell(context, word, Some(name), kind);
    }
    Ok(Reply::NONE)
}

fn unsubscribe(context: &mut Context<'_>, args: &[Bytes], kind: Kind) -> Answer {
    let word = match kind {
        Kind::Channel => "unsubscribe",
        Kind::Pattern => "punsubscribe",
        Kind::Shard => "sunsubscribe",
    };
    context.touch_client();
    let all = context.session().subscriptions.list(kind);
    let names = if args.len() == 1 { &all } else { &args[1..] };
    for name in names {
        context.unsubscribe(kind, name);
        tell(context, word, Some(name), kind);
    }
    if names.is_empty() {
        tell(context, word, None, kind);
    }
    Ok(Reply::NONE)
}

/// Redis sends it on to replicas, where others may listen, and not to the append-only file: it is no effect.
fn publish(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    send_on(context, args);
    Ok(Reply::Integer(context.publish(&args[1], &args[2])))
}

fn spublish(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    send_on(context, args);
    Ok(Reply::Integer(context.publish_to(Kind::Shard, &args[1], &args[2])))
}

/// Replicas have subscribers of their own.
fn send_on(context: &mut Context<'_>, args: &[Bytes]) {
    if context.engine.has_replicas() {
        context.propagate(args);
    }
}

fn names(context: &mut Context<'_>, args: &[Bytes], kind: Kind) -> Answer {
    if args.len() > 3 {
        return Err(failure::wrong_subcommand(args));
    }
    context.touch(Object::Subscriptions, Access::Read);
    let pattern = args.get(2);
    let shown = |name: &&Bytes| pattern.is_none_or(|pattern| glob::matches(pattern, name, false));
    Ok(Reply::Array(context.engine.channels.names(kind).filter(shown).map(bulk).collect()))
}

fn counts(context: &mut Context<'_>, args: &[Bytes], kind: Kind) -> Answer {
    let mut counts = Vec::new();
    for name in &args[2..] {
        let channel =
            if kind == Kind::Shard { Object::ShardChannel(name.clone()) } else { Object::Channel(name.clone()) };
        context.touch(channel, Access::Read);
        counts.push(bulk(name));
        counts.push(Reply::Integer(context.engine.channels.subscribers(kind, name)));
    }
    Ok(Reply::Array(counts))
}

/// The number of different patterns.
fn numpat(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    context.touch(Object::Patterns, Access::Read);
    Ok(Reply::Integer(context.engine.channels.names(Kind::Pattern).len() as i64))
}

fn help(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(super::help(&[
        "PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CHANNELS [<pattern>]",
        "NUMPAT",
        "NUMSUB [<channel> ...]",
        "SHARDCHANNELS [<pattern>]",
        "SHARDNUMSUB [<shardchannel> ...]",
        "HELP",
    ]))
}
