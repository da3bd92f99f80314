//! Searches for members near a position: `GEOSEARCH`, `GEOSEARCHSTORE`, and `GEORADIUS` with its variants.

use bytes::Bytes;

use super::geo::{READ, distance_reply, position, position_reply, unit_m};
use crate::{
    Access, Reply,
    command::{Command, FindKeys, Group, KeySpec, Run, flag::*, keys},
    context::Context,
    failure::{Answer, Failure, NOT_AN_INTEGER, SYNTAX, quoted},
    float,
    geo::{Area, Found, Position, Shape},
    key::Key,
    notify,
    number::parse_integer,
    quicksort::sort_first,
    zset::{Place, Zset},
};

const fn row(name: &'static str, run: Run, arity: i32, flags: u32, keys: &'static [KeySpec]) -> Command {
    Command::new(name, run, arity, flags, Group::Geo).keys(keys)
}

const fn after(word: &'static str, begin: usize) -> KeySpec {
    KeySpec { begin, find: FindKeys::AfterWord(word), flags: &["OW", "update"], notes: None }
}

const BY_POSITION: &[KeySpec] = &[READ[0], after("STORE", 6), after("STOREDIST", 6)];
const BY_MEMBER: &[KeySpec] = &[READ[0], after("STORE", 5), after("STOREDIST", 5)];

pub(super) const COMMANDS: &[Command] = &[
    row("geosearch", |context, args| search(context, args, Kind::Search), -7, READONLY, READ),
    row(
        "geosearchstore",
        |context, args| search(context, args, Kind::SearchStore),
        -8,
        WRITE | DENYOOM,
        &[keys(1, 0, 1, &["OW", "update"]), keys(2, 0, 1, &["RO", "access"])],
    ),
    row(
        "georadius",
        |context, args| search(context, args, Kind::Radius),
        -6,
        WRITE | DENYOOM | MOVABLE_KEYS,
        BY_POSITION,
    ),
    row("georadius_ro", |context, args| search(context, args, Kind::RadiusReadOnly), -6, READONLY, READ),
    row(
        "georadiusbymember",
        |context, args| search(context, args, Kind::ByMember),
        -5,
        WRITE | DENYOOM | MOVABLE_KEYS,
        BY_MEMBER,
    ),
    row("georadiusbymember_ro", |context, args| search(context, args, Kind::ByMemberReadOnly), -5, READONLY, READ),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Search,
    SearchStore,
    Radius,
    RadiusReadOnly,
    ByMember,
    ByMemberReadOnly,
}

impl Kind {
    const fn is_search(self) -> bool {
        matches!(self, Self::Search | Self::SearchStore)
    }

