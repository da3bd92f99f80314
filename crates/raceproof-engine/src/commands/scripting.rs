//! Scripts: what surrounds the Lua that a [`ScriptHost`](crate::ScriptHost) runs.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    Access, Engine, FunctionFlags, Object, Protocol, Reply, Script, ScriptCalls, ScriptHost, Version,
    acl::{self, Denial},
    busy::{self, Busy},
    command::{self, Command, FindKeys, Group, KeySpec, Run, flag::*},
    context::{Context, RunningScript},
    dispatch,
    failure::{Answer, Failure, NO_SCRIPT, NOT_AN_INTEGER},
    number::parse_integer,
    scripts::{CachedScript, Flags},
};

const RW: &[&str] = &["RW", "access", "update"];
const RO: &[&str] = &["RO", "access"];

const fn counted(flags: &'static [&'static str], notes: Option<&'static str>) -> KeySpec {
    KeySpec { begin: 2, find: FindKeys::Count { step: 1 }, flags, notes }
}

pub(super) const CALL_KEYS: &[KeySpec] =
    &[counted(RW, Some("We cannot tell how the keys will be used so we assume the worst, RW and UPDATE"))];
pub(super) const CALL_RO_KEYS: &[KeySpec] =
    &[counted(RO, Some("We cannot tell how the keys will be used so we assume the worst, RO and ACCESS"))];

/// A command that runs a script or a function.
pub(super) const fn call_row(name: &'static str, run: Run, flags: u32) -> Command {
    let common = NOSCRIPT | STALE | SKIP_MONITOR | NO_MANDATORY_KEYS | MOVABLE_KEYS;
    Command::new(name, run, -3, common | flags, Group::Scripting)
}

const fn row(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, flags, Group::Scripting)
}

pub(super) const COMMANDS: &[Command] = &[
    call_row("eval", |context, args| eval(context, args, false), 0).keys(CALL_KEYS),
    call_row("eval_ro", |context, args| eval(context, args, true), READONLY).keys(CALL_RO_KEYS),
    call_row("evalsha", |context, args| evalsha(context, args, false), 0).keys(&[counted(RW, None)]),
    call_row("evalsha_ro", |context, args| evalsha(context, args, true), READONLY).keys(&[counted(RO, None)]),
    Command::new("script", load, -2, 0, Group::Server).subcommands(&[
        row("script|load", load, 3, NOSCRIPT | STALE)
            .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
        row("script|exists", exists, -3, NOSCRIPT)
            .tips(&["request_policy:all_shards", "response_policy:agg_logical_and"]),
        row("script|flush", flush, -2, NOSCRIPT).tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
        row("script|kill", kill, 2, NOSCRIPT | ALLOW_BUSY)
            .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
        row("script|debug", debug, 3, NOSCRIPT),
        row("script|help", super::help::script, 2, LOADING | STALE),
    ]),
];

/// The number of keys among the arguments.
fn key_count(args: &[Bytes]) -> Result<usize, Failure> {
    checked_key_count(parse_integer(&args[2]).ok_or(NOT_AN_INTEGER)?, args.len())
}

/// A number of keys that the arguments, name and script included, can hold.
pub(super) fn checked_key_count(count: i64, args: usize) -> Result<usize, Failure> {
    if count > args as i64 - 3 {
        return Err(Failure::Constant("ERR Number of keys can't be greater than number of args"));
    }
    usize::try_from(count).map_err(|_| Failure::Constant("ERR Number of keys can't be negative"))
}

/// Those who monitor are told of a script before its commands.
pub(super) fn tell_monitors(context: &mut Context<'_>, args: &[Bytes]) {
    if let Some(command) = command::find(args, context.engine.options.version) {
        context.tell_monitors_of(command, args);
    }
}

fn eval(context: &mut Context<'_>, args: &[Bytes], read_only: bool) -> Answer {
    tell_monitors(context, args);
    let keys = key_count(args)?;
    let (sha1, script) = cached(context, &args[1])?;
    run(context, &sha1, &script, args, keys, read_only)
}

