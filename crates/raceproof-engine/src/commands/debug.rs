//! `DEBUG`, as far as it harms nobody.

use bytes::Bytes;

use super::{help, text};
use crate::{
    Access, Object, Protocol, Reply,
    command::{Command, Group, flag::*},
    context::{Context, Deadline},
    db::{Encoding, Text, Value},
    digest,
    failure::{self, Answer, Failure, NO_SUCH_KEY},
    key::Key,
    number::parse_integer,
};

pub(super) const COMMANDS: &[Command] =
    &[Command::new("debug", debug, -2, ADMIN | NOSCRIPT | LOADING | STALE, Group::Server)];

fn debug(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let ok = Ok(Reply::Simple("OK"));
    match (args[1].to_ascii_lowercase().as_slice(), &args[2..]) {
        (b"help", []) => help::debug(context, args),
        // Nothing happens by itself here, and time passes when the caller says so.
        (b"sleep" | b"set-active-expire" | b"pause-cron" | b"aof-flush-sleep" | b"log" | b"leak", [_])
        | (b"set-skip-checksum-validation" | b"set-disable-deny-scripts" | b"replybuffer", [_])
        | (b"replybuffer", [_, _])
        | (b"change-repl-id" | b"reload" | b"loadaof", []) => ok,
        (b"digest", []) => Ok(digest(context)),
        (b"digest-value", keys) => Ok(Reply::Array(keys.iter().map(|key| digest_value(context, key)).collect())),
        (b"error", [text]) => Err(Failure::Bytes(text.clone())),
        (b"listpack", [key]) => listpack(context, key),
        (b"populate", [count, options @ ..]) if options.len() < 3 => populate(context, count, options),
        (b"protocol", [kind]) => protocol(context, kind),
        (b"quicklist-packed-threshold", [size]) => match packed_threshold(size) {
            true => ok,
            false => Err(Failure::Constant("ERR argument must be a memory value bigger than 1 and smaller than 4gb")),
        },
        (b"client-eviction", []) => Err(Failure::Constant("ERR maxmemory-clients is disabled.")),
        (b"reload", [_, ..]) => {
            Err(Failure::Constant("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."))
        }
        _ => Err(failure::wrong_subcommand(args)),
    }
}

fn packed_threshold(size: &[u8]) -> bool {
    crate::config::parse_memory(size).is_some_and(|size| (0..=i64::from(u32::MAX)).contains(&size))
}

fn digest(context: &mut Context<'_>) -> Reply {
    for db in 0..context.engine.config.databases() {
        context.touch(Object::Keyspace(db), Access::Read);
    }
    let keys: Vec<(u32, Bytes)> = context.databases().entries().map(|(db, name, _)| (db, name.to_key().name)).collect();
    for (db, name) in keys {
        context.touch(Object::Key(db, name), Access::Read);
    }
    Reply::Status(digest::of_data(context.databases()).text().into())
}

/// A key that is looked at without being removed if its time is over.
fn as_it_is(context: &mut Context<'_>, name: &Bytes) -> Key {
    context.touch(Object::Keyspace(context.db), Access::IntentRead);
    context.touch(Object::Key(context.db, name.clone()), Access::Read);
    Key::new(name)
}

fn digest_value(context: &mut Context<'_>, name: &Bytes) -> Reply {
    let key = as_it_is(context, name);
    Reply::Status(digest::of_value(context.entry(&key)).text().into())
}

/// The server prints what it shows.
fn listpack(context: &mut Context<'_>, name: &Bytes) -> Answer {
    let key = as_it_is(context, name);
    match context.entry(&key).ok_or(NO_SUCH_KEY)?.value.encoding() {
        "listpack" => Ok(Reply::Simple("Listpack structure printed on stdout")),
        _ => Err(Failure::Constant("ERR Not a listpack encoded object.")),
    }
}

/// Strings under numbered keys; those that exist stay. Not propagated.
fn populate(context: &mut Context<'_>, count: &[u8], options: &[Bytes]) -> Answer {
    let positive = |text: &[u8]| {
        let number = parse_integer(text).and_then(|number| usize::try_from(number).ok());
        number.ok_or(Failure::Constant("ERR value is out of range, must be positive"))
    };
    let count = positive(count)?;
    let prefix = options.first().map_or(&b"key"[..], |prefix| prefix);
    let size = options.get(1).map(|size| positive(size)).transpose()?.unwrap_or_default();
    for number in 0..count {
        let name = [prefix, b":", number.to_string().as_bytes()].concat();
        let key = Key::new(&Bytes::from(name));
        if context.visit(&key, Access::IntentRead) {
            continue;
        }
        let mut value = format!("value:{number}").into_bytes();
        if size > 0 {
            value.resize(size, 0);
        }
        let text = Text {
            encoding: if value.len() > 44 { Encoding::Raw } else { Encoding::Embstr },
            data: Bytes::from(value).into(),
        };
        context.store(&key, Value::Text(text), Deadline::Keep);
    }
    Ok(Reply::Simple("OK"))
}

fn protocol(context: &Context<'_>, kind: &[u8]) -> Answer {
    let resp3 = context.protocol() == Protocol::Resp3;
    let numbers = || (0..3).map(Reply::Integer).collect();
    Ok(match kind.to_ascii_lowercase().as_slice() {
        b"string" => text("Hello World"),
        b"integer" => Reply::Integer(12345),
        b"double" => Reply::Double(3141.0 / 1000.0),
        b"null" => Reply::Null,
        b"array" => Reply::Array(numbers()),
        b"set" => Reply::Set(numbers()),
        b"map" => Reply::Map((0..3).map(|n| (Reply::Integer(n), Reply::Boolean(n == 1))).collect()),
        b"verbatim" => Reply::Verbatim(*b"txt", Bytes::from_static(b"This is a verbatim\nstring")),
        b"true" => Reply::Boolean(true),
        b"false" => Reply::Boolean(false),
        b"bignum" => Reply::BigNumber(Bytes::from_static(b"1234567999999999999999999999999999999")),
        b"attrib" if !resp3 => text("Some real reply following the attribute"),
        b"push" if !resp3 => return Err(Failure::Constant("ERR RESP2 is not supported by this command")),
        b"attrib" | b"push" => {
            return Err(Failure::Constant("ERR no command makes this kind of reply, and neither does this one here"));
        }
        _ => {
            return Err(Failure::Constant(
                "ERR Wrong protocol type name. Please use one of the following: \
                 string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    })
}
