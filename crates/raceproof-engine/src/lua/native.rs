//! Functions written in Rust that fail like functions written in C.
//!
//! A Lua C function puts the position of its caller and the name under which it was called into its error texts. These
//! do too, which is why they must be real C functions (a Lua wrapper would lose its caller in a tail call). mlua raises
//! every error of a Rust function as a userdata; the prelude's `pcall`, `xpcall` and `coroutine.resume` turn it back
//! into the string or table that Redis would have raised.

use std::fmt;

use mlua::{Function, IntoLuaMulti, Lua, LuaString, Value, Variadic};

/// The text between a function's name and the reason, or a whole message, as bytes: Lua strings need not be UTF-8.
pub(super) type Text = Vec<u8>;

/// What a Rust function raised, while it travels through mlua.
#[derive(Clone, Debug)]
pub(super) enum Raised {
    /// A string.
    Message(Text),
    /// A table with the field `err`, as `redis.call` raises it for an error reply.
    Reply {
        /// The field `err`.
        err: Text,
        /// Whether the error came from a command, which Redis marks with `ignore_error_stats_update`.
        from_command: bool,
    },
    /// The instruction budget is used up. No handler may catch this.
    Limit,
    /// Whoever runs the engine ends the script. No handler may catch this either.
    Killed,
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(text) | Self::Reply { err: text, .. } => f.write_str(&String::from_utf8_lossy(text)),
            Self::Limit => f.write_str("instruction limit"),
            Self::Killed => f.write_str("killed"),
        }
    }
}

impl std::error::Error for Raised {}

impl Raised {
    /// What an error of mlua carries, if one of our functions raised it.
    pub(super) fn of(error: &mlua::Error) -> Option<&Self> {
        error.downcast_ref::<Self>()
    }
}

/// How a Rust function fails.
#[derive(Debug)]
pub(super) enum Fail {
    /// `luaL_argerror`: the argument's number (0 for the call as a whole) and the reason.
    Arg(usize, Text),
    /// `luaL_error`: a message that begins with the caller's position.
    At(Text),
    /// A message without a position.
    Plain(Text),
    /// An error table, as the `redis` library raises it.
    Reply(Text),
    /// An error table made from a command's error reply.
    Command(Text),
    /// An error of mlua itself: memory, or a failing metamethod.
    Lua(mlua::Error),
}

impl From<mlua::Error> for Fail {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(error)
    }
}

impl Fail {
    pub(super) fn at(text: impl Into<String>) -> Self {
        Self::At(text.into().into_bytes())
    }

    pub(super) fn arg(number: usize, reason: impl Into<String>) -> Self {
        Self::Arg(number, reason.into().into_bytes())
    }

    /// The error to return from a callback that runs `level` frames below the function that is to blame.
    fn raise(self, lua: &Lua, level: usize) -> mlua::Error {
        let raised = match self {
            Self::Lua(error) => return error,
            Self::Plain(text) => Raised::Message(text),
            Self::At(text) => Raised::Message(with_position(lua, level + 1, &text)),
            Self::Arg(number, reason) => {
                Raised::Message(with_position(lua, level + 1, &argument_error(lua, level, number, &reason)))
            }
            Self::Reply(err) => Raised::Reply { err, from_command: false },
            Self::Command(err) => Raised::Reply { err, from_command: true },
        };
        mlua::Error::external(raised)
    }
}

fn with_position(lua: &Lua, level: usize, text: &[u8]) -> Text {
    let position = lua.inspect_stack(level, |frame| {
        let line = frame.current_line()?;
        Some(format!("{}:{line}: ", frame.source().short_src?))
    });
    let mut message = position.flatten().unwrap_or_default().into_bytes();
    message.extend_from_slice(text);
    message
}

fn argument_error(lua: &Lua, level: usize, mut number: usize, reason: &[u8]) -> Text {
    let (name, method) = lua
        .inspect_stack(level, |frame| {
            let names = frame.names();
            (names.name.map(|name| name.into_owned()), names.name_what == Some("method"))
        })
        .unwrap_or((None, false));
    let name = name.unwrap_or_else(|| "?".to_owned());
    let mut text = if method && number == 1 {
        format!("calling '{name}' on bad self (")
    } else {
        number -= usize::from(method && number > 0);
        format!("bad argument #{number} to '{name}' (")
    }
    .into_bytes();
    text.extend_from_slice(reason);
    text.push(b')');
    text
}

