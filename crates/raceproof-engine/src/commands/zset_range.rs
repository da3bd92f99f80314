//! Sorted sets: ranges by rank, score and member.

use bytes::Bytes;

use super::{list::part, zset::shown};
use crate::{
    Access, Protocol, Reply,
    command::{Command, Group, KeySpec, Run, flag::*, keys},
    context::Context,
    failure::{Answer, Failure, NOT_AN_INTEGER, SYNTAX},
    key::Key,
    notify::{GENERIC, ZSET},
    number::parse_integer,
    zrange::Range,
    zset::{Place, Zset},
};

const ACCESS: &[KeySpec] = &[keys(1, 0, 1, &["RO", "access"])];
const DELETE: &[KeySpec] = &[keys(1, 0, 1, &["RW", "delete"])];

const fn row(name: &'static str, run: Run, arity: i32, flags: u32, keys: &'static [KeySpec]) -> Command {
    Command::new(name, run, arity, flags, Group::SortedSet).keys(keys)
}

pub(super) const COMMANDS: &[Command] = &[
    row("zrange", |context, args| show(context, args, &ANY), -4, READONLY, ACCESS),
    row("zrevrange", |context, args| show(context, args, &form(By::Rank, true)), -4, READONLY, ACCESS),
    row("zrangebyscore", |context, args| show(context, args, &form(By::Score, false)), -4, READONLY, ACCESS),
    row("zrevrangebyscore", |context, args| show(context, args, &form(By::Score, true)), -4, READONLY, ACCESS),
    row("zrangebylex", |context, args| show(context, args, &form(By::Member, false)), -4, READONLY, ACCESS),
    row("zrevrangebylex", |context, args| show(context, args, &form(By::Member, true)), -4, READONLY, ACCESS),
    row(
        "zrangestore",
        store,
        -5,
        WRITE | DENYOOM,
        &[keys(1, 0, 1, &["OW", "update"]), keys(2, 0, 1, &["RO", "access"])],
    ),
    row("zcount", |context, args| count(context, args, By::Score), 4, READONLY | FAST, ACCESS),
    row("zlexcount", |context, args| count(context, args, By::Member), 4, READONLY | FAST, ACCESS),
    row("zremrangebyrank", |context, args| remove(context, args, By::Rank), 4, WRITE, DELETE),
    row("zremrangebyscore", |context, args| remove(context, args, By::Score), 4, WRITE, DELETE),
    row("zremrangebylex", |context, args| remove(context, args, By::Member), 4, WRITE, DELETE),
];

/// What a range is given by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Member,
}

/// What a command's name says of its range; `None` leaves it to the options.
#[derive(Debug)]
struct Form {
    by: Option<By>,
    down: Option<bool>,
    stores: bool,
}

const ANY: Form = Form { by: None, down: None, stores: false };
const STORE: Form = Form { by: None, down: None, stores: true };

const fn form(by: By, down: bool) -> Form {
    Form { by: Some(by), down: Some(down), stores: false }
}

/// The bounds of a range.
#[derive(Debug)]
enum Bounds {
    /// Indices, negative ones counting from the end.
    Ranks(i64, i64),
    Values(Range),
}

impl Bounds {
    fn parse(by: By, min: &Bytes, max: &Bytes) -> Result<Self, Failure> {
        let index = |text: &Bytes| parse_integer(text).ok_or(NOT_AN_INTEGER);
        Ok(match by {
            By::Rank => Self::Ranks(index(min)?, index(max)?),
            By::Score => Self::Values(Range::scores(min, max)?),
            By::Member => Self::Values(Range::members(min, max)?),
        })
    }
}

/// A range that is asked for: `min max` and options.
#[derive(Debug)]
struct Query {
    bounds: Bounds,
    down: bool,
    with_scores: bool,
    /// How many places are passed over, then how many are taken; negative ones are without end.
    offset: i64,
    limit: i64,
}

