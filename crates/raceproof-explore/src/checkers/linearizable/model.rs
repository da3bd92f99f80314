//! The data types that an object can be checked against: their operations, and what each does to the state.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Datum, Operation, OperationKind};

/// A data type with its sequential behaviour. `ctx.read` and `ctx.write` are operations as well; the others are
/// recorded by `ctx.operation(object, name, args, work)`. A result that is not given says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// One value: `read`, `write`, `swap` (new value; gives the old), `cas` (old value, new value; gives whether it was
    /// done). Without a reader of the object the value at the start may be any.
    Register,
    /// A whole number, 0 at the start unless a reader of the object says otherwise: `read`, `inc` and `dec` (by how
    /// much, 1 if not given; may give the new value).
    Counter,
    /// Texts, none at the start: `add` and `remove` (the member; may give whether it changed anything), `contains` (the
    /// member), `size`, `read` (gives all members as a list).
    Set,
    /// Values by key, none at the start: `put` (key, value), `get` (key), `remove` (key; may give whether it was
    /// there), `read` (gives keys and values in turn as a list).
    Map,
    /// A lock, free at the start: `acquire` (gives whether it was got) and `release` (may give whether it was held), by
    /// the client, or by the owner that is given.
    Lock,
}

impl Model {
    /// All models.
    pub const ALL: [Self; 5] = [Self::Register, Self::Counter, Self::Set, Self::Map, Self::Lock];

    /// The name, as scenario files have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Counter => "counter",
            Self::Set => "set",
            Self::Map => "map",
            Self::Lock => "lock",
        }
    }

    /// The model with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.name() == name)
    }

    const fn operations(self) -> &'static str {
        match self {
            Self::Register => "read, write, swap and cas",
            Self::Counter => "read, inc and dec",
            Self::Set => "add, remove, contains, size and read",
            Self::Map => "put, get, remove and read",
            Self::Lock => "acquire and release",
        }
    }
}

/// What an operation does, and what it has to give back where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Read(Option<String>),
    Write(String),
    Swap { new: String, old: Option<Option<String>> },
    Cas { old: String, new: String, done: Option<bool> },
    Add { by: i64, gives: Option<i64> },
    Count(i64),
    Insert { member: String, new: Option<bool> },
    Remove { member: String, was_there: Option<bool> },
    Contains { member: String, there: bool },
    Size(usize),
    Members(BTreeSet<String>),
    Put { key: String, value: String },
    Get { key: String, value: Option<String> },
    Take { key: String, was_there: Option<bool> },
    Entries(BTreeMap<String, String>),
    Acquire { owner: String, got: Option<bool> },
    Release { owner: String, held: Option<bool> },
}

/// The state of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// A register before anyone looked.
    Anything,
    Register(Option<String>),
    Counter(i64),
    Set(BTreeSet<String>),
    Map(BTreeMap<String, String>),
    Lock(Option<String>),
}

impl State {
    /// The state at the start, if somebody looked as it was then.
    pub(super) fn initial(model: Model, value: Option<Option<&Datum>>) -> Result<Self, String> {
        let Some(value) = value else {
            return Ok(match model {
                Model::Register => Self::Anything,
                Model::Counter => Self::Counter(0),
                Model::Set => Self::Set(BTreeSet::new()),
                Model::Map => Self::Map(BTreeMap::new()),
                Model::Lock => Self::Lock(None),
            });
        };
        Ok(match model {
            Model::Register => Self::Register(value.map(ToString::to_string)),
            Model::Counter => Self::Counter(value.map_or(Ok(0), number)?),
            Model::Set => Self::Set(members(value)?),
            Model::Map => Self::Map(entries(value)?),
            Model::Lock => Self::Lock(value.map(ToString::to_string)),
        })
    }

    /// The state after an operation; `None` if it cannot have given what it gave.
    pub(super) fn after(&self, act: &Act) -> Option<Self> {
        match (self, act) {
            (Self::Anything | Self::Register(_), _) => self.register(act),
            (Self::Counter(n), Act::Add { by, gives }) => {
                let sum = n.wrapping_add(*by);
                agrees(*gives, sum).then_some(Self::Counter(sum))
            }
            (Self::Counter(n), Act::Count(seen)) => (n == seen).then(|| self.clone()),
            (Self::Set(set), _) => Self::set(set, act),
            (Self::Map(map), _) => Self::map(map, act),
            (Self::Lock(holder), _) => Self::lock(holder.as_deref(), act),
            (Self::Counter(_), _) => None,
        }
    }

