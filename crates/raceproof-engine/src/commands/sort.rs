//! `SORT` and `SORT_RO`.

use std::{cmp::Ordering, ops::Range};

use bytes::Bytes;

use crate::{
    Access, Reply,
    command::{self, Command, FindKeys, Group, KeySpec, flag::*, keys},
    context::Context,
    db::Value,
    failure::{Answer, Failure, NOT_AN_INTEGER, SYNTAX, WRONG_TYPE},
    float,
    key::Key,
    list::List,
    notify::LIST,
    number::parse_integer,
    zset::Zset,
};

const fn unknown(flags: &'static [&'static str], notes: &'static str) -> KeySpec {
    KeySpec { begin: 0, find: FindKeys::Unknown, flags, notes: Some(notes) }
}

const SORTED: KeySpec = keys(1, 0, 1, &["RO", "access"]);
const LOOKED_UP: KeySpec = unknown(
    &["RO", "access"],
    "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the key \
     we sort",
);
const STORED: KeySpec = unknown(
    &["OW", "update"],
    "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the argument \
     array",
);

pub(super) const COMMANDS: &[Command] = &[
    Command::new("sort", |context, args| sort(context, args, false), -2, WRITE | DENYOOM | MOVABLE_KEYS, Group::Sort)
        .keys(&[SORTED, LOOKED_UP, STORED]),
    Command::new("sort_ro", |context, args| sort(context, args, true), -2, READONLY | MOVABLE_KEYS, Group::Sort)
        .keys(&[SORTED, LOOKED_UP]),
];

/// The options.
#[derive(Debug, Default)]
struct Options {
    descending: bool,
    alpha: bool,
    limit: Option<(i64, i64)>,
    by: Option<Bytes>,
    /// A pattern without a star is no pattern: the elements stay as they are, whatever else is said.
    as_it_is: bool,
    get: Vec<Bytes>,
    store: Option<Bytes>,
}

impl Options {
    /// `reads_all` tells whether the user may read keys that patterns lead to.
    fn parse(args: &[Bytes], read_only: bool, reads_all: bool) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut left = args;
        while let [option, rest @ ..] = left {
            left = rest;
            match (option.to_ascii_lowercase().as_slice(), rest) {
                (b"asc", _) => options.descending = false,
                (b"desc", _) => options.descending = true,
                (b"alpha", _) => options.alpha = true,
                (b"limit", [start, count, rest @ ..]) => {
                    let number = |text: &Bytes| parse_integer(text).ok_or(NOT_AN_INTEGER);
                    options.limit = Some((number(start)?, number(count)?));
                    left = rest;
                }
                (b"store", [key, rest @ ..]) if !read_only => {
                    options.store = Some(key.clone());
                    left = rest;
                }
                (b"by", [pattern, ..]) if !reads_all && star(pattern).is_some() => {
                    return Err(Failure::Constant("ERR BY option of SORT denied due to insufficient ACL permissions."));
                }
                (b"get", [_, ..]) if !reads_all => {
                    return Err(Failure::Constant(
                        "ERR GET option of SORT denied due to insufficient ACL permissions.",
                    ));
                }
                (b"by", [pattern, rest @ ..]) => {
                    options.by = Some(pattern.clone());
                    options.as_it_is |= star(pattern).is_none();
                    left = rest;
                }
                (b"get", [pattern, rest @ ..]) => {
                    options.get.push(pattern.clone());
                    left = rest;
                }
                _ => return Err(SYNTAX),
            }
        }
        Ok(options)
    }

    /// Which of so many elements are shown.
    fn shown(&self, len: usize) -> Range<usize> {
        let (start, count) = self.limit.unwrap_or((0, -1));
        let start = usize::try_from(start.max(0)).map_or(len, |start| start.min(len));
        let count = usize::try_from(count).unwrap_or(len);
        start..start.saturating_add(count).min(len)
    }
}

/// What an element is sorted by.
#[derive(Debug)]
enum Weight {
    Number(f64),
    Text(Option<Bytes>),
}

/// Whether the session's user may sort by any keys.
fn reads_all(context: &Context<'_>, args: &[Bytes]) -> bool {
    let (acl, name) = (&context.engine.acl, &context.session().user);
    let command = command::find(args, context.engine.options.version);
    acl.is_unlimited(name)
        || acl.user(name).zip(command).is_some_and(|(user, command)| user.reads_all_keys_with(command, args))
}

fn sort(context: &mut Context<'_>, args: &[Bytes], read_only: bool) -> Answer {
    let mut options = Options::parse(&args[2..], read_only, reads_all(context, args))?;
    context.reads = true;
    let key = Key::new(&args[1]);
    context.visit(&key, Access::Read);
    let value = context.entry(&key).map(|entry| entry.value.clone());
    if let Some(Value::Zset(zset)) = &value
        && zset.table().is_none()
    {
        // Redis converts it for good in order to read it.
        context.touch_key(&key, Access::Write);
        context.edit(&key, Zset::enlarge);
    }
    if options.as_it_is && matches!(value, Some(Value::Set(_))) && (options.store.is_some() || context.script.is_some())
    {
        // A set has no order that every replica shares.
        (options.as_it_is, options.alpha, options.by) = (false, true, None);
    }
    let mut elements = elements(context, value)?;
    let shown = if options.as_it_is {
        if options.descending {
            elements.reverse();
        }
        options.shown(elements.len())
    } else {
        elements = in_order(context, elements, &options)?;
        options.shown(elements.len())
    };
    let sent = context.deliveries.len();
    let found = looked_up(context, &elements[shown], &options.get, options.store.is_none().then_some(sent));
    let Some(store) = &options.store else {
        return Ok(Reply::Array(found));
    };
    let element = |reply| if let Reply::Bulk(text) = reply { text } else { Bytes::new() };
    let list: List = found.into_iter().map(element).collect();
    let len = list.len();
    context.store_result(&Key::new(store), list, args, (LIST, "sortstore", false));
    context.count_changes(len.saturating_sub(1) as i64);
    Ok(Reply::Integer(len as i64))
}

