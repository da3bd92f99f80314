//! Sets: members, random members, scans. Intersections, unions and differences have a file of their own.
//!
//! Members are objects of their own, as hash fields are, so that additions of different members commute.

use bytes::Bytes;

use super::bulk;
use crate::{
    Access, Reply,
    command::{Command, Group, KeySpec, Run, flag::*, keys},
    context::Context,
    draw::{self, Draw},
    failure::{Answer, SYNTAX},
    key::Key,
    notify::{GENERIC, SET},
    scan::{self, ScanOptions},
    set::Set,
};

const ACCESS: &[KeySpec] = &[keys(1, 0, 1, &["RO", "access"])];
const LOOK: &[KeySpec] = &[keys(1, 0, 1, &["RO"])];

const fn row(name: &'static str, run: Run, arity: i32, flags: u32, keys: &'static [KeySpec]) -> Command {
    Command::new(name, run, arity, flags, Group::Set).keys(keys)
}

pub(super) const COMMANDS: &[Command] = &[
    row("sadd", sadd, -3, WRITE | DENYOOM | FAST, &[keys(1, 0, 1, &["RW", "insert"])]),
    row("srem", srem, -3, WRITE | FAST, &[keys(1, 0, 1, &["RW", "delete"])]),
    row("sismember", sismember, 3, READONLY | FAST, LOOK),
    row("smismember", smismember, -3, READONLY | FAST, ACCESS),
    row("scard", scard, 2, READONLY | FAST, LOOK),
    row("smembers", smembers, 2, READONLY, ACCESS).tips(&["nondeterministic_output_order"]),
    row("spop", spop, -2, WRITE | FAST, super::TAKEN).tips(&["nondeterministic_output"]),
    row("srandmember", srandmember, -2, READONLY, ACCESS).tips(&["nondeterministic_output"]),
    row(
        "smove",
        smove,
        4,
        WRITE | FAST,
        &[keys(1, 0, 1, &["RW", "access", "delete"]), keys(2, 0, 1, &["RW", "insert"])],
    ),
    row("sscan", sscan, -3, READONLY, ACCESS).tips(&["nondeterministic_output"]),
];

/// Whether a member is in the set of a key that was looked up.
fn has(context: &mut Context<'_>, key: &Key, member: &Bytes) -> bool {
    context.touch_field(key, member, Access::Read);
    context.collection_now::<Set>(key).is_some_and(|set| set.contains(member))
}

/// Adds a member to the set of a key that was looked up; tells whether it is new.
fn add(context: &mut Context<'_>, key: &Key, member: &Bytes) -> bool {
    if has(context, key, member) {
        return false;
    }
    context.open::<Set>(key);
    let max_integers = context.engine.config.set_integers();
    context.edit(key, |set: &mut Set| set.add(member, max_integers));
    context.touch_member(key, member, true);
    context.changed(context.db, key);
    true
}

fn sadd(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    context.collection::<Set>(&key, Access::IntentRead)?;
    let added = args[2..].iter().filter(|member| add(context, &key, member)).count();
    if added > 0 {
        context.event(SET, "sadd", &key);
        context.propagate_changes(args, added);
    }
    Ok(Reply::Integer(added as i64))
}

/// Removes a member that is in the set of a key; tells whether the key is gone.
fn take(context: &mut Context<'_>, key: &Key, member: &Bytes) -> bool {
    let gone = context.take_member(key, member, |set: &mut Set| {
        set.remove(member);
    });
    context.changed(context.db, key);
    gone
}

fn srem(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    if context.collection::<Set>(&key, Access::IntentRead)?.is_none() {
        return Ok(Reply::Integer(0));
    }
    let mut removed = 0_usize;
    for member in &args[2..] {
        if has(context, &key, member) {
            removed += 1;
            if take(context, &key, member) {
                break;
            }
        }
    }
    if removed > 0 {
        context.event(SET, "srem", &key);
        removed_if_empty(context, &key);
        context.propagate_changes(args, removed);
    }
    Ok(Reply::Integer(removed as i64))
}

fn removed_if_empty(context: &mut Context<'_>, key: &Key) {
    if context.entry(key).is_none() {
        context.event(GENERIC, "del", key);
    }
}

fn sismember(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    context.collection::<Set>(&key, Access::IntentRead)?;
    Ok(Reply::Integer(i64::from(has(context, &key, &args[2]))))
}

fn smismember(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    context.collection::<Set>(&key, Access::IntentRead)?;
    let known = |member| Reply::Integer(i64::from(has(context, &key, member)));
    Ok(Reply::Array(args[2..].iter().map(known).collect()))
}

fn scard(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    context.collection::<Set>(&key, Access::IntentRead)?;
    context.touch_cardinality(&key, Access::Read);
    Ok(Reply::Integer(context.collection_now::<Set>(&key).map_or(0, Set::len) as i64))
}

/// Members in the order in which replies show them.
pub(super) fn shown(context: &Context<'_>, members: impl Iterator<Item = Bytes>) -> Vec<Reply> {
    let mut members: Vec<Bytes> = members.collect();
    if context.engine.options.sorted_replies {
        members.sort_unstable();
    }
    members.into_iter().map(Reply::Bulk).collect()
}