    fn register(&self, act: &Act) -> Option<Self> {
        let is = |value: Option<&str>| match self {
            Self::Register(known) => known.as_deref() == value,
            _ => true,
        };
        match act {
            Act::Read(value) => is(value.as_deref()).then(|| Self::Register(value.clone())),
            Act::Write(value) => Some(Self::Register(Some(value.clone()))),
            Act::Swap { new, old } => {
                let fits = old.as_ref().is_none_or(|old| is(old.as_deref()));
                fits.then(|| Self::Register(Some(new.clone())))
            }
            Act::Cas { old, new, done } => match done {
                Some(false) => (*self == Self::Anything || !is(Some(old))).then(|| self.clone()),
                _ => is(Some(old)).then(|| Self::Register(Some(new.clone()))),
            },
            _ => None,
        }
    }

    fn set(set: &BTreeSet<String>, act: &Act) -> Option<Self> {
        let mut next = set.clone();
        let fits = match act {
            Act::Insert { member, new } => agrees(*new, next.insert(member.clone())),
            Act::Remove { member, was_there } => agrees(*was_there, next.remove(member)),
            Act::Contains { member, there } => next.contains(member) == *there,
            Act::Size(size) => next.len() == *size,
            Act::Members(seen) => next == *seen,
            _ => false,
        };
        fits.then_some(Self::Set(next))
    }

    fn map(map: &BTreeMap<String, String>, act: &Act) -> Option<Self> {
        let mut next = map.clone();
        let fits = match act {
            Act::Put { key, value } => {
                next.insert(key.clone(), value.clone());
                true
            }
            Act::Get { key, value } => next.get(key) == value.as_ref(),
            Act::Take { key, was_there } => agrees(*was_there, next.remove(key).is_some()),
            Act::Entries(seen) => next == *seen,
            _ => false,
        };
        fits.then_some(Self::Map(next))
    }

    fn lock(holder: Option<&str>, act: &Act) -> Option<Self> {
        match (act, holder) {
            (Act::Acquire { got: Some(false), .. }, Some(holder)) => Some(Self::Lock(Some(holder.to_owned()))),
            (Act::Acquire { owner, got: Some(true) | None }, None) => Some(Self::Lock(Some(owner.clone()))),
            (Act::Release { owner, held: Some(true) }, Some(holder)) => (holder == owner).then_some(Self::Lock(None)),
            (Act::Release { owner, held: Some(false) }, holder) => {
                (holder != Some(owner)).then(|| Self::Lock(holder.map(str::to_owned)))
            }
            (Act::Release { owner, held: None }, holder) => {
                Some(Self::Lock(holder.filter(|holder| holder != owner).map(str::to_owned)))
            }
            _ => None,
        }
    }
}

fn agrees<T: PartialEq>(given: Option<T>, found: T) -> bool {
    given.is_none_or(|given| given == found)
}