fn evalsha(context: &mut Context<'_>, args: &[Bytes], read_only: bool) -> Answer {
    tell_monitors(context, args);
    if args[1].len() != 40 {
        return Err(NO_SCRIPT);
    }
    let keys = key_count(args)?;
    let sha1 = String::from_utf8_lossy(&args[1]).to_ascii_lowercase();
    context.touch(Object::Scripts, Access::Read);
    let script = context.engine.scripts.get(sha1.as_bytes()).cloned().ok_or(NO_SCRIPT)?;
    run(context, &sha1, &script, args, keys, read_only)
}

/// The script of a source, compiled and put into the cache if it was not there.
fn cached(context: &mut Context<'_>, source: &Bytes) -> Result<(String, CachedScript), Failure> {
    let sha1 = sha1_smol::Sha1::from(source).digest().to_string();
    context.touch(Object::Scripts, Access::Read);
    if let Some(script) = context.engine.scripts.get(sha1.as_bytes()) {
        return Ok((sha1, script.clone()));
    }
    let script = CachedScript { source: source.clone(), flags: Flags::declared(source)? };
    let Some(host) = context.host.as_deref_mut() else { return Err(NOT_FROM_SCRIPT) };
    host.compile(&sha1, source).map_err(Failure::Bytes)?;
    context.touch(Object::Scripts, Access::Write);
    Arc::make_mut(&mut context.engine.scripts).insert(Bytes::from(sha1.clone()), script.clone());
    Ok((sha1, script))
}

pub(super) const NOT_FROM_SCRIPT: Failure = Failure::Constant("ERR This Redis command is not allowed from script");

fn run(
    context: &mut Context<'_>,
    sha1: &str,
    script: &CachedScript,
    command: &[Bytes],
    keys: usize,
    read_only: bool,
) -> Answer {
    let no_writes = script.flags.is_some_and(|flags| flags.no_writes);
    if script.flags.is_some() && !no_writes {
        may_write(context, read_only)?;
    }
    let allows_oom = script.flags.is_some_and(|flags| flags.allow_oom);
    if script.flags.is_some() && !no_writes && !allows_oom && context.out_of_memory {
        return Err(OOM_NOT_ALLOWED);
    }
    let (keys, args) = command[3..].split_at(keys);
    let script = Script { sha1, source: &script.source, keys, args };
    let caller = Caller { function: None, command };
    running(context, caller, read_only || no_writes, allows_oom, |host, calls| host.run(script, calls))
}

pub(super) const OOM_NOT_ALLOWED: Failure =
    Failure::Constant("OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'");

/// What a script or function declares of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declared {
    pub(crate) no_writes: bool,
    /// It may run without memory, or does not write.
    pub(crate) allows_oom: bool,
}

/// What the script or function that a command calls declares; `None` if the command calls none, or one that is not known or
/// declares nothing.
pub(crate) fn declared(context: &Context<'_>, command: &Command, args: &[Bytes]) -> Option<Declared> {
    let told = |no_writes, allow_oom| Declared { no_writes, allows_oom: no_writes || allow_oom };
    let flags = match command.name {
        "eval" | "eval_ro" => Flags::declared(&args[1]).ok()?,
        "evalsha" | "evalsha_ro" => context.engine.scripts.get(&args[1].to_ascii_lowercase())?.flags,
        "fcall" | "fcall_ro" => {
            let (_, function) = context.engine.libraries.function(&args[1])?;
            let flags = function.flags;
            return Some(told(flags.has(FunctionFlags::NO_WRITES), flags.has(FunctionFlags::ALLOW_OOM)));
        }
        _ => None,
    };
    flags.map(|flags| told(flags.no_writes, flags.allow_oom))
}

