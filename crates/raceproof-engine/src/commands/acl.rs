//! `ACL`: users and what they may do.

use std::sync::Arc;

use bytes::Bytes;

use super::{bulk, help, text};
use crate::{
    Access, Delivery, Object, Reply, SessionId, Version,
    acl::{self, CATEGORIES, DEFAULT, Denial, Refusal, Selector, User},
    channels::Kind,
    command::{self, Command, Group, Run, flag::*},
    context::Context,
    failure::{self, Answer, Failure, NOT_AN_INTEGER},
    number::parse_integer,
};

const fn row(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, LOADING | STALE | flags, Group::Server)
}

pub(super) const COMMANDS: &[Command] = &[Command::new("acl", super::monitoring::never, -2, 0, Group::Server)
    .subcommands(&[
        row("acl|cat", cat, -2, NOSCRIPT),
        row("acl|deluser", deluser, -3, ADMIN | NOSCRIPT),
        row("acl|dryrun", dryrun, -4, ADMIN | NOSCRIPT),
        row("acl|genpass", genpass, -2, NOSCRIPT),
        row("acl|getuser", getuser, 3, ADMIN | NOSCRIPT),
        row("acl|help", help::acl, 2, 0),
        row("acl|list", list, 2, ADMIN | NOSCRIPT),
        row("acl|load", no_file, 2, ADMIN | NOSCRIPT),
        row("acl|log", log, -2, ADMIN | NOSCRIPT),
        row("acl|save", no_file, 2, ADMIN | NOSCRIPT),
        row("acl|setuser", setuser, -3, ADMIN | NOSCRIPT),
        row("acl|users", users, 2, ADMIN | NOSCRIPT),
        row("acl|whoami", whoami, 2, NOSCRIPT),
    ])];

/// Rules decide on whatever any command does: all that commands read is declared as written. (`Object::Users` is what those
/// read that read nothing else.)
fn write_users(context: &mut Context<'_>) {
    context.engine.touch_everything(context.footprint);
}

fn read_users(context: &mut Context<'_>) {
    context.touch(Object::Users, Access::Read);
}

fn whoami(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(bulk(&context.session().user))
}

fn users(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    read_users(context);
    Ok(Reply::Array(context.engine.acl.users().map(|(name, _)| bulk(name)).collect()))
}

fn list(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    read_users(context);
    let version = context.engine.options.version;
    let lines = context.engine.acl.users().map(|(name, user)| acl::describe_user(name, user, version));
    Ok(Reply::Array(lines.map(|line| Reply::Bulk(line.into())).collect()))
}

fn setuser(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let name = &args[2];
    if name.iter().any(|byte| byte.is_ascii_whitespace() || *byte == 0x0b || *byte == 0) {
        return Err(Failure::Constant("ERR Usernames can't contain spaces or null characters"));
    }
    let rules = acl::merge_selectors(&args[3..])
        .map_err(|start| Failure::quoting("ERR Unmatched parenthesis in acl selector starting at '", &start, "'."))?;
    let mut user = context.engine.acl.user(name).cloned().unwrap_or_else(User::new);
    for rule in &rules {
        acl::change(&mut user, rule, context.engine.options.version)
            .map_err(|reason| Failure::quoting("ERR Error in ACL SETUSER modifier '", rule, &format!("': {reason}")))?;
    }
    write_users(context);
    close_deprived(context, name, &user);
    Arc::make_mut(&mut context.engine.acl).set(name.clone(), user);
    Ok(Reply::Simple("OK"))
}

/// Closes the connections of a user that have subscribed to something which the user's new rules do not allow.
fn close_deprived(context: &mut Context<'_>, name: &Bytes, user: &User) {
    if context.engine.acl.user(name).is_none() || user.allows_all_channels() {
        return;
    }
    for index in 0..context.engine.sessions.len() {
        let session = &context.engine.sessions[index];
        let allowed =
            |kind| session.subscriptions.list(kind).iter().all(|name| user.allows_channel(name, kind == Kind::Pattern));
        if !session.open || session.user != name || [Kind::Channel, Kind::Pattern, Kind::Shard].into_iter().all(allowed)
        {
            continue;
        }
        if index == context.session {
            context.close = true;
        } else {
            context.deliveries.push(Delivery::Close(SessionId(index as u32)));
        }
    }
}

/// The connections of a removed user are closed.
fn deluser(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    if args[2..].iter().any(|name| name == DEFAULT) {
        return Err(Failure::Constant("ERR The 'default' user cannot be removed"));
    }
    write_users(context);
    let mut removed = 0;
    for name in &args[2..] {
        if !Arc::make_mut(&mut context.engine.acl).remove(name) {
            continue;
        }
        removed += 1;
        for index in 0..context.engine.sessions.len() {
            let session = &context.engine.sessions[index];
            if !session.open || session.user != name {
                continue;
            }
            if index == context.session {
                context.close = true;
            } else {
                context.deliveries.push(Delivery::Close(SessionId(index as u32)));
            }
        }
    }
    Ok(Reply::Integer(removed))
}

