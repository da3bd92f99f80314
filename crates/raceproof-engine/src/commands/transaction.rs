//! `MULTI`, `EXEC` and optimistic locking.

use bytes::Bytes;

use crate::{
    Access, Object, Reply, Version,
    acl::Denial,
    command::{Command, Group, flag::*, keys},
    context::Context,
    db::Entry,
    dispatch,
    failure::{Answer, Failure},
    key::Key,
    session::Transaction,
};

const COMMON: u32 = NOSCRIPT | LOADING | STALE;

const fn row(name: &'static str, run: crate::command::Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, COMMON | flags, Group::Transaction)
}

pub(super) const COMMANDS: &[Command] = &[
    row("multi", multi, 1, FAST | ALLOW_BUSY | IMMEDIATE),
    row("exec", exec, 1, SKIP_SLOWLOG | IMMEDIATE),
    row("discard", discard, 1, FAST | ALLOW_BUSY | IMMEDIATE),
    row("watch", watch, -2, FAST | ALLOW_BUSY | IMMEDIATE).keys(&[keys(1, -1, 1, &["RO"])]),
    row("unwatch", unwatch, 1, FAST | ALLOW_BUSY),
];

fn multi(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    let transaction = &mut context.session_mut().transaction;
    if transaction.is_some() {
        return Err(Failure::Constant("ERR MULTI calls can not be nested"));
    }
    *transaction = Some(Transaction::default());
    context.touch_client();
    Ok(Reply::Simple("OK"))
}

fn discard(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    if context.session_mut().transaction.take().is_none() {
        return Err(Failure::Constant("ERR DISCARD without MULTI"));
    }
    context.touch_client();
    context.engine.unwatch(context.session);
    Ok(Reply::Simple("OK"))
}

/// An `EXEC` that is itself wrong ends the transaction, if there is one, and says so.
pub(crate) fn abort(context: &mut Context<'_>, why: Failure) -> Reply {
    context.touch_client();
    context.session_mut().transaction = None;
    context.engine.unwatch(context.session);
    let Reply::Error(why) = why.into_reply() else { return Reply::Null };
    let mut text = b"EXECABORT Transaction discarded because of: ".to_vec();
    text.extend_from_slice(why.strip_prefix(b"ERR ").unwrap_or(&why));
    Reply::Error(text.into())
}

/// Whether the queued commands run is decided by the watched keys, so all of them are read, and the clock with those
/// that can expire.
fn exec(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    let session = context.session;
    let Some(transaction) = context.session_mut().transaction.take() else {
        return Err(Failure::Constant("ERR EXEC without MULTI"));
    };
    context.touch_client();
    if transaction.failed {
        context.engine.unwatch(session);
        return Err(Failure::Constant("EXECABORT Transaction discarded because of previous errors."));
    }
    let touched = read_watched(context);
    context.engine.unwatch(session);
    if touched {
        return Ok(Reply::NullArray);
    }
    context.may_wait = false;
    let announced = !context.mute;
    context.session_mut().executing = Some(transaction.queue.len());
    let mut replies = Vec::with_capacity(transaction.queue.len());
    for queued in &transaction.queue {
        let sent = context.deliveries.len();
        let reply = match dispatch::refused(context, queued.command, &queued.args, "multi") {
            None => dispatch::call(context, queued.command, &queued.args),
            Some(denial) => no_longer_allowed(denial),
        };
        replies.push(among_messages(context, sent, reply));
        // Nothing comes after the reply with which the connection ends.
        context.mute |= context.close;
    }
    context.session_mut().executing = None;
    context.mute = false;
    if announced {
        return Ok(Reply::Array(replies));
    }
    replies.retain(|reply| *reply != Reply::NONE);
    Ok(Reply::Inline(replies))
}

/// A reply among the messages that its command has sent to its own session: Redis writes them where they arise, between
/// the elements of the reply of `EXEC`, although they are not counted there. While the session gets no replies
/// (`CLIENT REPLY`) there are only messages.
fn among_messages(context: &mut Context<'_>, sent: usize, reply: Reply) -> Reply {
    let before = context.replied.take().unwrap_or(context.deliveries.len());
    let reply = if context.mute { Reply::NONE } else { reply };
    let own = if context.deliveries.len() > sent { context.take_own(sent) } else { Vec::new() };
    if own.is_empty() {
        return reply;
    }
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for (at, message) in own {
        if at < before { &mut first } else { &mut last }.push(message);
    }
    if reply != Reply::NONE {
        first.push(reply);
    }
    first.append(&mut last);
    Reply::Inline(first)
}

/// The reply to a queued command that the user could run when it was queued.
fn no_longer_allowed(denial: Denial) -> Reply {
    let reason = match denial {
        Denial::Command => "no permission to execute the command or subcommand",
        Denial::Key(_) => "no permission to touch the specified keys",
        Denial::Channel(_) => "no permission to access one of the channels used as arguments to the command",
    };
    let text = format!(
        "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is \
         no longer allowed for the following reason: {reason}"
    );
    Reply::Error(text.into())
}

/// Whether a watched key was changed, or has expired since it was watched.
fn read_watched(context: &mut Context<'_>) -> bool {
    let watched = std::mem::take(&mut context.session_mut().watched);
    let mut touched = context.session().dirty;
    for known in &watched {
        let expired = look_at(context, known.db, &known.key);
        touched |= expired && !known.expired;
    }
    context.session_mut().watched = watched;
    touched
}

/// Reads a key without removing it, and tells whether it is there although its time is over.
fn look_at(context: &mut Context<'_>, db: u32, key: &Key) -> bool {
    context.touch(Object::Keyspace(db), Access::IntentRead);
    context.touch(Object::Key(db, key.name.clone()), Access::Read);
    let Some(deadline) = context.databases().entry(db, key).and_then(Entry::deadline) else { return false };
    context.read_clock();
    context.now_ms() > deadline
}

fn watch(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    if context.session().transaction.is_some() {
        return Err(Failure::Constant("ERR WATCH inside MULTI is not allowed"));
    }
    touch_watching(context);
    for name in &args[1..] {
        let key = Key::new(name);
        let expired = look_at(context, context.db, &key);
        context.engine.watch(context.session, context.db, key, expired);
    }
    Ok(Reply::Simple("OK"))
}

/// From Redis 7.4 on `CLIENT LIST` shows how many keys are watched.
fn touch_watching(context: &mut Context<'_>) {
    if context.engine.options.version >= Version::V7_4 {
        context.touch_client();
    }
}

/// Inside a transaction the watched keys were forgotten before its first command, so it does nothing there.
fn unwatch(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    touch_watching(context);
    context.engine.unwatch(context.session);
    Ok(Reply::Simple("OK"))
}
