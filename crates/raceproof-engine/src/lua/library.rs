//! Libraries of functions: what their bodies register, and how a function of one is called.
//!
//! Redis runs the body of a library once, and its local variables live as long as the library. A host serves any number
//! of engines and keeps nothing between two calls, so here the body runs before each call: a function finds its library
//! as it was loaded.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use mlua::{Function, Lua, LuaString, Table, Value};

use super::native::{Args, Fail, native, to_number};
use crate::{FunctionFlags, LibraryFunction, libraries};

/// A function with what is to be called.
pub(super) struct Registered {
    pub(super) function: LibraryFunction,
    pub(super) callback: Function,
}

/// What the body of a library has registered so far; nothing when none runs.
#[derive(Default)]
pub(super) struct Registry(RefCell<Option<Vec<Registered>>>);

impl Registry {
    pub(super) fn open(&self) {
        *self.0.borrow_mut() = Some(Vec::new());
    }

    pub(super) fn close(&self) -> Vec<Registered> {
        self.0.borrow_mut().take().unwrap_or_default()
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.borrow().is_some()
    }
}

fn fail(text: &str) -> Fail {
    Fail::Reply(format!("ERR {text}").into_bytes())
}

/// The `redis` library that the body of a library of functions sees.
pub(super) fn library(lua: &Lua, redis: &Table, registry: &Rc<Registry>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    for name in ["LOG_DEBUG", "LOG_VERBOSE", "LOG_NOTICE", "LOG_WARNING", "REDIS_VERSION", "REDIS_VERSION_NUM", "log"] {
        table.raw_set(name, redis.raw_get::<Value>(name)?)?;
    }
    let registry = Rc::clone(registry);
    table.raw_set("register_function", native(lua, move |args| register(args, &registry))?)?;
    Ok(table)
}

fn register(args: &Args<'_>, registry: &Registry) -> Result<(), Fail> {
    if !registry.is_open() {
        return Err(fail("redis.register_function can only be called on FUNCTION LOAD command"));
    }
    let registered = match args.values {
        [Value::Table(named)] => by_name(args, named)?,
        [_] => {
            return Err(fail(
                "calling redis.register_function with a single argument is only applicable to Lua table \
                 (representing named arguments).",
            ));
        }
        [name, callback] => {
            let name =
                text(args, name).ok_or_else(|| fail("first argument to redis.register_function must be a string"))?;
            let Value::Function(callback) = callback else {
                return Err(fail("second argument to redis.register_function must be a function"));
            };
            let function = LibraryFunction { name, description: None, flags: FunctionFlags::default() };
            Registered { function, callback: callback.clone() }
        }
        _ => return Err(fail("wrong number of arguments to redis.register_function")),
    };
    let name = &registered.function.name;
    if !libraries::is_name(name) {
        return Err(Fail::Reply(libraries::BAD_NAME.as_bytes().to_vec()));
    }
    if let Some(list) = &mut *registry.0.borrow_mut() {
        if list.iter().any(|known| known.function.name == name) {
            return Err(fail("Function already exists in the library"));
        }
        list.push(registered);
    }
    Ok(())
}

/// A string, or a number as one.
fn text(args: &Args<'_>, value: &Value) -> Option<Bytes> {
    let text: LuaString = match value {
        Value::String(text) => text.clone(),
        Value::Integer(_) | Value::Number(_) => args.lua.coerce_string(value.clone()).ok()??,
        _ => return None,
    };
    Some(Bytes::copy_from_slice(&text.as_bytes()))
}

fn by_name(args: &Args<'_>, named: &Table) -> Result<Registered, Fail> {
    let must_be_text = |what: &str| fail(&format!("{what} argument given to redis.register_function must be a string"));
    let (mut name, mut description, mut callback, mut flags) = (None, None, None, FunctionFlags::default());
    for pair in named.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let key = text(args, &key)
            .ok_or_else(|| fail("named argument key given to redis.register_function is not a string"))?;
        match key.to_ascii_lowercase().as_slice() {
            b"function_name" => name = Some(text(args, &value).ok_or_else(|| must_be_text("function_name"))?),
            b"description" => description = Some(text(args, &value).ok_or_else(|| must_be_text("description"))?),
            b"callback" => match value {
                Value::Function(function) => callback = Some(function),
                _ => return Err(fail("callback argument given to redis.register_function must be a function")),
            },
            b"flags" => match value {
                Value::Table(list) => flags = flags_of(args, &list)?,
                _ => {
                    return Err(fail(
                        "flags argument to redis.register_function must be a table representing function flags",
                    ));
                }
            },
            _ => return Err(fail("unknown argument given to redis.register_function")),
        }
    }
    let name = name.ok_or_else(|| fail("redis.register_function must get a function name argument"))?;
    let callback = callback.ok_or_else(|| fail("redis.register_function must get a callback argument"))?;
    Ok(Registered { function: LibraryFunction { name, description, flags }, callback })
}

fn flags_of(args: &Args<'_>, list: &Table) -> Result<FunctionFlags, Fail> {
    let mut flags = FunctionFlags::default();
    for at in 1.. {
        let value: Value = list.get(at)?;
        if value.is_nil() {
            break;
        }
        // A number is no name of a flag.
        let known = to_number(args.lua, &value).is_none() && text(args, &value).is_some_and(|name| flags.set(&name));
        if !known {
            return Err(fail("unknown flag given"));
        }
    }
    Ok(flags)
}
