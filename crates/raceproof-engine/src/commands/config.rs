//! `CONFIG`.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    Access, Object, Reply,
    command::{Command, Group, Run, flag::*},
    config::{refused, setting},
    context::Context,
    failure::{self, Answer, Failure, SYNTAX},
    glob,
    settings::{HIDDEN, Kind, SETTINGS, Setting},
};

const fn row(name: &'static str, run: Run, arity: i32) -> Command {
    Command::new(name, run, arity, ADMIN | NOSCRIPT | LOADING | STALE, Group::Server)
}

pub(super) const COMMANDS: &[Command] = &[Command::new("config", get, -2, 0, Group::Server).subcommands(&[
    row("config|get", get, -3),
    row("config|set", set, -4).tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    row("config|resetstat", resetstat, 2),
    row("config|rewrite", rewrite, 2),
    Command::new("config|help", help, 2, LOADING | STALE, Group::Server),
])];

/// A name is shown as it was asked for, a pattern gives the names in the table; none comes twice.
fn get(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    context.touch(Object::Server, Access::Read);
    let config = &context.engine.config;
    let mut shown: Vec<(&str, Bytes, Bytes)> = Vec::new();
    for pattern in &args[2..] {
        let plain = !pattern.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['));
        let matching = SETTINGS.iter().filter(|setting| match plain {
            true => setting.name.as_bytes().eq_ignore_ascii_case(pattern),
            false => !HIDDEN.contains(&setting.name) && glob::matches(pattern, setting.name.as_bytes(), true),
        });
        for setting in matching {
            if !shown.iter().any(|(known, _, _)| *known == setting.name) {
                let name = if plain { pattern.clone() } else { Bytes::from_static(setting.name.as_bytes()) };
                shown.push((setting.name, name, config.value(setting)));
            }
        }
    }
    Ok(Reply::Map(shown.into_iter().map(|(_, name, value)| (Reply::Bulk(name), Reply::Bulk(value))).collect()))
}

/// Beginnings of names of settings by which commands are refused before they are executed.
const DECIDES: [&str; 5] =
    ["requirepass", "maxmemory", "min-replicas", "replica-read-only", "replica-serve-stale-data"];

/// Some settings change what any command on a key does, so all of them count as a write of everything.
fn set(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    if !args.len().is_multiple_of(2) {
        return Err(SYNTAX);
    }
    let mut pairs = Vec::with_capacity(args.len() / 2 - 1);
    for pair in args[2..].chunks_exact(2) {
        let Some(setting) = setting(&pair[0]) else {
            let mut text = b"ERR Unknown option or number of arguments for CONFIG SET - '".to_vec();
            text.extend_from_slice(failure::quoted(&pair[0], pair[0].len()));
            text.push(b'\'');
            return Err(Failure::Bytes(text.into()));
        };
        if matches!(setting.kind, Kind::Fixed) {
            return Err(refused(&pair[0], "can't set immutable config"));
        }
        if pairs.iter().any(|(known, _): &(&Setting, _)| known.name == setting.name) {
            return Err(refused(&pair[0], "duplicate parameter"));
        }
        pairs.push((setting, &pair[1]));
    }
    context.touch(Object::Server, Access::Write);
    for db in 0..context.engine.config.databases() {
        context.touch(Object::Keyspace(db), Access::Write);
    }
    Arc::make_mut(&mut context.engine.config).change(&pairs)?;
    context.engine.settle_account();
    context.make_room();
    if pairs.iter().any(|(setting, _)| DECIDES.iter().any(|name| setting.primary().starts_with(name))) {
        // Whoever may do nothing, or must find room first, whatever it does.
        for object in [Object::Users, Object::Scripts, Object::Functions, Object::Random, Object::Memory] {
            context.touch(object, Access::Write);
        }
    }
    if let Some((_, password)) = pairs.iter().find(|(setting, _)| setting.name == "requirepass") {
        Arc::make_mut(&mut context.engine.acl).require_password(password);
    }
    Ok(Reply::Simple("OK"))
}

fn resetstat(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    if let Some(statistics) = &mut context.engine.statistics {
        context.footprint.add(Object::Server, Access::Write);
        statistics.reset();
    }
    if let Some(process) = &mut context.engine.process {
        process.reset();
    }
    Ok(Reply::Simple("OK"))
}

fn rewrite(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Err(Failure::Constant("ERR The server is running without a config file"))
}

fn help(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(super::help(&[
        "CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "GET <pattern>",
        "SET <directive> <value>",
        "RESETSTAT",
        "REWRITE",
        "HELP",
    ]))
}
