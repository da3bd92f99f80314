//! The commands, one file per family. A command is one row in its family's `COMMANDS` and one function.

use bytes::Bytes;

use crate::{
    Reply,
    command::{Command, KeySpec, keys},
    failure::{Failure, NOT_AN_INTEGER, SYNTAX},
    number::parse_integer,
};

mod acl;
mod admin;
mod bitfield;
mod bitmap;
mod blocking;
pub(crate) mod client;
mod client_kill;
mod client_tracking;
mod compare;
mod config;
pub(crate) mod connection;
mod counter;
mod debug;
mod docs;
mod dump;
mod expire;
mod field_expire;
mod field_values;
mod function;
mod geo;
mod geo_search;
mod hash;
mod help;
mod hyperloglog;
mod info;
mod info_fields;
pub(crate) mod introspection;
mod keys;
mod keyspace;
mod latency;
mod lcs;
mod list;
mod list_move;
mod memory;
mod migrate;
pub(crate) mod module;
mod monitoring;
mod pubsub;
pub(crate) mod scripting;
mod server;
mod set;
mod set_algebra;
mod sort;
mod stream;
mod stream_claim;
mod stream_group;
mod stream_info;
mod stream_read;
mod string;
pub(crate) mod transaction;
mod zset;
mod zset_algebra;
mod zset_range;

/// The whole table.
pub(crate) const FAMILIES: &[&[Command]] = &[
    acl::COMMANDS,
    admin::COMMANDS,
    bitfield::COMMANDS,
    bitmap::COMMANDS,
    blocking::COMMANDS,
    client::COMMANDS,
    compare::COMMANDS,
    config::COMMANDS,
    connection::COMMANDS,
    counter::COMMANDS,
    debug::COMMANDS,
    dump::COMMANDS,
    expire::COMMANDS,
    field_expire::COMMANDS,
    field_values::COMMANDS,
    function::COMMANDS,
    geo::COMMANDS,
    geo_search::COMMANDS,
    hash::COMMANDS,
    hyperloglog::COMMANDS,
    info::COMMANDS,
    introspection::COMMANDS,
    keys::COMMANDS,
    keyspace::COMMANDS,
    lcs::COMMANDS,
    list::COMMANDS,
    list_move::COMMANDS,
    latency::COMMANDS,
    migrate::COMMANDS,
    module::COMMANDS,
    monitoring::COMMANDS,
    pubsub::COMMANDS,
    scripting::COMMANDS,
    server::COMMANDS,
    set::COMMANDS,
    set_algebra::COMMANDS,
    sort::COMMANDS,
    stream::COMMANDS,
    stream_claim::COMMANDS,
    stream_group::COMMANDS,
    stream_info::COMMANDS,
    stream_read::COMMANDS,
    string::COMMANDS,
    transaction::COMMANDS,
    zset::COMMANDS,
    zset_algebra::COMMANDS,
    zset_range::COMMANDS,
];

/// The reply of a `HELP` subcommand: what can be said, without Redis's words on it.
fn help(lines: &[&'static str]) -> Reply {
    Reply::Array(lines.iter().map(|line| Reply::Simple(line)).collect())
}

/// The one key of a command that takes something out of it.
const TAKEN: &[KeySpec] = &[keys(1, 0, 1, &["RW", "access", "delete"])];

/// An argument that must be a number and not less than `low`.
fn at_least(text: &[u8], low: i64, refusal: &'static str) -> Result<usize, Failure> {
    let number = parse_integer(text).filter(|number| *number >= low);
    number.and_then(|number| usize::try_from(number).ok()).ok_or(Failure::Constant(refusal))
}

/// A count that may be 0.
fn count(text: &[u8]) -> Result<usize, Failure> {
    at_least(text, 0, "ERR value is out of range, must be positive")
}

fn bulk(text: &Bytes) -> Reply {
    Reply::Bulk(text.clone())
}

/// The arguments of `LMPOP` and `ZMPOP`: `numkeys key … end [COUNT count]`.
#[derive(Debug)]
struct Pops<'a, E> {
    keys: &'a [Bytes],
    end: E,
    count: usize,
}

impl<'a, E> Pops<'a, E> {
    fn parse(args: &'a [Bytes], end: impl Fn(&[u8]) -> Result<E, Failure>) -> Result<Self, Failure> {
        let numkeys = at_least(&args[0], 1, "ERR numkeys should be greater than 0")?;
        let (keys, rest) = args[1..].split_at_checked(numkeys).ok_or(SYNTAX)?;
        let (name, options) = rest.split_first().ok_or(SYNTAX)?;
        let end = end(name)?;
        let count = match options {
            [] => 1,
            [option, count, rest @ ..] if option.eq_ignore_ascii_case(b"count") => {
                let count = at_least(count, 1, "ERR count should be greater than 0")?;
                if !rest.is_empty() {
                    return Err(SYNTAX);
                }
                count
            }
            _ => return Err(SYNTAX),
        };
        Ok(Self { keys, end, count })
    }
}

/// An argument that must fit in 32 bits.
fn parse_int(text: &[u8]) -> Result<i32, Failure> {
    let number = parse_integer(text).ok_or(NOT_AN_INTEGER)?;
    i32::try_from(number).map_err(|_| {
        Failure::Text(format!("ERR value is out of range, value must between {} and {}", i32::MIN, i32::MAX))
    })
}

/// How long to wait, in milliseconds; `None` for 0, which is no limit.
fn milliseconds(text: &[u8]) -> Result<Option<i64>, Failure> {
    match parse_integer(text) {
        None => Err(Failure::Constant("ERR timeout is not an integer or out of range")),
        Some(..0) => Err(Failure::Constant("ERR timeout is negative")),
        Some(0) => Ok(None),
        Some(ms) => Ok(Some(ms)),
    }
}

/// A bulk string that is a constant.
const fn text(text: &'static str) -> Reply {
    Reply::Bulk(Bytes::from_static(text.as_bytes()))
}
