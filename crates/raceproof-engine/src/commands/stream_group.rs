//! Groups of streams: `XGROUP`, `XACK`, `XPENDING`.
//!
//! Whoever watches a stream is not told of what happens to its groups, in Redis as here.

use bytes::Bytes;

use super::bulk;
use crate::{
    Access, Reply,
    command::{Command, Group as Family, KeySpec, Run, flag::*, keys},
    context::{Context, Deadline},
    failure::{self, Answer, Failure, NOT_AN_INTEGER, SYNTAX},
    key::Key,
    notify::STREAM,
    number::{integer_text, parse_integer},
    stream::{Group, Id, Stream},
    typed::Collection as _,
};

const fn row(name: &'static str, run: Run, arity: i32, flags: u32, keys: &'static [KeySpec]) -> Command {
    Command::new(name, run, arity, flags, Family::Stream).keys(keys)
}

const INSERT: &[KeySpec] = &[keys(2, 0, 1, &["RW", "insert"])];
const DELETE: &[KeySpec] = &[keys(2, 0, 1, &["RW", "delete"])];

pub(super) const COMMANDS: &[Command] = &[
    Command::new("xgroup", help, -2, 0, Family::Server).subcommands(&[
        row("xgroup|create", create, -5, WRITE | DENYOOM, INSERT),
        row("xgroup|setid", setid, -5, WRITE, &[keys(2, 0, 1, &["RW", "update"])]),
        row("xgroup|destroy", destroy, 4, WRITE, DELETE),
        row("xgroup|createconsumer", createconsumer, 5, WRITE | DENYOOM, INSERT),
        row("xgroup|delconsumer", delconsumer, 5, WRITE, DELETE),
        Command::new("xgroup|help", help, 2, LOADING | STALE, Family::Stream),
    ]),
    row("xack", xack, -4, WRITE | FAST, &[keys(1, 0, 1, &["RW", "update"])]),
    row("xpending", xpending, -3, READONLY, &[keys(1, 0, 1, &["RO", "access"])]).tips(&["nondeterministic_output"]),
];

/// The options of `CREATE` and `SETID`.
#[derive(Debug, Default)]
struct Options {
    make_stream: bool,
    entries_read: Option<i64>,
}

impl Options {
    fn parse(args: &[Bytes], creating: bool) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut left = &args[5..];
        while let [option, rest @ ..] = left {
            left = rest;
            match (option.to_ascii_lowercase().as_slice(), rest) {
                (b"mkstream", _) if creating => options.make_stream = true,
                (b"entriesread", [number, rest @ ..]) => {
                    let number = parse_integer(number).ok_or(NOT_AN_INTEGER)?;
                    if number < -1 {
                        return Err(Failure::Constant("ERR value for ENTRIESREAD must be positive or -1"));
                    }
                    options.entries_read = (number >= 0).then_some(number);
                    left = rest;
                }
                _ => return Err(failure::wrong_subcommand(args)),
            }
        }
        Ok(options)
    }
}

const NO_STREAM: Failure = Failure::Constant(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to \
     create an empty stream automatically.",
);

/// Looks up the stream of a subcommand.
fn stream<'a>(context: &'a mut Context<'_>, key: &Key) -> Result<&'a Stream, Failure> {
    context.collection::<Stream>(key, Access::Read)?.ok_or(NO_STREAM)
}

/// Edits the group of a subcommand, which must be there.
fn edit_group<T>(
    context: &mut Context<'_>,
    args: &[Bytes],
    edit: impl FnOnce(&mut Group) -> T,
) -> Result<Option<T>, Failure> {
    let key = Key::new(&args[2]);
    if !stream(context, &key)?.groups.contains_key(&args[3]) {
        return Err(no_such_group(args));
    }
    context.touch_key(&key, Access::Write);
    Ok(context.edit(&key, |stream: &mut Stream| stream.groups.get_mut(&args[3]).map(edit)).flatten())
}

pub(super) fn no_such_group(args: &[Bytes]) -> Failure {
    let mut text = b"NOGROUP No such consumer group '".to_vec();
    text.extend_from_slice(failure::quoted(&args[3], args[3].len()));
    text.extend_from_slice(b"' for key name '");
    text.extend_from_slice(failure::quoted(&args[2], args[2].len()));
    text.push(b'\'');
    Failure::Bytes(text.into())
}

