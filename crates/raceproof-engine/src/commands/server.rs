//! The server as a whole: its time, its state, its settings.

use bytes::Bytes;

use crate::{
    Access, Object, Reply, Version,
    command::{Command, Group, Run, flag::*},
    context::Context,
    failure::{Answer, Failure, NOT_AN_INTEGER},
    number::{integer_text, parse_integer},
};

const fn row(name: &'static str, run: Run, arity: i32, flags: u32, group: Group) -> Command {
    Command::new(name, run, arity, flags, group)
}

pub(super) const COMMANDS: &[Command] = &[
    row("time", time, 1, LOADING | STALE | FAST, Group::Server).tips(&["nondeterministic_output"]),
    row("lastsave", lastsave, 1, LOADING | STALE | FAST, Group::Admin).tips(&["nondeterministic_output"]),
    row("wait", wait, 3, NOSCRIPT, Group::Connection)
        .tips(LEAST_SHARD)
        .then(&row("wait", wait, 3, BLOCKING, Group::Connection).tips(LEAST_SHARD).since(Version::V7_2)),
    row("waitaof", waitaof, 4, BLOCKING, Group::Connection).tips(LEAST_SHARD).since(Version::V7_2),
];

const LEAST_SHARD: &[&str] = &["request_policy:all_shards", "response_policy:agg_min"];

/// The version that the server says it is.
pub(super) const fn version(context: &Context<'_>) -> &'static str {
    context.engine.options.version.release().0
}

fn time(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    context.read_clock();
    let us = match &context.engine.busy {
        Some(busy) if context.script.is_some() => busy.now.unix_us,
        _ => context.now.unix_us,
    };
    let part = |value| Reply::Bulk(integer_text(value));
    Ok(Reply::Array(vec![part(us.div_euclid(1_000_000)), part(us.rem_euclid(1_000_000))]))
}

fn lastsave(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    context.touch(Object::Server, Access::Read);
    Ok(Reply::Integer(context.engine.last_save_s()))
}

/// Where nobody has said anything of replicas there are none: none has acknowledged anything, nor will waiting change that.
fn wait(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    if is_replica(context) {
        return Err(Failure::Constant(
            "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is \
             configured to be writable (which is not the default) writes to replicas are just local and are not \
             propagated.",
        ));
    }
    let wanted = parse_integer(&args[1]).ok_or(NOT_AN_INTEGER)?;
    let timeout_ms = super::milliseconds(&args[2])?;
    let count = context.engine.acknowledgements(context.session);
    if count >= wanted || !context.can_wait() {
        return Ok(Reply::Integer(count));
    }
    context.wait(args.to_vec(), &[], |_, _, _| Ok(None), timeout_ms, Reply::Integer(count))
}

fn is_replica(context: &Context<'_>) -> bool {
    context.session().replica || context.engine.primary.is_some()
}

/// `WAITAOF` (7.2). What the server itself has written counts as on its disk: durability is a model over the effects.
fn waitaof(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let local = parse_integer(&args[1]).ok_or(NOT_AN_INTEGER)?;
    if !(0..=1).contains(&local) {
        return Err(Failure::Constant("ERR value is out of range, value must between 0 and 1"));
    }
    let positive = parse_integer(&args[2]).filter(|count| *count >= 0);
    let replicas = positive.ok_or(Failure::Constant("ERR value is out of range, must be positive"))?;
    let timeout_ms = super::milliseconds(&args[3])?;
    if is_replica(context) {
        return Err(Failure::Constant(
            "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local \
             and are not propagated.",
        ));
    }
    context.touch(Object::Server, Access::Read);
    let is_on = super::info::configured(context, "appendonly") == "yes";
    if local == 1 && !is_on {
        return Err(Failure::Constant("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."));
    }
    let reached = Reply::Array(vec![Reply::Integer(i64::from(is_on)), Reply::Integer(0)]);
    if replicas == 0 || !context.can_wait() {
        return Ok(reached);
    }
    context.wait(args.to_vec(), &[], |_, _, _| Ok(None), timeout_ms, reached)
}
