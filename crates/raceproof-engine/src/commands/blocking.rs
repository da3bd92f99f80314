//! Lists and sorted sets: pops and moves that wait until there is something to take.

use bytes::Bytes;

use super::{
    Pops, bulk,
    list::{self, End},
    list_move::{self, move_element},
    zset,
};
use crate::{
    Access, Reply, Version,
    command::{Command, Group, KeySpec, Run, first_keys, flag::*, keys},
    context::Context,
    failure::{Answer, Failure},
    key::Key,
    list::List,
    long_double::LongDouble,
    typed::Collection,
    wait::Serve,
    zset::Zset,
};

/// All arguments but the last, which is the timeout.
const ALL: &[KeySpec] = &[keys(1, -2, 1, &["RW", "access", "delete"])];
const COUNTED: &[KeySpec] = &[first_keys(2, &["RW", "access", "delete"])];

const fn row(name: &'static str, run: Run, arity: i32, flags: u32, group: Group, keys: &'static [KeySpec]) -> Command {
    Command::new(name, run, arity, WRITE | BLOCKING | flags, group).keys(keys)
}

/// From 7.2 on scripts may call it, and do not wait.
const fn taking(name: &'static str, run: Run, flags: u32, group: Group) -> Command {
    row(name, run, -3, flags, group, ALL)
}

/// As [`taking`].
const fn moving(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    row(name, run, arity, DENYOOM | flags, Group::List, list_move::MOVED)
}

pub(super) const COMMANDS: &[Command] = &[
    taking("blpop", blpop, NOSCRIPT, Group::List).then(&taking("blpop", blpop, 0, Group::List).since(Version::V7_2)),
    taking("brpop", brpop, NOSCRIPT, Group::List).then(&taking("brpop", brpop, 0, Group::List).since(Version::V7_2)),
    row("blmpop", blmpop, -5, MOVABLE_KEYS, Group::List, COUNTED),
    moving("blmove", blmove, 6, NOSCRIPT).then(&moving("blmove", blmove, 6, 0).since(Version::V7_2)),
    moving("brpoplpush", brpoplpush, 4, NOSCRIPT).then(&moving("brpoplpush", brpoplpush, 4, 0).since(Version::V7_2)),
    taking("bzpopmin", bzpopmin, NOSCRIPT | FAST, Group::SortedSet)
        .then(&taking("bzpopmin", bzpopmin, FAST, Group::SortedSet).since(Version::V7_2)),
    taking("bzpopmax", bzpopmax, NOSCRIPT | FAST, Group::SortedSet)
        .then(&taking("bzpopmax", bzpopmax, FAST, Group::SortedSet).since(Version::V7_2)),
    row("bzmpop", bzmpop, -5, MOVABLE_KEYS, Group::SortedSet, COUNTED),
];

/// A timeout in seconds as milliseconds, rounded up; `None` for 0, which is no timeout. Redis reads it into a long
/// double, and what does not fit into the milliseconds comes out as a negative number.
fn timeout(text: &[u8]) -> Result<Option<i64>, Failure> {
    let seconds = LongDouble::parse(text).ok_or(Failure::Constant("ERR timeout is not a float or out of range"))?;
    match seconds.times_rounded_up(1000) {
        None | Some(..0) => Err(Failure::Constant("ERR timeout is negative")),
        Some(0) => Ok(None),
        Some(ms) => Ok(Some(ms)),
    }
}

/// Tries the keys in their order; waits for them if none has anything.
fn first_or_wait<C: Collection>(
    context: &mut Context<'_>,
    args: &[Bytes],
    keys: &[Bytes],
    serve: Serve,
    timeout_ms: Option<i64>,
) -> Answer {
    for name in keys {
        let key = Key::new(name);
        if context.collection::<C>(&key, Access::Read)?.is_some()
            && let Some(reply) = serve(context, args, &key)?
        {
            return Ok(reply);
        }
    }
    if !context.can_wait() {
        return Ok(Reply::NullArray);
    }
    context.wait(args.to_vec(), keys, serve, timeout_ms, Reply::NullArray)
}

/// Whether a key that became ready holds what is waited for.
fn holds<C: Collection>(context: &mut Context<'_>, key: &Key) -> bool {
    // Whoever serves it has looked it up, or has been told.
    let touches = std::mem::replace(&mut context.touches, false);
    let holds = matches!(context.collection::<C>(key, Access::Read), Ok(Some(_)));
    context.touches = touches;
    holds
}

/// `key … timeout`
fn pop<C: Collection>(context: &mut Context<'_>, args: &[Bytes], serve: Serve) -> Answer {
    let (last, keys) = args[1..].split_last().unwrap_or((&args[0], &[]));
    let timeout_ms = timeout(last)?;
    first_or_wait::<C>(context, args, keys, serve, timeout_ms)
}

// Lists

fn blpop(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    pop::<List>(context, args, |context, _, key| pop_element(context, key, End::Left))
}

