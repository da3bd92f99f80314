//! Lists: elements that move from one list to another, and pops from the first list that has any.

use bytes::Bytes;

use super::{
    Pops, bulk,
    list::{End, popped, pushed, take},
};
use crate::{
    Access, Reply,
    command::{Command, Group, KeySpec, first_keys, flag::*, keys},
    context::Context,
    failure::Answer,
    key::Key,
    list::List,
    number::integer_text,
};

pub(super) const MOVED: &[KeySpec] = &[keys(1, 0, 1, &["RW", "access", "delete"]), keys(2, 0, 1, &["RW", "insert"])];

pub(super) const COMMANDS: &[Command] = &[
    Command::new("lmove", lmove, 5, WRITE | DENYOOM, Group::List).keys(MOVED),
    Command::new("rpoplpush", rpoplpush, 3, WRITE | DENYOOM, Group::List).keys(MOVED),
    Command::new("lmpop", lmpop, -4, WRITE | MOVABLE_KEYS, Group::List)
        .keys(&[first_keys(1, &["RW", "access", "delete"])]),
];

fn lmove(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (from, to) = (End::parse(&args[3])?, End::parse(&args[4])?);
    move_element(context, args, from, to)
}

fn rpoplpush(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    move_element(context, args, End::Right, End::Left)
}

/// Moves one element between the lists of the first two arguments, which may be the same list. Whoever may wait for an
/// element moves it by this as well.
pub(super) fn move_element(context: &mut Context<'_>, args: &[Bytes], from: End, to: End) -> Answer {
    let (source, destination) = (Key::new(&args[1]), Key::new(&args[2]));
    if context.collection::<List>(&source, Access::Read)?.is_none() {
        return Ok(Reply::Null);
    }
    context.collection::<List>(&destination, Access::Read)?;
    let moved = if source == destination {
        let moved = context.edit_whole(&source, |list: &mut List| {
            let element = from.pop(list)?;
            to.push(list, element.clone());
            Some(element)
        });
        pushed(context, &source, to);
        popped(context, &source, from);
        moved.flatten()
    } else {
        let taken = take(context, &source, from, 1).pop();
        if let Some(element) = &taken {
            put(context, &destination, to, element);
            pushed(context, &destination, to);
        }
        popped(context, &source, from);
        taken
    };
    context.propagate(args);
    Ok(moved.map_or(Reply::Null, Reply::Bulk))
}

fn put(context: &mut Context<'_>, key: &Key, end: End, element: &Bytes) {
    context.ensure::<List>(key);
    context.edit_whole(key, |list: &mut List| end.push(list, element.clone()));
}

fn lmpop(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let Pops { keys, end, count } = Pops::parse(&args[1..], End::parse)?;
    for name in keys {
        let key = Key::new(name);
        if context.collection::<List>(&key, Access::Read)?.is_none() {
            continue;
        }
        return Ok(pop_many(context, &key, end, count));
    }
    Ok(Reply::NullArray)
}

/// Takes up to `count` elements, with the effect and the reply of `LMPOP`, from a list that was looked up.
pub(super) fn pop_many(context: &mut Context<'_>, key: &Key, end: End, count: usize) -> Reply {
    let taken = take(context, key, end, count);
    popped(context, key, end);
    let command = if end == End::Left { "LPOP" } else { "RPOP" };
    let effect = vec![Bytes::from_static(command.as_bytes()), key.name.clone(), integer_text(taken.len() as i64)];
    context.propagate_as(effect);
    context.count_changes(taken.len() as i64 - 1);
    Reply::Array(vec![bulk(&key.name), Reply::Array(taken.into_iter().map(Reply::Bulk).collect())])
}
