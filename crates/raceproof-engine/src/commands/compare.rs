//! Strings that change only if they are what the client thinks they are: the conditions of `SET`, `DELEX`, `DIGEST`; and
//! `MSETEX` (all 8.4). No server of that version is at hand to compare with: what is replied is what Redis's own tests and
//! documentation say.

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use super::keys::del;
use super::string::{Expiry, store_pair};
use crate::{
    Access, Reply, Version,
    command::{Command, FindKeys, Group, KeySpec, flag::*, keys},
    context::{Context, Deadline},
    failure::{self, Answer, Failure, SYNTAX},
    key::Key,
    notify::GENERIC,
    number::{integer_text, parse_integer},
};

pub(super) const COMMANDS: &[Command] = &[
    Command::new("delex", delex, -2, WRITE | FAST, Group::String)
        .keys(&[keys(1, 0, 1, &["RW", "delete"])])
        .since(Version::V8_4),
    Command::new("digest", digest, 2, READONLY | FAST, Group::String)
        .keys(&[keys(1, 0, 1, &["RO", "access"])])
        .since(Version::V8_4),
    Command::new("msetex", msetex, -4, WRITE | DENYOOM, Group::String)
        .keys(&[KeySpec { begin: 1, find: FindKeys::Count { step: 2 }, flags: &["OW", "update"], notes: None }])
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"])
        .since(Version::V8_4),
];

/// What a string is compared with, and whether it has to be that or must not be.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    by_digest: bool,
    equal: bool,
    other: Bytes,
}

impl Condition {
    /// The condition that an option names; its argument is what follows it.
    pub(super) fn named(option: &[u8], other: Option<&Bytes>) -> Option<Result<Self, Failure>> {
        let names = [("ifeq", false, true), ("ifne", false, false), ("ifdeq", true, true), ("ifdne", true, false)];
        let found = names.into_iter().find(|(name, ..)| option.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, by_digest, equal)| {
            let other = other.ok_or(SYNTAX)?.clone();
            Ok(Self { by_digest, equal, other })
        })
    }

    /// Whether a key that is not there meets it.
    pub(super) const fn admits_nothing(&self) -> bool {
        !self.equal
    }

    /// Whether a string meets it.
    pub(super) fn admits(&self, text: &[u8]) -> Result<bool, Failure> {
        if !self.by_digest {
            return Ok((text == self.other) == self.equal);
        }
        if self.other.len() != DIGEST_LEN {
            return Err(Failure::Constant("ERR must be exactly 16 hexadecimal characters"));
        }
        Ok(digest_of(text).eq_ignore_ascii_case(&self.other) == self.equal)
    }
}

const DIGEST_LEN: usize = 16;

/// XXH3 of 64 bits, as hexadecimal digits.
fn digest_of(text: &[u8]) -> Bytes {
    format!("{:0DIGEST_LEN$x}", xxh3_64(text)).into()
}

fn digest(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let text = context.text(&Key::new(&args[1]))?;
    Ok(text.map_or(Reply::Null, |text| Reply::Bulk(digest_of(&text.data))))
}

fn delex(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let [_, name, condition @ ..] = args else { return Err(failure::wrong_arity("delex")) };
    let (option, other) = match condition {
        [] => return del(context, args),
        [option, other] => (option, other),
        _ => return Err(failure::wrong_arity("delex")),
    };
    let key = Key::new(name);
    let text = match context.text(&key) {
        Ok(None) => return Ok(Reply::Integer(0)),
        Ok(Some(text)) => text.data.clone(),
        Err(_) => return Err(Failure::Constant("ERR Key should be of string type if conditions are specified")),
    };
    let condition = Condition::named(option, Some(other))
        .unwrap_or(Err(Failure::Constant("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE")))?;
    if !condition.admits(&text)? {
        return Ok(Reply::Integer(0));
    }
    context.remove(&key);
    context.event(GENERIC, "del", &key);
    context.propagate_as(vec![Bytes::from_static(b"DEL"), name.clone()]);
    Ok(Reply::Integer(1))
}

fn msetex(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let count = parse_integer(&args[1]).and_then(|count| i32::try_from(count).ok()).filter(|count| *count > 0);
    let count = count.ok_or(Failure::Constant("ERR invalid numkeys value"))?;
    let pairs = usize::try_from(i64::from(count) * 2).unwrap_or(usize::MAX);
    let (pairs, options) =
        args[2..].split_at_checked(pairs).ok_or(Failure::Constant("ERR wrong number of key-value pairs"))?;
    let (mut must_exist, mut keep, mut expiry) = (None, false, None);
    let mut at = 0;
    while let Some(option) = options.get(at) {
        let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
        if (is("nx") || is("xx")) && must_exist.is_none_or(|exist| exist == is("xx")) {
            must_exist = Some(is("xx"));
        } else if is("keepttl") && expiry.is_none() {
            keep = true;
        } else if let Some(unit) = Expiry::named(option)
            && !keep
            && expiry.is_none()
        {
            at += 1;
            expiry = Some((unit, options.get(at).ok_or(SYNTAX)?, at));
        } else {
            return Err(SYNTAX);
        }
        at += 1;
    }
    let deadline = match &expiry {
        Some((unit, text, _)) => Some(unit.deadline(context, text, "msetex")?),
        None => None,
    };
    if let Some(exist) = must_exist {
        for name in pairs.iter().step_by(2) {
            if context.visit(&Key::new(name), Access::IntentRead) != exist {
                return Ok(Reply::Integer(0));
            }
        }
    }
    let after = match deadline {
        Some(at) => Deadline::At(at),
        None if keep => Deadline::Keep,
        None => Deadline::Clear,
    };
    for pair in pairs.chunks_exact(2) {
        store_pair(context, pair, after);
        if deadline.is_some() {
            context.event(GENERIC, "expire", &Key::new(&pair[0]));
        }
    }
    let mut effect = args.to_vec();
    if let (Some(deadline), Some((.., at))) = (deadline, expiry) {
        let place = 2 + pairs.len() + at;
        effect[place - 1] = Bytes::from_static(b"PXAT");
        effect[place] = integer_text(deadline);
    }
    context.propagate_as(effect);
    Ok(Reply::Integer(1))
}
