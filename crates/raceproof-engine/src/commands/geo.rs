//! Positions: `GEOADD`, `GEODIST`, `GEOHASH`, `GEOPOS`. Searches have a file of their own.

use bytes::Bytes;

use crate::{
    Access, Reply,
    command::{Command, Group, KeySpec, Run, flag::*, keys},
    context::Context,
    failure::{Answer, Failure, NOT_A_FLOAT, SYNTAX},
    float,
    geo::Position,
    key::Key,
    number::integer_text,
    zset::Zset,
};

pub(super) const READ: &[KeySpec] = &[keys(1, 0, 1, &["RO", "access"])];

const fn row(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, flags, Group::Geo)
}

pub(super) const COMMANDS: &[Command] = &[
    row("geoadd", geoadd, -5, WRITE | DENYOOM).keys(&[keys(1, 0, 1, &["RW", "update"])]),
    row("geodist", geodist, -4, READONLY).keys(READ),
    row("geohash", geohash, -2, READONLY).keys(READ),
    row("geopos", geopos, -2, READONLY).keys(READ),
];

/// A longitude and a latitude.
pub(super) fn position(args: &[Bytes]) -> Result<Position, Failure> {
    let number = |text| float::parse(text).ok_or(NOT_A_FLOAT);
    let position = Position { longitude: number(&args[0])?, latitude: number(&args[1])? };
    if !position.is_valid() {
        let Position { longitude, latitude } = position;
        return Err(format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}").into());
    }
    Ok(position)
}

/// How many metres a unit has.
pub(super) fn unit_m(text: &[u8]) -> Result<f64, Failure> {
    match text.to_ascii_lowercase().as_slice() {
        b"m" => Ok(1.0),
        b"km" => Ok(1000.0),
        b"ft" => Ok(0.3048),
        b"mi" => Ok(1609.34),
        _ => Err(Failure::Constant("ERR unsupported unit provided. please use M, KM, FT, MI")),
    }
}

pub(super) fn distance_reply(distance: f64) -> Reply {
    Reply::Bulk(format!("{distance:.4}").into())
}

pub(super) fn position_reply(position: Position) -> Reply {
    Reply::Array(vec![Reply::Decimal(position.longitude), Reply::Decimal(position.latitude)])
}

/// Adds scores made of positions: from there on it is `ZADD`, in the append-only file as well.
fn geoadd(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let is_option = |arg: &&Bytes| [&b"nx"[..], b"xx", b"ch"].iter().any(|name| arg.eq_ignore_ascii_case(name));
    let options: Vec<&Bytes> = args[2..].iter().take_while(is_option).collect();
    let has = |name: &[u8]| options.iter().any(|option| option.eq_ignore_ascii_case(name));
    let (members, rest) = args[2 + options.len()..].as_chunks::<3>();
    if !rest.is_empty() || (has(b"nx") && has(b"xx")) {
        return Err(SYNTAX);
    }
    let mut zadd = vec![Bytes::from_static(b"zadd"), args[1].clone()];
    zadd.extend(options.into_iter().cloned());
    for [longitude, latitude, member] in members {
        let score = position(&[longitude.clone(), latitude.clone()])?.score();
        zadd.push(integer_text(score.cast_signed()));
        zadd.push(member.clone());
    }
    super::zset::zadd(context, &zadd)
}

/// The positions of members, as far as they are there.
fn positions(context: &mut Context<'_>, key: &Bytes, members: &[Bytes]) -> Result<Vec<Option<Position>>, Failure> {
    let key = Key::new(key);
    context.collection::<Zset>(&key, Access::IntentRead)?;
    for member in members {
        context.touch_field(&key, member, Access::Read);
    }
    let zset = context.collection_now::<Zset>(&key);
    Ok(members.iter().map(|member| zset?.score(member).map(Position::of_score)).collect())
}

fn geodist(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let unit = match &args[4..] {
        [] => 1.0,
        [unit] => unit_m(unit)?,
        _ => return Err(SYNTAX),
    };
    match positions(context, &args[1], &args[2..4])?[..] {
        [Some(one), Some(other)] => Ok(distance_reply(one.distance_m(other) / unit)),
        _ => Ok(Reply::Null),
    }
}

fn geohash(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    const DIGITS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    let text = |position: Position| {
        let bits = position.standard_bits();
        // Ten digits of five bits each; what would be the eleventh has two bits only, and Redis shows it as none.
        let digits = (1..=10).map(|digit| DIGITS[(bits >> (52 - digit * 5) & 31) as usize]);
        Reply::Bulk(digits.chain([b'0']).collect())
    };
    let positions = positions(context, &args[1], &args[2..])?;
    Ok(Reply::Array(positions.into_iter().map(|position| position.map_or(Reply::Null, text)).collect()))
}

fn geopos(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let positions = positions(context, &args[1], &args[2..])?;
    let shown = positions.into_iter().map(|position| position.map_or(Reply::NullArray, position_reply));
    Ok(Reply::Array(shown.collect()))
}
