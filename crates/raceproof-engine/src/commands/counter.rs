//! Counters in strings.

use bytes::Bytes;

use crate::{
    Reply,
    command::{Command, Group, KeySpec, Run, flag::*, keys},
    context::Context,
    db::Text,
    failure::{Answer, DECR_OVERFLOW, NAN_OR_INFINITY, NOT_A_FLOAT, NOT_AN_INTEGER, WOULD_OVERFLOW},
    key::Key,
    long_double::LongDouble,
    notify::STRING,
    number::parse_integer,
};

const KEY: &[KeySpec] = &[keys(1, 0, 1, &["RW", "access", "update"])];

const fn row(name: &'static str, run: Run, arity: i32) -> Command {
    Command::new(name, run, arity, WRITE | DENYOOM | FAST, Group::String).keys(KEY)
}

pub(super) const COMMANDS: &[Command] = &[
    row("incr", |context, args| add(context, args, 1), 2),
    row("decr", |context, args| add(context, args, -1), 2),
    row("incrby", incrby, 3),
    row("decrby", decrby, 3),
    row("incrbyfloat", incrbyfloat, 3),
];

fn incrby(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let step = parse_integer(&args[2]).ok_or(NOT_AN_INTEGER)?;
    add(context, args, step)
}

fn decrby(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let step = parse_integer(&args[2]).ok_or(NOT_AN_INTEGER)?;
    add(context, args, step.checked_neg().ok_or(DECR_OVERFLOW)?)
}

fn add(context: &mut Context<'_>, args: &[Bytes], step: i64) -> Answer {
    let key = Key::new(&args[1]);
    let old = context.look_at_text(&key, |text| text.map_or(Some(0), |text| parse_integer(&text.data)))?;
    let old = old.ok_or(NOT_AN_INTEGER)?;
    let new = old.checked_add(step).ok_or(WOULD_OVERFLOW)?;
    context.store_text(&key, Text::of_integer(new));
    context.event(STRING, "incrby", &key);
    context.propagate(args);
    Ok(Reply::Integer(new))
}

/// Propagated as the `SET` of the result, since a replica's floats may round differently.
fn incrbyfloat(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    let old = match context.text(&key)? {
        None => LongDouble::parse(b"0"),
        Some(text) => LongDouble::parse(&text.data),
    };
    let old = old.ok_or(NOT_A_FLOAT)?;
    let step = LongDouble::parse(&args[2]).ok_or(NOT_A_FLOAT)?;
    let new = Bytes::from(old.checked_add(step).ok_or(NAN_OR_INFINITY)?.text());
    context.store_text(&key, Text::of_float(&new));
    let effect = vec![Bytes::from_static(b"SET"), args[1].clone(), new.clone(), Bytes::from_static(b"KEEPTTL")];
    context.event(STRING, "incrbyfloat", &key);
    context.propagate_as(effect);
    Ok(Reply::Bulk(new))
}