const WRITES_IN_RO: Failure = Failure::Constant("ERR Can not execute a script with write flag using *_ro command.");

/// Refuses what says that it may write, where nothing may be written.
pub(super) fn may_write(context: &Context<'_>, read_only: bool) -> Result<(), Failure> {
    if let Some(failure) = context.refused_write() {
        return Err(failure);
    }
    if read_only { Err(WRITES_IN_RO) } else { Ok(()) }
}

/// Lends the script host to what runs a script, and the engine to the script.
pub(super) fn running(
    context: &mut Context<'_>,
    caller: Caller<'_>,
    read_only: bool,
    allows_oom: bool,
    run: impl FnOnce(&mut dyn ScriptHost, &mut dyn ScriptCalls) -> Reply,
) -> Answer {
    let Some(host) = context.host.take() else { return Err(NOT_FROM_SCRIPT) };
    let db = context.db;
    context.script =
        Some(RunningScript { read_only, allows_oom, wrote: false, protocol: Protocol::Resp2, propagates: true });
    let reply = run(&mut *host, &mut Calls { context, caller });
    context.script = None;
    context.engine.busy = None;
    context.db = db;
    context.host = Some(host);
    Ok(reply)
}

/// What runs a script.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller<'a> {
    /// The name of the function; nothing for a script.
    pub(super) function: Option<&'a Bytes>,
    pub(super) command: &'a [Bytes],
}

/// What a running script may do.
struct Calls<'c, 'a> {
    context: &'c mut Context<'a>,
    caller: Caller<'c>,
}

impl Calls<'_, '_> {
    /// Whether a write is refused since there is no memory: only the first one, or the script would be carried out in part.
    fn refuses_memory(&self) -> bool {
        self.context.out_of_memory && self.context.script.is_some_and(|script| !script.wrote && !script.allows_oom)
    }

    /// The command that is called, if the script may call it now.
    fn admitted(&mut self, args: &[Bytes]) -> Result<&'static Command, Failure> {
        let read_only = self.context.script.is_some_and(|script| script.read_only);
        let refusal = match command::find(args, self.context.engine.options.version) {
            None => "ERR Unknown Redis command called from script",
            Some(command) if !command.accepts(args.len()) => {
                "ERR Wrong number of args calling Redis command from script"
            }
            Some(command) if command.has(NOSCRIPT) && !self.context.engine.switches.allows_in_scripts => {
                return Err(NOT_FROM_SCRIPT);
            }
            Some(command) if command.has(WRITE) && read_only => {
                "ERR Write commands are not allowed from read-only scripts."
            }
            Some(command)
                if command.has(WRITE)
                    && let Some(failure) = self.context.refused_write() =>
            {
                return Err(failure);
            }
            Some(command) if let Some(denial) = dispatch::refused(self.context, command, args, "lua") => {
                let version = self.context.engine.options.version;
                match denial {
                    _ if version >= Version::V7_2 => {
                        let told = dispatch::told_of(denial, &self.context.session().user, command, version);
                        return Err(Failure::Bytes([b"ERR ACL failure in script: ", &told[..]].concat().into()));
                    }
                    Denial::Command => "ERR The user executing the script can't run this command or subcommand",
                    Denial::Key(_) => {
                        "ERR The user executing the script can't access at least one of the keys mentioned in the \
                         command arguments"
                    }
                    Denial::Channel(_) => {
                        "ERR The user executing the script can't access at least one of the channels mentioned in the \
                         command arguments"
                    }
                }
            }
            Some(command) if command.has(DENYOOM) && self.refuses_memory() => {
                return Err(dispatch::OUT_OF_MEMORY);
            }
            Some(command) => return Ok(command),
        };
        Err(Failure::Constant(refusal))
    }

    /// What is not executed counts as an error, and as a refusal of the command if there is such a one.
    fn refused(&mut self, args: &[Bytes], failure: Failure) -> Reply {
        let reply = failure.into_reply();
        let version = self.context.engine.options.version;
        if let Some(statistics) = &mut self.context.engine.statistics {
            statistics.count_error(&reply);
            if let Some(command) = command::find(args, version) {
                statistics.count_rejected(command.name);
            }
        }
        reply
    }
}

