//! `ACL SETUSER`: one rule after the other changes a user.

use bytes::Bytes;

use super::{READ, Selector, User, WRITE, everything};
use crate::{
    Version,
    command::{self, Command},
    commands::introspection::categories,
    lua::shebang,
    sha256,
};

type Refused = &'static str;

const SYNTAX: Refused = "Syntax error";
const UNKNOWN: Refused = "Unknown command or category name in ACL";
const AFTER_ALL_KEYS: Refused = "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not \
                                 have any effect. Try 'resetkeys' to start with an empty list of patterns";
const AFTER_ALL_CHANNELS: Refused = "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and \
                                     does not have any effect. Try 'resetchannels' to start with an empty list of \
                                     channels";
const NO_SUCH_PASSWORD: Refused = "The password you are trying to remove from the user does not exist";
const BAD_HASH: Refused = "The password hash must be exactly 64 characters and contain only lowercase hexadecimal \
                           characters";
const ARGUMENT_OF_SUBCOMMAND: Refused = "Allowing first-arg of a subcommand is not supported";

/// Puts selectors that were written as several arguments together. The error is the argument that opens one which is
/// not closed.
pub(crate) fn merge_selectors(args: &[Bytes]) -> Result<Vec<Bytes>, Bytes> {
    let mut merged = Vec::new();
    let mut open: Option<(Vec<u8>, &Bytes)> = None;
    for arg in args {
        match &mut open {
            // What another one left open is forgotten, as in Redis.
            _ if arg.starts_with(b"(") && !arg.ends_with(b")") => open = Some((arg.to_vec(), arg)),
            None => merged.push(arg.clone()),
            Some((selector, _)) => {
                selector.push(b' ');
                selector.extend_from_slice(arg);
                if arg.ends_with(b")") {
                    merged.push(Bytes::from(std::mem::take(selector)));
                    open = None;
                }
            }
        }
    }
    match open {
        Some((_, start)) => Err(start.clone()),
        None => Ok(merged),
    }
}

/// Applies one rule to a user.
pub(crate) fn change(user: &mut User, rule: &Bytes, version: Version) -> Result<(), Refused> {
    match rule.to_ascii_lowercase().as_slice() {
        b"" => {}
        b"on" => user.on = true,
        b"off" => user.on = false,
        b"nopass" => {
            user.nopass = true;
            user.passwords.clear();
        }
        b"resetpass" => {
            user.nopass = false;
            user.passwords.clear();
        }
        b"sanitize-payload" => user.sanitize_payload = Some(true),
        b"skip-sanitize-payload" => user.sanitize_payload = Some(false),
        b"clearselectors" => user.selectors.clear(),
        b"reset" => *user = User { sanitize_payload: Some(true), ..User::new() },
        _ => match rule.first() {
            Some(b'>' | b'#') => add_password(user, rule)?,
            Some(b'<' | b'!') => remove_password(user, rule)?,
            Some(b'(') if rule.ends_with(b")") => user.selectors.push(selector(rule, version)?),
            _ => user.root.change(rule, version)?,
        },
    }
    Ok(())
}

/// The digest that a rule names, or of the password that it names.
fn digest(rule: &[u8]) -> Result<String, Refused> {
    let (sign, text) = rule.split_first().ok_or(SYNTAX)?;
    if matches!(sign, b'>' | b'<') {
        return Ok(sha256::hex(text));
    }
    let is_digest = text.len() == 64 && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_digest { Ok(String::from_utf8_lossy(text).into_owned()) } else { Err(BAD_HASH) }
}

fn add_password(user: &mut User, rule: &[u8]) -> Result<(), Refused> {
    let digest = digest(rule)?;
    if !user.passwords.contains(&digest) {
        user.passwords.push(digest);
    }
    user.nopass = false;
    Ok(())
}

fn remove_password(user: &mut User, rule: &[u8]) -> Result<(), Refused> {
    let digest = digest(rule)?;
    let at = user.passwords.iter().position(|known| *known == digest).ok_or(NO_SUCH_PASSWORD)?;
    user.passwords.remove(at);
    Ok(())
}

fn selector(rule: &[u8], version: Version) -> Result<Selector, Refused> {
    let mut selector = Selector::default();
    for rule in shebang::split(&rule[1..rule.len() - 1]).ok_or(SYNTAX)? {
        selector.change(&Bytes::from(rule), version)?;
    }
    Ok(selector)
}

impl Selector {
    pub(crate) fn allow_all_commands(&mut self) {
        self.commands = everything(Version::NEWEST).map(|command| command.name).collect();
        self.first_args.clear();
        (self.all_commands, self.from_all) = (true, true);
    }

    pub(crate) fn forbid_all_commands(&mut self) {
        self.commands.clear();
        self.first_args.clear();
        (self.all_commands, self.from_all) = (false, false);
    }

