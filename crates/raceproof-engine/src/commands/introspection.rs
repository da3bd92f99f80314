//! `COMMAND`: the command table shown to clients.

use bytes::Bytes;

use super::{docs, text};
use crate::{
    Reply, Version,
    command::{self, Command, FindKeys, Group, KeySpec, KeyUse, Run, flag, flag::*},
    context::Context,
    failure::{Answer, Failure, SYNTAX},
    glob,
};

const fn row(name: &'static str, run: Run, arity: i32) -> Command {
    Command::new(name, run, arity, LOADING | STALE, Group::Connection)
}

const ANY_ORDER: &[&str] = &["nondeterministic_output_order"];

pub(super) const COMMANDS: &[Command] = &[row("command", all, -1).tips(ANY_ORDER).subcommands(&[
    row("command|count", count, 2),
    row("command|info", info, -2).tips(ANY_ORDER),
    row("command|list", list, -2).tips(ANY_ORDER),
    row("command|docs", docs, -2).tips(ANY_ORDER),
    row("command|getkeys", getkeys, -4).then(&row("command|getkeys", getkeys, -3).since(Version::V7_2)),
    row("command|getkeysandflags", getkeysandflags, -4)
        .then(&row("command|getkeysandflags", getkeysandflags, -3).since(Version::V7_2)),
    row("command|help", super::help::command, 2),
])];

