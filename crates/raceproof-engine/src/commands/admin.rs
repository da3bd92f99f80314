//! The process: saving, shutting down, its role. There is one server and no disk, so that most of this is an answer only.

use bytes::Bytes;

use crate::{
    Access, Object, Replica, Reply, Shutdown,
    command::{Command, Group, Run, flag::*},
    context::Context,
    failure::{Answer, Failure, SYNTAX},
    number::parse_integer,
};

const fn row(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, ADMIN | NOSCRIPT | flags, Group::Server)
}

const fn slots(name: &'static str, arity: i32, flags: u32) -> Command {
    Command::new(name, no_cluster, arity, flags, Group::Server)
}

const VARIES: &[&str] = &["nondeterministic_output"];

const fn clustered(name: &'static str, flags: u32) -> Command {
    Command::new(name, no_cluster, 1, FAST | flags, Group::Connection)
}

pub(super) const COMMANDS: &[Command] = &[
    row("save", save, 1, NO_ASYNC_LOADING | NO_MULTI),
    row("bgsave", bgsave, -1, NO_ASYNC_LOADING),
    row("bgrewriteaof", bgrewriteaof, 1, NO_ASYNC_LOADING),
    row("shutdown", shutdown, -1, LOADING | STALE | NO_MULTI | ALLOW_BUSY),
    row("replicaof", replicaof, 3, STALE | NO_ASYNC_LOADING),
    row("slaveof", replicaof, 3, STALE | NO_ASYNC_LOADING),
    row("failover", failover, -1, STALE),
    Command::new("role", role, 1, NOSCRIPT | LOADING | STALE | FAST, Group::Admin),
    Command::new("lolwut", lolwut, -1, READONLY | FAST, Group::Server),
    Command::new("cluster", no_cluster, -2, 0, Group::Server).subcommands(&[
        slots("cluster|addslots", -3, ADMIN | STALE | NO_ASYNC_LOADING),
        slots("cluster|addslotsrange", -4, ADMIN | STALE | NO_ASYNC_LOADING),
        slots("cluster|bumpepoch", 2, ADMIN | STALE | NO_ASYNC_LOADING).tips(VARIES),
        slots("cluster|count-failure-reports", 3, ADMIN | STALE).tips(VARIES),
        slots("cluster|countkeysinslot", 3, STALE),
        slots("cluster|delslots", -3, ADMIN | STALE | NO_ASYNC_LOADING),
        slots("cluster|delslotsrange", -4, ADMIN | STALE | NO_ASYNC_LOADING),
        slots("cluster|failover", -2, ADMIN | STALE | NO_ASYNC_LOADING),
        slots("cluster|flushslots", 2, ADMIN | STALE | NO_ASYNC_LOADING),
        slots("cluster|forget", 3, ADMIN | STALE | NO_ASYNC_LOADING),
        slots("cluster|getkeysinslot", 4, STALE).tips(VARIES),
        slots("cluster|help", 2, LOADING | STALE),
        slots("cluster|info", 2, STALE).tips(VARIES),
        slots("cluster|keyslot", 3, STALE),
        slots("cluster|links", 2, STALE).tips(VARIES),
        slots("cluster|meet", -4, ADMIN | STALE | NO_ASYNC_LOADING),
        slots("cluster|myid", 2, STALE),
        slots("cluster|nodes", 2, STALE).tips(VARIES),
        slots("cluster|replicas", 3, ADMIN | STALE).tips(VARIES),
        slots("cluster|replicate", 3, ADMIN | STALE | NO_ASYNC_LOADING),
        slots("cluster|reset", -2, ADMIN | NOSCRIPT | STALE),
        slots("cluster|saveconfig", 2, ADMIN | STALE | NO_ASYNC_LOADING),
        slots("cluster|set-config-epoch", 3, ADMIN | STALE | NO_ASYNC_LOADING),
        slots("cluster|setslot", -4, ADMIN | STALE | NO_ASYNC_LOADING),
        slots("cluster|shards", 2, STALE).tips(VARIES),
        slots("cluster|slaves", 3, ADMIN | STALE).tips(VARIES),
        slots("cluster|slots", 2, STALE).tips(VARIES),
    ]),
    clustered("asking", 0),
    clustered("readonly", LOADING | STALE),
    clustered("readwrite", LOADING | STALE),
];

pub(super) fn saved(context: &mut Context<'_>) {
    context.read_clock();
    context.touch(Object::Server, Access::Write);
    context.engine.saved = Some(context.now_ms().div_euclid(1000));
    if let Some(statistics) = &mut context.engine.statistics {
        statistics.changes = 0;
        statistics.saves += 1;
    }
}

fn save(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    saved(context);
    Ok(Reply::Simple("OK"))
}

/// It has ended when the reply is sent.
fn bgsave(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    match &args[1..] {
        [] => {}
        [option] if option.eq_ignore_ascii_case(b"schedule") => {}
        _ => return Err(SYNTAX),
    }
    saved(context);
    // A transaction is not to be held up by it.
    Ok(Reply::Simple(if context.may_wait { "Background saving started" } else { "Background saving scheduled" }))
}

