//! `CLIENT`: what a connection asks of itself, and of the others.

use bytes::Bytes;

use super::{client_tracking as tracking, connection::set_name};
use crate::{
    Access, Engine, Object, Protocol, Reply, SessionId, Timestamp, Version,
    channels::Kind,
    command::{self, Command, Group, Run, flag::*},
    context::Context,
    failure::{self, Answer, Failure, NOT_AN_INTEGER, SYNTAX},
    number::parse_integer,
    pause::Pause,
    process::Buffers,
    session::{ClientLibrary, Replies, Session},
    tracking::Mode,
};

const COMMON: u32 = NOSCRIPT | LOADING | STALE;

const fn row(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, COMMON | flags, Group::Connection)
}

pub(super) const COMMANDS: &[Command] = &[
    Command::new("client", id, -2, 0, Group::Server).subcommands(&[
        row("client|caching", tracking::caching, 3, 0),
        row("client|getname", getname, 2, 0),
        row("client|getredir", tracking::getredir, 2, 0),
        Command::new("client|help", super::help::client, 2, LOADING | STALE, Group::Connection),
        row("client|id", id, 2, 0),
        row("client|info", info, 2, 0).tips(&["nondeterministic_output"]),
        row("client|kill", super::client_kill::kill, -3, ADMIN),
        row("client|list", list, -2, ADMIN).tips(&["nondeterministic_output"]),
        row("client|no-evict", no_evict, 3, ADMIN),
        row("client|no-touch", no_touch, 3, 0).since(Version::V7_2),
        row("client|pause", pause, -3, ADMIN),
        row("client|reply", reply, 3, 0),
        row("client|setinfo", setinfo, 4, 0).since(Version::V7_2),
        row("client|setname", setname, 3, 0),
        row("client|tracking", tracking::tracking, -3, 0),
        row("client|trackinginfo", tracking::trackinginfo, 2, 0),
        row("client|unblock", unblock, -3, ADMIN),
        row("client|unpause", unpause, 2, ADMIN),
    ]),
    Command::new("monitor", monitor, 1, ADMIN | COMMON, Group::Server),
];

/// After any other command than these, outside of transactions, `CLIENT CACHING` has had its effect.
pub(crate) fn end_caching(engine: &mut Engine, session: usize, args: &[Bytes]) {
    let version = engine.options.version;
    let session = &mut engine.sessions[session];
    if let Some(tracking) = session.tracking.as_mut().filter(|tracking| tracking.caching)
        && session.transaction.is_none()
    {
        tracking.caching = command::find(args, version).is_some_and(|command| command.name.starts_with("client|"));
    }
}

/// Whoever monitors already gets no reply.
fn monitor(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    if !context.may_wait {
        return Err(Failure::Constant("ERR MONITOR isn't allowed for DENY BLOCKING client"));
    }
    if context.session().monitors {
        return Ok(Reply::NONE);
    }
    // From now on every command sends it something.
    context.engine.touch_everything(context.footprint);
    context.session_mut().monitors = true;
    context.engine.monitors += 1;
    Ok(Reply::Simple("OK"))
}

fn setname(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    set_name(context, &args[2]).map(|()| Reply::Simple("OK"))
}

fn getname(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    let name = &context.session().name;
    Ok(if name.is_empty() { Reply::Null } else { Reply::Bulk(name.clone()) })
}

fn id(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(Reply::Integer(context.session().id))
}

fn no_evict(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let no_evict = match args[2].to_ascii_lowercase().as_slice() {
        b"on" => true,
        b"off" => false,
        _ => return Err(SYNTAX),
    };
    context.touch_client();
    context.session_mut().no_evict = no_evict;
    Ok(Reply::Simple("OK"))
}

fn no_touch(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let no_touch = match args[2].to_ascii_lowercase().as_slice() {
        b"on" => true,
        b"off" => false,
        _ => return Err(SYNTAX),
    };
    context.touch_client();
    context.session_mut().no_touch = no_touch;
    Ok(Reply::Simple("OK"))
}