fn smembers(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let set = context.collection::<Set>(&Key::new(&args[1]), Access::Read)?.cloned().unwrap_or_default();
    Ok(Reply::Set(shown(context, set.iter())))
}

/// How much smaller than what is taken the rest must be for Redis to make a new set of it, which may be one of integers
/// again.
const REST_IS_SMALL: usize = 5;

fn spop(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let wanted = match &args[2..] {
        [] => None,
        [count] => Some(super::count(count)?),
        _ => return Err(SYNTAX),
    };
    let key = Key::new(&args[1]);
    let Some(len) = context.collection::<Set>(&key, Access::Read)?.map(Set::len) else {
        return Ok(if wanted.is_some() { Reply::Set(Vec::new()) } else { Reply::Null });
    };
    if wanted == Some(0) {
        return Ok(Reply::Set(Vec::new()));
    }
    if wanted.is_some_and(|wanted| wanted >= len) {
        // Redis shows all of it as a union of one set does, which looks it up again.
        context.reads = true;
        context.visit(&key, Access::Read);
        context.reads = false;
    }
    context.tell_later(context.db, &key);
    let taken = pop(context, &key, len, wanted.unwrap_or(1));
    context.event(SET, "spop", &key);
    context.replies_here();
    removed_if_empty(context, &key);
    context.tell_now(context.db, &key);
    if wanted.is_some() && taken.len() == len {
        context.propagate_as(vec![Bytes::from_static(b"DEL"), args[1].clone()]);
        context.count_changes(taken.len() as i64 - 1);
    } else {
        for member in &taken {
            context.propagate_as(vec![Bytes::from_static(b"SREM"), args[1].clone(), member.clone()]);
        }
    }
    Ok(match wanted {
        None => taken.first().map_or(Reply::Null, bulk),
        Some(_) => Reply::Set(shown(context, taken.into_iter())),
    })
}

/// Takes random members out of a set of `len`.
fn pop(context: &mut Context<'_>, key: &Key, len: usize, wanted: usize) -> Vec<Bytes> {
    let ranks = draw::ranks(context, len, Draw::Distinct(wanted));
    let max_integers = context.engine.config.set_integers();
    let taken = context.edit_whole(key, |set: &mut Set| {
        let taken: Vec<Bytes> = ranks.iter().filter_map(|rank| set.nth(*rank)).collect();
        for member in &taken {
            set.remove(member);
        }
        if set.len() * REST_IS_SMALL <= taken.len() {
            let mut rest = Set::default();
            for member in set.iter() {
                rest.add(&member, max_integers);
            }
            *set = rest;
        }
        taken
    });
    taken.unwrap_or_default()
}

fn srandmember(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let draw = match &args[2..] {
        [] => None,
        [count] => Some(Draw::parse(count)?.limited(false)?),
        _ => return Err(SYNTAX),
    };
    let key = Key::new(&args[1]);
    let len = context.collection::<Set>(&key, Access::Read)?.map_or(0, Set::len);
    let ranks = draw::ranks(context, len, draw.unwrap_or(Draw::Distinct(1)));
    let set = context.collection_now::<Set>(&key);
    let mut drawn = ranks.into_iter().filter_map(|rank| set?.nth(rank)).map(Reply::Bulk);
    Ok(match draw {
        None => drawn.next().unwrap_or(Reply::Null),
        Some(_) => Reply::Array(drawn.collect()),
    })
}

fn smove(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (source, destination, member) = (Key::new(&args[1]), Key::new(&args[2]), &args[3]);
    let found = context.collection::<Set>(&source, Access::IntentRead).map(|set| set.is_some());
    // The destination is looked up in any case, which removes it if its time is over.
    let other = context.collection::<Set>(&destination, Access::IntentRead).map(drop);
    if found == Ok(false) {
        return Ok(Reply::Integer(0));
    }
    found.and(other)?;
    let has = has(context, &source, member);
    if has && source != destination {
        context.tell_later(context.db, &source);
        take(context, &source, member);
        context.event(SET, "srem", &source);
        removed_if_empty(context, &source);
        context.tell_now(context.db, &source);
        if add(context, &destination, member) {
            context.event(SET, "sadd", &destination);
            context.count_changes(1);
        }
        context.propagate(args);
    }
    Ok(Reply::Integer(i64::from(has)))
}

fn sscan(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let cursor = scan::cursor(&args[2])?;
    let Some(set) = context.collection::<Set>(&Key::new(&args[1]), Access::Read)?.cloned() else {
        return Ok(scan::reply(0, Vec::new()));
    };
    let options = ScanOptions::parse(&args[3..], false)?;
    let (members, next): (Vec<Bytes>, u64) = match &set {
        Set::Integers(_) => (set.iter().collect(), 0),
        Set::Table { members: table, .. } => {
            let (part, next) = scan::next_of(table, cursor, options.count);
            (part.into_iter().map(|(key, ())| key.name.clone()).collect(), next)
        }
    };
    Ok(scan::reply(next, shown(context, members.into_iter().filter(|member| options.admits(member)))))
}
