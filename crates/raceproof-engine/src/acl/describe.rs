//! Users as `ACL LIST` and `ACL GETUSER` show them.

use super::{READ, Selector, User, WRITE, everything, rules::CATEGORIES};
use crate::{Version, commands::introspection::categories};

/// `user name on nopass ~* &* +@all`
pub(crate) fn describe_user(name: &[u8], user: &User, version: Version) -> Vec<u8> {
    let mut words: Vec<Vec<u8>> = vec![b"user".to_vec(), name.to_vec()];
    words.extend(flags(user, version).into_iter().map(|flag| flag.as_bytes().to_vec()));
    words.extend(user.passwords.iter().map(|digest| format!("#{digest}").into_bytes()));
    words.push(describe(&user.root, version));
    for selector in &user.selectors {
        words.push([b"(", &describe(selector, version)[..], b")"].concat());
    }
    words.join(&b' ')
}

pub(crate) fn flags(user: &User, version: Version) -> Vec<&'static str> {
    let mut flags = vec![if user.on { "on" } else { "off" }];
    if user.nopass {
        flags.push("nopass");
    }
    match user.sanitize_payload {
        None if version < Version::V7_2 => {}
        None | Some(true) => flags.push("sanitize-payload"),
        Some(false) => flags.push("skip-sanitize-payload"),
    }
    flags
}

fn describe(selector: &Selector, version: Version) -> Vec<u8> {
    let mut words = Vec::new();
    let keys = describe_keys(selector);
    if !keys.is_empty() {
        words.push(keys);
    }
    if !selector.all_channels {
        words.push(b"resetchannels".to_vec());
    }
    let channels = describe_channels(selector);
    if !channels.is_empty() {
        words.push(channels);
    }
    words.push(describe_commands(selector, version).into_bytes());
    words.join(&b' ')
}

pub(crate) fn describe_keys(selector: &Selector) -> Vec<u8> {
    if selector.all_keys {
        return b"~*".to_vec();
    }
    let patterns = selector.keys.iter().map(|(pattern, uses)| {
        let sign: &[u8] = match *uses {
            READ => b"%R~",
            WRITE => b"%W~",
            _ => b"~",
        };
        [sign, pattern].concat()
    });
    patterns.collect::<Vec<_>>().join(&b' ')
}

pub(crate) fn describe_channels(selector: &Selector) -> Vec<u8> {
    if selector.all_channels {
        return b"&*".to_vec();
    }
    selector.channels.iter().map(|pattern| [b"&", &pattern[..]].concat()).collect::<Vec<_>>().join(&b' ')
}

/// Categories that come near to what is allowed, nearest first, then the commands that make the difference.
pub(crate) fn describe_commands(selector: &Selector, version: Version) -> String {
    let additive = !selector.from_all;
    let mut made = Selector::default();
    if !additive {
        made.allow_all_commands();
    }
    let mut words = vec![if additive { "-@all" } else { "+@all" }.to_owned()];
    let (sign, mut left) = (if additive { '+' } else { '-' }, selector.clone());
    let mut applied = Vec::new();
    while let Some(category) = best_category(&left, additive, &applied, version) {
        words.push(format!("{sign}{category}"));
        made.set_all(category, additive, version);
        left.set_all(category, !additive, version);
        applied.push(category);
    }
    for command in everything(version) {
        let allowed = selector.commands.contains(command.name);
        if allowed != made.commands.contains(command.name) {
            words.push(format!("{}{}", if allowed { '+' } else { '-' }, command.name));
            made.set(command, allowed);
        }
        for argument in selector.first_args.get(command.name).into_iter().flatten().filter(|_| !allowed) {
            words.push(format!("+{}|{}", command.name, String::from_utf8_lossy(argument)));
        }
    }
    words.join(" ")
}

/// The category of which most is right: the fewest commands that would have to be corrected, then the most that would not.
fn best_category(left: &Selector, additive: bool, applied: &[&str], version: Version) -> Option<&'static str> {
    let mut best: Option<(usize, usize, &'static str)> = None;
    for category in CATEGORIES.into_iter().filter(|category| !applied.contains(category)) {
        let of_it = || everything(version).filter(|command| categories(command).contains(&category));
        let on = of_it().filter(|command| left.commands.contains(command.name)).count();
        let off = of_it().count() - on;
        let (same, different) = if additive { (on, off) } else { (off, on) };
        let better = best.is_none_or(|(least, most, _)| different < least || (different == least && same > most));
        if same > different && better {
            best = Some((different, same, category));
        }
    }
    best.map(|(_, _, category)| category)
}
