//! `MEMORY`: how much a key takes.

use bytes::Bytes;

use crate::{
    Access, Object, Reply,
    context::Context,
    failure::{Answer, NOT_AN_INTEGER, SYNTAX},
    key::Key,
    memory,
    number::parse_integer,
};

/// How many elements are looked at if nobody says.
const SAMPLES: usize = 5;

pub(super) fn usage(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let mut samples = SAMPLES;
    let mut options = &args[3..];
    while let [option, rest @ ..] = options {
        let [count, rest @ ..] = rest else { return Err(SYNTAX) };
        if !option.eq_ignore_ascii_case(b"samples") {
            return Err(SYNTAX);
        }
        let count = parse_integer(count).ok_or(NOT_AN_INTEGER)?;
        samples = usize::try_from(count).map_err(|_| SYNTAX)?;
        if samples == 0 {
            samples = usize::MAX;
        }
        options = rest;
    }
    // A key whose time is over takes memory until it is removed, so the time does not matter.
    let key = Key::new(&args[2]);
    context.touch(Object::Keyspace(context.db), Access::IntentRead);
    context.touch_key(&key, Access::Read);
    let config = &context.engine.config;
    let bytes = context.entry(&key).map(|entry| memory::of_key(&key, entry, samples, config));
    Ok(bytes.map_or(Reply::Null, |bytes| Reply::Integer(bytes as i64)))
}
