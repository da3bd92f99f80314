//! Sets: intersections, unions and differences.

use std::sync::Arc;

use bytes::Bytes;

use super::set::shown;
use crate::{
    Access, Reply,
    command::{Command, Group, KeySpec, Run, first_keys, flag::*, keys},
    context::Context,
    db::Value,
    failure::{Answer, Failure, SYNTAX},
    key::Key,
    notify::SET,
    set::Set,
};

const SOURCES: &[KeySpec] = &[keys(1, -1, 1, &["RO", "access"])];

const fn reader(name: &'static str, run: Run) -> Command {
    Command::new(name, run, -2, READONLY, Group::Set).keys(SOURCES).tips(&["nondeterministic_output_order"])
}

const fn storer(name: &'static str, run: Run, keys: &'static [KeySpec]) -> Command {
    Command::new(name, run, -3, WRITE | DENYOOM, Group::Set).keys(keys)
}

const OVERWRITTEN: &[KeySpec] = &[keys(1, 0, 1, &["OW", "update"]), keys(2, -1, 1, &["RO", "access"])];
const REWRITTEN: &[KeySpec] = &[keys(1, 0, 1, &["RW", "update"]), keys(2, -1, 1, &["RO", "access"])];

pub(super) const COMMANDS: &[Command] = &[
    reader("sinter", |context, args| show(context, &args[1..], intersection)),
    reader("sunion", |context, args| show(context, &args[1..], union)),
    reader("sdiff", |context, args| show(context, &args[1..], difference)),
    storer("sinterstore", |context, args| store(context, args, intersection, "sinterstore"), REWRITTEN),
    storer("sunionstore", |context, args| store(context, args, union, "sunionstore"), OVERWRITTEN),
    storer("sdiffstore", |context, args| store(context, args, difference, "sdiffstore"), OVERWRITTEN),
    Command::new("sintercard", sintercard, -3, READONLY | MOVABLE_KEYS, Group::Set)
        .keys(&[first_keys(1, &["RO", "access"])]),
];

/// The set of a key, shared; `None` for a key that does not exist.
type Source = Option<Arc<Set>>;

fn sources(context: &mut Context<'_>, names: &[Bytes]) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::with_capacity(names.len());
    for name in names {
        let key = Key::new(name);
        context.collection::<Set>(&key, Access::Read)?;
        sources.push(match context.entry(&key).map(|entry| &entry.value) {
            Some(Value::Set(set)) => Some(Arc::clone(set)),
            _ => None,
        });
    }
    Ok(sources)
}

/// What a command does with its sources. The result is a set that was made by adding and removing as Redis does, since
/// its encoding shows.
type Combine = fn(&[Source], &[Bytes], usize) -> Set;

fn combined(context: &mut Context<'_>, names: &[Bytes], combine: Combine) -> Result<Set, Failure> {
    let sources = sources(context, names)?;
    Ok(combine(&sources, names, context.engine.config.set_integers()))
}

fn show(context: &mut Context<'_>, names: &[Bytes], combine: Combine) -> Answer {
    let result = combined(context, names, combine)?;
    Ok(Reply::Set(shown(context, result.iter())))
}

fn store(context: &mut Context<'_>, args: &[Bytes], combine: Combine, event: &'static str) -> Answer {
    context.reads = true;
    let sources = sources(context, &args[2..])?;
    let result = combine(&sources, &args[2..], context.engine.config.set_integers());
    // An intersection with a set that is missing is over at once.
    let replies_first = event != "sinterstore" || sources.iter().all(Option::is_some);
    let len = result.len();
    context.store_result(&Key::new(&args[1]), result, args, (SET, event, replies_first));
    Ok(Reply::Integer(len as i64))
}

/// The members that all sources have, in the order of the smallest.
fn common(sources: &[Source]) -> Option<impl Iterator<Item = Bytes>> {
    let mut sets: Vec<&Set> = sources.iter().map(Option::as_deref).collect::<Option<_>>()?;
    sets.sort_by_key(|set| set.len());
    let (smallest, others) = (*sets.first()?, sets.split_off(1));
    Some(smallest.iter().filter(move |member| others.iter().all(|set| set.contains(member))))
}

fn intersection(sources: &[Source], _: &[Bytes], max_integers: usize) -> Set {
    let mut result = Set::default();
    for member in common(sources).into_iter().flatten() {
        result.add(&member, max_integers);
    }
    result
}

fn union(sources: &[Source], _: &[Bytes], max_integers: usize) -> Set {
    let mut result = Set::default();
    for member in sources.iter().flatten().flat_map(|set| set.iter()) {
        result.add(&member, max_integers);
    }
    result
}

/// Redis looks each member of the first set up in the others, or, where that is more work, takes the others' members out
/// of a copy, which may then be a table of nothing but integers.
fn difference(sources: &[Source], names: &[Bytes], max_integers: usize) -> Set {
    let mut result = Set::default();
    let Some((Some(first), others)) = sources.split_first() else { return result };
    if names[1..].contains(&names[0]) {
        return result;
    }
    let others: Vec<&Set> = others.iter().flatten().map(|set| &**set).collect();
    let looking_up = first.len() * (others.len() + 1) / 2;
    let taking_out = first.len() + others.iter().map(|set| set.len()).sum::<usize>();
    if looking_up <= taking_out {
        for member in first.iter().filter(|member| !others.iter().any(|set| set.contains(member))) {
            result.add(&member, max_integers);
        }
        return result;
    }
    for member in first.iter() {
        result.add(&member, max_integers);
    }
    for member in others.iter().flat_map(|set| set.iter()) {
        result.remove(&member);
    }
    result
}

fn sintercard(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let numkeys = super::at_least(&args[1], 1, "ERR numkeys should be greater than 0")?;
    let Some((names, options)) = args[2..].split_at_checked(numkeys) else {
        return Err(Failure::Constant("ERR Number of keys can't be greater than number of args"));
    };
    let mut limit = 0;
    for option in options.chunks(2) {
        match option {
            [name, value] if name.eq_ignore_ascii_case(b"limit") => {
                limit = super::at_least(value, 0, "ERR LIMIT can't be negative")?;
            }
            _ => return Err(SYNTAX),
        }
    }
    let sources = sources(context, names)?;
    let most = if limit == 0 { usize::MAX } else { limit };
    Ok(Reply::Integer(common(&sources).into_iter().flatten().take(most).count() as i64))
}