fn brpop(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    pop::<List>(context, args, |context, _, key| pop_element(context, key, End::Right))
}

fn pop_element(context: &mut Context<'_>, key: &Key, end: End) -> Result<Option<Reply>, Failure> {
    if !holds::<List>(context, key) {
        return Ok(None);
    }
    let Some(element) = list::take(context, key, end, 1).pop() else { return Ok(None) };
    list::popped(context, key, end);
    let command = if end == End::Left { "LPOP" } else { "RPOP" };
    context.propagate_as(vec![Bytes::from_static(command.as_bytes()), key.name.clone()]);
    Ok(Some(Reply::Array(vec![bulk(&key.name), Reply::Bulk(element)])))
}

fn blmpop(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let Pops { keys, .. } = Pops::parse(&args[2..], End::parse)?;
    let timeout_ms = timeout(&args[1])?;
    first_or_wait::<List>(context, args, keys, serve_lmpop, timeout_ms)
}

fn serve_lmpop(context: &mut Context<'_>, args: &[Bytes], key: &Key) -> Result<Option<Reply>, Failure> {
    if !holds::<List>(context, key) {
        return Ok(None);
    }
    let Pops { end, count, .. } = Pops::parse(&args[2..], End::parse)?;
    Ok(Some(list_move::pop_many(context, key, end, count)))
}

fn blmove(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (from, to) = (End::parse(&args[3])?, End::parse(&args[4])?);
    let timeout_ms = timeout(&args[5])?;
    let name = |end| Bytes::from_static(if end == End::Left { b"left" } else { b"right" });
    let command = |from, to| vec![Bytes::from_static(b"LMOVE"), args[1].clone(), args[2].clone(), from, to];
    let effects = [command(args[3].clone(), args[4].clone()), command(name(from), name(to))];
    move_or_wait(context, effects, timeout_ms, |context, effect, key| {
        serve_move(context, effect, key, End::parse(&effect[3])?, End::parse(&effect[4])?)
    })
}

fn brpoplpush(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let timeout_ms = timeout(&args[3])?;
    let effect = vec![Bytes::from_static(b"RPOPLPUSH"), args[1].clone(), args[2].clone()];
    move_or_wait(context, [effect.clone(), effect], timeout_ms, |context, effect, key| {
        serve_move(context, effect, key, End::Right, End::Left)
    })
}

/// Moves an element, now or as soon as there is one. `effects` are what is propagated in the one case and in the other:
/// the command that does so without waiting, which Redis writes in its own way for those that have waited.
fn move_or_wait(context: &mut Context<'_>, effects: [Vec<Bytes>; 2], timeout_ms: Option<i64>, serve: Serve) -> Answer {
    let [now, later] = effects;
    let source = Key::new(&now[1]);
    if context.collection::<List>(&source, Access::Read)?.is_some()
        && let Some(reply) = serve(context, &now, &source)?
    {
        return Ok(reply);
    }
    if !context.can_wait() {
        return Ok(Reply::Null);
    }
    context.wait(later, &now[1..2], serve, timeout_ms, Reply::NullArray)
}

fn serve_move(
    context: &mut Context<'_>,
    effect: &[Bytes],
    source: &Key,
    from: End,
    to: End,
) -> Result<Option<Reply>, Failure> {
    if !holds::<List>(context, source) {
        return Ok(None);
    }
    move_element(context, effect, from, to).map(Some)
}

// Sorted sets

fn bzpopmin(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    pop::<Zset>(context, args, |context, _, key| pop_place(context, key, zset::End::Min))
}

fn bzpopmax(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    pop::<Zset>(context, args, |context, _, key| pop_place(context, key, zset::End::Max))
}

fn pop_place(context: &mut Context<'_>, key: &Key, end: zset::End) -> Result<Option<Reply>, Failure> {
    if !holds::<Zset>(context, key) {
        return Ok(None);
    }
    let taken = zset::take_shown(context, key, end, 1, false);
    let command = if end == zset::End::Min { "ZPOPMIN" } else { "ZPOPMAX" };
    context.propagate_as(vec![Bytes::from_static(command.as_bytes()), key.name.clone()]);
    let mut reply = vec![bulk(&key.name)];
    reply.extend(taken);
    Ok(Some(Reply::Array(reply)))
}

fn bzmpop(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let Pops { keys, .. } = Pops::parse(&args[2..], zset::End::parse)?;
    let timeout_ms = timeout(&args[1])?;
    first_or_wait::<Zset>(context, args, keys, serve_zmpop, timeout_ms)
}

fn serve_zmpop(context: &mut Context<'_>, args: &[Bytes], key: &Key) -> Result<Option<Reply>, Failure> {
    if !holds::<Zset>(context, key) {
        return Ok(None);
    }
    let Pops { end, count, .. } = Pops::parse(&args[2..], zset::End::parse)?;
    Ok(Some(zset::pop_many(context, key, end, count)))
}
