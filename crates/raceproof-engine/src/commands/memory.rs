//! `MEMORY`: how much a key takes.

use bytes::Bytes;

use crate::{
    Access, Object, Reply,
    command::{Command, Group, flag::*, keys},
    context::Context,
    failure::{Answer, NOT_AN_INTEGER, SYNTAX},
    key::Key,
    memory,
    number::parse_integer,
};

const USAGE: Command = Command::new("memory|usage", usage, -3, READONLY, Group::Server).keys(&[keys(2, 0, 1, &["RO"])]);

pub(super) const COMMANDS: &[Command] = &[Command::new("memory", help, -2, 0, Group::Server)
    .subcommands(&[Command::new("memory|help", help, 2, LOADING | STALE, Group::Server), USAGE])];

/// How many elements are looked at if nobody says.
const SAMPLES: usize = 5;

fn usage(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let mut samples = SAMPLES;
    let mut options = &args[3..];
    while let [option, rest @ ..] = options {
        let [count, rest @ ..] = rest else { return Err(SYNTAX) };
        if !option.eq_ignore_ascii_case(b"samples") {
            return Err(SYNTAX);
        }
        let count = parse_integer(count).ok_or(NOT_AN_INTEGER)?;
        samples = usize::try_from(count).map_err(|_| SYNTAX)?;
        if samples == 0 {
            samples = usize::MAX;
        }
        options = rest;
    }
    // A key whose time is over takes memory until it is removed, so the time does not matter.
    let key = Key::new(&args[2]);
    context.touch(Object::Keyspace(context.db), Access::IntentRead);
    context.touch_key(&key, Access::Read);
    let config = &context.engine.config;
    let bytes = context.entry(&key).map(|entry| memory::of_key(&key, entry, samples, config));
    Ok(bytes.map_or(Reply::Null, |bytes| Reply::Integer(bytes as i64)))
}

fn help(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(super::help(&[
        "MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "DOCTOR",
        "    Return memory problems reports.",
        "MALLOC-STATS",
        "    Return internal statistics report from the memory allocator.",
        "PURGE",
        "    Attempt to purge dirty pages for reclamation by the allocator.",
        "STATS",
        "    Return information about the memory usage of the server.",
        "USAGE <key> [SAMPLES <count>]",
        "    Return memory in bytes used by <key> and its value. Nested values are",
        "    sampled up to <count> times (default: 5, 0 means sample all).",
        "HELP",
        "    Prints this help.",
    ]))
}