fn getuser(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    read_users(context);
    let version = context.engine.options.version;
    let Some(user) = context.engine.acl.user(&args[2]) else { return Ok(Reply::Null) };
    let rules = |selector: &Selector| {
        vec![
            (text("commands"), Reply::Bulk(acl::describe_commands(selector, version).into())),
            (text("keys"), Reply::Bulk(acl::describe_keys(selector).into())),
            (text("channels"), Reply::Bulk(acl::describe_channels(selector).into())),
        ]
    };
    let passwords = user.passwords.iter().map(|digest| Reply::Bulk(digest.clone().into()));
    let mut parts = vec![
        (text("flags"), Reply::Set(acl::flags(user, version).into_iter().map(text).collect())),
        (text("passwords"), Reply::Array(passwords.collect())),
    ];
    parts.extend(rules(&user.root));
    let selectors = user.selectors.iter().map(|selector| Reply::Map(rules(selector)));
    parts.push((text("selectors"), Reply::Array(selectors.collect())));
    Ok(Reply::Map(parts))
}

fn cat(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    match &args[2..] {
        [] => Ok(Reply::Array(CATEGORIES.iter().map(|name| text(&name[1..])).collect())),
        [name] => {
            let known = CATEGORIES.into_iter().find(|known| known.as_bytes()[1..].eq_ignore_ascii_case(name));
            let Some(category) = known else { return Err(Failure::quoting("ERR Unknown category '", name, "'")) };
            let of_it = acl::everything(context.engine.options.version)
                .filter(|command| super::introspection::categories(command).contains(&category));
            Ok(Reply::Array(of_it.map(|command| text(command.name)).collect()))
        }
        _ => Err(failure::wrong_subcommand(args)),
    }
}

fn dryrun(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    read_users(context);
    let Some(user) = context.engine.acl.user(&args[2]) else {
        return Err(Failure::quoting("ERR User '", &args[2], "' not found"));
    };
    let call = &args[3..];
    let Some(command) = command::find(call, context.engine.options.version) else {
        return Err(Failure::quoting("ERR Command '", &call[0], "' not found"));
    };
    if !command.accepts(call.len()) {
        return Err(failure::wrong_arity(command.name));
    }
    let later = context.engine.options.version >= Version::V7_2;
    // Redis formats it as C does, so that a name ends with its first NUL.
    let told = |what: &str, name: &[u8]| {
        let shown = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let who = if later { [b"User ", &args[2][..]].concat() } else { b"This user".to_vec() };
        [&who, &b" has no permissions to "[..], what.as_bytes(), b" the '", shown].concat()
    };
    let text = match acl::denial(user, command, call) {
        None => return Ok(Reply::Simple("OK")),
        Some(Denial::Command) => [told("run", command.name.as_bytes()), b"' command".to_vec()].concat(),
        Some(Denial::Key(at)) => [told("access", &call[at]), b"' key".to_vec()].concat(),
        Some(Denial::Channel(at)) => [told("access", &call[at]), b"' channel".to_vec()].concat(),
    };
    Ok(Reply::Bulk(text.into()))
}

fn genpass(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let bits = match &args[2..] {
        [] => 256,
        [bits] => parse_integer(bits).ok_or(NOT_AN_INTEGER)?,
        _ => return Err(failure::wrong_subcommand(args)),
    };
    if !(1..=4096).contains(&bits) {
        return Err(Failure::Constant(
            "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096",
        ));
    }
    context.touch(Object::Random, Access::Write);
    let random = &mut context.engine.random;
    let digits: String = (0..(bits + 3) / 4).map(|_| char::from(b"0123456789abcdef"[random.below(16)])).collect();
    Ok(Reply::Bulk(digits.into()))
}

fn no_file(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Err(Failure::Constant(
        "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER \
         command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store \
         users in the Redis configuration.",
    ))
}

fn log(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let count = match &args[2..] {
        [] => 10,
        [word] if word.eq_ignore_ascii_case(b"reset") => {
            context.touch(Object::Users, Access::Write);
            Arc::make_mut(&mut context.engine.acl).log.clear();
            return Ok(Reply::Simple("OK"));
        }
        [count] => parse_integer(count).ok_or(NOT_AN_INTEGER)?,
        _ => return Err(failure::wrong_subcommand(args)),
    };
    read_users(context);
    context.read_clock();
    let count = usize::try_from(count).unwrap_or_default();
    let now_ms = context.now_ms();
    let version = context.engine.options.version;
    let shown = context.engine.acl.log.iter().take(count).map(|refusal| describe(refusal, now_ms, version));
    Ok(Reply::Array(shown.collect()))
}

fn describe(refusal: &Refusal, now_ms: i64, version: Version) -> Reply {
    let mut pairs = vec![
        (text("count"), Reply::Integer(refusal.count)),
        (text("reason"), text(refusal.reason)),
        (text("context"), text(refusal.context)),
        (text("object"), bulk(&refusal.object)),
        (text("username"), bulk(&refusal.user)),
        (text("age-seconds"), Reply::Double((now_ms - refusal.at_ms) as f64 / 1000.0)),
        (text("client-info"), bulk(&refusal.client)),
    ];
    if version >= Version::V7_2 {
        pairs.extend([
            (text("entry-id"), Reply::Integer(refusal.id)),
            (text("timestamp-created"), Reply::Integer(refusal.since_ms)),
            (text("timestamp-last-updated"), Reply::Integer(refusal.at_ms)),
        ]);
    }
    Reply::Map(pairs)
}
