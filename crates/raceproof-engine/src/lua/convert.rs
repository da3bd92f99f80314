//! Replies to Lua values and back.

use bytes::Bytes;
use mlua::{Lua, Table, Value};

use super::native::{Text, to_integer, to_number};
use super::number::format_g;
use crate::Reply;

/// How deep a reply made by a script may nest. Redis's limit follows from Lua's stack (8,000 slots); this one also keeps
/// whoever walks a [`Reply`] recursively from overflowing a thread's stack.
pub(super) const DEPTH_MAX: usize = 1_000;

/// The text of an error as the field `err` of a table has it: without the dash, and with a code.
pub(super) fn error_with_code(text: &[u8]) -> Text {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let text = trim_line_ends(text);
    if text.contains(&b' ') { text.to_vec() } else { [b"ERR ", text].concat() }
}

fn trim_line_ends(text: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b'\r' | b'\n');
    match (text.iter().position(is_text), text.iter().rposition(is_text)) {
        (Some(first), Some(last)) => &text[first..=last],
        _ => b"",
    }
}

/// A table as `redis.error_reply` makes it.
pub(super) fn error_table(lua: &Lua, err: &[u8], from_command: bool) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("err", lua.create_string(err)?)?;
    if from_command {
        table.raw_set("ignore_error_stats_update", true)?;
    }
    Ok(table)
}

/// A command's reply as a Lua value, in the shape of a protocol version.
pub(super) fn to_lua(lua: &Lua, reply: &Reply, resp3: bool) -> mlua::Result<Value> {
    let text = |bytes: &[u8]| lua.create_string(bytes).map(Value::String);
    let field = |name: &str, value: Value| -> mlua::Result<Value> {
        let table = lua.create_table_with_capacity(0, 1)?;
        table.raw_set(name, value)?;
        Ok(Value::Table(table))
    };
    match reply {
        Reply::Simple(status) => field("ok", text(status.as_bytes())?),
        Reply::Status(status) => field("ok", text(status)?),
        Reply::Error(message) => error_table(lua, &error_with_code(message), true).map(Value::Table),
        Reply::Integer(n) => Ok(Value::Number(*n as f64)),
        Reply::Bulk(bytes) => text(bytes),
        Reply::Null | Reply::NullArray | Reply::NullOf(_) => Ok(if resp3 { Value::Nil } else { Value::Boolean(false) }),
        Reply::Array(items) | Reply::Inline(items) | Reply::Push(items) => array(lua, items.iter(), resp3),
        Reply::Set(items) if resp3 => {
            let set = lua.create_table_with_capacity(0, items.len())?;
            for item in items {
                insert(&set, to_lua(lua, item, resp3)?, Value::Boolean(true))?;
            }
            field("set", Value::Table(set))
        }
        Reply::Set(items) => array(lua, items.iter(), resp3),
        Reply::Map(pairs) if resp3 => {
            let map = lua.create_table_with_capacity(0, pairs.len())?;
            for (key, value) in pairs {
                insert(&map, to_lua(lua, key, resp3)?, to_lua(lua, value, resp3)?)?;
            }
            field("map", Value::Table(map))
        }
        Reply::Map(pairs) | Reply::Attribute(pairs) => {
            array(lua, pairs.iter().flat_map(|(key, value)| [key, value]), resp3)
        }
        Reply::Double(n) if resp3 => field("double", Value::Number(*n)),
        Reply::Double(n) => text(format_g(*n, 17).as_bytes()),
        Reply::Decimal(n) if resp3 => {
            field("double", Value::Number(crate::number::decimal_text(*n).parse().unwrap_or(*n)))
        }
        Reply::Decimal(n) => text(crate::number::decimal_text(*n).as_bytes()),
        Reply::Boolean(truth) if resp3 => Ok(Value::Boolean(*truth)),
        Reply::Boolean(truth) => Ok(Value::Integer(i64::from(*truth))),
        Reply::BigNumber(digits) if resp3 => field("big_number", text(digits)?),
        Reply::BigNumber(digits) => text(digits),
        Reply::Verbatim(format, bytes) if resp3 => {
            let table = lua.create_table_with_capacity(0, 2)?;
            table.raw_set("format", text(format)?)?;
            table.raw_set("string", text(bytes)?)?;
            field("verbatim_string", Value::Table(table))
        }
        Reply::Verbatim(_, bytes) => text(bytes),
    }
}

/// Lua's tables take neither nil nor NaN as a key.
fn insert(table: &Table, key: Value, value: Value) -> mlua::Result<()> {
    match key {
        Value::Nil => Ok(()),
        Value::Number(n) if n.is_nan() => Ok(()),
        key => table.raw_set(key, value),
    }
}

fn array<'a>(lua: &Lua, items: impl Iterator<Item = &'a Reply>, resp3: bool) -> mlua::Result<Value> {
    let table = lua.create_table_with_capacity(items.size_hint().0, 0)?;
    for (index, item) in items.enumerate() {
        table.raw_set(index + 1, to_lua(lua, item, resp3)?)?;
    }
    Ok(Value::Table(table))
}

