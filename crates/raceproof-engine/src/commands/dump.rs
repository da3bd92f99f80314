//! `DUMP` and `RESTORE`: values as payloads.

use bytes::Bytes;

use crate::{
    Access, Reply,
    access::Used,
    command::{Command, Group, KeySpec, Run, flag::*, keys},
    context::{Context, Deadline},
    db::Value,
    failure::{Answer, Failure, NOT_AN_INTEGER, SYNTAX},
    key::Key,
    notify,
    number::{integer_text, parse_integer},
    rdb::{self, Refused},
};

const RESTORED: &[KeySpec] = &[keys(1, 0, 1, &["OW", "update"])];

const fn restore_row(name: &'static str, run: Run, flags: u32) -> Command {
    Command::new(name, run, -4, WRITE | DENYOOM | flags, Group::KeyspaceDangerous).keys(RESTORED)
}

pub(super) const COMMANDS: &[Command] = &[
    Command::new("dump", dump, 2, READONLY, Group::Keyspace)
        .keys(&[keys(1, 0, 1, &["RO", "access"])])
        .tips(&["nondeterministic_output"]),
    restore_row("restore", restore, 0),
    // What cluster nodes send each other.
    restore_row("restore-asking", restore, ASKING),
];

fn dump(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    context.visit(&key, Access::Read);
    let value = context.entry(&key).map(|entry| &entry.value);
    Ok(value.map_or(Reply::Null, |value| Reply::Bulk(rdb::dump(value, &context.engine.config))))
}

/// The options of `RESTORE`.
#[derive(Clone, Copy, Debug, Default)]
struct Options {
    replace: bool,
    absolute: bool,
    /// How long the key has not been used (s), or how often it was.
    idle_s: Option<i64>,
    frequency: Option<u8>,
}

impl Options {
    fn parse(args: &[Bytes]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut left = args;
        while let [option, rest @ ..] = left {
            left = rest;
            match (option.to_ascii_lowercase().as_slice(), rest) {
                (b"replace", _) => options.replace = true,
                (b"absttl", _) => options.absolute = true,
                (b"idletime", [seconds, rest @ ..]) if options.frequency.is_none() => {
                    let idle_s = parse_integer(seconds).ok_or(NOT_AN_INTEGER)?;
                    if idle_s < 0 {
                        return Err(Failure::Constant("ERR Invalid IDLETIME value, must be >= 0"));
                    }
                    (options.idle_s, left) = (Some(idle_s), rest);
                }
                (b"freq", [frequency, rest @ ..]) if options.idle_s.is_none() => {
                    let frequency = u8::try_from(parse_integer(frequency).ok_or(NOT_AN_INTEGER)?);
                    let refused = |_| Failure::Constant("ERR Invalid FREQ value, must be >= 0 and <= 255");
                    (options.frequency, left) = (Some(frequency.map_err(refused)?), rest);
                }
                _ => return Err(SYNTAX),
            }
        }
        Ok(options)
    }
}

/// Redis removes a key that is in the way, so that what takes its place is a new one.
fn put(context: &mut Context<'_>, key: &Key, value: Value, deadline: Deadline, options: &Options) {
    let replaces = replaced(context, key);
    context.store(key, value, deadline);
    // What takes the place of another key inherits nothing, and only what the policy goes by is taken over.
    let now_ms = context.now_ms();
    let used = match (context.engine.config.counting(), options) {
        (None, Options { idle_s: Some(idle_s), .. }) => Used::idle_for(now_ms, *idle_s),
        (None, _) => Used::at(now_ms),
        (Some(_), Options { frequency: Some(frequency), .. }) => Used::counted(now_ms, *frequency),
        (Some(_), _) => Used::stored(now_ms, true, None),
    };
    context.put_use(context.db, key, used);
    context.signal_added(context.db, key);
    if replaces {
        context.event(notify::NEW, "new", key);
    }
    context.event(notify::GENERIC, "restore", key);
}

fn restore(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let options = Options::parse(&args[4..])?;
    let key = Key::new(&args[1]);
    if !options.replace && context.visit(&key, Access::IntentRead) {
        return Err(Failure::Constant("BUSYKEY Target key name already exists."));
    }
    let ttl = parse_integer(&args[2]).ok_or(NOT_AN_INTEGER)?;
    if ttl < 0 {
        return Err(Failure::Constant("ERR Invalid TTL value, must be >= 0"));
    }
    let value =
        rdb::restore(&args[3], &context.engine.config, context.engine.options.version).map_err(
            |refused| match refused {
                Refused::VersionOrChecksum => Failure::Constant("ERR DUMP payload version or checksum are wrong"),
                Refused::Format => Failure::Constant("ERR Bad data format"),
            },
        )?;
    if ttl == 0 {
        put(context, &key, value, Deadline::Clear, &options);
        context.propagate(args);
        return Ok(Reply::Simple("OK"));
    }
    context.read_clock();
    let deadline = if options.absolute { ttl } else { ttl.wrapping_add(context.now_ms()) };
    if deadline <= context.now_ms() {
        if options.replace && replaced(context, &key) {
            context.remove(&key);
            context.event(notify::GENERIC, "del", &key);
            context.propagate_as(vec![Bytes::from_static(b"DEL"), args[1].clone()]);
        }
        return Ok(Reply::Simple("OK"));
    }
    put(context, &key, value, Deadline::At(deadline), &options);
    if options.absolute {
        context.propagate(args);
    } else {
        let mut absolute = args.to_vec();
        absolute[2] = integer_text(deadline);
        absolute.push(Bytes::from_static(b"ABSTTL"));
        context.propagate_as(absolute);
    }
    Ok(Reply::Simple("OK"))
}

/// Looks at the key that is about to be replaced, whether its time is over or not. Tells whether it is there.
fn replaced(context: &mut Context<'_>, key: &Key) -> bool {
    context.touch(crate::Object::Keyspace(context.db), Access::IntentRead);
    context.touch_key(key, Access::IntentRead);
    context.entry(key).is_some()
}
