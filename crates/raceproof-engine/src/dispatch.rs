//! From a command to its function: what is refused, what is queued, what is counted.

use bytes::Bytes;

use crate::{
    Access, Engine, Object, Reply,
    acl::{self, Denial},
    command::{self, Command, flag},
    commands::{connection::note_refusal, module, scripting, transaction},
    context::Context,
    failure::{Failure, READ_ONLY},
    monitor,
    session::Queued,
    statistics::Statistics,
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
    let resolved = command::resolve(args, context.engine.options.version);
    note_activity(context, args, resolved.as_ref().ok().copied());
    let command = resolved?;
    if command.has(flag::PROTECTED) {
        return Err(module::NOT_ALLOWED);
    }
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
        None if let Some(failure) = context.refused_write()
            && concerns(context, command, |command| command.has(flag::WRITE)) =>
        {
            Err(failure)
        }
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
        None if context.engine.primary.is_some()
            && !context.engine.config.serves_stale()
            && concerns(context, command, |command| !command.has(flag::STALE)) =>
        {
            Err(MASTER_DOWN)
        }
        None if !command.has(flag::ALLOW_BUSY)
            && let Some(busy) = &context.engine.busy =>
        {
            Err(busy.refusal())
        }
        // A client that monitors counts as a replica.
        None if (context.session().monitors || context.session().fed) && touches_keys(context, command, args) => {
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

const MASTER_DOWN: Failure =
    Failure::Constant("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.");

const NO_REPLICAS: Failure = Failure::Constant("NOREPLICAS Not enough good replicas to write.");

impl Context<'_> {
    /// Why nothing may be written, whatever it is.
    pub(crate) fn refused_write(&self) -> Option<Failure> {
        let wanted = self.engine.config.wanted_replicas();
        if wanted > 0 && self.engine.good_replicas() < wanted {
            return Some(NO_REPLICAS);
        }
        let is_replica = self.engine.primary.is_some() && self.engine.config.replica_read_only();
        (is_replica || self.session().replica).then_some(READ_ONLY)
    }
}

/// Whether something is so of a command, or of one that `EXEC` would execute.
fn concerns(context: &Context<'_>, command: &Command, is_so: impl Fn(&Command) -> bool) -> bool {
    let queued = context.session().transaction.as_ref().filter(|_| command.name == "exec");
    is_so(command) || queued.is_some_and(|queued| queued.queue.iter().any(|queued| is_so(queued.command)))
}

/// Remembers what the session has sent, for `CLIENT LIST`. A command with too few arguments counts.
fn note_activity(context: &mut Context<'_>, args: &[Bytes], resolved: Option<&'static Command>) {
    let (now, version) = (context.now, context.engine.options.version);
    if let Some(activity) = &mut context.session_mut().activity {
        activity.connected.get_or_insert(now);
        activity.last = now;
        activity.command = resolved.or_else(|| command::find(args, version)).map(|command| command.name);
    }
}

pub(crate) const OUT_OF_MEMORY: Failure = Failure::Constant("OOM command not allowed when used memory > 'maxmemory'.");

/// Makes room for a command, whatever it does. Tells whether it is refused since there is none. Between `MULTI` and `EXEC`
/// everything is, since what is queued takes memory as well.
fn is_out_of_memory(context: &mut Context<'_>, command: &'static Command, args: &[Bytes]) -> bool {
    if context.engine.config.memory_limit().is_none() || context.engine.busy.is_some() {
        return false;
    }
    context.out_of_memory = !context.make_room();
    // What was evicted is told before the reply, which may be of a new value.
    context.tell_pending();
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
    let before_us = context.took_us;
    let reply = (command.run)(context, args).unwrap_or_else(Failure::into_reply);
    context.counts_lookups = outer;
    let inner = context.script_error.take();
    let took_us = context.took_us - before_us;
    if let Some(statistics) = &mut context.engine.statistics {
        let failed = count_errors(statistics, &reply, inner.as_ref(), command.runs_script());
        statistics.count(command.name, failed, took_us);
    }
    // Who waits is logged when he has his reply.
    if context.session().wait.is_none() {
        log_slow(context, command, args, took_us);
    }
    reply
}

/// Counts the errors in a reply, of a script's those within arrays as well, and tells whether there are any. The one that a
/// script had from a command was counted when it got it.
fn count_errors(statistics: &mut Statistics, reply: &Reply, counted: Option<&Bytes>, nested: bool) -> bool {
    match reply {
        Reply::Error(text) => {
            if !counted.is_some_and(|counted| text.starts_with(counted)) {
                statistics.count_error(reply);
            }
            true
        }
        Reply::Array(items) | Reply::Set(items) if nested => {
            items.iter().filter(|item| count_errors(statistics, item, counted, true)).count() > 0
        }
        _ => false,
    }
}

/// Tells the slow log and the latency monitor how long a command took.
pub(crate) fn log_slow(context: &mut Context<'_>, command: &Command, args: &[Bytes], took_us: i64) {
    let (now, longest) = (context.now, context.engine.config.slow_entries());
    let kind = if command.has(flag::FAST) { "fast-command" } else { "command" };
    if took_us >= 1000 {
        context.engine.note_latency(kind, now, took_us / 1000);
    }
    if !context.engine.config.is_slow(took_us) || command.has(flag::SKIP_SLOWLOG) {
        return;
    }
    let Engine { sessions, statistics: Some(statistics), .. } = &mut *context.engine else { return };
    let Some(by) = sessions.get(context.session) else { return };
    let shown: Vec<Bytes> = monitor::shown(command.name, args);
    statistics.log(&shown, now.ms().div_euclid(1000), took_us, by, longest);
}