/// The arguments of a call.
pub(super) struct Args<'a> {
    /// The state in which the function runs.
    pub(super) lua: &'a Lua,
    /// The arguments, the first one at index 0.
    pub(super) values: &'a [Value],
}

impl Args<'_> {
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// An argument by its number, which begins at 1.
    pub(super) fn get(&self, number: usize) -> Option<&Value> {
        self.values.get(number - 1)
    }

    fn type_error(&self, number: usize, expected: &str) -> Fail {
        Fail::arg(number, format!("{expected} expected, got {}", self.get(number).map_or("no value", type_name)))
    }

    /// `luaL_checklstring`
    pub(super) fn string(&self, number: usize) -> Result<LuaString, Fail> {
        match self.get(number) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(value @ (Value::Integer(_) | Value::Number(_))) => {
                Ok(self.lua.coerce_string(value.clone())?.map_or_else(|| self.lua.create_string(""), Ok)?)
            }
            _ => Err(self.type_error(number, "string")),
        }
    }

    /// `luaL_checknumber`
    pub(super) fn number(&self, number: usize) -> Result<f64, Fail> {
        match self.get(number) {
            Some(value) => to_number(self.lua, value).ok_or_else(|| self.type_error(number, "number")),
            None => Err(self.type_error(number, "number")),
        }
    }

    /// `luaL_checkinteger`
    pub(super) fn integer(&self, number: usize) -> Result<i64, Fail> {
        self.number(number).map(to_integer)
    }

    /// `luaL_optinteger`
    pub(super) fn integer_or(&self, number: usize, default: i64) -> Result<i64, Fail> {
        match self.get(number) {
            None | Some(Value::Nil) => Ok(default),
            Some(_) => self.integer(number),
        }
    }
}

/// `lua_tonumber`, or nothing where that gives 0 for want of a number.
pub(super) fn to_number(lua: &Lua, value: &Value) -> Option<f64> {
    match value {
        Value::Integer(n) => Some(*n as f64),
        Value::Number(n) => Some(*n),
        Value::String(_) => lua.coerce_number(value.clone()).ok().flatten(),
        _ => None,
    }
}

/// The conversion that the C compiler makes of a cast to a 64-bit integer on x86-64: out of range is the minimum.
pub(super) fn to_integer(n: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&n) { n as i64 } else { i64::MIN }
}

/// `luaL_typename`
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::LightUserData(_) | Value::UserData(_) | Value::Error(_) => "userdata",
        Value::Integer(_) | Value::Number(_) => "number",
        other => other.type_name(),
    }
}

/// Makes a Lua function of a Rust function.
pub(super) fn native<F, R>(lua: &Lua, function: F) -> mlua::Result<Function>
where
    F: Fn(&Args<'_>) -> Result<R, Fail> + 'static,
    R: IntoLuaMulti,
{
    lua.create_function(move |lua, values: Variadic<Value>| {
        function(&Args { lua, values: &values }).map_err(|fail| fail.raise(lua, 0))
    })
}

/// `fail_arg(number, reason)`: raises an argument error on behalf of the Lua function that calls it.
pub(super) fn fail_arg(lua: &Lua) -> mlua::Result<Function> {
    lua.create_function(|lua, (number, reason): (usize, LuaString)| -> mlua::Result<()> {
        Err(Fail::Arg(number, reason.as_bytes().to_vec()).raise(lua, 1))
    })
}

/// `fail_at(message)`: raises a message with the position of the caller of the Lua function that calls it.
pub(super) fn fail_at(lua: &Lua) -> mlua::Result<Function> {
    lua.create_function(|lua, message: LuaString| -> mlua::Result<()> {
        Err(Fail::At(message.as_bytes().to_vec()).raise(lua, 1))
    })
}