    const fn may_store(self) -> bool {
        matches!(self, Self::Radius | Self::ByMember)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Ascending,
    Descending,
}

/// What is asked for. Of what `GEOSEARCH` must name, it is kept whether it did.
#[derive(Clone, Debug, Default)]
struct Query {
    center: Option<Position>,
    from_member: bool,
    shape: Option<(Shape, f64)>,
    with_distance: bool,
    with_hash: bool,
    with_position: bool,
    order: Option<Order>,
    count: usize,
    any: bool,
    store: Option<Bytes>,
    store_distance: bool,
}

const NO_MEMBER: Failure = Failure::Constant("ERR could not decode requested zset member");

fn length(text: &[u8], refusal: &'static str) -> Result<f64, Failure> {
    float::parse(text).ok_or(Failure::Constant(refusal))
}

fn circle(args: &[Bytes]) -> Result<(Shape, f64), Failure> {
    let radius = length(&args[0], "ERR need numeric radius")?;
    if radius < 0.0 {
        return Err(Failure::Constant("ERR radius cannot be negative"));
    }
    Ok((Shape::Circle { radius }, unit_m(&args[1])?))
}

fn rectangle(args: &[Bytes]) -> Result<(Shape, f64), Failure> {
    let width = length(&args[0], "ERR need numeric width")?;
    let height = length(&args[1], "ERR need numeric height")?;
    if height < 0.0 || width < 0.0 {
        return Err(Failure::Constant("ERR height or width cannot be negative"));
    }
    Ok((Shape::Box { width, height }, unit_m(&args[2])?))
}

/// Where a member of the source is.
fn member_position(zset: Option<&Zset>, member: &Bytes) -> Result<Option<Position>, Failure> {
    let Some(zset) = zset else { return Ok(None) };
    zset.score(member).map(Position::of_score).map(Some).ok_or(NO_MEMBER)
}

impl Query {
    fn parse(args: &[Bytes], kind: Kind, zset: Option<&Zset>) -> Result<Self, Failure> {
        let mut query = Self::default();
        let options = match kind {
            Kind::Search => &args[2..],
            Kind::SearchStore => {
                query.store = Some(args[1].clone());
                &args[3..]
            }
            Kind::Radius | Kind::RadiusReadOnly => {
                query.center = Some(position(&args[2..4])?);
                query.shape = Some(circle(&args[4..6])?);
                &args[6..]
            }
            Kind::ByMember | Kind::ByMemberReadOnly => {
                query.center = member_position(zset, &args[2])?;
                // Without a source nobody looks at the radius.
                if zset.is_some() {
                    query.shape = Some(circle(&args[3..5])?);
                }
                &args[5..]
            }
        };
        query.options(options, kind, zset)?;
        query.check(args, kind)?;
        Ok(query)
    }

    fn options(&mut self, mut args: &[Bytes], kind: Kind, zset: Option<&Zset>) -> Result<(), Failure> {
        while let [option, rest @ ..] = args {
            args = match (option.to_ascii_lowercase().as_slice(), rest) {
                (b"withdist", _) => {
                    self.with_distance = true;
                    rest
                }
                (b"withhash", _) => {
                    self.with_hash = true;
                    rest
                }
                (b"withcoord", _) => {
                    self.with_position = true;
                    rest
                }
                (b"any", _) => {
                    self.any = true;
                    rest
                }
                (b"asc", _) => {
                    self.order = Some(Order::Ascending);
                    rest
                }
                (b"desc", _) => {
                    self.order = Some(Order::Descending);
                    rest
                }
                (b"count", [count, rest @ ..]) => {
                    let count = parse_integer(count).ok_or(NOT_AN_INTEGER)?;
                    if count <= 0 {
                        return Err(Failure::Constant("ERR COUNT must be > 0"));
                    }
                    self.count = count as usize;
                    rest
                }
                (b"store", [key, rest @ ..]) if kind.may_store() => {
                    (self.store, self.store_distance) = (Some(key.clone()), false);
                    rest
                }
                (b"storedist", [key, rest @ ..]) if kind.may_store() => {
                    (self.store, self.store_distance) = (Some(key.clone()), true);
                    rest
                }
                (b"storedist", _) if kind == Kind::SearchStore => {
                    self.store_distance = true;
                    rest
                }
                _ if kind.is_search() => self.search_option(option, rest, zset)?,
                _ => return Err(SYNTAX),
            };
        }
        Ok(())
    }

