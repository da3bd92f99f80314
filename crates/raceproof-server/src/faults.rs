//! Faults between a client and its server, on the commands that a rule names.

use bytes::Bytes;
use raceproof_engine::glob_matches;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command is executed; its reply never arrives, and the connection is closed.
    DropReply,
    /// The command is not executed; the client gets this error.
    Error(Bytes),
    /// The command is executed; its reply, and those after it, take so long (ms of the universe's clock).
    Delay(i64),
    /// The command is not executed; the connection is closed.
    Disconnect,
}

impl Kind {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::DropReply => "drop-reply",
            Self::Error(_) => "error",
            Self::Delay(_) => "delay",
            Self::Disconnect => "disconnect",
        }
    }
}

/// One rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) number: i64,
    pub(crate) kind: Kind,
    /// The name of a command, or a pattern of it; with a space in it, a pattern of the whole command.
    pub(crate) on: Bytes,
    /// It strikes at this one of the matching commands only, and otherwise at each.
    pub(crate) nth: Option<u64>,
    /// It strikes at clients of this name only (`CLIENT SETNAME`).
    pub(crate) client: Option<Bytes>,
    /// How many commands have matched so far, and how often it struck.
    pub(crate) matched: u64,
    pub(crate) struck: u64,
}

impl Rule {
    fn matches(&self, args: &[Bytes], client: &Bytes) -> bool {
        if self.client.as_ref().is_some_and(|wanted| wanted != client) {
            return false;
        }
        if self.on.contains(&b' ') {
            glob_matches(&self.on, &args.join(&b' '), true)
        } else {
            glob_matches(&self.on, &args[0], true)
        }
    }
}

/// The rules of a universe, in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) rules: Vec<Rule>,
    added: i64,
}

impl Faults {
    pub(crate) const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Adds a rule and gives its number.
    pub(crate) fn add(&mut self, kind: Kind, on: Bytes, nth: Option<u64>, client: Option<Bytes>) -> i64 {
        self.added += 1;
        self.rules.push(Rule { number: self.added, kind, on, nth, client, matched: 0, struck: 0 });
        self.added
    }

    /// Takes away a rule, or all of them. Gives how many.
    pub(crate) fn clear(&mut self, number: Option<i64>) -> usize {
        let before = self.rules.len();
        self.rules.retain(|rule| number.is_some_and(|number| rule.number != number));
        before - self.rules.len()
    }

    /// What strikes at a command: the first rule that does. Every rule that matches counts it.
    pub(crate) fn strike(&mut self, args: &[Bytes], client: &Bytes) -> Option<Kind> {
        let mut struck = None;
        for rule in &mut self.rules {
            if !rule.matches(args, client) {
                continue;
            }
            rule.matched += 1;
            if struck.is_none() && rule.nth.is_none_or(|nth| nth == rule.matched) {
                rule.struck += 1;
                struck = Some(rule.kind.clone());
            }
        }
        struck
    }
}
