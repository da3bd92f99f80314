//! `MODULE`: there are none, and none can be loaded, as in a server without `enable-module-command`.

use bytes::Bytes;

use crate::{
    Reply,
    command::{Command, Group, Run, flag::*},
    context::Context,
    failure::{Answer, Failure},
};

const fn row(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, flags, Group::Server)
}

const CHANGES: u32 = ADMIN | NOSCRIPT | NO_ASYNC_LOADING | PROTECTED;

pub(super) const COMMANDS: &[Command] = &[row("module", list, -2, 0).subcommands(&[
    row("module|help", super::help::module, 2, LOADING | STALE),
    row("module|list", list, 2, ADMIN | NOSCRIPT).tips(&["nondeterministic_output_order"]),
    row("module|load", refused, -3, CHANGES),
    row("module|loadex", refused, -3, CHANGES),
    row("module|unload", refused, 3, CHANGES),
])];

/// What is refused before it is queued or executed.
pub(crate) const NOT_ALLOWED: Failure = Failure::Constant(
    "ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", you can run it from a \
     local connection, otherwise you need to set this option in the configuration file, and then restart the server.",
);

fn list(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(Reply::Array(Vec::new()))
}

fn refused(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Err(NOT_ALLOWED)
}
