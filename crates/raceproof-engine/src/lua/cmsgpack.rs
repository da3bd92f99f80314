//! The `cmsgpack` library: MessagePack.

use mlua::{IntoLua, Lua, LuaString, MultiValue, Table, Value};

use super::native::{Args, Fail, Text, native};

/// Deeper tables are packed as nil.
const PACK_DEPTH_MAX: usize = 16;
/// As many values are put onto Lua's stack a second time, which ends at 8,000.
const PACKED_AT_ONCE: usize = 4_000;
/// More values do not fit on that stack.
const UNPACKED_AT_ONCE: usize = 7_998;
/// Redis stops where Lua's stack for C functions ends; this host stops before its own stack does.
const UNPACK_DEPTH_MAX: usize = 1_000;

/// Makes the library's table.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("_NAME", "cmsgpack")?;
    table.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    table.raw_set("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo")?;
    table.raw_set("_DESCRIPTION", "MessagePack C implementation for Lua")?;
    table.raw_set("pack", native(lua, pack)?)?;
    table.raw_set("unpack", native(lua, |args| unpack(args, 0, 0))?)?;
    table.raw_set("unpack_one", native(lua, |args| unpack(args, 1, args.integer_or(2, 0)?))?)?;
    table.raw_set(
        "unpack_limit",
        native(lua, |args| {
            let limit = args.integer(2)?;
            unpack(args, limit, args.integer_or(3, 0)?)
        })?,
    )?;
    Ok(table)
}

fn pack(args: &Args<'_>) -> Result<LuaString, Fail> {
    if args.len() == 0 {
        return Err(Fail::arg(0, "MessagePack pack needs input."));
    }
    if args.len() > PACKED_AT_ONCE {
        return Err(Fail::arg(0, "Too many arguments for MessagePack pack."));
    }
    let mut out = Text::new();
    for value in args.values {
        pack_value(value, &mut out, 0)?;
    }
    Ok(args.lua.create_string(&out)?)
}

fn pack_value(value: &Value, out: &mut Text, depth: usize) -> Result<(), Fail> {
    match value {
        Value::String(text) => {
            let text = text.as_bytes();
            pack_len(out, text.len(), (0xa0, 32), Some(0xd9), (0xda, 0xdb));
            out.extend_from_slice(&text);
        }
        Value::Boolean(truth) => out.push(if *truth { 0xc3 } else { 0xc2 }),
        Value::Integer(n) => pack_integer(*n, out),
        Value::Number(n) if *n == 0.0 => pack_integer(0, out),
        Value::Number(n) => pack_double(*n, out),
        Value::Table(table) if depth < PACK_DEPTH_MAX => pack_table(table, out, depth)?,
        _ => out.push(0xc0),
    }
    Ok(())
}

/// A header with a length: packed into the tag itself when below `fix.1`, else after one of the tags for 8, 16 and 32
/// bits.
fn pack_len(out: &mut Text, len: usize, fix: (u8, usize), tag_8: Option<u8>, tags: (u8, u8)) {
    match (len, tag_8) {
        _ if len < fix.1 => out.push(fix.0 | len as u8),
        (0..=0xff, Some(tag)) => out.extend_from_slice(&[tag, len as u8]),
        (0..=0xffff, _) => {
            out.push(tags.0);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(tags.1);
            out.extend_from_slice(&(len as u32).to_be_bytes());
        }
    }
}

fn pack_integer(n: i64, out: &mut Text) {
    let (tag, width) = match n {
        -32..=127 => return out.push(n as u8),
        128..=0xff => (0xcc, 1),
        0x100..=0xffff => (0xcd, 2),
        0x1_0000..=0xffff_ffff => (0xce, 4),
        0x1_0000_0000.. => (0xcf, 8),
        -0x80..=-33 => (0xd0, 1),
        -0x8000..=-0x81 => (0xd1, 2),
        -0x8000_0000..=-0x8001 => (0xd2, 4),
        _ => (0xd3, 8),
    };
    out.push(tag);
    out.extend_from_slice(&n.to_be_bytes()[8 - width..]);
}

fn pack_double(n: f64, out: &mut Text) {
    let single = n as f32;
    if f64::from(single) == n {
        out.push(0xca);
        out.extend_from_slice(&single.to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend_from_slice(&n.to_be_bytes());
    }
}

fn pack_table(table: &Table, out: &mut Text, depth: usize) -> Result<(), Fail> {
    let (len, is_array) = shape(table)?;
    if is_array {
        pack_len(out, len, (0x90, 16), None, (0xdc, 0xdd));
        for index in 1..=len {
            pack_value(&table.raw_get::<Value>(index)?, out, depth + 1)?;
        }
        return Ok(());
    }
    pack_len(out, len, (0x80, 16), None, (0xde, 0xdf));
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        pack_value(&key, out, depth + 1)?;
        pack_value(&value, out, depth + 1)?;
    }
    Ok(())
}