/// What a recorded operation does; `None` for one that does nothing to anyone: a read that is not over.
pub(super) fn act(model: Model, operation: &Operation) -> Result<Option<Act>, String> {
    let over = operation.ended.is_some();
    let value = operation.value.as_ref();
    let (name, args): (&str, &[String]) = match &operation.kind {
        OperationKind::Read => ("read", &[]),
        OperationKind::Write(value) => ("write", std::slice::from_ref(value)),
        OperationKind::Call { name, args } => (name, args),
        _ => return Ok(None),
    };
    let call = Call { model, name, args };
    let look = |act: Result<Act, String>| if over { act.map(Some) } else { Ok(None) };
    let change = |act: Result<Act, String>| act.map(Some);
    match (model, name) {
        (Model::Register, "read") => look(Ok(Act::Read(value.map(ToString::to_string)))),
        (Model::Register, "write") => change(call.arg(0).map(Act::Write)),
        (Model::Register, "swap") => {
            let old = over.then(|| value.map(ToString::to_string));
            change(call.arg(0).map(|new| Act::Swap { new, old }))
        }
        (Model::Register, "cas") => {
            let done = if over { Some(truth(value)?) } else { None };
            change(call.arg(0).and_then(|old| Ok(Act::Cas { old, new: call.arg(1)?, done })))
        }
        (Model::Counter, "read") => look(value.map_or(Ok(0), number).map(Act::Count)),
        (Model::Counter, "inc" | "dec") => {
            let by = call.amount()?;
            let gives = value.map(number).transpose()?;
            change(Ok(Act::Add { by: if name == "dec" { by.wrapping_neg() } else { by }, gives }))
        }
        (Model::Set, "read") => look(members(value).map(Act::Members)),
        (Model::Set, "size") => look(count(value).map(Act::Size)),
        (Model::Set, "contains") => {
            look(call.arg(0).and_then(|member| Ok(Act::Contains { member, there: truth(value)? })))
        }
        (Model::Set, "add") => {
            change(call.arg(0).and_then(|member| Ok(Act::Insert { member, new: maybe_truth(value)? })))
        }
        (Model::Set, "remove") => {
            change(call.arg(0).and_then(|member| Ok(Act::Remove { member, was_there: maybe_truth(value)? })))
        }
        (Model::Map, "read") => look(entries(value).map(Act::Entries)),
        (Model::Map, "get") => look(call.arg(0).map(|key| Act::Get { key, value: value.map(ToString::to_string) })),
        (Model::Map, "put") => change(call.arg(0).and_then(|key| Ok(Act::Put { key, value: call.arg(1)? }))),
        (Model::Map, "remove") => {
            change(call.arg(0).and_then(|key| Ok(Act::Take { key, was_there: maybe_truth(value)? })))
        }
        (Model::Lock, "acquire") => {
            let got = if over { Some(truth(value)?) } else { None };
            change(Ok(Act::Acquire { owner: call.owner(operation), got }))
        }
        (Model::Lock, "release") => {
            change(Ok(Act::Release { owner: call.owner(operation), held: maybe_truth(value)? }))
        }
        _ => Err(format!("{name} is no operation of a {}, which has {}", model.name(), model.operations())),
    }
}

/// The part of a whole that an act is about, if it is about one part: the parts can be checked apart.
pub(super) fn part(act: &Act) -> Option<&str> {
    match act {
        Act::Insert { member, .. } | Act::Remove { member, .. } | Act::Contains { member, .. } => Some(member),
        Act::Put { key, .. } | Act::Get { key, .. } | Act::Take { key, .. } => Some(key),
        _ => None,
    }
}

/// An operation as it was called.
struct Call<'a> {
    model: Model,
    name: &'a str,
    args: &'a [String],
}

impl Call<'_> {
    fn arg(&self, at: usize) -> Result<String, String> {
        let missing = || format!("{} of a {} needs {} arguments", self.name, self.model.name(), at + 1);
        self.args.get(at).cloned().ok_or_else(missing)
    }

    fn amount(&self) -> Result<i64, String> {
        let Some(by) = self.args.first() else { return Ok(1) };
        by.parse().map_err(|_| format!("{} of a counter takes a whole number, not {by:?}", self.name))
    }

    fn owner(&self, operation: &Operation) -> String {
        self.args.first().unwrap_or(&operation.client).clone()
    }
}

fn number(value: &Datum) -> Result<i64, String> {
    let text = value.to_string();
    text.parse().map_err(|_| format!("a counter's value is a whole number, not {text:?}"))
}

fn count(value: Option<&Datum>) -> Result<usize, String> {
    let text = value.map(ToString::to_string).unwrap_or_default();
    text.parse().map_err(|_| format!("a set's size is a whole number, not {text:?}"))
}

fn members(value: Option<&Datum>) -> Result<BTreeSet<String>, String> {
    match value {
        None => Ok(BTreeSet::new()),
        Some(Datum::List(members)) => Ok(members.iter().cloned().collect()),
        Some(Datum::Text(text)) => Err(format!("reading a set gives the list of its members, not the text {text:?}")),
    }
}

fn entries(value: Option<&Datum>) -> Result<BTreeMap<String, String>, String> {
    match value {
        None => Ok(BTreeMap::new()),
        Some(Datum::List(items)) if items.len() % 2 == 0 => {
            Ok(items.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect())
        }
        Some(other) => Err(format!("reading a map gives its keys and values in turn as a list, not {other}")),
    }
}

/// Yes or no, as clients and Redis say it. Nothing is no: it is what `SET … NX` replies when it does nothing.
fn truth(value: Option<&Datum>) -> Result<bool, String> {
    match value.map(ToString::to_string).as_deref() {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1" | "OK") => Ok(true),
        Some(other) => Err(format!("the result must be true or false, not {other:?}")),
    }
}

fn maybe_truth(value: Option<&Datum>) -> Result<Option<bool>, String> {
    value.map(|value| truth(Some(value))).transpose()
}
