//! Streams: adding, reading by interval, trimming. Groups, claims and information have files of their own.
//!
//! A stream is read and written as a whole: two additions to one stream do not commute.

use std::sync::Arc;

use bytes::Bytes;

use super::bulk;
use crate::{
    Access, Reply,
    command::{Command, Group, KeySpec, Run, flag::*, keys},
    context::Context,
    failure::{self, Answer, Failure, NO_SUCH_KEY, NOT_AN_INTEGER, SYNTAX},
    key::Key,
    notify::STREAM,
    number::{integer_text, parse_integer},
    stream::{Entry, Id, Keep, Stream},
};

const ACCESS: &[KeySpec] = &[keys(1, 0, 1, &["RO", "access"])];
const UPDATE: &[KeySpec] = &[keys(1, 0, 1, &["RW", "update"])];
const DELETE: &[KeySpec] = &[keys(1, 0, 1, &["RW", "delete"])];
const UNPREDICTABLE: &[&str] = &["nondeterministic_output"];

const fn row(name: &'static str, run: Run, arity: i32, flags: u32, keys: &'static [KeySpec]) -> Command {
    Command::new(name, run, arity, flags, Group::Stream).keys(keys)
}

pub(super) const COMMANDS: &[Command] = &[
    row(
        "xadd",
        xadd,
        -5,
        WRITE | DENYOOM | FAST,
        &[KeySpec {
            notes: Some("UPDATE instead of INSERT because of the optional trimming feature"),
            ..keys(1, 0, 1, &["RW", "update"])
        }],
    )
    .tips(UNPREDICTABLE),
    row("xlen", xlen, 2, READONLY | FAST, &[keys(1, 0, 1, &["RO"])]),
    row("xrange", |context, args| xrange(context, args, false), -4, READONLY, ACCESS),
    row("xrevrange", |context, args| xrange(context, args, true), -4, READONLY, ACCESS),
    row("xdel", xdel, -3, WRITE | FAST, DELETE),
    row("xtrim", xtrim, -4, WRITE, DELETE).tips(UNPREDICTABLE),
    row("xsetid", xsetid, -3, WRITE | DENYOOM | FAST, UPDATE),
];

/// An entry as replies show it.
pub(super) fn shown(entry: &Entry) -> Reply {
    let pairs = entry.pairs.iter().flat_map(|(field, value)| [bulk(field), bulk(value)]).collect();
    Reply::Array(vec![Reply::Bulk(entry.id.text()), Reply::Array(pairs)])
}

/// The options of `XADD` and `XTRIM` that say what goes.
#[derive(Debug)]
struct Trim {
    keep: Keep,
    approximate: bool,
    limit: u64,
    /// Which argument says where it stops.
    bound_at: usize,
}

/// The options of `XADD` and `XTRIM`.
#[derive(Debug, Default)]
struct Options {
    trim: Option<Trim>,
    limit: Option<u64>,
    only_existing: bool,
    /// The ID, and whether its number is given.
    id: Option<(Id, bool)>,
    /// How many arguments come before the ID of `XADD`.
    len: usize,
}

impl Options {
    fn parse(args: &[Bytes], adding: bool) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut at = 2;
        while let Some(option) = args.get(at) {
            let more = args.len() - at - 1;
            match option.to_ascii_lowercase().as_slice() {
                b"*" if adding => break,
                name @ (b"maxlen" | b"minid") if more > 0 => at = options.parse_trim(args, at, name == b"maxlen")?,
                b"limit" if more > 0 => {
                    let limit = parse_integer(&args[at + 1]).ok_or(NOT_AN_INTEGER)?;
                    let refusal = Failure::Constant("ERR The LIMIT argument must be >= 0.");
                    options.limit = Some(u64::try_from(limit).map_err(|_| refusal)?);
                    at += 1;
                }
                b"nomkstream" if adding => options.only_existing = true,
                _ if adding => {
                    options.id = Some(Id::parse_for_adding(option)?);
                    break;
                }
                _ => return Err(SYNTAX),
            }
            at += 1;
        }
        options.len = at;
        Ok(options)
    }

    /// Reads `[~ | =] bound` after `MAXLEN` or `MINID`, and gives where it is.
    fn parse_trim(&mut self, args: &[Bytes], at: usize, by_length: bool) -> Result<usize, Failure> {
        if self.trim.is_some() {
            return Err(Failure::Constant(
                "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
            ));
        }
        let marked = args.len() - at > 2 && matches!(&args[at + 1][..], b"~" | b"=");
        let bound_at = at + 1 + usize::from(marked);
        let bound = &args[bound_at];
        let keep = if by_length {
            let most = parse_integer(bound).ok_or(NOT_AN_INTEGER)?;
            let refusal = Failure::Constant("ERR The MAXLEN argument must be >= 0.");
            Keep::Newest(u64::try_from(most).map_err(|_| refusal)?)
        } else {
            Keep::From(Id::parse(bound)?)
        };
        self.trim = Some(Trim { keep, approximate: args[at + 1] == "~", limit: 0, bound_at });
        Ok(bound_at)
    }

    /// Checks how the options go together, and settles how much may go at once.
    fn checked(mut self, context: &Context<'_>, adding: bool) -> Result<Self, Failure> {
        let Some(trim) = &mut self.trim else {
            if self.limit.is_some_and(|limit| limit > 0) {
                return Err(Failure::Constant(
                    "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
                ));
            }
            if !adding {
                return Err(Failure::Constant("ERR syntax error, XTRIM must be called with a trimming strategy"));
            }
            if self.limit.is_some() {
                return Err(LIMIT_NEEDS_TILDE);
            }
            return Ok(self);
        };
        if self.limit.is_some() && !trim.approximate {
            return Err(LIMIT_NEEDS_TILDE);
        }
        if trim.approximate {
            let nodes = 100 * context.engine.config.stream_limits().entries.min(10_000) as u64;
            trim.limit = self.limit.unwrap_or(if nodes == 0 { 10_000 } else { nodes });
        }
        Ok(self)
    }
}

