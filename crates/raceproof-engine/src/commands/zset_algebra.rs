//! Sorted sets: unions, intersections and differences, of sorted sets and plain ones.

use std::sync::Arc;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::zset::shown;
use crate::{
    Access, Protocol, Reply,
    command::{Command, Group, KeySpec, Run, first_keys, flag::*, keys},
    context::Context,
    db::Value,
    failure::{Answer, Failure, NOT_AN_INTEGER, SYNTAX, WRONG_TYPE},
    float,
    key::Key,
    notify::ZSET,
    number::parse_integer,
    set::Set,
    zset::{Place, Zset},
};

const fn reader(name: &'static str, run: Run) -> Command {
    Command::new(name, run, -3, READONLY | MOVABLE_KEYS, Group::SortedSet).keys(READ)
}

const READ: &[KeySpec] = &[first_keys(1, &["RO", "access"])];
const STORED: &[KeySpec] = &[keys(1, 0, 1, &["OW", "update"]), first_keys(2, &["RO", "access"])];

const fn storer(name: &'static str, run: Run) -> Command {
    Command::new(name, run, -4, WRITE | DENYOOM | MOVABLE_KEYS, Group::SortedSet).keys(STORED)
}

pub(super) const COMMANDS: &[Command] = &[
    reader("zunion", |context, args| show(context, args, Operation::Union)),
    reader("zinter", |context, args| show(context, args, Operation::Intersection)),
    reader("zdiff", |context, args| show(context, args, Operation::Difference)),
    reader("zintercard", cardinality),
    storer("zunionstore", |context, args| store(context, args, Operation::Union)),
    storer("zinterstore", |context, args| store(context, args, Operation::Intersection)),
    storer("zdiffstore", |context, args| store(context, args, Operation::Difference)),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

/// What is done with the reply, which decides on the options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Show,
    Store,
    Count,
}

/// How the scores of one member are made one.
#[derive(Clone, Copy, Debug)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn of(self, one: f64, other: f64) -> f64 {
        match self {
            // The sum of both infinities is 0.
            Self::Sum => zero_for_nan(one + other),
            Self::Min => {
                if other < one {
                    other
                } else {
                    one
                }
            }
            Self::Max => {
                if other > one {
                    other
                } else {
                    one
                }
            }
        }
    }
}

const fn zero_for_nan(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// What a key holds; the members of a plain set have the score 1.
#[derive(Clone, Debug)]
enum Members {
    None,
    Set(Arc<Set>),
    Zset(Arc<Zset>),
}

impl Members {
    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Set(set) => set.len(),
            Self::Zset(zset) => zset.len(),
        }
    }

    fn score(&self, member: &Bytes) -> Option<f64> {
        match self {
            Self::None => None,
            Self::Set(set) => set.contains(member).then_some(1.0),
            Self::Zset(zset) => zset.score(member),
        }
    }

    fn places(&self) -> Vec<Place> {
        match self {
            Self::None => Vec::new(),
            Self::Set(set) => set.iter().map(|member| Place { score: 1.0, member }).collect(),
            Self::Zset(zset) => zset.iter().cloned().collect(),
        }
    }
}

#[derive(Debug)]
struct Source {
    members: Members,
    weight: f64,
}

/// A command's sources and options.
#[derive(Debug)]
struct Query {
    sources: Vec<Source>,
    aggregate: Aggregate,
    with_scores: bool,
    limit: usize,
}

impl Query {
    /// Reads the arguments from the number of keys on. The keys are looked up before the options are looked at.
    fn parse(
        context: &mut Context<'_>,
        args: &[Bytes],
        name: &[u8],
        operation: Operation,
        usage: Use,
    ) -> Result<Self, Failure> {
        let numkeys = parse_integer(&args[0]).ok_or(NOT_AN_INTEGER)?;
        let Ok(numkeys @ 1..) = usize::try_from(numkeys) else {
            let name = String::from_utf8_lossy(name).to_lowercase();
            return Err(Failure::Text(format!("ERR at least 1 input key is needed for '{name}' command")));
        };
        let (names, mut options) = args[1..].split_at_checked(numkeys).ok_or(SYNTAX)?;
        let mut query = Self {
            sources: names.iter().map(|name| source(context, name)).collect::<Result<_, _>>()?,
            aggregate: Aggregate::Sum,
            with_scores: false,
            limit: 0,
        };
        let weighs = operation != Operation::Difference && usage != Use::Count;
        while let [option, rest @ ..] = options {
            let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
            options = match rest {
                _ if weighs && rest.len() >= numkeys && is("weights") => query.weigh(rest)?,
                [how, rest @ ..] if weighs && is("aggregate") => {
                    query.aggregate = aggregate(how)?;
                    rest
                }
                _ if usage == Use::Show && is("withscores") => {
                    query.with_scores = true;
                    rest
                }
                [limit, rest @ ..] if usage == Use::Count && is("limit") => {
                    query.limit = super::at_least(limit, 0, "ERR LIMIT can't be negative")?;
                    rest
                }
                _ => return Err(SYNTAX),
            };
        }
        if operation != Operation::Difference {
            // Floats are added in this order.
            query.sources.sort_by_key(|source| source.members.len());
        }
        Ok(query)
    }

