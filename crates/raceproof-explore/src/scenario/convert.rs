//! Values between Lua, Redis and SQL.

use bytes::Bytes;
use mlua::{Lua, Table, Value};
use raceproof_engine::Reply;

use crate::history::Datum;
use crate::sql::{SqlReply, SqlValue};

/// A number as Redis wants it: an integer without a decimal point.
pub(super) fn number_text(x: f64) -> String {
    if x.fract() == 0.0 && x.abs() < 9.2e18 {
        // In range, and without a fraction: nothing is cut off.
        #[allow(clippy::cast_possible_truncation)]
        let whole = x as i64;
        whole.to_string()
    } else {
        x.to_string()
    }
}

/// The arguments of a command. A table is spliced in: its list, then its other fields with their values, by name.
pub(super) fn command(values: impl Iterator<Item = Value>) -> Result<Vec<Bytes>, String> {
    let mut args = Vec::with_capacity(values.size_hint().0);
    for (at, value) in values.enumerate() {
        if let Err(found) = push_argument(&mut args, &value, true) {
            return Err(if at == 0 {
                format!("the command of redis() must be a text, not {found}")
            } else {
                format!("argument {at} of {} is {found}", String::from_utf8_lossy(&args[0]))
            });
        }
    }
    if args.is_empty() {
        return Err("redis() needs a command".to_owned());
    }
    Ok(args)
}

fn push_argument(args: &mut Vec<Bytes>, value: &Value, splice: bool) -> Result<(), String> {
    match value {
        Value::String(text) => args.push(Bytes::copy_from_slice(&text.as_bytes())),
        Value::Integer(n) => args.push(n.to_string().into()),
        Value::Number(x) => args.push(number_text(*x).into()),
        Value::Table(table) if splice => return push_table(args, table),
        other => return Err(kind(other)),
    }
    Ok(())
}

fn push_table(args: &mut Vec<Bytes>, table: &Table) -> Result<(), String> {
    let unreadable = |error: mlua::Error| format!("a table that cannot be read ({error})");
    let length = table.raw_len();
    for at in 1..=length {
        push_argument(args, &table.raw_get(at).map_err(unreadable)?, false)?;
    }
    let mut fields = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        match pair.map_err(unreadable)? {
            (Value::Integer(at), _) if usize::try_from(at).is_ok_and(|at| (1..=length).contains(&at)) => {}
            (Value::String(name), value) => fields.push((Bytes::copy_from_slice(&name.as_bytes()), value)),
            (other, _) => return Err(format!("a table with {} as a field", kind(&other))),
        }
    }
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, value) in fields {
        args.push(name);
        push_argument(args, &value, false)?;
    }
    Ok(())
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Nil => "nil".to_owned(),
        Value::LightUserData(_) => "null".to_owned(),
        Value::Boolean(b) => b.to_string(),
        Value::Integer(_) => "a number".to_owned(),
        other => format!("a {}", other.type_name()),
    }
}

/// The value of a reply: `Ok`, or the text of an error reply.
pub(super) fn reply(lua: &Lua, reply: Reply) -> mlua::Result<Result<Value, Bytes>> {
    Ok(match reply {
        Reply::Error(text) => Err(text),
        Reply::Null | Reply::NullArray | Reply::NullOf(_) => Ok(Value::Nil),
        other => Ok(nested(lua, other)?),
    })
}