impl ScriptCalls for Calls<'_, '_> {
    fn call(&mut self, args: &[Bytes]) -> Reply {
        let reply = match self.admitted(args) {
            Ok(command) => {
                if let Some(script) = &mut self.context.script {
                    script.wrote |= command.has(WRITE);
                }
                let reply = dispatch::call(self.context, command, args);
                // Whatever it sends comes before the reply of the script.
                self.context.replied = None;
                reply
            }
            Err(failure) => self.refused(args, failure),
        };
        self.context.script_error = match &reply {
            Reply::Error(text) if self.context.engine.statistics.is_some() => Some(text.clone()),
            _ => None,
        };
        reply
    }

    fn set_resp(&mut self, version: u8) {
        if let Some(script) = &mut self.context.script {
            script.protocol = if version == 3 { Protocol::Resp3 } else { Protocol::Resp2 };
        }
    }

    /// Effects are one log for the append-only file and the replicas alike, so only leaving out both can be told apart.
    fn set_repl(&mut self, flags: u8) {
        if let Some(script) = &mut self.context.script {
            script.propagates = flags != 0;
        }
    }

    fn engine(&mut self) -> Option<&mut Engine> {
        let wrote = self.context.script.is_some_and(|script| script.wrote);
        let Caller { function, command } = self.caller;
        let since = self.context.now;
        let busy = self.context.engine.busy.get_or_insert_with(|| {
            let (function, command) = (function.cloned(), command.to_vec());
            Box::new(Busy { function, command, wrote, since, now: since, killed: false })
        });
        busy.wrote = wrote;
        Some(self.context.engine)
    }

    /// The engine has no log: nothing that a script says there can come back to it.
    fn log(&mut self, _: i64, _: &[u8]) {}

    fn acl_check(&mut self, args: &[Bytes]) -> Option<bool> {
        let command = command::find(args, self.context.engine.options.version)?;
        self.context.touch(Object::Users, Access::Read);
        let (acl, name) = (&self.context.engine.acl, &self.context.session().user);
        Some(acl.user(name).is_some_and(|user| acl::denial(user, command, args).is_none()))
    }
}

fn load(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let (sha1, _) = cached(context, &args[2])?;
    Ok(Reply::Bulk(sha1.into()))
}

fn exists(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    context.touch(Object::Scripts, Access::Read);
    let known = |sha1: &Bytes| context.engine.scripts.get(&sha1.to_ascii_lowercase()).is_some();
    Ok(Reply::Array(args[2..].iter().map(|sha1| Reply::Integer(i64::from(known(sha1)))).collect()))
}

fn flush(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    match &args[2..] {
        [] => {}
        [how] if how.eq_ignore_ascii_case(b"sync") || how.eq_ignore_ascii_case(b"async") => {}
        _ => return Err(Failure::Constant("ERR SCRIPT FLUSH only support SYNC|ASYNC option")),
    }
    context.touch(Object::Scripts, Access::Write);
    if !context.engine.scripts.is_empty() {
        Arc::make_mut(&mut context.engine.scripts).clear();
    }
    Ok(Reply::Simple("OK"))
}

fn kill(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    busy::end_script(context, false)
}

/// There is no debugger, so that nothing comes of it.
fn debug(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    if !context.may_wait {
        return Err(Failure::Constant("ERR SCRIPT DEBUG must be called outside a pipeline"));
    }
    match args[2].to_ascii_lowercase().as_slice() {
        b"no" | b"yes" | b"sync" => Ok(Reply::Simple("OK")),
        _ => Err(Failure::Constant("ERR Use SCRIPT DEBUG YES/SYNC/NO")),
    }
}
