//! Connections: greeting, protocol, name.

use std::sync::Arc;

use bytes::Bytes;

use super::{client::describe, text};
use crate::{
    Access, Object, Protocol, Reply, SessionId,
    acl::{DEFAULT, Refusal},
    command::{Command, Group, Run, flag::*},
    context::Context,
    failure::{self, Answer, Failure, SYNTAX},
    number::parse_integer,
    session::{Replies, Session},
};

const fn row(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, flags, Group::Connection)
}

const AT_ANY_TIME: u32 = NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY;

pub(super) const COMMANDS: &[Command] = &[
    row("ping", ping, -1, FAST | SUBSCRIBED).tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    row("echo", echo, 2, LOADING | STALE | FAST),
    row("hello", hello, -1, AT_ANY_TIME),
    row("auth", auth, -2, AT_ANY_TIME),
    row("quit", quit, -1, AT_ANY_TIME | IMMEDIATE | SUBSCRIBED),
    row("reset", reset, 1, AT_ANY_TIME | IMMEDIATE | SUBSCRIBED),
];

fn ping(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    match &args[1..] {
        // A client in subscribed mode expects messages only.
        [] | [_] if context.script.is_none() && context.session().is_confined() => {
            Ok(Reply::Array(vec![text("pong"), Reply::Bulk(args.get(1).cloned().unwrap_or_default())]))
        }
        [] => Ok(Reply::Simple("PONG")),
        [message] => Ok(Reply::Bulk(message.clone())),
        _ => Err(failure::wrong_arity("ping")),
    }
}

fn echo(_: &mut Context<'_>, args: &[Bytes]) -> Answer {
    Ok(Reply::Bulk(args[1].clone()))
}

fn hello(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let protocol = match args.get(1) {
        None => None,
        Some(version) => match parse_integer(version) {
            Some(2) => Some(Protocol::Resp2),
            Some(3) => Some(Protocol::Resp3),
            Some(_) => return Err(Failure::Constant("NOPROTO unsupported protocol version")),
            None => return Err(Failure::Constant("ERR Protocol version is not an integer or out of range")),
        },
    };
    let mut options = args.get(2..).unwrap_or_default();
    loop {
        options = match options {
            [] => break,
            [option, user, password, rest @ ..] if option.eq_ignore_ascii_case(b"auth") => {
                authenticate(context, user, password, &args[0])?;
                rest
            }
            [option, name, rest @ ..] if option.eq_ignore_ascii_case(b"setname") => {
                set_name(context, name)?;
                rest
            }
            [option, ..] => {
                let mut text = b"ERR Syntax error in HELLO option '".to_vec();
                text.extend_from_slice(failure::quoted(option, option.len()));
                text.push(b'\'');
                return Err(Failure::Bytes(text.into()));
            }
        };
    }
    if !context.session().authenticated {
        return Err(Failure::Constant(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> \
             option can be used to authenticate the client and select the RESP protocol version at the same time",
        ));
    }
    context.touch_client();
    let session = context.session_mut();
    if let Some(protocol) = protocol {
        session.protocol = protocol;
    }
    let version = match session.protocol {
        Protocol::Resp2 => 2,
        Protocol::Resp3 => 3,
    };
    Ok(Reply::Map(vec![
        (text("server"), text("redis")),
        (text("version"), text(super::server::version(context))),
        (text("proto"), Reply::Integer(version)),
        (text("id"), Reply::Integer(context.session().id)),
        (text("mode"), text("standalone")),
        (
            text("role"),
            text(if context.session().replica || context.engine.primary.is_some() { "replica" } else { "master" }),
        ),
        (text("modules"), Reply::Array(Vec::new())),
    ]))
}

/// Makes the session the user's, or notes that somebody tried.
fn authenticate(context: &mut Context<'_>, user: &Bytes, password: &[u8], command: &Bytes) -> Result<(), Failure> {
    context.touch(Object::Users, Access::Read);
    if !context.engine.acl.authenticates(user, password) {
        let multi = context.session().transaction.is_some() || !context.may_wait;
        note_refusal(context, "auth", if multi { "multi" } else { "toplevel" }, command.clone(), user.clone());
        return Err(Failure::Constant("WRONGPASS invalid username-password pair or user is disabled."));
    }
    context.touch_client();
    let session = context.session_mut();
    session.user = user.clone();
    session.authenticated = true;
    Ok(())
}

/// Puts a refusal into `ACL LOG`.
pub(crate) fn note_refusal(
    context: &mut Context<'_>,
    reason: &'static str,
    place: &'static str,
    object: Bytes,
    user: Bytes,
) {
    context.touch(Object::Users, Access::Write);
    context.read_clock();
    let version = context.engine.options.version;
    let client = describe(context.engine, context.session, None, context.now);
    let client = Bytes::from(client.trim_end().to_owned());
    let at_ms = context.now_ms();
    let refusal = Refusal { id: 0, count: 1, reason, context: place, object, user, at_ms, since_ms: at_ms, client };
    let longest = context.engine.config.refusals();
    Arc::make_mut(&mut context.engine.acl).note(refusal, longest, version);
}

fn auth(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (user, password) = match &args[1..] {
        [password] => {
            context.touch(Object::Users, Access::Read);
            if context.engine.acl.user(DEFAULT.as_bytes()).is_some_and(|user| user.nopass) {
                return Err(Failure::Constant(
                    "ERR AUTH <password> called without any password configured for the default user. Are you sure \
                     your configuration is correct?",
                ));
            }
            (Bytes::from_static(DEFAULT.as_bytes()), password)
        }
        [user, password] => (user.clone(), password),
        _ => return Err(SYNTAX),
    };
    authenticate(context, &user, password, &args[0]).map(|()| Reply::Simple("OK"))
}

fn quit(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    context.close = true;
    Ok(Reply::Simple("OK"))
}

fn reset(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    context.touch_client();
    context.engine.touch_disconnect(SessionId(context.session as u32), context.footprint);
    context.engine.unwatch(context.session);
    context.engine.unsubscribe_all(context.session);
    context.engine.stop_tracking(context.session);
    context.engine.stop_monitoring(context.session);
    if context.session().replies == Replies::Off {
        context.mute = false;
    }
    let greeted = context.engine.acl.greets_everybody();
    let session = context.session_mut();
    *session = Session {
        no_evict: session.no_evict,
        library: session.library.take(),
        addresses: session.addresses.take(),
        redirected: session.redirected,
        replica: session.replica,
        activity: session.activity.take(),
        ..Session::new(session.id, session.nth, greeted)
    };
    Ok(Reply::Simple("RESET"))
}

pub(super) fn set_name(context: &mut Context<'_>, name: &Bytes) -> Result<(), Failure> {
    if !name.iter().all(u8::is_ascii_graphic) {
        return Err(Failure::Constant("ERR Client names cannot contain spaces, newlines or special characters."));
    }
    context.touch_client();
    context.session_mut().name = name.clone();
    Ok(())
}
