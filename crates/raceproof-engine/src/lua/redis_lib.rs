//! The `redis` library.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;
use mlua::{Function, Lua, Table, Thread, Value};

use super::native::{Args, Fail, Text, native, to_integer, to_number};
use super::number::format_g;
use super::{Meanwhile, convert};
use crate::{Reply, ScriptCalls};

const REPL_ALL: i64 = 3;
const REDIS_VERSION: &str = "7.0.15";
const REDIS_VERSION_NUM: i64 = 0x0007_000f;

/// What a function of the library asks of the engine.
pub(super) enum Request {
    Call(Vec<Bytes>),
    Check(Vec<Bytes>),
    SetResp(u8),
    SetRepl(u8),
    Log(i64, Text),
    /// Whoever runs the engine may look up.
    LookUp,
}

/// The way from the library's functions, which live as long as the host, to the engine, which is lent to one run.
///
/// mlua can lend a borrowed value to Lua only through a function of a scope, and making those costs about a
/// microsecond each. So a run makes a single one; it takes its request from here and puts the reply here.
#[derive(Default)]
pub(super) struct Channel {
    request: RefCell<Option<Request>>,
    reply: RefCell<Option<Reply>>,
    /// The function of the run's scope. Absent between runs.
    pub(super) gate: RefCell<Option<Function>>,
    /// Whether the script chose RESP3 by `redis.setresp(3)`.
    pub(super) resp3: Cell<bool>,
    /// Whether the body of a library runs, which has no engine to speak to: what it logs is dropped.
    pub(super) silent: Cell<bool>,
    aside: Aside,
}

/// Where a command is executed whose arguments leave no room on the stack of the function that was called: a coroutine
/// has a stack of its own.
#[derive(Default)]
struct Aside {
    /// Executes what is ordered, whenever it is resumed.
    thread: RefCell<Option<Thread>>,
    /// What such a coroutine runs.
    body: RefCell<Option<Function>>,
    /// The command, and whether its errors are values.
    ordered: RefCell<Option<(Vec<Bytes>, bool)>>,
    done: RefCell<Option<Result<Value, Fail>>>,
}

impl Aside {
    fn execute(&self, command: Vec<Bytes>, protected: bool) -> Result<Value, Fail> {
        *self.ordered.borrow_mut() = Some((command, protected));
        let Some(thread) = self.thread.borrow_mut().take() else {
            return Err(mlua::Error::StackError.into());
        };
        let outcome = thread.resume::<()>(());
        // Coming back, mlua may find no room for what there is none of.
        match (self.done.borrow_mut().take(), outcome) {
            (Some(done), _) => {
                *self.thread.borrow_mut() = Some(thread);
                done
            }
            (None, Err(error)) => Err(error.into()),
            (None, Ok(())) => Err(mlua::Error::StackError.into()),
        }
    }
}

impl Channel {
    /// Makes the coroutine for commands with very many arguments, if there is none or a script was ended within it.
    pub(super) fn prepare(&self, lua: &Lua) -> mlua::Result<()> {
        let mut thread = self.aside.thread.borrow_mut();
        if let (None, Some(body)) = (thread.as_ref(), self.aside.body.borrow().as_ref()) {
            *thread = Some(lua.create_thread(body.clone())?);
        }
        Ok(())
    }

    /// Sends a request. The reply of a request without an answer is null.
    fn send(&self, request: Request) -> Result<Reply, Fail> {
        if self.silent.get() {
            return Ok(Reply::Null);
        }
        *self.request.borrow_mut() = Some(request);
        let gate = self.gate.borrow();
        let gate = gate.as_ref().ok_or_else(|| Fail::Reply(b"ERR redis functions need a running script".to_vec()))?;
        gate.call::<()>(())?;
        Ok(self.reply.borrow_mut().take().unwrap_or(Reply::Null))
    }

    /// Lets whoever runs the engine look up. Tells whether the script is to end.
    pub(super) fn look_up(&self) -> bool {
        // Between runs there is nobody to ask.
        if self.gate.borrow().is_none() {
            return false;
        }
        matches!(self.send(Request::LookUp), Ok(Reply::Boolean(true)))
    }

