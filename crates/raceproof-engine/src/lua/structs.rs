//! The `struct` library: values to and from the byte layouts of C.

use mlua::{IntoLua, Lua, MultiValue, Table, Value};

use super::native::{Args, Fail, Text, native, to_integer};

const INTEGER_BYTES_MAX: usize = 32;
const NATIVE_ALIGNMENT: usize = 8;
/// How many results fit on the stack that Lua gives to a C function.
const RESULTS_MAX: usize = 7_990;

/// A format string being read.
struct Format<'a> {
    text: &'a [u8],
    at: usize,
    big_endian: bool,
    align: usize,
}

impl<'a> Format<'a> {
    fn new(text: &'a [u8]) -> Self {
        // The format is a C string: it ends at the first NUL.
        let len = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
        Self { text: &text[..len], at: 0, big_endian: false, align: 1 }
    }

    fn number(&mut self, default: usize) -> Result<usize, Fail> {
        let mut number: Option<usize> = None;
        while let Some(digit) = self.text.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            let next = number.unwrap_or(0) * 10 + usize::from(digit - b'0');
            if next > i32::MAX as usize {
                return Err(Fail::at("integral size overflow"));
            }
            number = Some(next);
            self.at += 1;
        }
        Ok(number.unwrap_or(default))
    }

    /// The next option with its size in bytes.
    fn next(&mut self) -> Result<Option<(u8, usize)>, Fail> {
        let Some(&option) = self.text.get(self.at) else { return Ok(None) };
        self.at += 1;
        let size = match option {
            b'B' | b'b' | b'x' => 1,
            b'H' | b'h' => 2,
            b'L' | b'l' | b'T' | b'd' => 8,
            b'f' => 4,
            b'c' => self.number(1)?,
            b'i' | b'I' => {
                let size = self.number(4)?;
                if size > INTEGER_BYTES_MAX {
                    let text = format!("integral size {size} is larger than limit of {INTEGER_BYTES_MAX}");
                    return Err(Fail::at(text));
                }
                size
            }
            _ => 0,
        };
        Ok(Some((option, size)))
    }

    /// The padding before an option that stands at an offset.
    fn padding(&self, offset: usize, option: u8, size: usize) -> usize {
        if size == 0 || option == b'c' {
            return 0;
        }
        let size = size.min(self.align);
        size.wrapping_sub(offset & (size - 1)) & (size - 1)
    }

    /// Options that write and read nothing.
    fn control(&mut self, option: u8) -> Result<(), Fail> {
        match option {
            b' ' => {}
            b'>' => self.big_endian = true,
            b'<' => self.big_endian = false,
            b'!' => {
                let align = self.number(NATIVE_ALIGNMENT)?;
                if !align.is_power_of_two() {
                    return Err(Fail::at(format!("alignment {align} is not a power of 2")));
                }
                self.align = align;
            }
            other => {
                let mut reason = b"invalid format option '".to_vec();
                reason.extend_from_slice(&[other, b'\'']);
                return Err(Fail::Arg(1, reason));
            }
        }
        Ok(())
    }
}

fn put(out: &mut Text, mut bytes: Vec<u8>, big_endian: bool) {
    if big_endian {
        bytes.reverse();
    }
    out.append(&mut bytes);
}

fn little_endian_integer(n: f64, size: usize) -> Vec<u8> {
    let value = if n < 0.0 { to_integer(n) as u64 } else { n as u64 };
    (0..size).map(|index| if index < 8 { (value >> (8 * index)) as u8 } else { 0 }).collect()
}

fn pack(args: &Args<'_>) -> Result<mlua::LuaString, Fail> {
    // A missing argument is nil rather than absent: the C library keeps a nil behind them.
    let values: Vec<Value> = args.values.iter().cloned().chain((args.len() > 0).then_some(Value::Nil)).collect();
    let args = &Args { lua: args.lua, values: &values };
    let source = args.string(1)?;
    let source = source.as_bytes();
    let mut format = Format::new(&source);
    let mut out = Text::new();
    let mut number = 2;
    while let Some((option, size)) = format.next()? {
        out.resize(out.len() + format.padding(out.len(), option, size), 0);
        match option {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                put(&mut out, little_endian_integer(args.number(number)?, size), format.big_endian);
                number += 1;
            }
            b'x' => out.push(0),
            b'f' => {
                put(&mut out, (args.number(number)? as f32).to_le_bytes().to_vec(), format.big_endian);
                number += 1;
            }
            b'd' => {
                put(&mut out, args.number(number)?.to_le_bytes().to_vec(), format.big_endian);
                number += 1;
            }
            b'c' | b's' => {
                let text = args.string(number)?;
                let text = text.as_bytes();
                number += 1;
                let size = if size == 0 { text.len() } else { size };
                let bytes = text.get(..size).ok_or_else(|| Fail::arg(number, "string too short"))?;
                out.extend_from_slice(bytes);
                if option == b's' {
                    out.push(0);
                }
            }
            other => format.control(other)?,
        }
    }
    Ok(args.lua.create_string(&out)?)
}

