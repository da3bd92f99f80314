//! The commands, one file per family. A command is one row in its family's `COMMANDS` and one function.

use bytes::Bytes;

use crate::{
    Reply,
    command::Command,
    failure::{Failure, NOT_AN_INTEGER},
    number::parse_integer,
};

mod config;
mod connection;
mod counter;
mod expire;
mod field_expire;
mod hash;
mod info;
mod introspection;
mod keys;
mod keyspace;
mod lcs;
mod scripting;
mod server;
mod string;
pub(crate) mod transaction;

/// The whole table.
pub(crate) const FAMILIES: &[&[Command]] = &[
    config::COMMANDS,
    connection::COMMANDS,
    counter::COMMANDS,
    expire::COMMANDS,
    field_expire::COMMANDS,
    hash::COMMANDS,
    info::COMMANDS,
    introspection::COMMANDS,
    keys::COMMANDS,
    keyspace::COMMANDS,
    lcs::COMMANDS,
    scripting::COMMANDS,
    server::COMMANDS,
    string::COMMANDS,
    transaction::COMMANDS,
];

/// The reply of a `HELP` subcommand.
fn help(lines: &[&'static str]) -> Reply {
    Reply::Array(lines.iter().map(|line| Reply::Simple(line)).collect())
}

/// An argument that must fit in 32 bits.
fn parse_int(text: &[u8]) -> Result<i32, Failure> {
    let number = parse_integer(text).ok_or(NOT_AN_INTEGER)?;
    i32::try_from(number).map_err(|_| {
        Failure::Text(format!("ERR value is out of range, value must between {} and {}", i32::MIN, i32::MAX))
    })
}

/// A bulk string that is a constant.
const fn text(text: &'static str) -> Reply {
    Reply::Bulk(Bytes::from_static(text.as_bytes()))
}
