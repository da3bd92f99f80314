//! From what a script raised to the error reply that its caller sees.

use std::cell::RefCell;

use bytes::Bytes;
use mlua::{Function, Lua, Table, Value};

use super::convert::{error_table, one_line};
use super::native::{Raised, Text, native};

/// The chunk name of the prelude. Its frames stand for functions that are C in Redis.
pub(super) const PRELUDE_CHUNK: &str = "=[host]";
const SCRIPT_SOURCES: [&str; 2] = ["@user_script", "@user_function"];

/// The error that ended a run, as the message handler saw it.
struct Failure {
    text: Text,
    /// Source and line of the place that Redis names.
    place: Option<(String, i64)>,
}

/// Where the message handler leaves the error of the current run.
#[derive(Default)]
pub(super) struct Failures(RefCell<Option<Seen>>);

enum Seen {
    Raised(Failure),
    /// The instruction budget was used up on this line of the script.
    Limit(Option<(&'static str, usize)>),
    /// The script was ended on this line.
    Killed(Option<(&'static str, usize)>),
}

impl Failures {
    pub(super) fn clear(&self) {
        *self.0.borrow_mut() = None;
    }

    /// The error reply of a failed run. `message` is what Lua left when it could not call the handler.
    pub(super) fn reply(&self, sha1: &str, instruction_limit: u64, message: &Value) -> Bytes {
        // A string is what Lua leaves when it could not call the handler; what that saw is then of an older error.
        let seen = self.0.borrow_mut().take().filter(|_| !message.is_string());
        match seen {
            Some(Seen::Raised(failure)) => {
                let mut text = failure.text;
                if let Some((source, line)) = failure.place {
                    text.extend_from_slice(format!(" script: {sha1}, on {source}:{line}.").as_bytes());
                }
                one_line(&text).into()
            }
            Some(Seen::Killed(line)) => {
                let (source, line) = named(line);
                Bytes::from(format!(
                    "ERR Script killed by user with SCRIPT KILL... script: {sha1}, on {source}:{line}."
                ))
            }
            Some(Seen::Limit(line)) => {
                let (source, line) = named(line);
                Bytes::from(format!(
                    "ERR the script took more than {instruction_limit} instructions; is there a loop without an end? \
                     script: {sha1}, on {source}:{line}."
                ))
            }
            None => {
                let text = message.as_string().map_or(Text::new(), |text| text.as_bytes().to_vec());
                let text = if text.is_empty() { b"execution failure".to_vec() } else { text };
                one_line(&[b"ERR Error running script ", sha1.as_bytes(), b", ", &text].concat()).into()
            }
        }
    }
}

impl Failures {
    /// The error reply of a library whose body failed.
    pub(super) fn load_error(&self, message: &Value) -> Bytes {
        let seen = self.0.borrow_mut().take().filter(|_| !message.is_string());
        let text = match seen {
            Some(Seen::Raised(failure)) => failure.text,
            Some(Seen::Limit(_) | Seen::Killed(_)) => b"ERR FUNCTION LOAD timeout".to_vec(),
            None => message.as_string().map_or(Text::new(), |text| [b"ERR ", &*text.as_bytes()].concat()),
        };
        one_line(&[b"ERR Error registering functions: ", &text[..]].concat()).into()
    }
}

/// A line of a script for people to read.
fn named(line: Option<(&'static str, usize)>) -> (&'static str, String) {
    let source = line.as_ref().map_or(SCRIPT_SOURCES[0], |(source, _)| *source);
    (source, line.map(|(_, line)| line.to_string()).unwrap_or_else(|| "?".to_owned()))
}

/// The reply for an error of mlua itself.
pub(super) fn host_error(sha1: &str, error: &mlua::Error) -> Bytes {
    Bytes::from(format!("ERR Error running script {sha1}, {}", first_line(error)))
}

/// An error of mlua without its traceback.
pub(super) fn first_line(error: &mlua::Error) -> String {
    let error = root(error).to_string();
    error.lines().next().unwrap_or_default().trim_end_matches('\r').to_owned()
}

fn root(error: &mlua::Error) -> &mlua::Error {
    match error {
        mlua::Error::CallbackError { cause, .. } | mlua::Error::WithContext { cause, .. } => root(cause),
        other => other,
    }
}

pub(super) const COMPILING_SCRIPT: &str = "ERR Error compiling script (new function): ";
pub(super) const COMPILING_LIBRARY: &str = "ERR Error compiling function: ";

/// What Lua made of a source: a function, or nil and why it does not compile.
pub(super) fn compiled(sha1: &str, made: mlua::Result<(Value, Value)>, while_: &str) -> Result<Function, Bytes> {
    match made {
        Ok((Value::Function(function), _)) => Ok(function),
        Ok((_, message)) => {
            let message = message.as_string().map_or(Text::new(), |text| text.as_bytes().to_vec());
            Err(one_line(&[while_.as_bytes(), &message].concat()).into())
        }
        Err(error) => Err(host_error(sha1, &error)),
    }
}

/// Gives the prelude `unwrap` and `record`.
pub(super) fn install(lua: &Lua, host: &Table, failures: &std::rc::Rc<Failures>) -> mlua::Result<()> {
    host.raw_set("unwrap", native(lua, |args| Ok(unwrap(args.lua, args.get(1))?))?)?;
    let failures = std::rc::Rc::clone(failures);
    host.raw_set(
        "record",
        lua.create_function(move |lua, raised: Value| {
            let seen = see(lua, &raised)?;
            let place = match &seen {
                Seen::Raised(Failure { place: Some(place), .. }) => Some(place.clone()),
                _ => None,
            };
            *failures.0.borrow_mut() = Some(seen);
            Ok(place.map_or((None, None), |(source, line)| (Some(source), Some(line))))
        })?,
    )
}

/// What a Rust function's error stands for, and whether the script may not catch it.
fn unwrap(lua: &Lua, raised: Option<&Value>) -> mlua::Result<(Value, bool)> {
    let Some(value @ Value::Error(error)) = raised else {
        return Ok((raised.cloned().unwrap_or(Value::Nil), false));
    };
    Ok(match Raised::of(error) {
        Some(Raised::Message(text)) => (Value::String(lua.create_string(text)?), false),
        Some(Raised::Reply { err, from_command }) => (Value::Table(error_table(lua, err, *from_command)?), false),
        Some(Raised::Limit | Raised::Killed) | None => (value.clone(), true),
    })
}

fn see(lua: &Lua, raised: &Value) -> mlua::Result<Seen> {
    if let Value::Error(error) = raised {
        if let Some(Raised::Limit) = Raised::of(error) {
            return Ok(Seen::Limit(script_line(lua)));
        }
        if let Some(Raised::Killed) = Raised::of(error) {
            return Ok(Seen::Killed(script_line(lua)));
        }
        let text = format!("ERR {}", first_line(error)).into_bytes();
        return Ok(Seen::Raised(Failure { text, place: place(lua) }));
    }
    let text = match raised {
        Value::Table(table) => err_field(lua, table)?,
        _ => b"ERR unknown error".to_vec(),
    };
    Ok(Seen::Raised(Failure { text, place: place(lua) }))
}

/// The field `err`, a string or a number. Redis 7.0 dies of a table without one.
fn err_field(lua: &Lua, table: &Table) -> mlua::Result<Text> {
    let text = match table.raw_get("err")? {
        err @ (Value::String(_) | Value::Integer(_) | Value::Number(_)) => lua.coerce_string(err)?,
        _ => None,
    };
    Ok(text.map_or_else(|| b"ERR unknown error".to_vec(), |text| text.as_bytes().to_vec()))
}

/// The innermost line of the script itself, and what its source is called.
fn script_line(lua: &Lua) -> Option<(&'static str, usize)> {
    for level in 1.. {
        let line = lua.inspect_stack(level, |frame| {
            let source = frame.source();
            let source = SCRIPT_SOURCES.into_iter().find(|known| source.source.as_deref() == Some(known))?;
            Some((source, frame.current_line()?))
        })?;
        if line.is_some() {
            return line;
        }
    }
    None
}

/// A stack frame, as Redis's message handler would see it.
struct Frame {
    /// A C function, or a function of the prelude that stands for one.
    is_c: bool,
    is_prelude: bool,
    source: String,
    line: i64,
}

fn frame(lua: &Lua, level: usize) -> Option<Frame> {
    lua.inspect_stack(level, |frame| {
        let source = frame.source();
        let name = source.source.as_deref().unwrap_or_default();
        let is_prelude = name == PRELUDE_CHUNK;
        Frame {
            is_c: is_prelude || source.what == "C",
            is_prelude,
            source: if is_prelude { "=[C]".to_owned() } else { name.to_owned() },
            line: frame.current_line().filter(|_| !is_prelude).map_or(-1, |line| line as i64),
        }
    })
}

/// The place that Redis names: the frame that raised the error, or the one below it if that was a C function. A C
/// function called by the prelude is one with the function of the prelude.
fn place(lua: &Lua) -> Option<(String, i64)> {
    // 0 is `record`, 1 the prelude's handler
    let mut level = 2;
    let frame_at = |level: &mut usize| {
        let here = frame(lua, *level)?;
        if here.is_c
            && !here.is_prelude
            && let Some(below) = frame(lua, *level + 1).filter(|below| below.is_prelude)
        {
            *level += 1;
            return Some(below);
        }
        Some(here)
    };
    let mut blamed = frame_at(&mut level)?;
    if blamed.is_c {
        level += 1;
        blamed = frame_at(&mut level)?;
    }
    Some((blamed.source, blamed.line))
}
