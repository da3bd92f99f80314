//! From a command to its function: what is refused, what is queued, what is counted.

use bytes::Bytes;

use crate::{
    Access, Object, Reply,
    acl::{self, Denial},
    command::{self, Command, flag},
    commands::{connection::note_refusal, scripting, transaction},
    context::Context,
    failure::{Failure, READ_ONLY},
    session::Queued,
};

/// Refuses, queues or executes a command.
pub(crate) fn run(context: &mut Context<'_>, args: &[Bytes]) -> Reply {
    let command = match admitted(context, args) {
        Ok(command) => command,
        Err(failure) => {
            let reply = refuse(context, args, failure);
            touch_users(context);
            return reply;
        }
    };
    context.limit_tracking();
    if context.holds(command, args) {
        return Reply::Null;
    }
    if !command.has(flag::IMMEDIATE) && context.session().transaction.is_some() {
        let may_send_on = context.may_send_on(command, args);
        // What is refused in the end is not kept.
        if let Some(transaction) = context.session_mut().transaction.as_mut().filter(|transaction| !transaction.failed)
        {
            transaction.may_send_on |= may_send_on;
            transaction.queue.push(Queued { command, args: args.to_vec() });
        }
        context.touch_client();
        return Reply::Simple("QUEUED");
    }
    context.framed = !command.has(flag::ANY_KEYS);
    let reply = call(context, command, args);
    touch_users(context);
    reply
}

/// Whether a command is allowed depends on the users; others than this say so by what they touch, since who changes users
/// writes all of it.
fn touch_users(context: &mut Context<'_>) {
    if !context.footprint.ignores() && !context.footprint.iter().any(|(object, _)| is_of_server(object)) {
        context.touch(Object::Users, Access::IntentRead);
    }
}

/// Whether a change of users is declared as a write of an object.
fn is_of_server(object: &Object) -> bool {
    matches!(
        object,
        Object::Keyspace(_) | Object::Scripts | Object::Functions | Object::Random | Object::Users | Object::Server
    )
}