const LIMIT_NEEDS_TILDE: Failure =
    Failure::Constant("ERR syntax error, LIMIT cannot be used without the special ~ option");

/// What is propagated of an approximate trim: an exact one with the same outcome.
fn made_exact(effect: &mut [Bytes], trim: &Trim, stream: &Stream) {
    if trim.approximate {
        effect[trim.bound_at - 1] = Bytes::from_static(b"=");
        effect[trim.bound_at] = match trim.keep {
            Keep::Newest(_) => integer_text(stream.len() as i64),
            Keep::From(_) => stream.first_trace().text(),
        };
    }
}

fn xadd(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let options = Options::parse(args, true)?.checked(context, true)?;
    let values = args.get(options.len + 1..).unwrap_or_default();
    if values.is_empty() || !values.len().is_multiple_of(2) {
        return Err(failure::wrong_arity("xadd"));
    }
    if options.id == Some((Id::MIN, true)) {
        return Err(Failure::Constant("ERR The ID specified in XADD must be greater than 0-0"));
    }
    let key = Key::new(&args[1]);
    let stream = context.collection::<Stream>(&key, Access::Read)?;
    if stream.is_none() && options.only_existing {
        return Ok(Reply::Null);
    }
    let last_id = stream.map_or(Id::MIN, |stream| stream.last_id);
    let id = next_id(context, options.id, last_id)?;
    context.tell_later(context.db, &key);
    context.ensure::<Stream>(&key);
    let limits = context.engine.config.stream_limits();
    let pairs: Arc<[(Bytes, Bytes)]> = values.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
    let mut effect = args.to_vec();
    if options.id.is_none_or(|(_, given)| !given) {
        effect[options.len] = id.text();
    }
    let trimmed = context.edit_whole(&key, |stream: &mut Stream| {
        stream.push(id, pairs, limits);
        let Some(trim) = &options.trim else { return 0 };
        let trimmed = stream.trim(trim.keep, trim.approximate, trim.limit);
        made_exact(&mut effect, trim, stream);
        trimmed
    });
    context.replies_here();
    context.tell_now(context.db, &key);
    context.event(STREAM, "xadd", &key);
    if trimmed.is_some_and(|trimmed| trimmed > 0) {
        context.event(STREAM, "xtrim", &key);
    }
    context.signal(context.db, &key);
    context.propagate_as(effect);
    Ok(Reply::Bulk(id.text()))
}

/// The ID of a new entry after `last`.
fn next_id(context: &mut Context<'_>, asked: Option<(Id, bool)>, last: Id) -> Result<Id, Failure> {
    const TOO_SMALL: Failure =
        Failure::Constant("ERR The ID specified in XADD is equal or smaller than the target stream top item");
    let Some(after_last) = last.next() else {
        return Err(Failure::Constant("ERR The stream has exhausted the last possible ID, unable to add more items"));
    };
    let id = match asked {
        Some((id, true)) => id,
        Some((Id { ms, .. }, false)) if ms != last.ms => Id { ms, seq: 0 },
        Some((Id { ms, .. }, false)) => Id { ms, seq: last.seq.checked_add(1).ok_or(TOO_SMALL)? },
        None => {
            context.read_clock();
            after_last.max(Id { ms: u64::try_from(context.now_ms()).unwrap_or(0), seq: 0 })
        }
    };
    if id > last { Ok(id) } else { Err(TOO_SMALL) }
}

fn xlen(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let stream = context.collection::<Stream>(&Key::new(&args[1]), Access::Read)?;
    Ok(Reply::Integer(stream.map_or(0, |stream| stream.len() as i64)))
}