/// The elements of a collection, in the order that it has.
fn elements(context: &Context<'_>, value: Option<Value>) -> Result<Vec<Bytes>, Failure> {
    Ok(match value {
        None => Vec::new(),
        Some(Value::List(list)) => list.iter().cloned().collect(),
        Some(Value::Zset(zset)) => zset.iter().map(|place| place.member.clone()).collect(),
        Some(Value::Set(set)) => {
            let mut members: Vec<Bytes> = set.iter().collect();
            if context.engine.options.sorted_replies {
                members.sort_unstable();
            }
            members
        }
        Some(_) => return Err(WRONG_TYPE),
    })
}

fn in_order(context: &mut Context<'_>, elements: Vec<Bytes>, options: &Options) -> Result<Vec<Bytes>, Failure> {
    let mut weighed = Vec::with_capacity(elements.len());
    let mut no_number = false;
    for element in elements {
        let by = match &options.by {
            Some(pattern) => look_up(context, pattern, &element),
            None => Some(element.clone()),
        };
        let weight = if options.alpha {
            Weight::Text(by)
        } else {
            let number = by.map_or(Some(0.0), |text| float::parse_weight(&text));
            no_number |= number.is_none();
            Weight::Number(number.unwrap_or(0.0))
        };
        weighed.push((weight, element));
    }
    if no_number {
        return Err(Failure::Constant("ERR One or more scores can't be converted into double"));
    }
    weighed.sort_by(|one, other| {
        let order = order(one, other, options.store.is_some());
        if options.descending { order.reverse() } else { order }
    });
    Ok(weighed.into_iter().map(|(_, element)| element).collect())
}

/// What is stored is ordered by all bytes; what is only shown is ordered by C's `strcoll`, which ends at a NUL.
fn order((one, element): &(Weight, Bytes), (other, other_element): &(Weight, Bytes), whole: bool) -> Ordering {
    let visible = |text: &Bytes| if whole { text.clone() } else { up_to_nul(text) };
    match (one, other) {
        (Weight::Number(one), Weight::Number(other)) => {
            one.partial_cmp(other).unwrap_or(Ordering::Equal).then_with(|| element.cmp(other_element))
        }
        (Weight::Text(one), Weight::Text(other)) => one.as_ref().map(visible).cmp(&other.as_ref().map(visible)),
        _ => Ordering::Equal,
    }
}

fn up_to_nul(text: &Bytes) -> Bytes {
    text.slice(..text.iter().position(|byte| *byte == 0).unwrap_or(text.len()))
}

/// What is shown of each element: the element, or what the patterns of `GET` lead to. Where that is a reply, messages of
/// the session itself stand between its parts.
fn looked_up(context: &mut Context<'_>, elements: &[Bytes], patterns: &[Bytes], sent: Option<usize>) -> Vec<Reply> {
    if patterns.is_empty() {
        return elements.iter().cloned().map(Reply::Bulk).collect();
    }
    let mut found = Vec::with_capacity(elements.len() * patterns.len());
    for element in elements {
        for pattern in patterns {
            let part = look_up(context, pattern, element).map_or(Reply::Null, Reply::Bulk);
            found.push(sent.map_or(part.clone(), |sent| context.woven(sent, part)));
        }
    }
    found
}

/// Where the element goes in a pattern.
fn star(pattern: &Bytes) -> Option<usize> {
    up_to_nul(pattern).iter().position(|byte| *byte == b'*')
}

/// What a pattern leads to: `#` to the element itself, `key_*` to a string, `key_*->field` to the field of a hash.
fn look_up(context: &mut Context<'_>, pattern: &Bytes, element: &Bytes) -> Option<Bytes> {
    if pattern == "#" {
        return Some(element.clone());
    }
    let star = star(pattern)?;
    let arrow = up_to_nul(pattern)[star + 1..].windows(2).position(|pair| pair == b"->").map(|at| star + 1 + at);
    let arrow = arrow.filter(|at| pattern.get(at + 2).is_some_and(|byte| *byte != 0));
    let end = arrow.unwrap_or(pattern.len());
    let key = Key::new(&[&pattern[..star], element, &pattern[star + 1..end]].concat().into());
    let Some(arrow) = arrow else {
        context.visit(&key, Access::Read);
        return match &context.entry(&key)?.value {
            Value::Text(text) => Some(text.data.to_bytes()),
            _ => None,
        };
    };
    let field = pattern.slice(arrow + 2..);
    context.hash(&key, Access::IntentRead).ok()?;
    context.touch_field(&key, &field, Access::Read);
    context.hash_now(&key)?.get(&field).cloned()
}
