//! Values of hash fields together with their deadlines: `HGETEX`, `HSETEX`, `HGETDEL` (8.0). What they do was observed at a
//! redis-server 8.0.2; `tests/later.rs` has its replies.

use bytes::Bytes;

use super::field_expire::{Form, deadline, move_deadline};
use super::hash::{bulk_or_null, forget_deadline, open, put};
use crate::{
    Access, Object, Reply, Version,
    command::{Command, Group, KeySpec, flag::*, keys},
    context::Context,
    failure::{self, Answer, Failure},
    key::Key,
    notify::{GENERIC, HASH},
    number::{integer_text, parse_integer},
};

pub(super) const COMMANDS: &[Command] = &[
    Command::new("hgetex", hgetex, -5, WRITE | FAST, Group::Hash)
        .keys(&[KeySpec {
            notes: Some("RW and UPDATE because it changes the TTL"),
            ..keys(1, 0, 1, &["RW", "access", "update"])
        }])
        .since(Version::V8_0),
    Command::new("hsetex", hsetex, -6, WRITE | DENYOOM | FAST, Group::Hash)
        .keys(&[keys(1, 0, 1, &["RW", "update"])])
        .since(Version::V8_0),
    Command::new("hgetdel", hgetdel, -5, WRITE | FAST, Group::Hash)
        .keys(&[keys(1, 0, 1, &["RW", "access", "delete"])])
        .since(Version::V8_0),
];

/// How the deadline that is asked for is given, by the option's name.
fn form(option: &[u8], command: &'static str) -> Option<Form> {
    let forms = [("ex", true, true), ("px", false, true), ("exat", true, false), ("pxat", false, false)];
    let found = forms.into_iter().find(|(name, ..)| option.eq_ignore_ascii_case(name.as_bytes()));
    found.map(|(_, seconds, relative)| Form { command, seconds, relative })
}

/// The fields after `FIELDS` and their number.
fn fields(args: &[Bytes]) -> Result<&[Bytes], Failure> {
    let (Some(word), Some(count)) = (args.first(), args.get(1)) else { return Err(NO_FIELDS) };
    if !word.eq_ignore_ascii_case(b"fields") {
        return Err(NO_FIELDS);
    }
    match parse_integer(count) {
        Some(count) if count >= 1 && count == args.len() as i64 - 2 => Ok(&args[2..]),
        Some(1..) => Err(Failure::Constant("ERR The `numfields` parameter must match the number of arguments")),
        _ => Err(Failure::Constant("ERR Number of fields must be a positive integer")),
    }
}

const NO_FIELDS: Failure = Failure::Constant("ERR Mandatory argument FIELDS is missing or not at the right position");

/// The value of a field that is about to be changed.
fn value(context: &mut Context<'_>, key: &Key, field: &Bytes) -> Reply {
    context.touch_field(key, field, Access::Read);
    bulk_or_null(context.hash_now(key).and_then(|hash| hash.get(field)))
}

/// Removes a field that exists, as `HDEL` does.
fn remove(context: &mut Context<'_>, key: &Key, field: &Bytes) {
    context.remove_field(key, field);
    context.changed(context.db, key);
}

/// Tells of removed fields, and of the key if none is left.
fn tell_removed(context: &mut Context<'_>, key: &Key) {
    context.event(HASH, "hdel", key);
    if context.entry(key).is_none() {
        context.event(GENERIC, "del", key);
    }
}

/// What `HGETEX` does to the deadlines of the fields that it reads.
enum Change {
    None,
    Persist,
    At(i64),
}

fn hgetex(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    context.hash(&key, Access::IntentRead)?;
    let (change, fields) = if let Some(form) = form(&args[2], "hgetex") {
        let at = deadline(context, &args[3], &form)?;
        (Change::At(at), fields(&args[4..])?)
    } else if args[2].eq_ignore_ascii_case(b"persist") {
        (Change::Persist, fields(&args[3..])?)
    } else {
        (Change::None, fields(&args[2..])?)
    };
    if matches!(change, Change::At(_)) {
        // A deadline that has come removes the field at once, so also an absolute one depends on the time.
        context.read_clock();
    }
    let (mut values, mut changed, mut removed) = (Vec::with_capacity(fields.len()), false, false);
    for field in fields {
        values.push(value(context, &key, field));
        let Some(hash) = context.hash_now(&key).filter(|hash| hash.get(field).is_some()) else { continue };
        let volatile = hash.deadline(field).is_some();
        match change {
            Change::At(at) if at <= context.now_ms() => {
                remove(context, &key, field);
                context.propagate_as(vec![Bytes::from_static(b"HDEL"), args[1].clone(), field.clone()]);
                removed = true;
            }
            Change::At(at) => {
                move_deadline(context, &key, field, Some(at));
                changed = true;
            }
            Change::Persist if volatile => {
                move_deadline(context, &key, field, None);
                changed = true;
            }
            Change::Persist | Change::None => {}
        }
    }
    if removed {
        tell_removed(context, &key);
    }
    if changed {
        let (event, mut effect) = match change {
            Change::At(at) => ("hexpire", vec![Bytes::from_static(b"HPEXPIREAT"), args[1].clone(), integer_text(at)]),
            _ => ("hpersist", vec![Bytes::from_static(b"HPERSIST"), args[1].clone()]),
        };
        context.event(HASH, event, &key);
        effect.extend([Bytes::from_static(b"FIELDS"), integer_text(fields.len() as i64)]);
        effect.extend_from_slice(fields);
        context.propagate_as(effect);
    }
    Ok(Reply::Array(values))
}

