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
    row("wait", wait, 3, NOSCRIPT, Group::Connection).tips(&["request_policy:all_shards", "response_policy:agg_min"]),
];

/// The version that the server says it is.
pub(super) fn version(context: &Context<'_>) -> &'static str {
    match context.engine.options.version {
        Version::V7_0 => "7.0.15",
        Version::V7_2 => "7.2.0",
        Version::V7_4 => "7.4.0",
        Version::V8_0 => "8.0.2",
        Version::V8_4 => "8.4.0",
    }
}

fn time(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    context.read_clock();
    let us = context.now.unix_us;
    let part = |value| Reply::Bulk(integer_text(value));
    Ok(Reply::Array(vec![part(us.div_euclid(1_000_000)), part(us.rem_euclid(1_000_000))]))
}

fn lastsave(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    context.touch(Object::Server, Access::Read);
    Ok(Reply::Integer(context.engine.last_save_s()))
}

/// Where nobody has said anything of replicas there are none: none has acknowledged anything, nor will waiting change that.
fn wait(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    if context.session().replica {
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