    pub(crate) fn change(&mut self, rule: &Bytes, version: Version) -> Result<(), Refused> {
        match rule.to_ascii_lowercase().as_slice() {
            b"allkeys" | b"~*" => {
                self.all_keys = true;
                self.keys.clear();
            }
            b"resetkeys" => {
                self.all_keys = false;
                self.keys.clear();
            }
            b"allchannels" | b"&*" => {
                self.all_channels = true;
                self.channels.clear();
            }
            b"resetchannels" => {
                self.all_channels = false;
                self.channels.clear();
            }
            b"allcommands" | b"+@all" => self.allow_all_commands(),
            b"nocommands" | b"-@all" => self.forbid_all_commands(),
            _ => match rule.first() {
                Some(b'~' | b'%') => self.add_keys(rule)?,
                Some(b'&') => self.add_channels(rule)?,
                Some(b'+' | b'-') if rule.get(1) == Some(&b'@') => self.set_category(rule, version)?,
                Some(b'+') => self.allow(&rule[1..], version)?,
                Some(b'-') => self.set(named(&rule[1..], version).ok_or(UNKNOWN)?, false),
                _ => return Err(SYNTAX),
            },
        }
        Ok(())
    }

    fn add_keys(&mut self, rule: &Bytes) -> Result<(), Refused> {
        if self.all_keys {
            return Err(AFTER_ALL_KEYS);
        }
        let (uses, pattern) = if rule[0] == b'~' {
            (READ | WRITE, rule.slice(1..))
        } else {
            let at = rule.iter().position(|byte| *byte == b'~').ok_or(SYNTAX)?;
            let mut uses = 0;
            for letter in &rule[1..at] {
                let used = match letter.to_ascii_uppercase() {
                    b'R' => READ,
                    b'W' => WRITE,
                    _ => 0,
                };
                if used == 0 || uses & used != 0 {
                    return Err(SYNTAX);
                }
                uses |= used;
            }
            (uses, rule.slice(at + 1..))
        };
        if uses == 0 || has_spaces(&pattern) {
            return Err(SYNTAX);
        }
        match self.keys.iter_mut().find(|(known, _)| *known == pattern) {
            Some((_, known)) => *known |= uses,
            None => self.keys.push((pattern, uses)),
        }
        Ok(())
    }

    fn add_channels(&mut self, rule: &Bytes) -> Result<(), Refused> {
        if self.all_channels {
            return Err(AFTER_ALL_CHANNELS);
        }
        let pattern = rule.slice(1..);
        if has_spaces(&pattern) {
            return Err(SYNTAX);
        }
        if !self.channels.contains(&pattern) {
            self.channels.push(pattern);
        }
        Ok(())
    }

    fn allow(&mut self, name: &[u8], version: Version) -> Result<(), Refused> {
        let Some(at) = name.iter().rposition(|byte| *byte == b'|') else {
            self.set(named(name, version).ok_or(UNKNOWN)?, true);
            return Ok(());
        };
        let command = named(&name[..at], version).ok_or(UNKNOWN)?;
        let argument = &name[at + 1..];
        if command.name.contains('|') {
            return Err(ARGUMENT_OF_SUBCOMMAND);
        }
        if argument.is_empty() {
            return Err(SYNTAX);
        }
        if !command.subcommands.is_empty() {
            self.set(named(name, version).ok_or(UNKNOWN)?, true);
            return Ok(());
        }
        let known = self.first_args.entry(command.name).or_default();
        if !known.iter().any(|known| known.eq_ignore_ascii_case(argument)) {
            known.push(Bytes::copy_from_slice(argument));
        }
        Ok(())
    }

    /// Allows or forbids a command with all its subcommands.
    pub(crate) fn set(&mut self, command: &'static Command, allowed: bool) {
        if allowed {
            self.commands.insert(command.name);
        } else {
            self.commands.remove(command.name);
            self.all_commands = false;
        }
        self.first_args.remove(command.name);
        command.subcommands.iter().for_each(|subcommand| self.set(subcommand, allowed));
    }

    fn set_category(&mut self, rule: &[u8], version: Version) -> Result<(), Refused> {
        let name = rule[1..].to_ascii_lowercase();
        let name = CATEGORIES.into_iter().find(|known| known.as_bytes() == name).ok_or(UNKNOWN)?;
        self.set_all(name, rule[0] == b'+', version);
        Ok(())
    }

    /// Allows or forbids the commands of a category.
    pub(crate) fn set_all(&mut self, category: &'static str, allowed: bool, version: Version) {
        for command in everything(version).filter(|command| categories(command).contains(&category)) {
            self.set(command, allowed);
        }
    }
}

/// The categories in the order in which `ACL CAT` lists them.
pub(crate) const CATEGORIES: [&str; 21] = [
    "@keyspace",
    "@read",
    "@write",
    "@set",
    "@sortedset",
    "@list",
    "@hash",
    "@string",
    "@bitmap",
    "@hyperloglog",
    "@geo",
    "@stream",
    "@pubsub",
    "@admin",
    "@fast",
    "@slow",
    "@blocking",
    "@dangerous",
    "@connection",
    "@transaction",
    "@scripting",
];

fn has_spaces(text: &[u8]) -> bool {
    text.iter().any(|byte| byte.is_ascii_whitespace() || *byte == 0x0b || *byte == 0)
}

/// The command of a name, or the subcommand of `container|name`.
fn named(name: &[u8], version: Version) -> Option<&'static Command> {
    let Some(at) = name.iter().position(|byte| *byte == b'|') else { return command::by_name(name, version) };
    let container = command::by_name(&name[..at], version)?;
    container.subcommands_in(version).find(|row| row.name.as_bytes().eq_ignore_ascii_case(name))
}
