//! The Lua state that a scenario runs in.
//!
//! Compiled once, run once per execution: the state, the prelude and the compiled chunk are used again, the chunk's
//! environment is new each time. The coroutines live on the Lua side, numbered, so that going on with one costs a
//! single call.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mlua::chunk::ChunkMode;
use mlua::{Function, HookTriggers, Lua, LuaOptions, MultiValue, StdLib, Table, Value, VmState};

use super::error::ScenarioError;
use super::rules;
use crate::HistoryCheck;

/// The name of the chunk in Lua's own messages; the file's name may be long, and Lua would cut it.
const CHUNK: &str = "scenario";
/// Instructions that one coroutine may spend in one execution: some tenths of a second.
const INSTRUCTIONS: u32 = 10_000_000;
/// What a scenario may allocate, in bytes.
const MEMORY: usize = 64 << 20;

/// A request of a client, as the prelude numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Redis,
    RedisOn,
    Connection,
    Receive,
    Received,
    Multi,
    Sql,
    Replica,
    Begin,
    Commit,
    Rollback,
    Sleep,
    Now,
    Returned,
    Note,
    Write,
    Read,
    Operation,
    Inside,
    Ended,
    Fenced,
    Effect,
    Observed,
    LockFile,
    UnlockFile,
}

const REQUESTS: [(&str, Request); 25] = [
    ("redis", Request::Redis),
    ("redis_on", Request::RedisOn),
    ("connection", Request::Connection),
    ("receive", Request::Receive),
    ("received", Request::Received),
    ("replica", Request::Replica),
    ("multi", Request::Multi),
    ("sql", Request::Sql),
    ("begin", Request::Begin),
    ("commit", Request::Commit),
    ("rollback", Request::Rollback),
    ("sleep", Request::Sleep),
    ("now", Request::Now),
    ("returned", Request::Returned),
    ("note", Request::Note),
    ("write", Request::Write),
    ("read", Request::Read),
    ("operation", Request::Operation),
    ("inside", Request::Inside),
    ("ended", Request::Ended),
    ("fenced", Request::Fenced),
    ("effect", Request::Effect),
    ("observed", Request::Observed),
    ("lock_file", Request::LockFile),
    ("unlock_file", Request::UnlockFile),
];

/// How the prelude is told that the database refused; anything else is the command that Redis refused.
const SQL: &str = "sql()";

const ENDED: i64 = -1;
const FAILED: i64 = -2;
const MISTAKE: i64 = -3;
const REFUSED: i64 = -4;

/// Why an error reply is the scenario's own mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Redis has no such command (named here), or not with so many or such arguments.
    Redis(String),
    /// The database cannot make sense of the statement.
    Sql,
}

/// What a coroutine is resumed with.
pub(super) enum Answer {
    /// What it asked for.
    Value(Value),
    /// An error that it may catch.
    Error(Vec<u8>, Option<Refusal>),
    /// It has made this many steps and may make no more.
    Limit(u32),
}

/// What a coroutine did when it was resumed.
pub(super) enum Progress {
    /// It asks for something.
    Asks(Request, MultiValue),
    /// It is over.
    Ended,
    /// It failed: what a check or a client reports.
    Failed { message: String, line: Option<u32> },
    /// The scenario itself is wrong.
    Mistake(ScenarioError),
}

/// What the file declares at its top level, in the order of its text.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) header: Option<(Table, Option<u32>)>,
    pub(super) bodies: Vec<Body>,
    pub(super) histories: Vec<HistoryCheck>,
    pub(super) serializable: bool,
}

/// A function of the scenario, and what it is for.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) kind: BodyKind,
    /// The name of a client, or of the object that is looked at.
    pub(super) name: Option<Rc<str>>,
    pub(super) line: Option<u32>,
}

impl Body {
    /// The client's name, if it is one.
    pub(super) fn client(&self) -> Option<&str> {
        self.name.as_deref().filter(|_| self.kind == BodyKind::Client)
    }