/// The ID of a subcommand; `$` is the last one of the stream.
fn id(text: &[u8], stream: Option<&Stream>, strict: bool) -> Result<Id, Failure> {
    match text {
        b"$" => Ok(stream.map_or(Id::MIN, |stream| stream.last_id)),
        b"-" if !strict => Ok(Id::MIN),
        b"+" if !strict => Ok(Id::MAX),
        _ => Id::parse(text),
    }
}

fn create(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let options = Options::parse(args, true)?;
    let key = Key::new(&args[2]);
    let stream = context.collection::<Stream>(&key, Access::Read)?;
    if stream.is_none() && !options.make_stream {
        return Err(NO_STREAM);
    }
    if args.len() > 8 {
        return Err(failure::wrong_subcommand(args));
    }
    let last_id = id(&args[4], stream, true)?;
    if stream.is_some_and(|stream| stream.groups.contains_key(&args[3])) {
        return Err(Failure::Constant("BUSYGROUP Consumer Group name already exists"));
    }
    if stream.is_none() {
        context.store(&key, Stream::default().into_value(), Deadline::Clear);
    }
    context.touch_key(&key, Access::Write);
    let group = Group { last_id, entries_read: options.entries_read, ..Group::default() };
    context.edit(&key, |stream: &mut Stream| stream.groups.insert(args[3].clone(), group));
    context.replies_here();
    context.event(STREAM, "xgroup-create", &key);
    context.propagate(args);
    Ok(Reply::Simple("OK"))
}

fn setid(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let options = Options::parse(args, false)?;
    let key = Key::new(&args[2]);
    let stream = stream(context, &key)?;
    if !stream.groups.contains_key(&args[3]) {
        return Err(no_such_group(args));
    }
    if args.len() != 5 && args.len() != 7 {
        return Err(failure::wrong_subcommand(args));
    }
    let last_id = id(&args[4], Some(stream), false)?;
    edit_group(context, args, |group| {
        group.last_id = last_id;
        group.entries_read = options.entries_read;
    })?;
    context.replies_here();
    context.event(STREAM, "xgroup-setid", &key);
    context.propagate(args);
    Ok(Reply::Simple("OK"))
}

fn destroy(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[2]);
    if !stream(context, &key)?.groups.contains_key(&args[3]) {
        return Ok(Reply::Integer(0));
    }
    context.touch_key(&key, Access::Write);
    context.edit(&key, |stream: &mut Stream| stream.groups.remove(&args[3]));
    context.signal(context.db, &key);
    context.replies_here();
    context.event(STREAM, "xgroup-destroy", &key);
    context.propagate(args);
    Ok(Reply::Integer(1))
}

fn createconsumer(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    context.read_clock();
    let now_ms = context.now_ms();
    let new =
        edit_group(context, args, |group| !group.consumers.contains_key(&args[4]) && group.see(&args[4], now_ms))?;
    if new == Some(true) {
        context.event(STREAM, "xgroup-createconsumer", &Key::new(&args[2]));
        context.propagate(args);
    }
    Ok(Reply::Integer(i64::from(new == Some(true))))
}

fn delconsumer(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let removed = edit_group(context, args, |group| (group.consumers.contains_key(&args[4]), group.remove(&args[4])))?;
    let (known, pending) = removed.unwrap_or_default();
    if known {
        context.event(STREAM, "xgroup-delconsumer", &Key::new(&args[2]));
        context.propagate(args);
    }
    Ok(Reply::Integer(pending as i64))
}

fn xack(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    context.reads = true;
    let key = Key::new(&args[1]);
    let stream = context.collection::<Stream>(&key, Access::Read)?;
    if !stream.is_some_and(|stream| stream.groups.contains_key(&args[2])) {
        return Ok(Reply::Integer(0));
    }
    let ids: Vec<Id> = args[3..].iter().map(|text| Id::parse(text)).collect::<Result<_, _>>()?;
    let pending =
        |stream: &Stream, id: &Id| stream.groups.get(&args[2]).is_some_and(|group| group.pending.contains_key(id));
    if !stream.is_some_and(|stream| ids.iter().any(|id| pending(stream, id))) {
        return Ok(Reply::Integer(0));
    }
    context.touch_key(&key, Access::Write);
    let settled = context.edit(&key, |stream: &mut Stream| {
        let group = stream.groups.get_mut(&args[2])?;
        Some(ids.iter().filter(|id| group.settle(**id).is_some()).count())
    });
    let settled = settled.flatten().unwrap_or(0);
    context.propagate_changes(args, settled);
    Ok(Reply::Integer(settled as i64))
}

