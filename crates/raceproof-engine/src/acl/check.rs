//! Whether a user may run a command.

use bytes::Bytes;

use super::{READ, Selector, User, WRITE};
use crate::{command::Command, command::flag, glob};

/// Why a command is refused, the more telling one last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Denial {
    Command,
    /// The index of the key.
    Key(usize),
    /// The index of the channel.
    Channel(usize),
}

/// Why a user may not run a command; nothing if one of the selectors allows it.
pub(crate) fn denial(user: &User, command: &'static Command, args: &[Bytes]) -> Option<Denial> {
    let mut told = None;
    for selector in std::iter::once(&user.root).chain(&user.selectors) {
        let denial = selector.denial(command, args)?;
        // Of two refusals of one kind the one that came further counts.
        told = told.max(Some(denial));
    }
    told
}

impl User {
    /// Whether the user may run a command on keys that only the command's data name: `SORT` with `BY` or `GET`.
    pub(crate) fn reads_all_keys_with(&self, command: &'static Command, args: &[Bytes]) -> bool {
        std::iter::once(&self.root).chain(&self.selectors).any(|selector| {
            let everything = selector.keys.iter().any(|(pattern, uses)| pattern == "*" && uses & READ != 0);
            selector.denial(command, args).is_none() && (selector.all_keys || everything)
        })
    }
}

impl Selector {
    fn denial(&self, command: &'static Command, args: &[Bytes]) -> Option<Denial> {
        if !self.all_commands && !command.has(flag::NO_AUTH) && !self.allows(command, args) {
            return Some(Denial::Command);
        }
        if !self.all_keys {
            let uses = command.key_uses(args).unwrap_or_default();
            let denied = uses.iter().find(|(at, flags)| !self.allows_key(&args[*at], uses_of(flags)));
            if let Some((at, _)) = denied {
                return Some(Denial::Key(*at));
            }
        }
        if !self.all_channels {
            let (channels, is_pattern) = channels(command, args);
            return channels.into_iter().find(|at| !self.allows_channel(&args[*at], is_pattern)).map(Denial::Channel);
        }
        None
    }

    fn allows(&self, command: &'static Command, args: &[Bytes]) -> bool {
        let first = if command.name.contains('|') { 2 } else { 1 };
        self.commands.contains(command.name)
            || self.first_args.get(command.name).is_some_and(|known| {
                args.get(first).is_some_and(|arg| known.iter().any(|known| known.eq_ignore_ascii_case(arg)))
            })
    }

    fn allows_key(&self, key: &[u8], uses: u8) -> bool {
        self.keys.iter().any(|(pattern, known)| known & uses == uses && glob::matches(pattern, key, false))
    }

    pub(super) fn allows_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        self.channels.iter().any(
            |pattern| {
                if is_pattern { pattern == channel } else { glob::matches(pattern, channel, false) }
            },
        )
    }
}

fn uses_of(flags: &[&str]) -> u8 {
    flags.iter().fold(0, |uses, flag| match *flag {
        "access" => uses | READ,
        "insert" | "delete" | "update" => uses | WRITE,
        _ => uses,
    })
}

/// The indices of the channels of a call, and whether they are patterns.
fn channels(command: &Command, args: &[Bytes]) -> (Vec<usize>, bool) {
    match command.name {
        "publish" | "spublish" => (vec![1], false),
        "subscribe" | "ssubscribe" => ((1..args.len()).collect(), false),
        "psubscribe" => ((1..args.len()).collect(), true),
        _ => (Vec::new(), false),
    }
}