/// A table whose elements are being converted. They stay in Lua: mlua holds some 8,000 values at a time.
struct Open {
    kind: Kind,
    /// What is to be converted, up to the first nil.
    elements: Table,
    done: Vec<Reply>,
}

enum Kind {
    Array,
    Map,
    Set,
}

impl Open {
    fn next(&self) -> mlua::Result<Option<Value>> {
        let element: Value = self.elements.raw_get(self.done.len() + 1)?;
        Ok((!element.is_nil()).then_some(element))
    }

    fn close(self) -> Reply {
        match self.kind {
            Kind::Array => Reply::Array(self.done),
            Kind::Set => Reply::Set(self.done),
            Kind::Map => {
                let mut items = self.done.into_iter();
                let mut pairs = Vec::with_capacity(items.len() / 2);
                while let (Some(key), Some(value)) = (items.next(), items.next()) {
                    pairs.push((key, value));
                }
                Reply::Map(pairs)
            }
        }
    }
}

/// A script's result as a reply. `resp3` is what the script chose by `redis.setresp`.
pub(super) fn from_lua(lua: &Lua, value: Value, resp3: bool) -> mlua::Result<Reply> {
    let mut open: Vec<Open> = Vec::new();
    let mut next = value;
    loop {
        let mut reply = if open.len() > DEPTH_MAX {
            Reply::Error(Bytes::from_static(b"ERR reached lua stack limit"))
        } else {
            match begin(lua, next, resp3)? {
                Begun::Done(reply) => reply,
                Begun::Open(table) => match table.next()? {
                    Some(element) => {
                        open.push(table);
                        next = element;
                        continue;
                    }
                    None => table.close(),
                },
            }
        };
        // Hand the finished reply to the table around it, closing every table that it completes.
        loop {
            let Some(table) = open.last_mut() else { return Ok(reply) };
            table.done.push(reply);
            match table.next()? {
                Some(element) => {
                    next = element;
                    break;
                }
                None => reply = open.pop().map_or(Reply::Null, Open::close),
            }
        }
    }
}

enum Begun {
    Done(Reply),
    Open(Open),
}

fn begin(lua: &Lua, value: Value, resp3: bool) -> mlua::Result<Begun> {
    Ok(Begun::Done(match value {
        Value::String(text) => Reply::Bulk(Bytes::copy_from_slice(&text.as_bytes())),
        Value::Integer(n) => Reply::Integer(n),
        Value::Number(n) => Reply::Integer(to_integer(n)),
        Value::Boolean(truth) if resp3 => Reply::Boolean(truth),
        Value::Boolean(true) => Reply::Integer(1),
        Value::Table(table) => return begin_table(lua, table),
        _ => Reply::Null,
    }))
}

fn begin_table(lua: &Lua, table: Table) -> mlua::Result<Begun> {
    if let Some(err) = text_field(&table, "err")? {
        return Ok(Begun::Done(Reply::Error(one_line(trim_line_ends(&err)).into())));
    }
    if let Some(status) = text_field(&table, "ok")? {
        return Ok(Begun::Done(Reply::Status(one_line(&status).into())));
    }
    let double: Value = table.raw_get("double")?;
    if let (Value::Integer(_) | Value::Number(_), Some(n)) = (&double, to_number(lua, &double)) {
        return Ok(Begun::Done(Reply::Double(n)));
    }
    if let Value::Table(map) = table.raw_get("map")? {
        let elements = lua.create_table()?;
        for pair in map.pairs::<Value, Value>() {
            let (key, value) = pair?;
            elements.raw_push(key)?;
            elements.raw_push(value)?;
        }
        return Ok(Begun::Open(Open { kind: Kind::Map, elements, done: Vec::new() }));
    }
    if let Value::Table(set) = table.raw_get("set")? {
        let elements = lua.create_table()?;
        for pair in set.pairs::<Value, Value>() {
            elements.raw_push(pair?.0)?;
        }
        return Ok(Begun::Open(Open { kind: Kind::Set, elements, done: Vec::new() }));
    }
    if let Some(digits) = text_field(&table, "big_number")? {
        return Ok(Begun::Done(Reply::BigNumber(one_line(&digits).into())));
    }
    if let Some(reply) = verbatim(&table)? {
        return Ok(Begun::Done(reply));
    }
    Ok(Begun::Open(Open { kind: Kind::Array, elements: table, done: Vec::new() }))
}

fn verbatim(table: &Table) -> mlua::Result<Option<Reply>> {
    let Value::Table(parts) = table.raw_get("verbatim_string")? else { return Ok(None) };
    let (Some(text), Some(format)) = (text_field(&parts, "string")?, text_field(&parts, "format")?) else {
        return Ok(None);
    };
    let mut code = [b' '; 3];
    for (slot, byte) in code.iter_mut().zip(format) {
        *slot = byte;
    }
    Ok(Some(Reply::Verbatim(code, text.into())))
}

/// A field that is a string.
fn text_field(table: &Table, name: &str) -> mlua::Result<Option<Text>> {
    Ok(match table.raw_get(name)? {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        _ => None,
    })
}

/// The protocol's lines cannot hold line ends; Redis puts spaces.
pub(super) fn one_line(text: &[u8]) -> Text {
    text.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect()
}