    /// Answers the request that waits here; the body of the gate.
    pub(super) fn serve(&self, calls: &mut dyn ScriptCalls, meanwhile: &mut Meanwhile<'_>) {
        let Some(request) = self.request.borrow_mut().take() else { return };
        let reply = match request {
            Request::Call(args) => Some(calls.call(&args)),
            Request::Check(args) => calls.acl_check(&args).map(Reply::Boolean),
            Request::SetResp(version) => {
                calls.set_resp(version);
                None
            }
            Request::SetRepl(flags) => {
                calls.set_repl(flags);
                None
            }
            Request::LookUp => Some(Reply::Boolean(meanwhile(calls))),
            Request::Log(level, message) => {
                calls.log(level, &message);
                None
            }
        };
        *self.reply.borrow_mut() = reply;
    }
}

fn fail(text: &str) -> Fail {
    Fail::Reply(format!("ERR {text}").into_bytes())
}

/// The arguments of a command, as `redis.call` takes them.
fn command_args(args: &Args<'_>) -> Result<Vec<Bytes>, Fail> {
    if args.len() == 0 {
        return Err(fail("Please specify at least one argument for this redis lib call"));
    }
    let convert = |value: &Value| match value {
        Value::String(text) => Ok(Bytes::copy_from_slice(&text.as_bytes())),
        Value::Integer(n) => Ok(Bytes::from(format_g(*n as f64, 17))),
        Value::Number(n) => Ok(Bytes::from(format_g(*n, 17))),
        _ => Err(fail("Lua redis lib command arguments must be strings or integers")),
    };
    args.values.iter().map(convert).collect()
}

/// From how many arguments on a command is executed aside. A C function has 8,000 slots of Lua's stack.
const CROWDED: usize = 7_900;

fn call(args: &Args<'_>, channel: &Channel) -> Result<Value, Fail> {
    let command = command_args(args)?;
    if args.len() >= CROWDED { channel.aside.execute(command, false) } else { execute(args.lua, command, channel) }
}

fn execute(lua: &Lua, command: Vec<Bytes>, channel: &Channel) -> Result<Value, Fail> {
    match channel.send(Request::Call(command))? {
        Reply::Error(text) => Err(Fail::Command(convert::error_with_code(&text))),
        reply => Ok(convert::to_lua(lua, &reply, channel.resp3.get())?),
    }
}

/// What runs in the coroutine for commands with very many arguments.
fn aside(lua: &Lua, channel: &Rc<Channel>) -> mlua::Result<Function> {
    let shared = Rc::clone(channel);
    let work = native(lua, move |args| {
        let ordered = shared.aside.ordered.borrow_mut().take();
        if let Some((command, protected)) = ordered {
            let done = execute(args.lua, command, &shared);
            let done = if protected { as_value(args.lua, done) } else { done };
            *shared.aside.done.borrow_mut() = Some(done);
        }
        Ok(())
    })?;
    let coroutine: Table = lua.globals().raw_get("coroutine")?;
    let made = lua.load("local work, yield = ... return function() while true do work() yield() end end");
    made.set_name("=aside").call((work, coroutine.raw_get::<Function>("yield")?))
}

fn pcall(args: &Args<'_>, channel: &Channel) -> Result<Value, Fail> {
    if args.len() >= CROWDED {
        return channel.aside.execute(command_args(args)?, true);
    }
    as_value(args.lua, call(args, channel))
}

/// An error as the value that `redis.pcall` makes of it.
fn as_value(lua: &Lua, outcome: Result<Value, Fail>) -> Result<Value, Fail> {
    match outcome {
        Err(Fail::Reply(err)) => Ok(Value::Table(convert::error_table(lua, &err, false)?)),
        Err(Fail::Command(err)) => Ok(Value::Table(convert::error_table(lua, &err, true)?)),
        other => other,
    }
}

fn acl_check_cmd(args: &Args<'_>, channel: &Channel) -> Result<bool, Fail> {
    match channel.send(Request::Check(command_args(args)?))? {
        Reply::Boolean(allowed) => Ok(allowed),
        _ => Err(fail("Invalid command passed to redis.acl_check_cmd()")),
    }
}

fn log(args: &Args<'_>, channel: &Channel) -> Result<(), Fail> {
    if args.len() < 2 {
        return Err(fail("redis.log() requires two arguments or more."));
    }
    let level = match &args.values[0] {
        Value::Integer(n) => *n,
        Value::Number(n) => to_integer(*n),
        text @ Value::String(_) if to_number(args.lua, text).is_some() => args.integer(1)?,
        _ => return Err(fail("First argument must be a number (log level).")),
    };
    if !(0..=3).contains(&level) {
        return Err(fail("Invalid debug level."));
    }
    let mut message = Text::new();
    for number in 2..=args.len() {
        let Ok(text) = args.string(number) else { continue };
        if number > 2 {
            message.push(b' ');
        }
        message.extend_from_slice(&text.as_bytes());
    }
    channel.send(Request::Log(level, message)).map(drop)
}

