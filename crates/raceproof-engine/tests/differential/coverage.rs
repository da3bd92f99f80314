//! Which commands were compared, and how often with a reply that was no error: a command that random sequences never
//! get right is not tested, however often it was sent.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::resp::Value;
use crate::support::grammar::families;

/// Commands whose subcommands count as commands.
const CONTAINERS: [&str; 16] = [
    "ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "FUNCTION", "LATENCY", "MEMORY", "MODULE", "OBJECT", "PFDEBUG",
    "PUBSUB", "SCRIPT", "SLOWLOG", "XGROUP", "XINFO",
];

/// Commands that the grammar makes and that have nothing but errors for a reply: those of Redis 7.4 and 8 in
/// Redis 7.0, and those that the server is not set up for.
const ONLY_ERRORS: [&str; 31] = [
    "ACL LOAD",
    "ACL SAVE",
    "ASKING",
    "AUTH",
    "CLUSTER INFO",
    "CLUSTER KEYSLOT",
    "FAILOVER",
    "LATENCY GRAPH",
    "READONLY",
    "READWRITE",
    "CONFIG REWRITE",
    "DELEX",
    "DIGEST",
    "FUNCTION KILL",
    "HEXPIRE",
    "HEXPIREAT",
    "HEXPIRETIME",
    "HGETDEL",
    "HGETEX",
    "HPERSIST",
    "HPEXPIRE",
    "HPEXPIREAT",
    "HPEXPIRETIME",
    "HPTTL",
    "HSETEX",
    "HTTL",
    "MODULE LOAD",
    "MODULE LOADEX",
    "MODULE UNLOAD",
    "MSETEX",
    "SCRIPT KILL",
];

/// It takes a library with a function that may not write, loaded before in the same sequence: the regressions have that.
const RARELY_RIGHT: &str = "FCALL_RO";

/// How often each command was compared, and how often its reply was no error.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coverage(BTreeMap<String, (u64, u64)>);

impl Coverage {
    /// Adds one reply.
    pub(crate) fn add(&mut self, args: &[Bytes], reply: &Value) {
        let queued = matches!(reply, Value::Line(b'+', text) if text == b"QUEUED");
        let words: Vec<String> = args.iter().take(2).map(|arg| String::from_utf8_lossy(arg).to_uppercase()).collect();
        let counts = self.0.entry(name(&words)).or_default();
        counts.0 += 1;
        counts.1 += u64::from(!reply.is_error() && !queued);
    }

    /// Adds what another one counted.
    pub(crate) fn merge(&mut self, other: Self) {
        for (name, (all, good)) in other.0 {
            let counts = self.0.entry(name).or_default();
            *counts = (counts.0 + all, counts.1 + good);
        }
    }

    /// All commands compared.
    pub(crate) fn total(&self) -> u64 {
        self.0.values().map(|(all, _)| all).sum()
    }

    /// The commands of the grammar that never got a reply other than an error.
    pub(crate) fn missing(&self) -> Vec<String> {
        let good = |name: &String| self.0.get(name).is_some_and(|(_, good)| *good > 0);
        generated()
            .into_iter()
            .filter(|name| !ONLY_ERRORS.contains(&name.as_str()) && *name != RARELY_RIGHT && !good(name))
            .collect()
    }
}

/// The commands that the grammar makes.
pub(crate) fn generated() -> Vec<String> {
    let templates = families().flat_map(|(_, _, commands)| commands.iter().map(|(_, template)| *template));
    let mut names: Vec<String> = templates
        .map(|template| name(&template.split(' ').take(2).map(str::to_owned).collect::<Vec<_>>()))
        .filter(|name| name.chars().all(|letter| !letter.is_ascii_lowercase()))
        .collect();
    names.sort();
    names.dedup();
    names
}

fn name(words: &[String]) -> String {
    match words {
        [container, subcommand] if CONTAINERS.contains(&container.as_str()) => format!("{container} {subcommand}"),
        [name, ..] => name.clone(),
        [] => String::new(),
    }
}
