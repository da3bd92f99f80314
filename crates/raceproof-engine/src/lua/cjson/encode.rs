//! Lua values to JSON.

use mlua::{Lua, LuaString, Table, Value};

use super::{Invalid, Settings, null};
use crate::lua::native::{Fail, Text, type_name};
use crate::lua::number::format_g;

/// However large a script sets the limit, deeper tables would endanger this host's own stack.
const DEPTH_MAX: i64 = 1_500;

pub(super) fn encode(lua: &Lua, value: &Value, settings: Settings) -> Result<LuaString, Fail> {
    let mut encoder = Encoder { settings, out: Text::new() };
    encoder.value(value, 0)?;
    Ok(lua.create_string(&encoder.out)?)
}

struct Encoder {
    settings: Settings,
    out: Text,
}

fn refuse(value: &Value, reason: &str) -> Fail {
    Fail::at(format!("Cannot serialise {}: {reason}", type_name(value)))
}

impl Encoder {
    fn value(&mut self, value: &Value, depth: i64) -> Result<(), Fail> {
        match value {
            Value::String(text) => self.string(&text.as_bytes()),
            Value::Integer(n) => self.number(*n as f64, value)?,
            Value::Number(n) => self.number(*n, value)?,
            Value::Boolean(true) => self.out.extend_from_slice(b"true"),
            Value::Boolean(false) => self.out.extend_from_slice(b"false"),
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::Table(table) => self.table(table, value, depth + 1)?,
            other if *other == null() => self.out.extend_from_slice(b"null"),
            other => return Err(refuse(other, "type not supported")),
        }
        Ok(())
    }

    fn table(&mut self, table: &Table, value: &Value, depth: i64) -> Result<(), Fail> {
        if depth > self.settings.encode_depth_max.min(DEPTH_MAX) {
            return Err(Fail::at(format!("Cannot serialise, excessive nesting ({depth})")));
        }
        match self.array_len(table, value)? {
            Some(len) if len > 0 => {
                for index in 1..=len {
                    self.out.push(if index == 1 { b'[' } else { b',' });
                    self.value(&table.raw_get(index)?, depth)?;
                }
                self.out.push(b']');
            }
            _ => self.object(table, depth)?,
        }
        Ok(())
    }

    /// The length of the array that a table is, if it is one.
    fn array_len(&self, table: &Table, value: &Value) -> Result<Option<i64>, Fail> {
        let (mut count, mut max) = (0_i128, 0);
        for pair in table.pairs::<Value, Value>() {
            match pair?.0 {
                Value::Integer(n) if n >= 1 => max = max.max(n),
                _ => return Ok(None),
            }
            count += 1;
        }
        let Settings { sparse_convert, sparse_ratio, sparse_safe, .. } = self.settings;
        let sparse = sparse_ratio > 0 && i128::from(max) > count * i128::from(sparse_ratio) && max > sparse_safe;
        match (sparse, sparse_convert) {
            (false, _) => Ok(Some(max)),
            (true, true) => Ok(None),
            (true, false) => Err(refuse(value, "excessively sparse array")),
        }
    }

    fn object(&mut self, table: &Table, depth: i64) -> Result<(), Fail> {
        self.out.push(b'{');
        for (index, pair) in table.pairs::<Value, Value>().enumerate() {
            let (key, value) = pair?;
            if index > 0 {
                self.out.push(b',');
            }
            match &key {
                Value::String(text) => self.string(&text.as_bytes()),
                Value::Integer(_) | Value::Number(_) => {
                    self.out.push(b'"');
                    self.value(&key, depth)?;
                    self.out.push(b'"');
                }
                other => return Err(refuse(other, "table key must be a number or string")),
            }
            self.out.push(b':');
            self.value(&value, depth)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn number(&mut self, n: f64, value: &Value) -> Result<(), Fail> {
        if !n.is_finite() {
            match self.settings.encode_invalid {
                Invalid::Off => return Err(refuse(value, "must not be NaN or Inf")),
                Invalid::Null => self.out.extend_from_slice(b"null"),
                Invalid::On if n.is_nan() => self.out.extend_from_slice(b"nan"),
                Invalid::On => self.out.extend_from_slice(format_g(n, 14).as_bytes()),
            }
            return Ok(());
        }
        self.out.extend_from_slice(format_g(n, self.settings.precision as usize).as_bytes());
        Ok(())
    }

    fn string(&mut self, text: &[u8]) {
        self.out.push(b'"');
        for &byte in text {
            match byte {
                b'"' | b'\\' | b'/' => self.out.extend_from_slice(&[b'\\', byte]),
                0x08 => self.out.extend_from_slice(b"\\b"),
                b'\t' => self.out.extend_from_slice(b"\\t"),
                b'\n' => self.out.extend_from_slice(b"\\n"),
                0x0c => self.out.extend_from_slice(b"\\f"),
                b'\r' => self.out.extend_from_slice(b"\\r"),
                0..=0x1f | 0x7f => self.out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => self.out.push(byte),
            }
        }
        self.out.push(b'"');
    }
}