impl Query {
    /// Reads the arguments after the key.
    fn parse(args: &[Bytes], form: &Form) -> Result<Self, Failure> {
        let (mut by, mut down) = (form.by, form.down);
        let (mut with_scores, mut offset, mut limit) = (false, 0, -1);
        let mut options = &args[2..];
        while let [option, rest @ ..] = options {
            options = rest;
            let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
            match rest {
                _ if !form.stores && is("withscores") => with_scores = true,
                [first, second, rest @ ..] if is("limit") => {
                    offset = parse_integer(first).ok_or(NOT_AN_INTEGER)?;
                    limit = parse_integer(second).ok_or(NOT_AN_INTEGER)?;
                    options = rest;
                }
                _ if down.is_none() && is("rev") => down = Some(true),
                _ if by.is_none() && is("bylex") => by = Some(By::Member),
                _ if by.is_none() && is("byscore") => by = Some(By::Score),
                _ => return Err(SYNTAX),
            }
        }
        let (by, down) = (by.unwrap_or(By::Rank), down.unwrap_or(false));
        if limit != -1 && by == By::Rank {
            return Err(Failure::Constant(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        if with_scores && by == By::Member {
            return Err(Failure::Constant("ERR syntax error, WITHSCORES not supported in combination with BYLEX"));
        }
        let (min, max) = if down && by != By::Rank { (&args[1], &args[0]) } else { (&args[0], &args[1]) };
        Ok(Self { bounds: Bounds::parse(by, min, max)?, down, with_scores, offset, limit })
    }

    /// The places that are meant, in the order in which they are shown.
    fn select<'a>(&'a self, zset: &'a Zset) -> Vec<&'a Place> {
        match &self.bounds {
            Bounds::Ranks(start, end) => {
                let part = part(*start, *end, zset.len());
                let first = if self.down { zset.len() - 1 - part.start } else { part.start };
                zset.walk(first, self.down).take(part.len()).collect()
            }
            Bounds::Values(range) => {
                let Some(first) = zset.end_of(range, self.down) else { return Vec::new() };
                let inside = |place: &&Place| {
                    if self.down { range.is_after_min(place) } else { range.is_before_max(place) }
                };
                let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
                // A negative offset never comes to its end.
                let Ok(offset) = usize::try_from(self.offset) else { return Vec::new() };
                let first = if self.down { first.checked_sub(offset) } else { first.checked_add(offset) };
                let Some(first) = first else { return Vec::new() };
                zset.walk(first, self.down).take_while(inside).take(limit).collect()
            }
        }
    }
}

fn show(context: &mut Context<'_>, args: &[Bytes], form: &Form) -> Answer {
    let query = Query::parse(&args[2..], form)?;
    let nested = query.with_scores && context.protocol() == Protocol::Resp3;
    let zset = context.collection::<Zset>(&Key::new(&args[1]), Access::Read)?;
    Ok(Reply::Array(zset.map_or_else(Vec::new, |zset| shown(query.select(zset), query.with_scores, nested))))
}

fn store(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let query = Query::parse(&args[3..], &STORE)?;
    let limits = context.engine.config.zset_limits();
    context.reads = true;
    let zset = context.collection::<Zset>(&Key::new(&args[2]), Access::Read)?;
    let places = zset.map_or_else(Vec::new, |zset| query.select(zset).into_iter().cloned().collect());
    let len = places.len();
    context.store_result(&Key::new(&args[1]), Zset::of(places, limits), args, (ZSET, "zrangestore", true));
    Ok(Reply::Integer(len as i64))
}

fn count(context: &mut Context<'_>, args: &[Bytes], by: By) -> Answer {
    let Bounds::Values(range) = Bounds::parse(by, &args[2], &args[3])? else { return Err(SYNTAX) };
    let zset = context.collection::<Zset>(&Key::new(&args[1]), Access::Read)?;
    Ok(Reply::Integer(zset.map_or(0, |zset| zset.count(&range)) as i64))
}

fn remove(context: &mut Context<'_>, args: &[Bytes], by: By) -> Answer {
    let bounds = Bounds::parse(by, &args[2], &args[3])?;
    let query = Query { bounds, down: false, with_scores: false, offset: 0, limit: -1 };
    let key = Key::new(&args[1]);
    let Some(zset) = context.collection::<Zset>(&key, Access::Read)? else { return Ok(Reply::Integer(0)) };
    let members: Vec<Bytes> = query.select(zset).into_iter().map(|place| place.member.clone()).collect();
    if members.is_empty() {
        return Ok(Reply::Integer(0));
    }
    context.edit_whole(&key, |zset: &mut Zset| {
        for member in &members {
            zset.remove(member);
        }
    });
    let event = match by {
        By::Rank => "zremrangebyrank",
        By::Score => "zremrangebyscore",
        By::Member => "zremrangebylex",
    };
    context.event(ZSET, event, &key);
    if context.entry(&key).is_none() {
        context.event(GENERIC, "del", &key);
    }
    context.propagate_changes(args, members.len());
    Ok(Reply::Integer(members.len() as i64))
}
