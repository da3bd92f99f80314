//! The `bit` library: operations on 32-bit integers.

use mlua::{Lua, Table};

use super::native::{Args, Fail, native};

/// An operation on two operands.
type Operation = fn(u32, u32) -> u32;

/// Adding this rounds a double to an integer, which is then found in the low bits of its representation.
const ROUNDING: f64 = 6_755_399_441_055_744.0;

fn operand(args: &Args<'_>, number: usize) -> Result<u32, Fail> {
    Ok((args.number(number)? + ROUNDING).to_bits() as u32)
}

fn result(bits: u32) -> f64 {
    f64::from(bits as i32)
}

fn fold(args: &Args<'_>, combine: Operation) -> Result<f64, Fail> {
    let mut bits = operand(args, 1)?;
    for number in (2..=args.len()).rev() {
        bits = combine(bits, operand(args, number)?);
    }
    Ok(result(bits))
}

fn shift(args: &Args<'_>, apply: Operation) -> Result<f64, Fail> {
    Ok(result(apply(operand(args, 1)?, operand(args, 2)? & 31)))
}

fn to_hex(args: &Args<'_>) -> Result<String, Fail> {
    let bits = operand(args, 1)?;
    let width = if args.len() < 2 { 8 } else { operand(args, 2)? as i32 };
    let digits = width.unsigned_abs().min(8) as usize;
    let text = if width < 0 { format!("{bits:08X}") } else { format!("{bits:08x}") };
    Ok(text[8 - digits..].to_owned())
}

/// Makes the library's table.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let bit = lua.create_table()?;
    bit.raw_set("tobit", native(lua, |args| operand(args, 1).map(result))?)?;
    bit.raw_set("bnot", native(lua, |args| operand(args, 1).map(|bits| result(!bits)))?)?;
    bit.raw_set("bswap", native(lua, |args| operand(args, 1).map(|bits| result(bits.swap_bytes())))?)?;
    bit.raw_set("tohex", native(lua, to_hex)?)?;
    let folds: [(&str, Operation); 3] = [("band", |a, b| a & b), ("bor", |a, b| a | b), ("bxor", |a, b| a ^ b)];
    for (name, combine) in folds {
        bit.raw_set(name, native(lua, move |args| fold(args, combine))?)?;
    }
    let shifts: [(&str, Operation); 5] = [
        ("lshift", |a, n| a << n),
        ("rshift", |a, n| a >> n),
        ("arshift", |a, n| ((a as i32) >> n) as u32),
        ("rol", u32::rotate_left),
        ("ror", u32::rotate_right),
    ];
    for (name, apply) in shifts {
        bit.raw_set(name, native(lua, move |args| shift(args, apply))?)?;
    }
    Ok(bit)
}
