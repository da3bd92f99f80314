//! Lists: both ends, reading, and changes in the middle. Moves between lists have a file of their own.
//!
//! A list is read and written as a whole: two pushes to one list do not commute.

use bytes::Bytes;

use super::{bulk, count};
use crate::{
    Access, Reply,
    command::{Command, Group, KeySpec, Run, flag::*, keys},
    context::Context,
    failure::{self, Answer, Failure, NO_SUCH_KEY, NOT_AN_INTEGER, SYNTAX},
    key::Key,
    list::List,
    notify::{GENERIC, LIST},
    number::parse_integer,
};

const INSERT: &[KeySpec] = &[keys(1, 0, 1, &["RW", "insert"])];
const DELETE: &[KeySpec] = &[keys(1, 0, 1, &["RW", "delete"])];
const ACCESS: &[KeySpec] = &[keys(1, 0, 1, &["RO", "access"])];

const fn row(name: &'static str, run: Run, arity: i32, flags: u32, keys: &'static [KeySpec]) -> Command {
    Command::new(name, run, arity, flags, Group::List).keys(keys)
}

pub(super) const COMMANDS: &[Command] = &[
    row("lpush", |context, args| push(context, args, End::Left, true), -3, WRITE | DENYOOM | FAST, INSERT),
    row("rpush", |context, args| push(context, args, End::Right, true), -3, WRITE | DENYOOM | FAST, INSERT),
    row("lpushx", |context, args| push(context, args, End::Left, false), -3, WRITE | DENYOOM | FAST, INSERT),
    row("rpushx", |context, args| push(context, args, End::Right, false), -3, WRITE | DENYOOM | FAST, INSERT),
    row("lpop", |context, args| pop(context, args, End::Left), -2, WRITE | FAST, super::TAKEN),
    row("rpop", |context, args| pop(context, args, End::Right), -2, WRITE | FAST, super::TAKEN),
    row("llen", llen, 2, READONLY | FAST, &[keys(1, 0, 1, &["RO"])]),
    row("lrange", lrange, 4, READONLY, ACCESS),
    row("lindex", lindex, 3, READONLY, ACCESS),
    row("lset", lset, 4, WRITE | DENYOOM, &[keys(1, 0, 1, &["RW", "update"])]),
    row("linsert", linsert, 5, WRITE | DENYOOM, INSERT),
    row("lrem", lrem, 4, WRITE, DELETE),
    row("ltrim", ltrim, 4, WRITE, DELETE),
    row("lpos", lpos, -3, READONLY, ACCESS),
];

/// One end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Left,
    Right,
}

impl End {
    pub(super) fn parse(text: &[u8]) -> Result<Self, Failure> {
        match text.to_ascii_lowercase().as_slice() {
            b"left" => Ok(Self::Left),
            b"right" => Ok(Self::Right),
            _ => Err(SYNTAX),
        }
    }

    pub(super) fn push(self, list: &mut List, element: Bytes) {
        match self {
            Self::Left => list.push_front(element),
            Self::Right => list.push_back(element),
        }
    }

    pub(super) fn pop(self, list: &mut List) -> Option<Bytes> {
        match self {
            Self::Left => list.pop_front(),
            Self::Right => list.pop_back(),
        }
    }
}

fn push(context: &mut Context<'_>, args: &[Bytes], end: End, may_create: bool) -> Answer {
    let key = Key::new(&args[1]);
    let there = context.has_collection::<List>(&key, Access::Read)?;
    if !there && !may_create {
        return Ok(Reply::Integer(0));
    }
    context.tell_later(context.db, &key);
    if !there {
        context.ensure::<List>(&key);
    }
    let len = context.edit_whole(&key, |list: &mut List| {
        args[2..].iter().for_each(|element| end.push(list, element.clone()));
        list.len()
    });
    context.replies_here();
    context.tell_now(context.db, &key);
    pushed(context, &key, end);
    context.propagate_changes(args, args.len() - 2);
    Ok(Reply::Integer(len.unwrap_or(0) as i64))
}

/// Tells of a push at an end.
pub(super) fn pushed(context: &mut Context<'_>, key: &Key, end: End) {
    context.event(LIST, if end == End::Left { "lpush" } else { "rpush" }, key);
}

/// Tells of a pop at an end, which follows the reply.
pub(super) fn popped(context: &mut Context<'_>, key: &Key, end: End) {
    context.replies_here();
    context.event(LIST, if end == End::Left { "lpop" } else { "rpop" }, key);
    removed_if_empty(context, key);
    context.tell_now(context.db, key);
}