    /// The options of `GEOSEARCH`, of which neither two centers nor two shapes may be given. Gives what is left.
    fn search_option<'a>(
        &mut self,
        option: &[u8],
        rest: &'a [Bytes],
        zset: Option<&Zset>,
    ) -> Result<&'a [Bytes], Failure> {
        let is_box = matches!(self.shape, Some((Shape::Box { .. }, _)));
        let is_circle = matches!(self.shape, Some((Shape::Circle { .. }, _)));
        match (option.to_ascii_lowercase().as_slice(), rest) {
            (b"frommember", [member, rest @ ..]) if self.from_member || self.center.is_none() => {
                self.center = member_position(zset, member)?;
                self.from_member = true;
                Ok(rest)
            }
            (b"fromlonlat", [longitude, latitude, rest @ ..]) if !self.from_member => {
                self.center = Some(position(&[longitude.clone(), latitude.clone()])?);
                Ok(rest)
            }
            (b"byradius", [_, _, left @ ..]) if !is_box => {
                self.shape = Some(circle(rest)?);
                Ok(left)
            }
            (b"bybox", [_, _, _, left @ ..]) if !is_circle => {
                self.shape = Some(rectangle(rest)?);
                Ok(left)
            }
            _ => Err(SYNTAX),
        }
    }

    fn check(&self, args: &[Bytes], kind: Kind) -> Result<(), Failure> {
        let missing = |what: &str| {
            let mut text = format!("ERR exactly one of {what} for ").into_bytes();
            text.extend_from_slice(quoted(&args[0], args[0].len()));
            Err(Failure::Bytes(text.into()))
        };
        if self.store.is_some() && (self.with_distance || self.with_hash || self.with_position) {
            let who = if kind == Kind::SearchStore { "GEOSEARCHSTORE" } else { "STORE option in GEORADIUS" };
            return Err(format!("ERR {who} is not compatible with WITHDIST, WITHHASH and WITHCOORD options").into());
        }
        if kind.is_search() && !self.from_member && self.center.is_none() {
            return missing("FROMMEMBER or FROMLONLAT can be specified");
        }
        if kind.is_search() && self.shape.is_none() {
            return missing("BYRADIUS and BYBOX can be specified");
        }
        if self.any && self.count == 0 {
            return Err(Failure::Constant("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }

    /// What is found, as much of it as is asked for, in the order that is asked for.
    fn run(&self, zset: &Zset, area: &Area) -> Vec<Found> {
        let mut found = area.search(zset, if self.any { self.count } else { 0 });
        let wanted = if self.count == 0 { found.len() } else { self.count.min(found.len()) };
        // The closest of all: that takes an order, unless any will do.
        let order = self.order.or((self.count > 0 && !self.any).then_some(Order::Ascending));
        if let Some(order) = order {
            let compare = |one: &Found, other: &Found| {
                let ascending = one.distance_m.total_cmp(&other.distance_m);
                if order == Order::Ascending { ascending } else { ascending.reverse() }
            };
            if wanted == found.len() { found.sort_by(compare) } else { sort_first(&mut found, wanted, compare) }
        }
        found.truncate(wanted);
        found
    }

    fn shown(&self, found: Found, unit_m: f64) -> Reply {
        let member = Reply::Bulk(found.member);
        let mut parts = vec![member];
        if self.with_distance {
            parts.push(distance_reply(found.distance_m / unit_m));
        }
        if self.with_hash {
            parts.push(Reply::Integer(found.score as i64));
        }
        if self.with_position {
            parts.push(position_reply(found.position));
        }
        if parts.len() == 1 { parts.remove(0) } else { Reply::Array(parts) }
    }
}

fn search(context: &mut Context<'_>, args: &[Bytes], kind: Kind) -> Answer {
    let source = Key::new(&args[if kind == Kind::SearchStore { 2 } else { 1 }]);
    context.reads = true;
    let zset = context.collection::<Zset>(&source, Access::Read)?;
    let query = Query::parse(args, kind, zset)?;
    let mut found = Vec::new();
    let mut unit_m = 1.0;
    if let (Some(zset), Some(center), Some((shape, unit))) = (zset, query.center, query.shape) {
        unit_m = unit;
        found = query.run(zset, &Area { center, shape, unit_m });
    }
    let Some(store) = &query.store else {
        return Ok(Reply::Array(found.into_iter().map(|found| query.shown(found, unit_m)).collect()));
    };
    let count = found.len();
    let places = found.into_iter().map(|Found { member, score, distance_m, .. }| {
        let score = if query.store_distance { distance_m / unit_m } else { score };
        Place { score, member }
    });
    let result = Zset::of(places.collect(), context.engine.config.zset_limits());
    let event = if kind == Kind::SearchStore { "geosearchstore" } else { "georadiusstore" };
    context.store_result(&Key::new(store), result, args, (notify::ZSET, event, false));
    context.count_changes(count.saturating_sub(1) as i64);
    Ok(Reply::Integer(count as i64))
}
