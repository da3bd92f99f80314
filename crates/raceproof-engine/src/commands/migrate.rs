//! `MIGRATE`, as far as it goes without another server: nothing is ever connected to.

use bytes::Bytes;

use crate::{
    Access, Reply,
    command::{Command, FindKeys, Group, KeySpec, flag::*},
    context::Context,
    failure::{Answer, Failure, NOT_AN_INTEGER, SYNTAX},
    key::Key,
    number::parse_integer,
};

const ONE_KEY: KeySpec =
    KeySpec { begin: 3, find: FindKeys::Range { last: 0, step: 1 }, flags: &["RW", "access", "delete"], notes: None };
const MANY_KEYS: KeySpec =
    KeySpec { begin: 6, find: FindKeys::AfterKeys, flags: &["RW", "access", "delete", "incomplete"], notes: None };

pub(super) const COMMANDS: &[Command] =
    &[Command::new("migrate", migrate, -6, WRITE | MOVABLE_KEYS, Group::KeyspaceDangerous)
        .keys(&[ONE_KEY, MANY_KEYS])
        .tips(&["nondeterministic_output"])];

fn migrate(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (mut keys, mut options) = (&args[3..4], &args[6..]);
    while let [option, rest @ ..] = options {
        options = match (option.to_ascii_lowercase().as_slice(), rest) {
            (b"copy" | b"replace", _) => rest,
            (b"auth", [_, rest @ ..]) | (b"auth2", [_, _, rest @ ..]) => rest,
            (b"keys", _) if !args[3].is_empty() => {
                return Err(Failure::Constant(
                    "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
                ));
            }
            (b"keys", named) => {
                keys = named;
                &[]
            }
            _ => return Err(SYNTAX),
        };
    }
    for number in [&args[5], &args[4]] {
        parse_integer(number).ok_or(NOT_AN_INTEGER)?;
    }
    let mut any = false;
    for key in keys {
        any |= context.visit(&Key::new(key), Access::Read);
    }
    if !any {
        return Ok(Reply::Simple("NOKEY"));
    }
    Err(Failure::Constant("IOERR error or timeout writing to target instance"))
}