    /// Takes one weight for each source, and gives what comes after.
    fn weigh<'a>(&mut self, args: &'a [Bytes]) -> Result<&'a [Bytes], Failure> {
        for (source, weight) in self.sources.iter_mut().zip(args) {
            source.weight = float::parse(weight).ok_or(Failure::Constant("ERR weight value is not a float"))?;
        }
        Ok(&args[self.sources.len()..])
    }

    fn result(&self, operation: Operation) -> Vec<Place> {
        match operation {
            Operation::Union => self.union(),
            Operation::Intersection => self.intersection().collect(),
            Operation::Difference => self.difference(),
        }
    }

    fn union(&self) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        let mut known: FxHashMap<Bytes, usize> = FxHashMap::default();
        for source in &self.sources {
            for Place { score, member } in source.members.places() {
                let score = zero_for_nan(source.weight * score);
                if let Some(at) = known.get(&member) {
                    let place = &mut places[*at];
                    place.score = self.aggregate.of(place.score, score);
                } else {
                    known.insert(member.clone(), places.len());
                    places.push(Place { score, member });
                }
            }
        }
        places
    }

    fn intersection(&self) -> impl Iterator<Item = Place> {
        let (first, others) = self.sources.split_at(1);
        first.iter().flat_map(move |first| {
            first.members.places().into_iter().filter_map(move |Place { score, member }| {
                let mut score = zero_for_nan(first.weight * score);
                for other in others {
                    score = self.aggregate.of(score, other.members.score(&member)? * other.weight);
                }
                Some(Place { score, member })
            })
        })
    }

    fn difference(&self) -> Vec<Place> {
        let Some((first, others)) = self.sources.split_first() else { return Vec::new() };
        let mut places = first.members.places();
        places.retain(|place| !others.iter().any(|other| other.members.score(&place.member).is_some()));
        places
    }
}

fn source(context: &mut Context<'_>, name: &Bytes) -> Result<Source, Failure> {
    let key = Key::new(name);
    context.visit(&key, Access::Read);
    let members = match context.entry(&key).map(|entry| &entry.value) {
        None => Members::None,
        Some(Value::Set(set)) => Members::Set(Arc::clone(set)),
        Some(Value::Zset(zset)) => Members::Zset(Arc::clone(zset)),
        Some(_) => return Err(WRONG_TYPE),
    };
    Ok(Source { members, weight: 1.0 })
}

fn aggregate(name: &[u8]) -> Result<Aggregate, Failure> {
    match name.to_ascii_lowercase().as_slice() {
        b"sum" => Ok(Aggregate::Sum),
        b"min" => Ok(Aggregate::Min),
        b"max" => Ok(Aggregate::Max),
        _ => Err(SYNTAX),
    }
}

fn show(context: &mut Context<'_>, args: &[Bytes], operation: Operation) -> Answer {
    let query = Query::parse(context, &args[1..], &args[0], operation, Use::Show)?;
    let mut places = query.result(operation);
    places.sort_unstable();
    let nested = context.protocol() == Protocol::Resp3;
    Ok(Reply::Array(shown(&places, query.with_scores, nested)))
}

fn store(context: &mut Context<'_>, args: &[Bytes], operation: Operation) -> Answer {
    context.reads = true;
    let query = Query::parse(context, &args[2..], &args[0], operation, Use::Store)?;
    let places = query.result(operation);
    let len = places.len();
    let zset = Zset::of(places, context.engine.config.zset_limits());
    let event = match operation {
        Operation::Union => "zunionstore",
        Operation::Intersection => "zinterstore",
        Operation::Difference => "zdiffstore",
    };
    context.store_result(&Key::new(&args[1]), zset, args, (ZSET, event, true));
    Ok(Reply::Integer(len as i64))
}

fn cardinality(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let query = Query::parse(context, &args[1..], &args[0], Operation::Intersection, Use::Count)?;
    let most = if query.limit == 0 { usize::MAX } else { query.limit };
    Ok(Reply::Integer(query.intersection().take(most).count() as i64))
}