fn hgetdel(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let key = Key::new(&args[1]);
    context.hash(&key, Access::IntentRead)?;
    let fields = fields(&args[2..])?;
    let (mut values, mut removed) = (Vec::with_capacity(fields.len()), false);
    for field in fields {
        let value = value(context, &key, field);
        if value != Reply::Null {
            remove(context, &key, field);
            removed = true;
        }
        values.push(value);
    }
    if removed {
        tell_removed(context, &key);
        let mut effect = vec![Bytes::from_static(b"HDEL"), args[1].clone()];
        effect.extend_from_slice(fields);
        context.propagate_as(effect);
    }
    Ok(Reply::Array(values))
}

/// What `HSETEX` is asked for.
#[derive(Default)]
struct Set<'a> {
    only_new: bool,
    only_existing: bool,
    keep: bool,
    /// The deadline, and where in the arguments it is asked for.
    deadline: Option<(i64, usize)>,
    /// Fields and values.
    pairs: &'a [Bytes],
}

impl<'a> Set<'a> {
    fn parse(context: &mut Context<'_>, args: &'a [Bytes]) -> Result<Self, Failure> {
        let mut set = Self::default();
        let mut at = 2;
        while let Some(option) = args.get(at) {
            let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
            if is("fields") {
                let count = args.get(at + 1).and_then(|count| parse_integer(count)).unwrap_or_default();
                let Ok(count @ 1..) = i32::try_from(count) else {
                    return Err(Failure::Constant("ERR invalid number of fields"));
                };
                set.pairs = &args[at + 2..];
                let pairs = i64::from(count) * 2;
                return if set.pairs.len() as i64 == pairs { Ok(set) } else { Err(failure::wrong_arity("hsetex")) };
            }
            if is("fnx") || is("fxx") {
                if set.only_new || set.only_existing {
                    return Err(Failure::Constant("ERR Only one of FXX or FNX arguments can be specified"));
                }
                set.only_new = is("fnx");
                set.only_existing = !set.only_new;
            } else if is("keepttl") || form(option, "hsetex").is_some() {
                if set.keep || set.deadline.is_some() {
                    return Err(Failure::Constant(
                        "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
                    ));
                }
                match form(option, "hsetex") {
                    None => set.keep = true,
                    Some(form) => {
                        let text = args.get(at + 1).ok_or_else(|| failure::wrong_arity("hsetex"))?;
                        set.deadline = Some((deadline(context, text, &form)?, at));
                        at += 1;
                    }
                }
            } else {
                let text = String::from_utf8_lossy(option).into_owned();
                return Err(Failure::Text(format!("ERR unknown argument: {text}")));
            }
            at += 1;
        }
        Err(failure::wrong_arity("hsetex"))
    }

    fn fields(&self) -> impl Iterator<Item = &'a Bytes> {
        self.pairs.iter().step_by(2)
    }

    /// Whether the condition holds.
    fn is_admitted(&self, context: &mut Context<'_>, key: &Key) -> bool {
        if !self.only_new && !self.only_existing {
            return true;
        }
        let only_existing = self.only_existing;
        self.fields().all(|field| {
            context.touch_field(key, field, Access::Read);
            context.hash_now(key).is_some_and(|hash| hash.get(field).is_some()) == only_existing
        })
    }
}

fn hsetex(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let set = Set::parse(context, args)?;
    let key = Key::new(&args[1]);
    context.hash(&key, Access::IntentRead)?;
    if !set.is_admitted(context, &key) {
        return Ok(Reply::Integer(0));
    }
    open(context, &key)?;
    let limits = context.limits();
    let longest = set.pairs.iter().map(Bytes::len).max().unwrap_or(0);
    context.edit_hash(&key, |hash| hash.prepare(longest, limits));
    for pair in set.pairs.chunks_exact(2) {
        if !set.keep {
            forget_deadline(context, &key, &pair[0]);
        }
        put(context, &key, &pair[0], pair[1].clone());
    }
    context.changed(context.db, &key);
    context.event(HASH, "hset", &key);
    let Some((at, place)) = set.deadline else {
        context.propagate(args);
        return Ok(Reply::Integer(1));
    };
    context.read_clock();
    if at <= context.now_ms() {
        for field in set.fields() {
            if context.hash_now(&key).is_some_and(|hash| hash.get(field).is_some()) {
                remove(context, &key, field);
                context.propagate_as(vec![Bytes::from_static(b"HDEL"), args[1].clone(), field.clone()]);
            }
        }
        tell_removed(context, &key);
    } else {
        for field in set.fields() {
            move_deadline(context, &key, field, Some(at));
        }
        context.event(HASH, "hexpire", &key);
        let mut effect = args.to_vec();
        effect[place] = Bytes::from_static(b"PXAT");
        effect[place + 1] = integer_text(at);
        context.propagate_as(effect);
    }
    context.touch(Object::Deadlines, Access::IntentWrite);
    Ok(Reply::Integer(1))
}
