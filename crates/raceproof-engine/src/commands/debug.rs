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
        (b"sleep", [seconds]) => {
            // What is no number is taken for none, as C does.
            let seconds =
                std::str::from_utf8(seconds).ok().and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
            context.took_us += (seconds.clamp(0.0, LONGEST_SLEEP_S) * 1e6) as i64;
            ok
        }
        (b"set-active-expire", [on]) => {
            context.touch(Object::Server, Access::Write);
            context.engine.switches.keeps_expired = is_zero(on);
            ok
        }
        (b"replybuffer", [what, time]) if what.eq_ignore_ascii_case(b"peak-reset-time") => {
            let reset_ms = match time.to_ascii_lowercase().as_slice() {
                b"never" => None,
                b"reset" => Some(crate::Process::REPLY_PEAK_MS),
                _ => Some(parse_integer(time).ok_or(failure::NOT_AN_INTEGER)?),
            };
            if let Some(process) = &mut context.engine.process {
                process.reply_peak_ms = reset_ms;
            }
            ok
        }
        (b"set-disable-deny-scripts", [on]) => {
            for object in [Object::Server, Object::Scripts, Object::Functions] {
                context.touch(object, Access::Write);
            }
            context.engine.switches.allows_in_scripts = !is_zero(on);
            ok
        }
        // Nothing happens by itself here, and time passes when the caller says so.
        (b"pause-cron" | b"aof-flush-sleep" | b"log" | b"leak", [_])
        | (b"set-skip-checksum-validation" | b"replybuffer", [_])
        | (b"replybuffer", [_, _])
        | (b"change-repl-id" | b"loadaof" | b"config-rewrite-force-all", []) => ok,
        (b"digest", []) => Ok(digest(context)),
        (b"digest-value", keys) => Ok(Reply::Array(keys.iter().map(|key| digest_value(context, key)).collect())),
        (b"error", [text]) => Err(Failure::Bytes(text.clone())),
        (b"listpack", [key]) => listpack(context, key),
        (b"quicklist", [key] | [key, _]) => quicklist(context, key),
        (b"object", [key] | [key, _]) => describe(context, key),
        (b"populate", [count, options @ ..]) if options.len() < 3 => populate(context, count, options),
        (b"protocol", [kind]) => protocol(context, kind),
        (b"quicklist-packed-threshold", [size]) => match packed_threshold(size) {
            true => ok,
            false => Err(Failure::Constant("ERR argument must be a memory value bigger than 1 and smaller than 4gb")),
        },
        (b"client-eviction", []) => Err(Failure::Constant("ERR maxmemory-clients is disabled.")),
        (b"reload", options)
            if options.iter().all(|option| RELOAD.iter().any(|known| option.eq_ignore_ascii_case(known))) =>
        {
            // What it saves is seen in the counts, and by nobody where there are none.
            if context.engine.statistics.is_some()
                && !options.iter().any(|option| option.eq_ignore_ascii_case(b"nosave"))
            {
                super::admin::saved(context);
            }
            ok
        }
        (b"reload", _) => {
            Err(Failure::Constant("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."))
        }
        _ => Err(failure::wrong_subcommand(args)),
    }
}

/// What `DEBUG RELOAD` may be told. It would find what it has written.
const RELOAD: [&[u8]; 3] = [b"merge", b"noflush", b"nosave"];

/// The longest that a command is made to take (s).
const LONGEST_SLEEP_S: f64 = 86_400.0;

/// Whether C's `atoi` makes 0 of it.
fn is_zero(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let text = text.strip_prefix(b"+").or_else(|| text.strip_prefix(b"-")).unwrap_or(text);
    text.iter().take_while(|byte| byte.is_ascii_digit()).all(|byte| *byte == b'0')
}

/// What is known of a value. Its address is the key's name, or the number if Redis shared it.
fn describe(context: &mut Context<'_>, name: &Bytes) -> Answer {
    let key = as_it_is(context, name);
    for object in [Object::Server, Object::Clock] {
        context.touch(object, Access::Read);
    }
    context.touch_use(Access::Read);
    let now_ms = context.now_ms();
    let config = &context.engine.config;
    let entry = context.entry(&key).ok_or(NO_SUCH_KEY)?;
    let shared = super::keys::shared_integer(&entry.value, config);
    let identity = shared.map_or_else(|| [b"k", &name[..]].concat(), |number| format!("i{number}").into_bytes());
    let [a, b, c, d, e, f, ..] = sha1_smol::Sha1::from(identity).digest().bytes();
    let address = u64::from_be_bytes([0, 0, a & 0x7f, b, c, d, e, f & 0xf0]);
    let idle_s = i64::from(entry.used.idle_s(now_ms));
    let mut told = format!(
        "Value at:{address:#x} refcount:{} encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{idle_s}",
        shared.map_or(1, |_| i32::MAX),
        entry.value.encoding(),
        crate::rdb::dumped_len(&entry.value, config),
        (now_ms / 1000 - idle_s) & 0xff_ffff,
    );
    if let Value::List(list) = &entry.value {
        let sizes = crate::rdb::list_node_sizes(list, config);
        let fill = config.list_fill();
        let average = list.len() as f64 / sizes.len().max(1) as f64;
        let bytes: usize = sizes.iter().sum();
        told.push_str(&format!(
            " ql_nodes:{} ql_avg_node:{average:.2} ql_listpack_max:{fill} ql_compressed:0 ql_uncompressed_size:{bytes}",
            sizes.len()
        ));
    }
    Ok(Reply::Status(told.into()))
}

fn quicklist(context: &mut Context<'_>, name: &Bytes) -> Answer {
    let key = as_it_is(context, name);
    match context.entry(&key).ok_or(NO_SUCH_KEY)?.value.encoding() {
        "quicklist" => Ok(Reply::Simple("Quicklist structure printed on stdout")),
        _ => Err(Failure::Constant("ERR Not a quicklist encoded object.")),
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
        b"attrib" => {
            let reply = text("Some real reply following the attribute");
            // A script sees the reply alone.
            if !resp3 || context.script.is_some() {
                return Ok(reply);
            }
            let told = Reply::Array(vec![text("key:123"), Reply::Integer(90)]);
            Reply::Inline(vec![Reply::Attribute(vec![(text("key-popularity"), told)]), reply])
        }
        b"push" if !resp3 => return Err(Failure::Constant("ERR RESP2 is not supported by this command")),
        b"push" => {
            let message = Reply::Push(vec![text("server-cpu-usage"), Reply::Integer(42)]);
            let reply = text("Some real reply following the push reply");
            // Redis writes the message behind the reply.
            if context.script.is_some() { reply } else { Reply::Inline(vec![reply, message]) }
        }
        _ => {
            return Err(Failure::Constant(
                "ERR Wrong protocol type name. Please use one of the following: \
                 string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    })
}