fn setinfo(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let is_name = args[2].eq_ignore_ascii_case(b"lib-name");
    if !is_name && !args[2].eq_ignore_ascii_case(b"lib-ver") {
        return Err(Failure::quoting("ERR Unrecognized option '", &args[2], "'"));
    }
    if !args[3].iter().all(u8::is_ascii_graphic) {
        return Err(Failure::quoting("ERR ", &args[2], " cannot contain spaces, newlines or special characters."));
    }
    context.touch_client();
    let library = context.session_mut().library.get_or_insert_default();
    *(if is_name { &mut library.name } else { &mut library.version }) = args[3].clone();
    Ok(Reply::Simple("OK"))
}

/// Inside a transaction it takes effect at once, amid the replies of `EXEC`.
fn reply(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
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

fn unblock(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
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

/// A pause to a moment beyond the end of time is over at once, as one of 0 ms is: Redis adds without looking.
fn pause(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let all = match args.get(3) {
        Some(_) if args.len() > 4 => return Err(failure::wrong_subcommand(args)),
        Some(kind) if kind.eq_ignore_ascii_case(b"write") => false,
        Some(kind) if !kind.eq_ignore_ascii_case(b"all") => {
            return Err(Failure::Constant("ERR CLIENT PAUSE mode must be WRITE or ALL"));
        }
        _ => true,
    };
    let last_ms = match parse_integer(&args[2]) {
        None => return Err(Failure::Constant("ERR timeout is not an integer or out of range")),
        Some(..0) => return Err(Failure::Constant("ERR timeout is negative")),
        Some(0) => 0,
        Some(ms) => ms.wrapping_add(context.now_ms()),
    };
    context.pause(Pause { all, last_ms });
    Ok(Reply::Simple("OK"))
}

fn unpause(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    context.unpause();
    Ok(Reply::Simple("OK"))
}

/// The name of the command that is being executed for a session, and its arguments.
pub(super) type Running<'a> = (&'static str, &'a [Bytes]);

/// One line of `CLIENT LIST`. What is known of the commands of a session is there where statistics are kept, but for the
/// one that is being executed for it. Buffers are the business of whoever owns the sockets: they are constants where he has not told.
pub(super) fn describe(engine: &Engine, index: usize, running: Option<Running<'_>>, now: Timestamp) -> String {
    let (session, version) = (&engine.sessions[index], engine.options.version);
    let activity = session.activity.as_deref();
    let command = match activity {
        Some(activity) => activity.command,
        None => running.map(|(name, _)| name),
    };
    let command = command.unwrap_or("NULL");
    // A clock that was set back makes nobody younger than nothing.
    let seconds = |at: Timestamp| at.ms().div_euclid(1_000);
    let passed = |since: Option<Timestamp>| since.map_or(0, |since| (seconds(now) - seconds(since)).max(0));
    let (query, arguments) = match running {
        // Whoever waits keeps its arguments until then.
        None => (0, session.wait.as_ref().map_or(0, |wait| wait.args.iter().map(Bytes::len).sum())),
        // What is shown in a transaction is the `EXEC`.
        Some(_) if session.executing.is_some() => sizes([4]),
        Some((_, args)) => sizes(args.iter().map(Bytes::len)),
    };
    let buffers = engine.process.as_ref().and_then(|process| process.buffers_of(index));
    let (query, arguments) = match &buffers {
        Some(buffers) if running.is_none() => (buffers.input, arguments.max(buffers.arguments)),
        _ => (query, arguments),
    };
    let count = match running {
        None => 0,
        Some(_) if session.executing.is_some() => 1,
        Some((_, args)) => args.len(),
    };
    let queued_memory = if buffers.is_some() { queued_memory(session) } else { 0 };
    let told = buffers.is_some();
    let buffers = buffers.unwrap_or(CONSTANT);
    let room = buffers.input_room.max(query);
    let total = if told { total_memory(&buffers, room, arguments + 8 * count) + session_memory(session) } else { 0 };
    let subscriptions = &session.subscriptions;
    let marks = [
        (session.monitors, 'O'),
        (session.fed, 'S'),
        (subscriptions.any(), 'P'),
        (session.transaction.is_some() || session.executing.is_some(), 'x'),
        (session.wait.is_some() || session.held.is_some(), 'b'),
        (session.tracking.is_some(), 't'),
        (session.tracking.as_ref().is_some_and(|tracking| tracking.broken), 'R'),
        (session.tracking.as_ref().is_some_and(|tracking| tracking.mode == Mode::Broadcast), 'B'),
        // Who changed a watched key is not in the footprint of whoever asks.
        (activity.is_some() && session.dirty, 'd'),
        (session.addresses.as_ref().is_some_and(|addresses| addresses.peer.ends_with(b":0")), 'U'),
        (session.no_evict, 'e'),
        (session.no_touch, 'T'),
    ];
    let mut flags: String = marks.iter().filter(|(set, _)| *set).map(|(_, mark)| mark).collect();
    if flags.is_empty() {
        flags.push('N');
    }
    let queued = session.transaction.as_ref().map(|transaction| transaction.queue.len()).or(session.executing);
    let queued = queued.map_or(-1, |queued| queued as i64);
    let resp = if session.protocol == Protocol::Resp3 { 3 } else { 2 };
    // Later versions say more, each in its place.
    let watching = if version < Version::V7_4 { String::new() } else { format!(" watch={}", session.watched.len()) };
    let library = session.library.as_deref();
    let library = if version < Version::V7_2 {
        String::new()
    } else {
        let said =
            |text: fn(&ClientLibrary) -> &Bytes| library.map_or_else(Bytes::new, |library| text(library).clone());
        let (name, number) = (said(|library| &library.name), said(|library| &library.version));
        format!(" lib-name={} lib-ver={}", String::from_utf8_lossy(&name), String::from_utf8_lossy(&number))
    };
    let thread = if version < Version::V8_0 { "" } else { " io-thread=0" };
    format!(
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} \
         multi={}{} qbuf={} qbuf-free={} argv-mem={} multi-mem={} rbs={} rbp={} obl={} oll={} omem={} tot-mem={} events={} \
         cmd={} user={} redir={} resp={}{}{}\n",
        session.id,
        String::from_utf8_lossy(session.peer()),
        String::from_utf8_lossy(session.local()),
        buffers.file,
        String::from_utf8_lossy(&session.name),
        passed(activity.and_then(|activity| activity.connected)),
        passed(activity.map(|activity| activity.last)),
        flags,
        session.db,
        subscriptions.len(Kind::Channel),
        subscriptions.len(Kind::Pattern),
        subscriptions.len(Kind::Shard),
        queued,
        watching,
        query,
        if told { room - query } else { 0 },
        arguments,
        queued_memory,
        buffers.reply_buffer,
        buffers.reply_peak,
        buffers.output,
        buffers.output_blocks,
        buffers.output_memory,
        total,
        if buffers.awaits_room { "rw" } else { "r" },
        command,
        String::from_utf8_lossy(&session.user),
        if session.tracking.is_some() { session.redirect } else { -1 },
        resp,
        library,
        thread,
    )
}

/// What is shown of a connection of which nobody has said anything.
const CONSTANT: Buffers = Buffers {
    file: 8,
    input: 0,
    input_room: 0,
    arguments: 0,
    reply_buffer: 1024,
    reply_peak: 0,
    output: 0,
    output_blocks: 0,
    output_memory: 0,
    awaits_room: false,
};

/// What Redis's allocator gives for a client without buffers.
const CLIENT: usize = 776;

/// What a connection takes in a Redis: its client, its buffers, and `arguments` bytes of the command that is there.
fn total_memory(buffers: &Buffers, room: usize, arguments: usize) -> usize {
    CLIENT + buffers.reply_buffer + room + buffers.output_memory + arguments
}

/// The arguments of the commands that wait for `EXEC`, and the pointers to them.
fn queued_memory(session: &Session) -> usize {
    let of = |args: &[Bytes]| args.iter().map(|arg| arg.len() + 8).sum::<usize>();
    session.transaction.as_ref().map_or(0, |transaction| transaction.queue.iter().map(|queued| of(&queued.args)).sum())
}

/// What a session takes beside its connection's buffers: the queue of its transaction, the keys that it watches, what it has subscribed to,
/// the prefixes that it tracks.
fn session_memory(session: &Session) -> usize {
    /// A command that is queued, an entry of a list and its element, an entry of a table.
    const QUEUED: usize = 24;
    const WATCHED: usize = 24 + 40;
    const SUBSCRIBED: usize = 24 + 16;
    let queued = session.transaction.as_ref().map_or(0, |transaction| transaction.queue.len());
    let subscriptions = &session.subscriptions;
    let names = [Kind::Channel, Kind::Pattern, Kind::Shard].map(|kind| subscriptions.len(kind));
    let prefixes =
        session.tracking.as_ref().map_or(0, |tracking| tracking.prefixes.iter().map(|prefix| prefix.len() + 24).sum());
    queued_memory(session)
        + queued * QUEUED
        + session.watched.iter().map(|watched| watched.key.name.len() + WATCHED).sum::<usize>()
        + names.iter().sum::<usize>() * SUBSCRIBED
        + prefixes
}

impl Engine {
    /// What a session takes in a Redis, buffers included, as [`Self::process_mut`] was told; and whether `CLIENT NO-EVICT` spares it.
    /// `None` if there is no such session, or it was not told.
    #[must_use]
    pub fn client_memory(&self, session: SessionId) -> Option<(usize, bool)> {
        let state = self.sessions.get(session.0 as usize).filter(|session| session.open)?;
        let buffers = self.process.as_ref()?.buffers_of(session.0 as usize)?;
        let total = total_memory(&buffers, buffers.input_room.max(buffers.input), buffers.arguments);
        Some((total + session_memory(state), state.no_evict))
    }
}

/// The bytes that a command takes in the protocol, and those of its arguments alone.
fn sizes(lens: impl IntoIterator<Item = usize>) -> (usize, usize) {
    let digits = |number: usize| number.checked_ilog10().unwrap_or(0) as usize + 1;
    let (mut count, mut query, mut arguments) = (0, 0, 0);
    for len in lens {
        count += 1;
        query += "$\r\n\r\n".len() + digits(len) + len;
        arguments += len;
    }
    (query + "*\r\n".len() + digits(count), arguments)
}

fn info(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let line = describe(context.engine, context.session, Some(("client|info", args)), context.now);
    Ok(Reply::Verbatim(*b"txt", line.into()))
}

fn list(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let mut shown: Option<Vec<i64>> = None;
    // Whether sessions in subscribed mode are meant, or the others.
    let mut subscribed = None;
    let mut fed = false;
    match &args[2..] {
        [] => {}
        [option, kind] if option.eq_ignore_ascii_case(b"type") => match kind.to_ascii_lowercase().as_slice() {
            b"normal" => subscribed = Some(false),
            b"pubsub" => subscribed = Some(true),
            b"replica" | b"slave" => fed = true,
            b"master" => shown = Some(Vec::new()),
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
    let mut meant = Vec::new();
    let now = context.now;
    for (index, session) in context.engine.sessions.iter().enumerate() {
        let is_meant = shown.as_ref().is_none_or(|ids| ids.contains(&session.id))
            && subscribed.is_none_or(|subscribed| !session.fed && subscribed == session.subscriptions.any())
            && (!fed || session.fed);
        if session.open && is_meant {
            meant.push((session.nth, index, (index == context.session).then_some(("client|list", args))));
        }
    }
    // A session may have the place of one that was closed, and a number of the caller's choice.
    meant.sort_unstable_by_key(|(nth, _, _)| *nth);
    let line = |(_, index, running)| describe(context.engine, index, running, now);
    let list: String = meant.into_iter().map(line).collect();
    Ok(Reply::Verbatim(*b"txt", list.into()))
}