/// The command that is called, if it may be called now.
fn admitted(context: &mut Context<'_>, args: &[Bytes]) -> Result<&'static Command, Failure> {
    let command = command::resolve(args, context.engine.options.version)?;
    if !context.session().authenticated && !context.engine.acl.greets_everybody() && !command.has(flag::NO_AUTH) {
        context.touch(Object::Users, Access::Read);
        return Err(Failure::Constant("NOAUTH Authentication required."));
    }
    if command.has(flag::NO_MULTI) && context.session().transaction.is_some() {
        return Err(Failure::Constant("ERR Command not allowed inside a transaction"));
    }
    let place = if context.session().transaction.is_some() { "multi" } else { "toplevel" };
    match refused(context, command, args, place) {
        // A replica takes what its primary has, whatever its own limit to memory.
        None if !context.session().replica && is_out_of_memory(context, command, args) => Err(OUT_OF_MEMORY),
        None if command.has(flag::WRITE) && context.session().replica => Err(READ_ONLY),
        // In the subscribed mode of RESP2, messages could not be told from the replies of other commands.
        None if !command.has(flag::SUBSCRIBED) && context.session().is_confined() => {
            // With a limit to memory, room is made first.
            context.touch(Object::Users, Access::IntentRead);
            Err(Failure::Text(format!(
                "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in \
                 this context",
                command.name
            )))
        }
        // A client that monitors counts as a replica.
        None if context.session().monitors && touches_keys(context, command, args) => {
            Err(Failure::Constant("ERR Replica can't interact with the keyspace"))
        }
        None => Ok(command),
        Some(Denial::Command) => {
            Err(Failure::Text(format!("NOPERM this user has no permissions to run the '{}' command", command.name)))
        }
        Some(Denial::Key(_)) => {
            Err(Failure::Constant("NOPERM this user has no permissions to access one of the keys used as arguments"))
        }
        Some(Denial::Channel(_)) => Err(Failure::Constant(
            "NOPERM this user has no permissions to access one of the channels used as arguments",
        )),
    }
}

pub(crate) const OUT_OF_MEMORY: Failure = Failure::Constant("OOM command not allowed when used memory > 'maxmemory'.");

/// Makes room for a command, whatever it does. Tells whether it is refused since there is none. Between `MULTI` and `EXEC`
/// everything is, since what is queued takes memory as well.
fn is_out_of_memory(context: &mut Context<'_>, command: &'static Command, args: &[Bytes]) -> bool {
    if context.engine.config.memory_limit().is_none() {
        return false;
    }
    context.out_of_memory = !context.make_room();
    context.effects_before = context.effects.list.len();
    if !context.out_of_memory {
        return false;
    }
    // Whether it would be refused for another reason, and whether it is known not to grow.
    for (object, access) in
        [(Object::Users, Access::IntentRead), (Object::Scripts, Access::Read), (Object::Functions, Access::Read)]
    {
        context.touch(object, access);
    }
    match &context.session().transaction {
        None => grows(context, command, args),
        Some(transaction) if command.name == "exec" => {
            transaction.queue.iter().any(|queued| grows(context, queued.command, &queued.args))
        }
        Some(_) => command.name != "discard",
    }
}

/// Whether a command may take memory: a script that declares flags unless it says otherwise, if it is known.
fn grows(context: &Context<'_>, command: &'static Command, args: &[Bytes]) -> bool {
    scripting::declared(context, command, args).map_or(command.has(flag::DENYOOM), |declared| !declared.allows_oom)
}

/// Whether a command, or one that `EXEC` would execute, reads or writes keys or sends messages. A script that declares not to
/// write does neither, as far as anybody looks.
fn touches_keys(context: &mut Context<'_>, command: &'static Command, args: &[Bytes]) -> bool {
    let queued = context.session().transaction.as_ref().filter(|_| command.name == "exec");
    command.has(flag::READONLY)
        || queued.is_some_and(|queued| queued.queue.iter().any(|queued| queued.command.has(flag::READONLY)))
        || context.may_send_on(command, args)
}

/// Why the session's user may not run a command, which is noted in the log of refusals.
pub(crate) fn refused(
    context: &mut Context<'_>,
    command: &'static Command,
    args: &[Bytes],
    place: &'static str,
) -> Option<Denial> {
    let name = &context.session().user;
    if context.engine.acl.is_unlimited(name) {
        return None;
    }
    let denial = acl::denial(context.engine.acl.user(name)?, command, args)?;
    let (reason, object) = match denial {
        Denial::Command => ("command", Bytes::from_static(command.name.as_bytes())),
        Denial::Key(at) => ("key", args[at].clone()),
        Denial::Channel(at) => ("channel", args[at].clone()),
    };
    let user = name.clone();
    note_refusal(context, reason, place, object, user);
    Some(denial)
}

/// A command that is not executed; a transaction that it came in fails.
fn refuse(context: &mut Context<'_>, args: &[Bytes], failure: Failure) -> Reply {
    let reply = if args[0].eq_ignore_ascii_case(b"exec") {
        let reply = transaction::abort(context, failure);
        // Those who monitor have been told of `MULTI`.
        if let Some(exec) = command::find(args, context.engine.options.version) {
            context.tell_monitors_of(exec, args);
        }
        reply
    } else {
        if let Some(transaction) = &mut context.session_mut().transaction {
            transaction.failed = true;
        }
        failure.into_reply()
    };
    if let Some(statistics) = &mut context.engine.statistics {
        statistics.count_error(&reply);
        if let Some(command) = command::find(args, context.engine.options.version) {
            statistics.count_rejected(command.name);
        }
    }
    reply
}

/// Executes a command that was looked up and checked.
pub(crate) fn call(context: &mut Context<'_>, command: &'static Command, args: &[Bytes]) -> Reply {
    context.reads = command.has(flag::READONLY);
    let spares = context.engine.sessions.get(context.session).is_some_and(|session| session.no_touch);
    context.touches = !command.has(flag::NO_TOUCH) && (!spares || command.name == "touch");
    context.may_hide = !command.has(flag::WRITE);
    let tracks = context.engine.sessions.get(context.session).is_some_and(|session| session.tracking.is_some());
    if tracks && command.runs_script() {
        context.declared = context.tracked_keys(command, args);
    }
    let reply = if context.engine.statistics.is_some() {
        counted_call(context, command, args)
    } else {
        (command.run)(context, args).unwrap_or_else(Failure::into_reply)
    };
    context.show_hidden();
    context.tell_rest();
    context.tell_monitors(command, args);
    if tracks && command.has(flag::READONLY) && !command.runs_script() {
        context.remember_read(command, args);
    }
    reply
}

/// Commands that count as lookups although they may write.
const LOOKUPS: [&str; 3] = ["getdel", "getex", "getset"];

fn counted_call(context: &mut Context<'_>, command: &'static Command, args: &[Bytes]) -> Reply {
    let looks_up = command.has(flag::READONLY) || LOOKUPS.contains(&command.name);
    let outer = std::mem::replace(&mut context.counts_lookups, looks_up);
    context.script_error = None;
    let reply = (command.run)(context, args).unwrap_or_else(Failure::into_reply);
    context.counts_lookups = outer;
    // An error that a script passes on was counted when the script got it.
    let passed_on = match (&reply, context.script_error.take()) {
        (Reply::Error(text), Some(inner)) => text.starts_with(&inner),
        _ => false,
    };
    let logged = context.engine.config.logs_all() && !command.has(flag::SKIP_SLOWLOG);
    let (at_s, longest) = (context.now_ms().div_euclid(1000), context.engine.config.slow_entries());
    let client = logged.then(|| context.session().name.clone());
    let failed = matches!(reply, Reply::Error(_));
    if let Some(statistics) = &mut context.engine.statistics {
        statistics.count(command.name, failed);
        if !passed_on {
            statistics.count_error(&reply);
        }
        if let Some(client) = client {
            statistics.log(args, at_s, &client, longest);
        }
    }
    reply
}