fn removed_if_empty(context: &mut Context<'_>, key: &Key) {
    if context.entry(key).is_none() {
        context.event(GENERIC, "del", key);
    }
}

/// Takes up to `count` elements from a list that was looked up; [`popped`] comes next. Whoever may wait for a list pops by
/// this as well.
pub(super) fn take(context: &mut Context<'_>, key: &Key, end: End, count: usize) -> Vec<Bytes> {
    context.tell_later(context.db, key);
    let taken = context.edit_whole(key, |list: &mut List| {
        let count = count.min(list.len());
        (0..count).filter_map(|_| end.pop(list)).collect()
    });
    taken.unwrap_or_default()
}

fn pop(context: &mut Context<'_>, args: &[Bytes], end: End) -> Answer {
    if args.len() > 3 {
        return Err(failure::wrong_arity(if end == End::Left { "lpop" } else { "rpop" }));
    }
    let wanted = args.get(2).map(|text| count(text)).transpose()?;
    let key = Key::new(&args[1]);
    if context.collection::<List>(&key, Access::Read)?.is_none() {
        return Ok(if wanted.is_some() { Reply::NullArray } else { Reply::Null });
    }
    if wanted == Some(0) {
        return Ok(Reply::Array(Vec::new()));
    }
    let mut taken = take(context, &key, end, wanted.unwrap_or(1)).into_iter().map(Reply::Bulk);
    popped(context, &key, end);
    context.propagate_changes(args, taken.len());
    Ok(match wanted {
        None => taken.next().unwrap_or(Reply::Null),
        Some(_) => Reply::Array(taken.collect()),
    })
}

fn llen(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let list = context.collection::<List>(&Key::new(&args[1]), Access::Read)?;
    Ok(Reply::Integer(list.map_or(0, |list| list.len() as i64)))
}

/// The part of `len` elements that two indices name, negative ones counting from the end.
pub(super) fn part(start: i64, end: i64, len: usize) -> std::ops::Range<usize> {
    let len = len as i64;
    let from_end = |at: i64| if at < 0 { at.saturating_add(len) } else { at };
    let (first, last) = (from_end(start).max(0), from_end(end).min(len - 1));
    if first > last { 0..0 } else { first as usize..last as usize + 1 }
}

fn indices(args: &[Bytes]) -> Result<(i64, i64), Failure> {
    let index = |text: &Bytes| parse_integer(text).ok_or(NOT_AN_INTEGER);
    Ok((index(&args[0])?, index(&args[1])?))
}

fn lrange(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (start, end) = indices(&args[2..])?;
    let list = context.collection::<List>(&Key::new(&args[1]), Access::Read)?;
    Ok(Reply::Array(list.map_or_else(Vec::new, |list| list.range(part(start, end, list.len())).map(bulk).collect())))
}

/// The place of an index, negative ones counting from the end.
fn place(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(len as i64)? } else { index };
    usize::try_from(index).ok().filter(|place| *place < len)
}

fn lindex(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let Some(list) = context.collection::<List>(&Key::new(&args[1]), Access::Read)? else { return Ok(Reply::Null) };
    let index = parse_integer(&args[2]).ok_or(NOT_AN_INTEGER)?;
    Ok(place(index, list.len()).and_then(|place| list.get(place)).map_or(Reply::Null, bulk))
}

fn lset(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    let len = context.collection::<List>(&key, Access::Read)?.ok_or(NO_SUCH_KEY)?.len();
    let index = parse_integer(&args[2]).ok_or(NOT_AN_INTEGER)?;
    let place = place(index, len).ok_or(Failure::Constant("ERR index out of range"))?;
    context.tell_later(context.db, &key);
    context.edit_whole(&key, |list: &mut List| list.set(place, args[3].clone()));
    context.replies_here();
    context.tell_now(context.db, &key);
    context.event(LIST, "lset", &key);
    context.propagate(args);
    Ok(Reply::Simple("OK"))
}

fn linsert(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let behind = match args[2].to_ascii_lowercase().as_slice() {
        b"before" => 0,
        b"after" => 1,
        _ => return Err(SYNTAX),
    };
    let key = Key::new(&args[1]);
    let Some(list) = context.collection::<List>(&key, Access::Read)? else { return Ok(Reply::Integer(0)) };
    let Some(pivot) = list.iter().position(|element| *element == args[3]) else { return Ok(Reply::Integer(-1)) };
    let len = context.edit_whole(&key, |list: &mut List| {
        list.insert(pivot + behind, args[4].clone());
        list.len()
    });
    context.event(LIST, "linsert", &key);
    context.propagate(args);
    Ok(Reply::Integer(len.unwrap_or(0) as i64))
}