fn xrange(context: &mut Context<'_>, args: &[Bytes], down: bool) -> Answer {
    let (start, end) = if down { (&args[3], &args[2]) } else { (&args[2], &args[3]) };
    let (start, end) = (Id::parse_start(start)?, Id::parse_end(end)?);
    let mut count = usize::MAX;
    for option in args[4..].chunks(2) {
        let [name, number] = option else { return Err(SYNTAX) };
        if !name.eq_ignore_ascii_case(b"count") {
            return Err(SYNTAX);
        }
        let number = parse_integer(number).ok_or(NOT_AN_INTEGER)?;
        count = usize::try_from(number).unwrap_or(0);
    }
    let stream = context.collection::<Stream>(&Key::new(&args[1]), Access::Read)?;
    let Some(stream) = stream else { return Ok(Reply::Array(Vec::new())) };
    if count == 0 {
        return Ok(Reply::NullArray);
    }
    let entries = stream.range(start, end);
    Ok(Reply::Array(if down {
        entries.rev().take(count).map(shown).collect()
    } else {
        entries.take(count).map(shown).collect()
    }))
}

fn ids(texts: &[Bytes]) -> Result<Vec<Id>, Failure> {
    texts.iter().map(|text| Id::parse(text)).collect()
}

fn xdel(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    if context.collection::<Stream>(&key, Access::Read)?.is_none() {
        return Ok(Reply::Integer(0));
    }
    let mut ids = ids(&args[2..])?;
    ids.retain(|id| context.collection_now::<Stream>(&key).is_some_and(|stream| stream.get(*id).is_some()));
    if ids.is_empty() {
        return Ok(Reply::Integer(0));
    }
    let deleted = context.edit_whole(&key, |stream: &mut Stream| ids.iter().filter(|id| stream.delete(**id)).count());
    context.event(STREAM, "xdel", &key);
    let deleted = deleted.unwrap_or(0);
    context.propagate_changes(args, deleted);
    Ok(Reply::Integer(deleted as i64))
}

fn xtrim(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let options = Options::parse(args, false)?.checked(context, false)?;
    let Some(trim) = &options.trim else { return Err(SYNTAX) };
    let key = Key::new(&args[1]);
    let Some(stream) = context.collection::<Stream>(&key, Access::Read)? else { return Ok(Reply::Integer(0)) };
    let mut trimmed = stream.clone();
    let removed = trimmed.trim(trim.keep, trim.approximate, trim.limit);
    if removed > 0 {
        let mut effect = args.to_vec();
        made_exact(&mut effect, trim, &trimmed);
        context.tell_later(context.db, &key);
        context.edit_whole(&key, |stream: &mut Stream| *stream = trimmed);
        context.event(STREAM, "xtrim", &key);
        context.tell_now(context.db, &key);
        context.propagate_changes(&effect, removed as usize);
    }
    Ok(Reply::Integer(removed as i64))
}

/// Whoever watches the stream is not told, in Redis as here.
fn xsetid(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let id = Id::parse(&args[2])?;
    let (mut added, mut max_deleted) = (None, Id::MIN);
    for option in args[3..].chunks(2) {
        let [name, value] = option else { return Err(SYNTAX) };
        match name.to_ascii_lowercase().as_slice() {
            b"entriesadded" => {
                let number = parse_integer(value).ok_or(NOT_AN_INTEGER)?;
                if number < 0 {
                    return Err(Failure::Constant("ERR entries_added must be positive"));
                }
                added = Some(number);
            }
            b"maxdeletedid" => {
                max_deleted = Id::parse(value)?;
                if id < max_deleted {
                    return Err(Failure::Constant(
                        "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
                    ));
                }
            }
            _ => return Err(SYNTAX),
        }
    }
    let key = Key::new(&args[1]);
    let stream = context.collection::<Stream>(&key, Access::Read)?.ok_or(NO_SUCH_KEY)?;
    if stream.ends().1.is_some_and(|last| id < last.id) {
        return Err(Failure::Constant("ERR The ID specified in XSETID is smaller than the target stream top item"));
    }
    if stream.len() > 0 && added.is_some_and(|added| stream.len() > added.unsigned_abs()) {
        return Err(Failure::Constant(
            "ERR The entries_added specified in XSETID is smaller than the target stream length",
        ));
    }
    context.touch_key(&key, Access::Write);
    context.edit(&key, |stream: &mut Stream| {
        stream.last_id = id;
        stream.added = added.unwrap_or(stream.added);
        if max_deleted != Id::MIN {
            stream.max_deleted_id = max_deleted;
        }
    });
    context.replies_here();
    context.event(STREAM, "xsetid", &key);
    context.propagate(args);
    Ok(Reply::Simple("OK"))
}