fn integer_of(bytes: &[u8], big_endian: bool, signed: bool) -> f64 {
    let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    let value = if big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) };
    if !signed {
        return value as f64;
    }
    // A shift by more than the width takes the count modulo 64, as the processor does.
    let mask = u64::MAX.wrapping_shl((bytes.len() as u32).wrapping_mul(8).wrapping_sub(1));
    (if value & mask == 0 { value } else { value | mask }) as i64 as f64
}

fn unpack(args: &Args<'_>) -> Result<MultiValue, Fail> {
    let source = args.string(1)?;
    let source = source.as_bytes();
    let data = args.string(2)?;
    let data = data.as_bytes();
    let start = args.integer_or(3, 1)?;
    if start == 0 {
        return Err(Fail::arg(3, "offset must be 1 or greater"));
    }
    // A negative offset is a huge one, and then the data is too short.
    let mut at = (start as usize).wrapping_sub(1);
    let mut format = Format::new(&source);
    let mut results: Vec<Value> = Vec::new();
    while let Some((option, mut size)) = format.next()? {
        at = at.saturating_add(format.padding(at, option, size));
        let too_short = || Fail::arg(2, "data string too short");
        let mut bytes = slice(&data, at, size).ok_or_else(too_short)?;
        if results.len() >= RESULTS_MAX {
            return Err(Fail::at("stack overflow (too many results)"));
        }
        match option {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                let value = integer_of(bytes, format.big_endian, option.is_ascii_lowercase());
                results.push(Value::Number(value));
            }
            b'x' => {}
            b'f' | b'd' => results.push(Value::Number(float_of(bytes, format.big_endian))),
            b'c' => {
                if size == 0 {
                    size = previous_size(args.lua, results.pop())?;
                    bytes = slice(&data, at, size).ok_or_else(too_short)?;
                }
                results.push(args.lua.create_string(bytes)?.into_lua(args.lua)?);
            }
            b's' => {
                let rest = &data[at..];
                let end = rest.iter().position(|&byte| byte == 0);
                let end = end.ok_or_else(|| Fail::at("unfinished string in data"))?;
                results.push(args.lua.create_string(&rest[..end])?.into_lua(args.lua)?);
                size = end + 1;
            }
            other => format.control(other)?,
        }
        at += size;
    }
    results.push(Value::Number(at as f64 + 1.0));
    Ok(results.into_iter().collect())
}

fn slice(data: &[u8], at: usize, size: usize) -> Option<&[u8]> {
    data.get(at..at.checked_add(size)?)
}

fn float_of(bytes: &[u8], big_endian: bool) -> f64 {
    let mut bytes = bytes.to_vec();
    if big_endian {
        bytes.reverse();
    }
    match *bytes.as_slice() {
        [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => 0.0,
    }
}

fn previous_size(lua: &Lua, previous: Option<Value>) -> Result<usize, Fail> {
    let size = previous.and_then(|value| super::native::to_number(lua, &value));
    let size = size.ok_or_else(|| Fail::at("format 'c0' needs a previous size"))?;
    Ok(if size < 0.0 { usize::MAX } else { size as usize })
}

fn size(args: &Args<'_>) -> Result<f64, Fail> {
    let source = args.string(1)?;
    let source = source.as_bytes();
    let mut format = Format::new(&source);
    let mut total = 0;
    while let Some((option, size)) = format.next()? {
        total += format.padding(total, option, size);
        match option {
            b's' => return Err(Fail::arg(1, "option 's' has no fixed size")),
            b'c' if size == 0 => return Err(Fail::arg(1, "option 'c0' has no fixed size")),
            other if !other.is_ascii_alphanumeric() => format.control(other)?,
            _ => {}
        }
        total += size;
    }
    Ok(total as f64)
}

/// Makes the library's table.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("pack", native(lua, pack)?)?;
    table.raw_set("unpack", native(lua, unpack)?)?;
    table.raw_set("size", native(lua, size)?)?;
    Ok(table)
}