fn lrem(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let wanted = parse_integer(&args[2]).ok_or(NOT_AN_INTEGER)?;
    let key = Key::new(&args[1]);
    let Some(list) = context.collection::<List>(&key, Access::Read)? else { return Ok(Reply::Integer(0)) };
    let found = list.iter().filter(|element| **element == args[3]).count();
    let most = if wanted == 0 { u64::MAX } else { wanted.unsigned_abs() };
    let removed = found.min(usize::try_from(most).unwrap_or(usize::MAX));
    if removed == 0 {
        return Ok(Reply::Integer(0));
    }
    // Counted from the head, whichever side is to be kept.
    let (from, until) = if wanted < 0 { (found - removed, found) } else { (0, removed) };
    context.edit_whole(&key, |list: &mut List| {
        let mut seen = 0;
        list.retain(|element| {
            if *element != args[3] {
                return true;
            }
            seen += 1;
            !(from..until).contains(&(seen - 1))
        });
    });
    context.event(LIST, "lrem", &key);
    removed_if_empty(context, &key);
    context.propagate_changes(args, removed);
    Ok(Reply::Integer(removed as i64))
}

fn ltrim(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (start, end) = indices(&args[2..])?;
    let key = Key::new(&args[1]);
    let Some(list) = context.collection::<List>(&key, Access::Read)? else { return Ok(Reply::Simple("OK")) };
    let (len, kept) = (list.len(), part(start, end, list.len()));
    context.tell_later(context.db, &key);
    // Whoever watches the list is told even if nothing goes.
    context.edit_whole(&key, |list: &mut List| {
        if kept.len() < len {
            list.keep(kept.clone());
        }
    });
    context.event(LIST, "ltrim", &key);
    removed_if_empty(context, &key);
    context.tell_now(context.db, &key);
    if kept.len() < len {
        context.propagate_changes(args, len - kept.len());
    }
    Ok(Reply::Simple("OK"))
}

/// The options of `LPOS`.
#[derive(Debug)]
struct Search {
    /// How many matches are passed over.
    skip: u64,
    from_tail: bool,
    /// How many matches are wanted, 0 for all; `None` for the first as it is.
    count: Option<usize>,
    /// How many elements are looked at, 0 for all.
    looked_at: usize,
}

impl Search {
    fn parse(options: &[Bytes]) -> Result<Self, Failure> {
        let mut search = Self { skip: 0, from_tail: false, count: None, looked_at: 0 };
        for pair in options.chunks(2) {
            let [name, value] = pair else { return Err(SYNTAX) };
            match name.to_ascii_lowercase().as_slice() {
                b"rank" => {
                    let rank = parse_integer(value).ok_or(NOT_AN_INTEGER)?;
                    if rank == 0 {
                        return Err(Failure::Constant(
                            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use \
                             negative to start from the end of the list",
                        ));
                    }
                    // The lowest number has no opposite, and passes over nothing.
                    search.skip = rank.checked_abs().map_or(0, |rank| rank.unsigned_abs() - 1);
                    search.from_tail = rank < 0;
                }
                b"count" => search.count = Some(super::at_least(value, 0, "ERR COUNT can't be negative")?),
                b"maxlen" => search.looked_at = super::at_least(value, 0, "ERR MAXLEN can't be negative")?,
                _ => return Err(SYNTAX),
            }
        }
        Ok(search)
    }

    fn matches(&self, list: &List, wanted: &Bytes) -> Vec<usize> {
        let all = |count: usize| if count == 0 { usize::MAX } else { count };
        let place = |at: usize| if self.from_tail { list.len() - 1 - at } else { at };
        (0..list.len().min(all(self.looked_at)))
            .map(place)
            .filter(|at| list[*at] == *wanted)
            .skip(usize::try_from(self.skip).unwrap_or(usize::MAX))
            .take(self.count.map_or(1, all))
            .collect()
    }
}

fn lpos(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let search = Search::parse(&args[3..])?;
    let list = context.collection::<List>(&Key::new(&args[1]), Access::Read)?;
    let mut found = list.map_or_else(Vec::new, |list| search.matches(list, &args[2])).into_iter();
    let reply = |at: usize| Reply::Integer(at as i64);
    Ok(match search.count {
        None => found.next().map_or(Reply::Null, reply),
        Some(_) => Reply::Array(found.map(reply).collect()),
    })
}
