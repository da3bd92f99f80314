//! Connections: greeting, protocol, name.

use std::sync::Arc;

use bytes::Bytes;

use super::text;
use crate::{
    Access, Engine, Object, Protocol, Reply, SessionId,
    acl::{DEFAULT, Refusal},
    channels::Kind,
    command::{Command, Group, Run, flag::*},
    context::Context,
    failure::{self, Answer, Failure, NOT_AN_INTEGER, SYNTAX},
    number::parse_integer,
    session::{Replies, Session},
};

const fn row(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, flags, Group::Connection)
}

const AT_ANY_TIME: u32 = NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY;
const CLIENT: u32 = NOSCRIPT | LOADING | STALE;

pub(super) const COMMANDS: &[Command] = &[
    row("ping", ping, -1, FAST | SUBSCRIBED).tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    row("echo", echo, 2, LOADING | STALE | FAST),
    row("hello", hello, -1, AT_ANY_TIME),
    row("auth", auth, -2, AT_ANY_TIME),
    row("quit", quit, -1, AT_ANY_TIME | IMMEDIATE | SUBSCRIBED),
    row("reset", reset, 1, AT_ANY_TIME | IMMEDIATE | SUBSCRIBED),
    Command::new("client", client_id, -2, 0, Group::Server).subcommands(&[
        row("client|id", client_id, 2, CLIENT),
        row("client|list", client_list, -2, ADMIN | CLIENT).tips(&["nondeterministic_output"]),
        row("client|setname", client_setname, 3, CLIENT),
        row("client|getname", client_getname, 2, CLIENT),
        row("client|no-evict", client_no_evict, 3, ADMIN | CLIENT),
        row("client|reply", client_reply, 3, CLIENT),
        row("client|unblock", client_unblock, -3, ADMIN | CLIENT),
        row("client|info", client_info, 2, CLIENT).tips(&["nondeterministic_output"]),
    ]),
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
        (text("role"), text(if context.session().replica { "replica" } else { "master" })),
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
    let client = Bytes::from(describe(context.session(), "NULL").trim_end().to_owned());
    let refusal = Refusal { count: 1, reason, context: place, object, user, at_ms: context.now_ms(), client };
    let longest = context.engine.config.refusals();
    Arc::make_mut(&mut context.engine.acl).note(refusal, longest);
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
    if context.session().replies == Replies::Off {
        context.mute = false;
    }
    let greeted = context.engine.acl.greets_everybody();
    let session = context.session_mut();
    let Session { id, no_evict, replica, .. } = *session;
    *session = Session { no_evict, replica, ..Session::new(id, greeted) };
    Ok(Reply::Simple("RESET"))
}

fn set_name(context: &mut Context<'_>, name: &Bytes) -> Result<(), Failure> {
    if !name.iter().all(u8::is_ascii_graphic) {
        return Err(Failure::Constant("ERR Client names cannot contain spaces, newlines or special characters."));
    }
    context.touch_client();
    context.session_mut().name = name.clone();
    Ok(())
}

fn client_setname(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    set_name(context, &args[2]).map(|()| Reply::Simple("OK"))
}

fn client_getname(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    let name = &context.session().name;
    Ok(if name.is_empty() { Reply::Null } else { Reply::Bulk(name.clone()) })
}

fn client_id(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(Reply::Integer(context.session().id))
}

fn client_no_evict(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let no_evict = match args[2].to_ascii_lowercase().as_slice() {
        b"on" => true,
        b"off" => false,
        _ => return Err(SYNTAX),
    };
    context.touch_client();
    context.session_mut().no_evict = no_evict;
    Ok(Reply::Simple("OK"))
}

/// Inside a transaction it takes effect at once, amid the replies of `EXEC`.
fn client_reply(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let replies = context.session().replies;
    match args[2].to_ascii_lowercase().as_slice() {
        b"on" => {
            context.mute = false;
            context.session_mut().replies = Replies::On;
            return Ok(Reply::Simple("OK"));
        }
        b"off" => {
            context.mute = true;
            context.session_mut().replies = Replies::Off;
        }
        b"skip" if replies != Replies::Off => context.session_mut().replies = Replies::SkipNext,
        b"skip" => {}
        _ => return Err(SYNTAX),
    }
    Ok(Reply::NONE)
}