fn bgrewriteaof(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    if let Some(statistics) = &mut context.engine.statistics {
        context.footprint.add(Object::Server, Access::Write);
        statistics.rewrites += 1;
    }
    // A transaction is not to be held up by it.
    Ok(Reply::Simple(match context.may_wait {
        true => "Background append only file rewriting started",
        false => "Background append only file rewriting scheduled",
    }))
}

/// Whoever runs the engine ends it, as the outcome says; the reply is then never sent.
fn shutdown(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let mut how = Shutdown::default();
    let mut abort = false;
    for option in &args[1..] {
        match option.to_ascii_lowercase().as_slice() {
            b"nosave" => how.save = Some(false),
            b"save" => how.save = Some(true),
            b"now" => how.now = true,
            b"force" => how.force = true,
            b"abort" => abort = true,
            _ => return Err(SYNTAX),
        }
    }
    let has = |word: &[u8]| args[1..].iter().any(|option| option.eq_ignore_ascii_case(word));
    if (abort && args.len() > 2) || (has(b"save") && has(b"nosave")) {
        return Err(SYNTAX);
    }
    if abort {
        return Err(Failure::Constant("ERR No shutdown in progress."));
    }
    context.touch(Object::Server, Access::Write);
    context.shutdown = Some(how);
    Ok(Reply::Simple("OK"))
}

/// A replica whose primary cannot be reached: it keeps its data, and refuses writes. Nothing is ever connected to.
fn replicaof(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let primary = match args[1].eq_ignore_ascii_case(b"no") && args[2].eq_ignore_ascii_case(b"one") {
        true => None,
        false => match parse_integer(&args[2]) {
            Some(port) if (0..=65535).contains(&port) => Some(Box::new((args[1].clone(), port))),
            _ => return Err(Failure::Constant("ERR Invalid master port")),
        },
    };
    context.touch(Object::Server, Access::Read);
    if context.engine.primary == primary {
        return Ok(Reply::Simple(if primary.is_some() { "OK Already connected to specified master" } else { "OK" }));
    }
    for db in 0..context.engine.config.databases() {
        context.touch(Object::Keyspace(db), Access::Write);
    }
    for object in [Object::Server, Object::Users, Object::Scripts, Object::Functions, Object::Random, Object::Memory] {
        context.touch(object, Access::Write);
    }
    context.engine.primary = primary;
    Ok(Reply::Simple("OK"))
}

fn failover(_: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (mut options, mut abort, mut target) = (&args[1..], false, false);
    loop {
        options = match options {
            [] => break,
            [word, rest @ ..] if !abort && word.eq_ignore_ascii_case(b"abort") => {
                abort = true;
                rest
            }
            [word, _, _, rest @ ..] if !target && word.eq_ignore_ascii_case(b"to") => {
                target = true;
                rest
            }
            [word, rest @ ..] if target && word.eq_ignore_ascii_case(b"force") => rest,
            [word, ms, rest @ ..] if word.eq_ignore_ascii_case(b"timeout") => {
                let ms = parse_integer(ms).ok_or(crate::failure::NOT_AN_INTEGER)?;
                if ms <= 0 {
                    return Err(Failure::Constant("ERR FAILOVER timeout must be greater than 0"));
                }
                rest
            }
            _ => return Err(SYNTAX),
        };
    }
    Err(Failure::Constant(match abort {
        true if args.len() > 2 => "ERR syntax error",
        true => "ERR No failover in progress.",
        false => "ERR FAILOVER requires connected replicas.",
    }))
}

/// Where the primary is, its replica does not say: there is none on any host.
fn role(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    context.touch(Object::Server, Access::Read);
    if let Some(primary) = &context.engine.primary {
        let (host, port) = (Reply::Bulk(primary.0.clone()), Reply::Integer(primary.1));
        return Ok(Reply::Array(vec![super::text("slave"), host, port, super::text("connect"), Reply::Integer(-1)]));
    }
    if context.session().replica {
        let (host, state) = (super::text(""), super::text("connected"));
        return Ok(Reply::Array(vec![super::text("slave"), host, Reply::Integer(0), state, Reply::Integer(0)]));
    }
    let stream = context.engine.process.as_ref().map(|process| &process.stream);
    let describe = |replica: &Replica| {
        let (port, offset) = (replica.port.to_string(), replica.acknowledged.to_string());
        Reply::Array([replica.host.clone(), port, offset].map(|part| Reply::Bulk(part.into())).into())
    };
    let replicas = stream.map_or(&[][..], |stream| &stream.replicas);
    let online = replicas.iter().filter(|replica| replica.is_online);
    let offset = Reply::Integer(stream.map_or(0, |stream| stream.offset));
    Ok(Reply::Array(vec![super::text("master"), offset, Reply::Array(online.map(describe).collect())]))
}

/// The line without the picture, whatever version of the picture is asked for.
fn lolwut(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    if let [option, version, ..] = &args[1..]
        && option.eq_ignore_ascii_case(b"version")
    {
        parse_integer(version).ok_or(crate::failure::NOT_AN_INTEGER)?;
    }
    let text = format!("Redis ver. {}\n", super::server::version(context));
    Ok(Reply::Verbatim(*b"txt", text.into()))
}

fn no_cluster(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Err(Failure::Constant("ERR This instance has cluster support disabled"))
}