/// What of the pending entries `XPENDING` is asked for.
#[derive(Debug)]
struct Query<'a> {
    min_idle_ms: i64,
    start: Id,
    end: Id,
    count: usize,
    consumer: Option<&'a Bytes>,
}

impl<'a> Query<'a> {
    /// Reads the arguments after the group; `None` asks for a summary.
    fn parse(args: &'a [Bytes]) -> Result<Option<Self>, Failure> {
        if args.is_empty() {
            return Ok(None);
        }
        if !(3..=6).contains(&args.len()) {
            return Err(SYNTAX);
        }
        let number = |text: &Bytes| parse_integer(text).ok_or(NOT_AN_INTEGER);
        let (mut min_idle_ms, mut interval) = (0, args);
        if args[0].eq_ignore_ascii_case(b"idle") {
            min_idle_ms = number(&args[1])?;
            interval = &args[2..];
        }
        let [start, end, count, consumer @ ..] = interval else { return Err(SYNTAX) };
        let count = usize::try_from(number(count)?).unwrap_or(0);
        let (start, end) = (Id::parse_start(start)?, Id::parse_end(end)?);
        Ok(Some(Self { min_idle_ms, start, end, count, consumer: consumer.first() }))
    }
}

fn xpending(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let query = Query::parse(&args[3..])?;
    let key = Key::new(&args[1]);
    context.collection::<Stream>(&key, Access::Read)?;
    if query.is_some() {
        context.read_clock();
    }
    let now_ms = context.now_ms();
    let group = context.collection_now::<Stream>(&key).and_then(|stream| stream.groups.get(&args[2]));
    let group = group.ok_or_else(|| failure::no_group(&args[1], &args[2], ""))?;
    let Some(query) = query else { return Ok(summary(group)) };
    if query.consumer.is_some_and(|consumer| !group.consumers.contains_key(consumer)) || query.start > query.end {
        return Ok(Reply::Array(Vec::new()));
    }
    let listed = group
        .pending
        .range(query.start..=query.end)
        .filter(|(_, pending)| query.consumer.is_none_or(|consumer| pending.consumer == *consumer))
        .map(|(id, pending)| (id, pending, now_ms.saturating_sub(pending.delivered_ms)))
        .filter(|(.., idle_ms)| query.min_idle_ms == 0 || *idle_ms >= query.min_idle_ms)
        .take(query.count);
    let reply = |(id, pending, idle_ms): (&Id, &crate::stream::Pending, i64)| {
        Reply::Array(vec![
            Reply::Bulk(id.text()),
            bulk(&pending.consumer),
            Reply::Integer(idle_ms.max(0)),
            Reply::Integer(pending.deliveries),
        ])
    };
    Ok(Reply::Array(listed.map(reply).collect()))
}

/// How much is pending, from where to where, and for whom.
fn summary(group: &Group) -> Reply {
    let (Some((first, _)), Some((last, _))) = (group.pending.first_key_value(), group.pending.last_key_value()) else {
        return Reply::Array(vec![Reply::Integer(0), Reply::Null, Reply::Null, Reply::NullArray]);
    };
    let busy = group.consumers.iter().filter(|(_, consumer)| !consumer.pending.is_empty());
    let count = |count: usize| Reply::Bulk(integer_text(count as i64));
    Reply::Array(vec![
        Reply::Integer(group.pending.len() as i64),
        Reply::Bulk(first.text()),
        Reply::Bulk(last.text()),
        Reply::Array(busy.map(|(name, known)| Reply::Array(vec![bulk(name), count(known.pending.len())])).collect()),
    ])
}

fn help(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(super::help(&[
        "XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CREATE <key> <groupname> <id|$> [option]",
        "CREATECONSUMER <key> <groupname> <consumer>",
        "DELCONSUMER <key> <groupname> <consumer>",
        "DESTROY <key> <groupname>",
        "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
        "HELP",
    ]))
}
