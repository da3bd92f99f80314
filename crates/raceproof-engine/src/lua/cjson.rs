//! The `cjson` library: its table and its settings.

mod decode;
mod encode;

use std::cell::RefCell;
use std::rc::Rc;

use mlua::{Lua, LuaString, Table, Value};

use super::native::{Args, Fail, native};

/// What to do with numbers that JSON does not have (NaN and the infinities).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Invalid {
    Off,
    On,
    Null,
}

/// What a script may change with the functions `encode_…` and `decode_…`. Redis keeps such changes for the scripts that
/// follow; here they end with the script.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    sparse_convert: bool,
    sparse_ratio: i64,
    sparse_safe: i64,
    encode_depth_max: i64,
    decode_depth_max: i64,
    precision: i64,
    keep_buffer: bool,
    encode_invalid: Invalid,
    decode_invalid: Invalid,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_depth_max: 1000,
            decode_depth_max: 1000,
            precision: 14,
            keep_buffer: true,
            encode_invalid: Invalid::Off,
            decode_invalid: Invalid::On,
        }
    }
}

/// The settings of one instance of the library.
pub(super) type Shared = Rc<RefCell<Settings>>;

/// `cjson.null`
pub(super) fn null() -> Value {
    Value::LightUserData(mlua::LightUserData(std::ptr::null_mut()))
}

/// Makes the library's table.
pub(super) fn library(lua: &Lua, settings: &Shared) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let add = |name: &str, function: fn(&Args<'_>, &Shared) -> Result<Value, Fail>| {
        let settings = Rc::clone(settings);
        table.raw_set(name, native(lua, move |args| function(args, &settings))?)
    };
    add("encode", |args, settings| {
        one_argument(args)?;
        encode::encode(args.lua, &args.values[0], *settings.borrow()).map(Value::String)
    })?;
    add("decode", |args, settings| {
        one_argument(args)?;
        let text: LuaString = args.string(1)?;
        decode::decode(args.lua, &text.as_bytes(), *settings.borrow())
    })?;
    add("encode_max_depth", |args, settings| {
        arguments_max(args, 1)?;
        integer(args, 1, &mut settings.borrow_mut().encode_depth_max, 1, i64::from(i32::MAX))
    })?;
    add("decode_max_depth", |args, settings| {
        arguments_max(args, 1)?;
        integer(args, 1, &mut settings.borrow_mut().decode_depth_max, 1, i64::from(i32::MAX))
    })?;
    add("encode_number_precision", |args, settings| {
        arguments_max(args, 1)?;
        integer(args, 1, &mut settings.borrow_mut().precision, 1, 14)
    })?;
    add("encode_keep_buffer", |args, settings| {
        arguments_max(args, 1)?;
        boolean(args, 1, &mut settings.borrow_mut().keep_buffer)
    })?;
    add("encode_invalid_numbers", |args, settings| {
        arguments_max(args, 1)?;
        invalid(args, &mut settings.borrow_mut().encode_invalid, &["off", "on", "null"])
    })?;
    add("decode_invalid_numbers", |args, settings| {
        arguments_max(args, 1)?;
        invalid(args, &mut settings.borrow_mut().decode_invalid, &["off", "on"])
    })?;
    let shared = Rc::clone(settings);
    table.raw_set("encode_sparse_array", native(lua, move |args| sparse_array(args, &shared))?)?;
    table.raw_set("new", native(lua, |args| Ok(library(args.lua, &Shared::default())?))?)?;
    table.raw_set("null", null())?;
    table.raw_set("_NAME", "cjson")?;
    table.raw_set("_VERSION", "2.1.0")?;
    Ok(table)
}

fn one_argument(args: &Args<'_>) -> Result<(), Fail> {
    if args.len() == 1 { Ok(()) } else { Err(Fail::arg(1, "expected 1 argument")) }
}

fn arguments_max(args: &Args<'_>, max: usize) -> Result<(), Fail> {
    if args.len() <= max { Ok(()) } else { Err(Fail::arg(max + 1, "found too many arguments")) }
}

fn given<'a>(args: &'a Args<'_>, number: usize) -> Option<&'a Value> {
    args.get(number).filter(|value| !value.is_nil())
}

fn integer(args: &Args<'_>, number: usize, setting: &mut i64, min: i64, max: i64) -> Result<Value, Fail> {
    if given(args, number).is_some() {
        let value = i64::from(args.integer(number)? as i32);
        if !(min..=max).contains(&value) {
            return Err(Fail::arg(1, format!("expected integer between {min} and {max}")));
        }
        *setting = value;
    }
    Ok(Value::Integer(*setting))
}

/// Reads an option that is a boolean or one of some names; gives the option's index.
fn choice(args: &Args<'_>, number: usize, names: &[&str]) -> Result<Option<usize>, Fail> {
    match given(args, number) {
        None => Ok(None),
        Some(Value::Boolean(value)) => Ok(Some(usize::from(*value))),
        Some(_) => {
            let name = args.string(number)?;
            let name = name.as_bytes();
            let index = names.iter().position(|known| known.as_bytes() == &*name);
            index.map(Some).ok_or_else(|| Fail::Arg(number, [b"invalid option '", &*name, b"'"].concat()))
        }
    }
}

fn boolean(args: &Args<'_>, number: usize, setting: &mut bool) -> Result<Value, Fail> {
    if let Some(index) = choice(args, number, &["off", "on"])? {
        *setting = index == 1;
    }
    Ok(Value::Boolean(*setting))
}

fn invalid(args: &Args<'_>, setting: &mut Invalid, names: &[&str]) -> Result<Value, Fail> {
    match choice(args, 1, names)? {
        None => {}
        Some(0) => *setting = Invalid::Off,
        Some(1) => *setting = Invalid::On,
        Some(_) => *setting = Invalid::Null,
    }
    match *setting {
        Invalid::Null => Ok(Value::String(args.lua.create_string("null")?)),
        setting => Ok(Value::Boolean(setting == Invalid::On)),
    }
}

fn sparse_array(args: &Args<'_>, settings: &Shared) -> Result<(Value, Value, Value), Fail> {
    arguments_max(args, 3)?;
    let mut settings = settings.borrow_mut();
    Ok((
        boolean(args, 1, &mut settings.sparse_convert)?,
        integer(args, 2, &mut settings.sparse_ratio, 0, i64::from(i32::MAX))?,
        integer(args, 3, &mut settings.sparse_safe, 0, i64::from(i32::MAX))?,
    ))
}