/// The commands of the version that the engine shows.
fn shown(context: &Context<'_>) -> impl Iterator<Item = &'static Command> {
    command::all_in(context.engine.options.version)
}

fn all(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    let version = context.engine.options.version;
    Ok(Reply::Array(shown(context).map(|command| describe(command, version)).collect()))
}

fn count(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(Reply::Integer(shown(context).count() as i64))
}

/// The command of a name, `container|subcommand` included.
fn named(context: &Context<'_>, name: &[u8]) -> Option<&'static Command> {
    let version = context.engine.options.version;
    match name.iter().position(|&byte| byte == b'|') {
        None => command::by_name(name, version),
        Some(at) => command::by_name(&name[..at], version)?
            .subcommands_in(version)
            .find(|row| row.name.as_bytes().eq_ignore_ascii_case(name)),
    }
}

fn info(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    if args.len() == 2 {
        return all(context, args);
    }
    let version = context.engine.options.version;
    let described = |name: &Bytes| named(context, name).map_or(Reply::Null, |command| describe(command, version));
    Ok(Reply::Array(args[2..].iter().map(described).collect()))
}

fn list(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let version = context.engine.options.version;
    let names = shown(context).flat_map(|command| std::iter::once(command).chain(command.subcommands_in(version)));
    let admitted: Vec<Reply> = match &args[2..] {
        [] => names.map(|command| text(command.name)).collect(),
        [by, kind, value] if by.eq_ignore_ascii_case(b"filterby") => {
            let admits = |command: &Command| match kind.to_ascii_lowercase().as_slice() {
                b"pattern" => Some(glob::matches(value, command.name.as_bytes(), true)),
                b"aclcat" => {
                    Some(categories(command).iter().any(|name| name.as_bytes()[1..].eq_ignore_ascii_case(value)))
                }
                b"module" => Some(false),
                _ => None,
            };
            let mut admitted = Vec::new();
            for command in names {
                if admits(command).ok_or(SYNTAX)? {
                    admitted.push(text(command.name));
                }
            }
            admitted
        }
        _ => return Err(SYNTAX),
    };
    Ok(Reply::Array(admitted))
}

/// The keys of a call with what is done to them.
fn key_uses(context: &Context<'_>, call: &[Bytes]) -> Result<Vec<KeyUse>, Failure> {
    let Some(command) = command::find(call, context.engine.options.version) else {
        return Err(Failure::Constant("ERR Invalid command specified"));
    };
    if command.keys.iter().all(|spec| spec.flags.contains(&"not_key")) {
        return Err(Failure::Constant("ERR The command has no key arguments"));
    }
    if !command.accepts(call.len()) {
        return Err(Failure::Constant("ERR Invalid number of arguments specified for command"));
    }
    match command.key_uses(call) {
        None if command.has(NO_MANDATORY_KEYS) => Ok(Vec::new()),
        Some(uses) if !uses.is_empty() || command.has(NO_MANDATORY_KEYS) => Ok(uses),
        _ => Err(Failure::Constant("ERR Invalid arguments specified for command")),
    }
}

fn getkeys(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let uses = key_uses(context, &args[2..])?;
    Ok(Reply::Array(uses.iter().map(|(at, _)| Reply::Bulk(args[2 + at].clone())).collect()))
}

fn getkeysandflags(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let uses = key_uses(context, &args[2..])?;
    let shown = uses.iter().map(|(at, flags)| Reply::Array(vec![Reply::Bulk(args[2 + at].clone()), names(flags)]));
    Ok(Reply::Array(shown.collect()))
}

/// What is documented of each command: see `docs.rs`.
fn docs(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let version = context.engine.options.version;
    let pair = |command: &'static Command| (text(command.name), document(command, version));
    let documents = match &args[2..] {
        [] => shown(context).map(pair).collect(),
        asked => asked.iter().filter_map(|name| named(context, name)).map(pair).collect(),
    };
    Ok(Reply::Map(documents))
}

fn document(command: &Command, version: Version) -> Reply {
    let mut parts = Vec::new();
    if let Ok(at) = docs::TABLE.binary_search_by_key(&command.name, |(name, ..)| name) {
        let (_, since, group) = docs::TABLE[at];
        parts.extend([(text("since"), text(since)), (text("group"), text(group))]);
    }
    if !command.subcommands.is_empty() {
        let subcommands = command.subcommands_in(version).map(|row| (text(row.name), document(row, version)));
        parts.push((text("subcommands"), Reply::Map(subcommands.collect())));
    }
    Reply::Map(parts)
}

/// The access-control categories, in Redis's order.
pub(crate) fn categories(command: &Command) -> Vec<&'static str> {
    let group = command.group;
    let dangerous =
        command.has(ADMIN) || matches!(group, Group::Admin | Group::Dangerous | Group::KeyspaceDangerous | Group::Sort);
    [
        ("@keyspace", matches!(group, Group::Keyspace | Group::KeyspaceDangerous)),
        ("@read", command.has(READONLY) && group != Group::Scripting),
        ("@write", command.has(WRITE)),
        ("@set", matches!(group, Group::Set | Group::Sort)),
        ("@sortedset", matches!(group, Group::SortedSet | Group::Sort)),
        ("@list", matches!(group, Group::List | Group::Sort)),
        ("@hash", group == Group::Hash),
        ("@string", group == Group::String),
        ("@bitmap", group == Group::Bitmap),
        ("@hyperloglog", group == Group::HyperLogLog),
        ("@geo", group == Group::Geo),
        ("@stream", group == Group::Stream),
        ("@admin", command.has(ADMIN) || group == Group::Admin),
        ("@pubsub", group == Group::PubSub),
        ("@fast", command.has(FAST)),
        ("@slow", !command.has(FAST)),
        ("@blocking", command.has(BLOCKING)),
        ("@dangerous", dangerous),
        ("@connection", group == Group::Connection),
        ("@transaction", group == Group::Transaction),
        ("@scripting", group == Group::Scripting),
    ]
    .into_iter()
    .filter_map(|(name, applies)| applies.then_some(name))
    .collect()
}

fn names(list: &[&'static str]) -> Reply {
    Reply::Set(list.iter().map(|name| Reply::Simple(name)).collect())
}

/// One element of the reply of `COMMAND`.
fn describe(command: &Command, version: Version) -> Reply {
    let flags: Vec<&str> = flag::NAMES.iter().filter(|(bit, _)| command.has(*bit)).map(|(_, name)| *name).collect();
    let (first, last, step) = range(command.keys);
    Reply::Array(vec![
        text(command.name),
        Reply::Integer(i64::from(command.arity)),
        names(&flags),
        Reply::Integer(first),
        Reply::Integer(last),
        Reply::Integer(step),
        names(&categories(command)),
        Reply::Set(command.tips.iter().map(|tip| text(tip)).collect()),
        Reply::Set(command.keys.iter().map(describe_keys).collect()),
        if command.subcommands.is_empty() {
            Reply::Set(Vec::new())
        } else {
            Reply::Array(command.subcommands_in(version).map(|row| describe(row, version)).collect())
        },
    ])
}

/// First key, last key and step, the older way to say where the keys are; it knows nothing but ranges.
fn range(specs: &[KeySpec]) -> (i64, i64, i64) {
    let mut whole: Option<(i64, i64, i64)> = None;
    for spec in specs {
        let FindKeys::Range { last, step } = spec.find else { continue };
        let begin = spec.begin as i64;
        let last = if last < 0 { i64::from(last) } else { begin + i64::from(last) };
        whole = Some(whole.map_or((begin, last, i64::from(step)), |(first, _, step)| (first, last, step)));
    }
    whole.unwrap_or_default()
}

fn describe_keys(spec: &KeySpec) -> Reply {
    let number = |name, value: i32| (text(name), Reply::Integer(i64::from(value)));
    let found = |kind, parts| Reply::Map(vec![(text("type"), text(kind)), (text("spec"), Reply::Map(parts))]);
    let keyword = |word| found("keyword", vec![(text("keyword"), text(word)), number("startfrom", spec.begin as i32)]);
    let find = match spec.find {
        FindKeys::Range { last, step } => {
            found("range", vec![number("lastkey", last), number("keystep", step), number("limit", 0)])
        }
        FindKeys::AfterStreams => found("range", vec![number("lastkey", -1), number("keystep", 1), number("limit", 2)]),
        FindKeys::AfterKeys => found("range", vec![number("lastkey", -1), number("keystep", 1), number("limit", 0)]),
        FindKeys::AfterWord(_) => found("range", vec![number("lastkey", 0), number("keystep", 1), number("limit", 0)]),
        FindKeys::Unknown => found("unknown", Vec::new()),
        FindKeys::Count { step } => {
            found("keynum", vec![number("keynumidx", 0), number("firstkey", 1), number("keystep", step as i32)])
        }
    };
    let mut parts = Vec::new();
    if let Some(notes) = spec.notes {
        parts.push((text("notes"), text(notes)));
    }
    parts.push((text("flags"), names(spec.flags)));
    parts.push((
        text("begin_search"),
        match spec.find {
            FindKeys::Unknown => found("unknown", Vec::new()),
            FindKeys::AfterStreams => keyword("STREAMS"),
            FindKeys::AfterKeys => found("keyword", vec![(text("keyword"), text("KEYS")), number("startfrom", -2)]),
            FindKeys::AfterWord(word) => keyword(word),
            _ => found("index", vec![number("index", spec.begin as i32)]),
        },
    ));
    parts.push((text("find_keys"), find));
    Reply::Map(parts)
}