    /// What errors call it.
    fn title(&self) -> String {
        self.name.as_ref().map_or_else(|| self.kind.name().to_owned(), |name| format!("{} {name}", self.kind.name()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyKind {
    /// The top level of the file.
    File,
    Setup,
    Client,
    Always,
    Finally,
    Quiet,
    Value,
    Agrees,
}

impl BodyKind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::File => "the file",
            Self::Setup => "setup",
            Self::Client => "client",
            Self::Always => "always",
            Self::Finally => "finally",
            Self::Quiet => "quiet",
            Self::Value => "value",
            Self::Agrees => "agrees",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let kinds = [Self::Setup, Self::Client, Self::Always, Self::Finally, Self::Quiet, Self::Value, Self::Agrees];
        kinds.into_iter().find(|kind| kind.name() == name)
    }
}

/// One scenario's Lua state.
pub(super) struct Language {
    lua: Lua,
    chunk: Function,
    begin: Function,
    start: Function,
    step: Function,
    /// Set by the instruction hook: the line that was running when a coroutine had spent its budget.
    exhausted: Rc<Cell<Option<u32>>>,
    file: String,
    top_level: Body,
    /// The first mistake that a running client or check made.
    pub(super) mistake: RefCell<Option<ScenarioError>>,
}

impl Language {
    pub(super) fn new(file: &str, source: &str) -> Result<Self, ScenarioError> {
        let exhausted = Rc::new(Cell::new(None));
        let internal = |error: mlua::Error| internal(file, &error);
        let lua = Lua::new_with(StdLib::STRING | StdLib::TABLE | StdLib::MATH, LuaOptions::new()).map_err(internal)?;
        lua.set_memory_limit(MEMORY).map_err(internal)?;
        let (begin, start, step) = prelude(&lua).map_err(internal)?;
        let chunk = lua
            .load(source)
            .set_name(format!("={CHUNK}"))
            .set_mode(ChunkMode::Text)
            .into_function()
            .map_err(|error| syntax(file, &error))?;
        let spent = exhausted.clone();
        lua.set_global_hook(HookTriggers::new().every_nth_instruction(INSTRUCTIONS), move |lua, _| {
            match user_line(lua) {
                Some(line) => {
                    spent.set(Some(line));
                    Err(mlua::Error::runtime("endless loop"))
                }
                // The main thread runs the prelude's entries only, for the life of the state.
                None => Ok(VmState::Continue),
            }
        })
        .map_err(internal)?;
        let file = file.to_owned();
        let top_level = Body { kind: BodyKind::File, name: None, line: None };
        Ok(Self { lua, chunk, begin, start, step, exhausted, file, top_level, mistake: RefCell::new(None) })
    }

    pub(super) const fn lua(&self) -> &Lua {
        &self.lua
    }

    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// Runs the chunk and collects what it declares.
    pub(super) fn declare(&self) -> Result<Declared, ScenarioError> {
        let mut results: MultiValue = self.run(&self.top_level, self.begin.call((&self.chunk, true)))?;
        match results.pop_front() {
            Some(Value::Table(declared)) => self.declared(&declared).map_err(|error| internal(&self.file, &error)),
            _ => Err(self.top_level_error(results)),
        }
    }

    /// Runs the chunk for another execution.
    pub(super) fn begin(&self) -> Result<(), ScenarioError> {
        let mut results: MultiValue = self.run(&self.top_level, self.begin.call((&self.chunk, false)))?;
        results.pop_front();
        if results.is_empty() { Ok(()) } else { Err(self.top_level_error(results)) }
    }

    fn top_level_error(&self, results: MultiValue) -> ScenarioError {
        match self.progress(results) {
            Progress::Mistake(error) => error,
            Progress::Failed { message, line } => ScenarioError::new(
                &self.file,
                line,
                message,
                "the top level of the file failed; it only declares what there is",
                "language",
            ),
            Progress::Asks(..) | Progress::Ended => ScenarioError::new(
                &self.file,
                None,
                "the top level of the file did not end",
                "it only declares what there is",
                "language",
            ),
        }
    }

    fn declared(&self, table: &Table) -> mlua::Result<Declared> {
        let mut bodies = Vec::new();
        for item in table.get::<Table>("items")?.sequence_values::<Table>() {
            let item = item?;
            let kind = item.get::<String>("kind")?;
            let kind = BodyKind::named(&kind).ok_or_else(|| mlua::Error::runtime(format!("unknown kind {kind}")))?;
            let name = item.get::<Option<mlua::LuaString>>("name")?;
            let name = name.map(|name| Rc::from(String::from_utf8_lossy(&name.as_bytes()).as_ref()));
            bodies.push(Body { kind, name, line: item.get("line")? });
        }
        let mut histories = Vec::new();
        for item in table.get::<Table>("histories")?.sequence_values::<Table>() {
            histories.push(rules::check(&item?)?);
        }
        let header = match table.get::<Option<Table>>("header")? {
            Some(header) => Some((header, table.get("line")?)),
            None => None,
        };
        let serializable = table.get::<Option<bool>>("serializable")?.unwrap_or(false);
        Ok(Declared { header, bodies, histories, serializable })
    }

    /// Starts a body (numbered from 0) in a coroutine of its own.
    pub(super) fn start(&self, number: usize, body: &Body) -> (i64, Progress) {
        let call = self.start.call((number + 1, body.kind.name(), body.name.as_deref()));
        match self.run::<MultiValue>(body, call) {
            Ok(mut results) => {
                let id = integer(results.pop_front());
                (id, self.progress(results))
            }
            Err(error) => (0, Progress::Mistake(error)),
        }
    }

    /// Goes on with a coroutine.
    pub(super) fn resume(&self, id: i64, body: &Body, answer: Answer) -> Progress {
        let call = match answer {
            Answer::Value(value) => self.step.call((id, value)),
            Answer::Error(text, refusal) => self.lua.create_string(text).and_then(|text| {
                let reason = refusal.map(|refusal| match refusal {
                    Refusal::Redis(command) => command,
                    Refusal::Sql => SQL.to_owned(),
                });
                self.step.call((id, Value::Nil, text, reason))
            }),
            Answer::Limit(steps) => self.step.call((id, Value::Nil, steps.to_string(), "limit")),
        };
        match self.run(body, call) {
            Ok(results) => self.progress(results),
            Err(error) => Progress::Mistake(error),
        }
    }

    /// An error that passed all of the prelude is the instruction budget's, or one of the host.
    fn run<T>(&self, body: &Body, result: mlua::Result<T>) -> Result<T, ScenarioError> {
        result.map_err(|error| match self.exhausted.take() {
            Some(line) => ScenarioError::new(
                &self.file,
                Some(line),
                format!("endless loop in {}", body.title()),
                "it ran 10 million instructions without coming to an end: bound the loop",
                "limits",
            ),
            None if matches!(error, mlua::Error::MemoryError(_)) => too_much_memory(&self.file, &body.title()),
            None => internal(&self.file, &error),
        })
    }

    fn progress(&self, mut results: MultiValue) -> Progress {
        let tag = integer(results.pop_front());
        if tag >= 0 {
            let request = usize::try_from(tag).ok().and_then(|at| REQUESTS.get(at));
            return request.map_or(Progress::Ended, |(_, request)| Progress::Asks(*request, results));
        }
        let mut text = || results.pop_front().map(|value| lossy(&value)).unwrap_or_default();
        match tag {
            FAILED => Progress::Failed { message: text(), line: line(results.pop_front()) },
            MISTAKE => {
                let (what, way_out, anchor) = (text(), text(), text());
                Progress::Mistake(ScenarioError::new(&self.file, line(results.pop_front()), what, way_out, &anchor))
            }
            REFUSED => {
                let (message, reason) = (text(), text());
                Progress::Mistake(refused(&self.file, &message, &reason, line(results.pop_front())))
            }
            _ => Progress::Ended,
        }
    }
}

fn prelude(lua: &Lua) -> mlua::Result<(Function, Function, Function)> {
    let requests = lua.create_table()?;
    for (number, (name, _)) in REQUESTS.iter().enumerate() {
        requests.set(*name, number)?;
    }
    let outcomes = lua.create_table()?;
    for (name, number) in [("ended", ENDED), ("failed", FAILED), ("mistake", MISTAKE), ("refused", REFUSED)] {
        outcomes.set(name, number)?;
    }
    let host_line = lua.create_function(|lua, ()| Ok(user_line(lua)))?;
    lua.load(include_str!("prelude.lua")).set_name("=[raceproof]").set_mode(ChunkMode::Text).call((
        host_line,
        Value::NULL,
        requests,
        outcomes,
    ))
}

/// The line of the innermost function of the scenario that is running.
fn user_line(lua: &Lua) -> Option<u32> {
    (0..)
        .map_while(|level| {
            lua.inspect_stack(level, |debug| {
                let ours = debug.source().short_src.as_deref() == Some(CHUNK);
                debug.current_line().filter(|_| ours)
            })
        })
        .flatten()
        .next()
        .and_then(|line| u32::try_from(line).ok())
}

fn integer(value: Option<Value>) -> i64 {
    match value {
        Some(Value::Integer(n)) => n,
        _ => ENDED,
    }
}

fn line(value: Option<Value>) -> Option<u32> {
    match value {
        Some(Value::Integer(n)) => u32::try_from(n).ok(),
        _ => None,
    }
}

fn lossy(value: &Value) -> String {
    match value {
        Value::String(text) => String::from_utf8_lossy(&text.as_bytes()).into_owned(),
        _ => String::new(),
    }
}

fn refused(file: &str, message: &str, reason: &str, line: Option<u32>) -> ScenarioError {
    if reason == SQL {
        let way_out = "the statement is SQLite's; tables are made in the setup, with sql(\"CREATE TABLE …\")";
        return ScenarioError::new(file, line, message, way_out, "sql");
    }
    let what = match message.strip_prefix("ERR ").unwrap_or(message).trim_end() {
        "syntax error" => format!("syntax error in {reason}"),
        other => other.to_owned(),
    };
    let way_out = "check the command and its arguments against https://redis.io/commands";
    ScenarioError::new(file, line, what, way_out, "redis")
}

fn too_much_memory(file: &str, title: &str) -> ScenarioError {
    let what = format!("{title} needs too much memory");
    ScenarioError::new(file, None, what, "a scenario has 64 MB: keep its values small", "limits")
}

fn syntax(file: &str, error: &mlua::Error) -> ScenarioError {
    let message = match error {
        mlua::Error::SyntaxError { message, .. } if message.contains("binary chunk") => {
            return ScenarioError::new(file, None, "the file is compiled Lua", "give the Lua text itself", "language");
        }
        mlua::Error::SyntaxError { message, .. } => message.as_str(),
        mlua::Error::MemoryError(_) => return too_much_memory(file, "the file"),
        other => return internal(file, other),
    };
    let placed = message.strip_prefix("scenario:").and_then(|rest| rest.split_once(": "));
    let (line, what) = placed.map_or((None, message), |(line, what)| (line.parse().ok(), what));
    ScenarioError::new(file, line, what, "this is not Lua 5.1: the error is on this line or before it", "language")
}

/// Something that no scenario should be able to bring about.
fn internal(file: &str, error: &mlua::Error) -> ScenarioError {
    let what = format!("the scenario could not be run: {error}");
    ScenarioError::new(file, None, what, "this is a defect of raceproof: please report it with the file", "limits")
}