fn nested(lua: &Lua, reply: Reply) -> mlua::Result<Value> {
    Ok(match reply {
        Reply::Simple(text) => Value::String(lua.create_string(text)?),
        Reply::Status(text) | Reply::Bulk(text) | Reply::BigNumber(text) | Reply::Verbatim(_, text) => {
            Value::String(lua.create_string(&text)?)
        }
        Reply::Error(text) => {
            let table = lua.create_table_with_capacity(0, 1)?;
            table.raw_set("err", lua.create_string(&text)?)?;
            Value::Table(table)
        }
        Reply::Integer(n) => Value::Integer(n),
        Reply::Double(x) | Reply::Decimal(x) | Reply::Shortest(x) => Value::Number(x),
        Reply::Boolean(b) => Value::Boolean(b),
        Reply::Null | Reply::NullArray | Reply::NullOf(_) => Value::NULL,
        Reply::Array(items) | Reply::Set(items) | Reply::Inline(items) | Reply::Push(items) => {
            let table = lua.create_table_with_capacity(items.len(), 0)?;
            for (at, item) in items.into_iter().enumerate() {
                table.raw_set(at + 1, nested(lua, item)?)?;
            }
            Value::Table(table)
        }
        Reply::Map(pairs) | Reply::Attribute(pairs) => {
            let table = lua.create_table_with_capacity(0, pairs.len())?;
            for (field, value) in pairs {
                let field = match nested(lua, field)? {
                    field @ (Value::String(_) | Value::Integer(_) | Value::Boolean(_)) => field,
                    other => Value::String(lua.create_string(format!("{other:?}"))?),
                };
                table.raw_set(field, nested(lua, value)?)?;
            }
            Value::Table(table)
        }
    })
}

/// A parameter of a statement.
pub(super) fn parameter(value: &Value) -> Result<SqlValue, String> {
    Ok(match value {
        Value::Nil | Value::LightUserData(_) => SqlValue::Null,
        Value::Boolean(b) => SqlValue::Integer(i64::from(*b)),
        Value::Integer(n) => SqlValue::Integer(*n),
        Value::Number(x) => SqlValue::Real(*x),
        Value::String(text) => {
            let bytes = text.as_bytes();
            match std::str::from_utf8(&bytes) {
                Ok(text) => SqlValue::Text(text.to_owned()),
                Err(_) => SqlValue::Blob(bytes.to_vec()),
            }
        }
        other => return Err(format!("{} cannot be a parameter of a statement", kind(other))),
    })
}

/// The rows of a query, each a table by column name; the count of rows that another statement changed.
pub(super) fn rows(lua: &Lua, reply: SqlReply) -> mlua::Result<Value> {
    if reply.columns.is_empty() {
        return Ok(Value::Integer(i64::try_from(reply.changed).unwrap_or(i64::MAX)));
    }
    let rows = lua.create_table_with_capacity(reply.rows.len(), 0)?;
    for (at, row) in reply.rows.into_iter().enumerate() {
        let fields = lua.create_table_with_capacity(0, reply.columns.len())?;
        for (column, value) in reply.columns.iter().zip(row) {
            let value = match value {
                SqlValue::Null => continue,
                SqlValue::Integer(n) => Value::Integer(n),
                SqlValue::Real(x) => Value::Number(x),
                SqlValue::Text(text) => Value::String(lua.create_string(text)?),
                SqlValue::Blob(bytes) => Value::String(lua.create_string(bytes)?),
            };
            fields.raw_set(column.as_str(), value)?;
        }
        rows.raw_set(at + 1, fields)?;
    }
    Ok(Value::Table(rows))
}

/// A value that a client says it has written or read, as text: equal values have equal texts, whether they came from
/// Redis, from the database or from the file.
pub(super) fn history_value(value: &Value) -> Result<Option<String>, String> {
    Ok(Some(match value {
        Value::Nil | Value::LightUserData(_) => return Ok(None),
        Value::Integer(n) => n.to_string(),
        Value::Number(x) => number_text(*x),
        Value::Boolean(b) => b.to_string(),
        Value::String(text) => String::from_utf8_lossy(&text.as_bytes()).into_owned(),
        other => {
            return Err(format!("the value of a read or write must be a text or a number, not {}", kind(other)));
        }
    }))
}

/// What an operation returned: nothing, a value, or a list of values; a table with names gives names and values in turn.
pub(super) fn datum(value: Option<Value>) -> Result<Option<Datum>, String> {
    let Some(Value::Table(table)) = value else {
        return Ok(history_value(&value.unwrap_or(Value::Nil))?.map(Datum::Text));
    };
    let mut items = Vec::new();
    push_argument(&mut items, &Value::Table(table), true)
        .map_err(|found| format!("a value of the history is {found}"))?;
    Ok(Some(Datum::List(items.iter().map(|item| String::from_utf8_lossy(item).into_owned()).collect())))
}