fn set_resp(args: &Args<'_>, channel: &Channel) -> Result<(), Fail> {
    if args.len() != 1 {
        return Err(fail("redis.setresp() requires one argument."));
    }
    let version = to_number(args.lua, &args.values[0]).map_or(0, to_integer);
    if version != 2 && version != 3 {
        return Err(fail("RESP version must be 2 or 3."));
    }
    channel.resp3.set(version == 3);
    channel.send(Request::SetResp(version as u8)).map(drop)
}

fn set_repl(args: &Args<'_>, channel: &Channel) -> Result<(), Fail> {
    if args.len() != 1 {
        return Err(fail("redis.set_repl() requires two arguments."));
    }
    let flags = to_number(args.lua, &args.values[0]).map_or(0, to_integer);
    if flags & !REPL_ALL != 0 {
        return Err(fail("Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE."));
    }
    channel.send(Request::SetRepl(flags as u8)).map(drop)
}

fn sha1hex(args: &Args<'_>) -> Result<String, Fail> {
    if args.len() != 1 {
        return Err(fail("wrong number of arguments"));
    }
    let text = args.string(1).map(|text| text.as_bytes().to_vec()).unwrap_or_default();
    Ok(sha1_smol::Sha1::from(text).digest().to_string())
}

fn single_field(args: &Args<'_>, field: &str, make: fn(&[u8]) -> Text) -> Result<Table, Fail> {
    let [Value::String(text)] = args.values else {
        return Ok(convert::error_table(args.lua, b"ERR wrong number or type of arguments", false)?);
    };
    let table = args.lua.create_table()?;
    table.raw_set(field, args.lua.create_string(make(&text.as_bytes()))?)?;
    Ok(table)
}

/// Makes the library's table.
pub(super) fn library(lua: &Lua, channel: &Rc<Channel>) -> mlua::Result<Table> {
    let redis = lua.create_table()?;
    for (name, value) in [("LOG_DEBUG", 0), ("LOG_VERBOSE", 1), ("LOG_NOTICE", 2), ("LOG_WARNING", 3)] {
        redis.raw_set(name, value)?;
    }
    for (name, value) in
        [("REPL_NONE", 0), ("REPL_AOF", 1), ("REPL_SLAVE", 2), ("REPL_REPLICA", 2), ("REPL_ALL", REPL_ALL)]
    {
        redis.raw_set(name, value)?;
    }
    redis.raw_set("REDIS_VERSION", REDIS_VERSION)?;
    redis.raw_set("REDIS_VERSION_NUM", REDIS_VERSION_NUM)?;

    *channel.aside.body.borrow_mut() = Some(aside(lua, channel)?);
    let shared = Rc::clone(channel);
    redis.raw_set("call", native(lua, move |args| call(args, &shared))?)?;
    let shared = Rc::clone(channel);
    redis.raw_set("pcall", native(lua, move |args| pcall(args, &shared))?)?;
    let shared = Rc::clone(channel);
    redis.raw_set("acl_check_cmd", native(lua, move |args| acl_check_cmd(args, &shared))?)?;
    let shared = Rc::clone(channel);
    redis.raw_set("log", native(lua, move |args| log(args, &shared))?)?;
    let shared = Rc::clone(channel);
    redis.raw_set("setresp", native(lua, move |args| set_resp(args, &shared))?)?;
    let shared = Rc::clone(channel);
    redis.raw_set("set_repl", native(lua, move |args| set_repl(args, &shared))?)?;

    redis.raw_set("sha1hex", native(lua, sha1hex)?)?;
    redis.raw_set("error_reply", native(lua, |args| single_field(args, "err", convert::error_with_code))?)?;
    redis.raw_set("status_reply", native(lua, |args| single_field(args, "ok", <[u8]>::to_vec))?)?;
    redis.raw_set("replicate_commands", native(lua, |_| Ok(true))?)?;
    redis.raw_set("breakpoint", native(lua, |_| Ok(false))?)?;
    redis.raw_set("debug", native(lua, |_| Ok(()))?)?;
    Ok(redis)
}