fn client_unblock(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let error = match &args[3..] {
        [] => false,
        [reason] if reason.eq_ignore_ascii_case(b"timeout") => false,
        [reason] if reason.eq_ignore_ascii_case(b"error") => true,
        [_] => return Err(Failure::Constant("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")),
        _ => return Err(failure::wrong_subcommand(args)),
    };
    let id = parse_integer(&args[2]).ok_or(NOT_AN_INTEGER)?;
    context.touch(Object::Server, Access::Read);
    let known = context.engine.sessions.iter().position(|session| session.open && session.id == id);
    let reply = error.then(|| Reply::Error(Bytes::from_static(b"UNBLOCKED client unblocked via CLIENT UNBLOCK")));
    let unblocked = known.is_some_and(|session| Engine::unblock(context, session, reply));
    Ok(Reply::Integer(i64::from(unblocked)))
}

/// One line of `CLIENT LIST`. Buffers, addresses and ages are the business of whoever owns the sockets: they are
/// constants here.
fn describe(session: &Session, command: &str) -> String {
    let subscriptions = &session.subscriptions;
    let marks = [
        (subscriptions.any(), 'P'),
        (session.transaction.is_some(), 'x'),
        (session.wait.is_some(), 'b'),
        (session.no_evict, 'e'),
    ];
    let mut flags: String = marks.iter().filter(|(set, _)| *set).map(|(_, mark)| mark).collect();
    if flags.is_empty() {
        flags.push('N');
    }
    let queued = session.transaction.as_ref().map_or(-1, |transaction| transaction.queue.len() as i64);
    let resp = if session.protocol == Protocol::Resp3 { 3 } else { 2 };
    format!(
        "id={} addr=127.0.0.1:0 laddr=127.0.0.1:6379 fd=8 name={} age=0 idle=0 flags={} db={} sub={} psub={} ssub={} \
         multi={} qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=1024 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r \
         cmd={} user={} redir=-1 resp={}\n",
        session.id,
        String::from_utf8_lossy(&session.name),
        flags,
        session.db,
        subscriptions.len(Kind::Channel),
        subscriptions.len(Kind::Pattern),
        subscriptions.len(Kind::Shard),
        queued,
        command,
        String::from_utf8_lossy(&session.user),
        resp,
    )
}

fn client_info(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(Reply::Verbatim(*b"txt", describe(context.session(), "client|info").into()))
}

fn client_list(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let mut shown: Option<Vec<i64>> = None;
    // Whether sessions in subscribed mode are meant, or the others.
    let mut subscribed = None;
    match &args[2..] {
        [] => {}
        [option, kind] if option.eq_ignore_ascii_case(b"type") => match kind.to_ascii_lowercase().as_slice() {
            b"normal" => subscribed = Some(false),
            b"pubsub" => subscribed = Some(true),
            b"master" | b"replica" | b"slave" => shown = Some(Vec::new()),
            _ => {
                let kind = String::from_utf8_lossy(kind);
                return Err(Failure::Text(format!("ERR Unknown client type '{kind}'")));
            }
        },
        [option, ids @ ..] if option.eq_ignore_ascii_case(b"id") && !ids.is_empty() => {
            let ids: Option<Vec<i64>> = ids.iter().map(|id| parse_integer(id).filter(|id| *id > 0)).collect();
            shown = Some(ids.ok_or(Failure::Constant("ERR Invalid client ID"))?);
        }
        _ => return Err(SYNTAX),
    }
    context.touch(Object::Server, Access::Read);
    let mut list = String::new();
    for (index, session) in context.engine.sessions.iter().enumerate() {
        let is_meant = shown.as_ref().is_none_or(|ids| ids.contains(&session.id))
            && subscribed.is_none_or(|subscribed| subscribed == session.subscriptions.any());
        if session.open && is_meant {
            list.push_str(&describe(session, if index == context.session { "client|list" } else { "NULL" }));
        }
    }
    Ok(Reply::Verbatim(*b"txt", list.into()))
}