/// How many pairs there are, and whether the keys are exactly 1 to n.
fn shape(table: &Table) -> Result<(usize, bool), Fail> {
    let (mut count, mut max, mut positive) = (0_usize, 0, true);
    for pair in table.pairs::<Value, Value>() {
        match pair?.0 {
            Value::Integer(n) if n >= 1 => max = max.max(n),
            _ => positive = false,
        }
        count += 1;
    }
    Ok((count, positive && max == count as i64))
}

fn unpack(args: &Args<'_>, limit: i64, offset: i64) -> Result<MultiValue, Fail> {
    let data = args.string(1)?;
    let data = data.as_bytes();
    let len = data.len() as i64;
    let (limit, offset) = (i64::from(limit as i32), i64::from(offset as i32));
    if limit < 0 || offset < 0 {
        let text = format!("Invalid request to unpack with offset of {offset} and limit of {len}.");
        return Err(Fail::at(text));
    }
    if offset > len {
        return Err(Fail::at(format!("Start offset {offset} greater than input length {len}.")));
    }
    let all = limit == 0 && offset == 0;
    let limit = if all { i64::from(i32::MAX) } else { limit };
    let mut cursor = Cursor { lua: args.lua, data: &data[offset as usize..] };
    let mut results = Vec::new();
    while !cursor.data.is_empty() && (results.len() as i64) < limit {
        if results.len() == UNPACKED_AT_ONCE {
            let text = "stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)";
            return Err(Fail::at(text));
        }
        results.push(cursor.value(0)?);
    }
    if !all {
        let left = cursor.data.len() as i64;
        results.insert(0, Value::Integer(if left == 0 { -1 } else { len - left }));
    }
    Ok(results.into_iter().collect())
}

struct Cursor<'a> {
    lua: &'a Lua,
    data: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Fail> {
        let (bytes, rest) = self.data.split_at_checked(count).ok_or_else(|| Fail::at("Missing bytes in input."))?;
        self.data = rest;
        Ok(bytes)
    }

    fn unsigned(&mut self, width: usize) -> Result<u64, Fail> {
        Ok(self.take(width)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    fn signed(&mut self, width: usize) -> Result<Value, Fail> {
        let unused_bits = 64 - 8 * width as u32;
        Ok(Value::Integer((self.unsigned(width)? << unused_bits) as i64 >> unused_bits))
    }

    fn value(&mut self, depth: usize) -> Result<Value, Fail> {
        let tag = self.take(1)?[0];
        Ok(match tag {
            0x00..=0x7f => Value::Integer(i64::from(tag)),
            0x80..=0x8f => self.map(u64::from(tag & 0x0f), depth)?,
            0x90..=0x9f => self.array(u64::from(tag & 0x0f), depth)?,
            0xa0..=0xbf => self.string(usize::from(tag & 0x1f))?,
            0xc0 => Value::Nil,
            0xc2 => Value::Boolean(false),
            0xc3 => Value::Boolean(true),
            0xca => Value::Number(f64::from(f32::from_bits(self.unsigned(4)? as u32))),
            0xcb => Value::Number(f64::from_bits(self.unsigned(8)?)),
            // Redis's build takes 64 unsigned bits for signed ones.
            0xcc..=0xcf => Value::Integer(self.unsigned(1 << (tag - 0xcc))? as i64),
            0xd0..=0xd3 => self.signed(1 << (tag - 0xd0))?,
            0xd9..=0xdb => {
                let len = self.unsigned(1 << (tag - 0xd9))?;
                self.string(len as usize)?
            }
            0xdc | 0xdd => {
                let len = self.unsigned(2 << (tag - 0xdc))?;
                self.array(len, depth)?
            }
            0xde | 0xdf => {
                let len = self.unsigned(2 << (tag - 0xde))?;
                self.map(len, depth)?
            }
            0xe0..=0xff => Value::Integer(i64::from(tag as i8)),
            0xc1 | 0xc4..=0xc9 | 0xd4..=0xd8 => return Err(Fail::at("Bad data format in input.")),
        })
    }

    fn string(&mut self, len: usize) -> Result<Value, Fail> {
        Ok(self.lua.create_string(self.take(len)?)?.into_lua(self.lua)?)
    }

    fn array(&mut self, len: u64, depth: usize) -> Result<Value, Fail> {
        if depth >= UNPACK_DEPTH_MAX {
            return Err(Fail::at("stack overflow (in function mp_decode_to_lua_array)"));
        }
        let table = self.lua.create_table()?;
        for index in 1..=len {
            let value = self.value(depth + 1)?;
            table.raw_set(index, value)?;
        }
        Ok(Value::Table(table))
    }

    fn map(&mut self, len: u64, depth: usize) -> Result<Value, Fail> {
        if depth >= UNPACK_DEPTH_MAX {
            return Err(Fail::at("stack overflow (in function mp_decode_to_lua_hash)"));
        }
        let table = self.lua.create_table()?;
        for _ in 0..len {
            let key = self.value(depth + 1)?;
            let value = self.value(depth + 1)?;
            match key {
                Value::Nil => return Err(Fail::Plain(b"table index is nil".to_vec())),
                Value::Number(n) if n.is_nan() => return Err(Fail::Plain(b"table index is NaN".to_vec())),
                key => table.raw_set(key, value)?,
            }
        }
        Ok(Value::Table(table))
    }
}
