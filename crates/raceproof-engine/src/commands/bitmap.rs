//! Bitmaps: strings whose bits are counted from the highest one of the first byte. `BITFIELD` has a file of its own.

use bytes::{Bytes, BytesMut};

use crate::{
    Access, Object, Reply, Version,
    command::{Command, Group, Run, flag::*, keys},
    context::{Context, Deadline},
    db::{Text, Value},
    failure::{Answer, Failure, NOT_AN_INTEGER, SYNTAX},
    key::Key,
    notify,
    number::parse_integer,
};

const fn row(name: &'static str, run: Run, arity: i32, flags: u32) -> Command {
    Command::new(name, run, arity, flags, Group::Bitmap)
}

pub(super) const COMMANDS: &[Command] = &[
    row("setbit", setbit, 4, WRITE | DENYOOM).keys(&[keys(1, 0, 1, &["RW", "access", "update"])]),
    row("getbit", getbit, 3, READONLY | FAST).keys(&[keys(1, 0, 1, &["RO", "access"])]),
    row("bitcount", bitcount, -2, READONLY).keys(&[keys(1, 0, 1, &["RO", "access"])]),
    row("bitpos", bitpos, -3, READONLY).keys(&[keys(1, 0, 1, &["RO", "access"])]),
    row("bitop", bitop, -4, WRITE | DENYOOM)
        .keys(&[keys(2, 0, 1, &["OW", "update"]), keys(3, -1, 1, &["RO", "access"])]),
];

const BAD_OFFSET: Failure = Failure::Constant("ERR bit offset is not an integer or out of range");

/// The offset of a bit. With `bits`, `#n` means n times as many. The longest string bounds it.
pub(super) fn bit_offset(context: &Context<'_>, text: &[u8], bits: Option<u32>) -> Result<u64, Failure> {
    let number = |text| parse_integer(text).ok_or(BAD_OFFSET);
    let offset = match (text, bits) {
        ([b'#', rest @ ..], Some(bits)) => number(rest)?.wrapping_mul(i64::from(bits)),
        _ => number(text)?,
    };
    let offset = u64::try_from(offset).map_err(|_| BAD_OFFSET)?;
    if offset >> 3 >= context.engine.config.longest_string() as u64 {
        return Err(BAD_OFFSET);
    }
    Ok(offset)
}

fn setbit(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let offset = bit_offset(context, &args[2], None)?;
    let on = match parse_integer(&args[3]) {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(Failure::Constant("ERR bit is not an integer or out of range")),
    };
    let key = Key::new(&args[1]);
    context.text(&key)?;
    let (at, mask) = ((offset >> 3) as usize, 0x80 >> (offset & 7));
    let (grown, was) = context.edit_text(&key, at + 1, |data| {
        let was = data[at] & mask != 0;
        if was != on {
            data[at] ^= mask;
        }
        was
    });
    if grown || was != on {
        context.changed(context.db, &key);
        context.event(notify::STRING, "setbit", &key);
        context.propagate(args);
    }
    Ok(Reply::Integer(i64::from(was)))
}

fn getbit(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let offset = bit_offset(context, &args[2], None)?;
    let text = context.text(&Key::new(&args[1]))?;
    let byte = text.and_then(|text| text.data.get((offset >> 3) as usize).copied()).unwrap_or_default();
    Ok(Reply::Integer(i64::from(byte >> (7 - (offset & 7)) & 1)))
}

/// Whether a range counts bits instead of bytes.
fn counts_bits(unit: &[u8]) -> Result<bool, Failure> {
    match unit {
        _ if unit.eq_ignore_ascii_case(b"bit") => Ok(true),
        _ if unit.eq_ignore_ascii_case(b"byte") => Ok(false),
        _ => Err(SYNTAX),
    }
}

/// The bits from the first to the last one of a range, both included; `None` if it is empty. Negative positions count
/// from the end.
fn bit_range(len: usize, start: i64, end: i64, in_bits: bool) -> Option<(usize, usize)> {
    let total = if in_bits { len as i64 * 8 } else { len as i64 };
    let from_end = |at: i64| if at < 0 { (total + at).max(0) } else { at };
    let (start, end) = (from_end(start), from_end(end).min(total - 1));
    if start > end {
        return None;
    }
    let (start, end) = (start as usize, end as usize);
    Some(if in_bits { (start, end) } else { (start * 8, end * 8 + 7) })
}

/// From 7.2 on the bounds of a range are looked at before the key, which need not be there. `BITPOS` may name the first
/// alone, and looks at the unit before the last.
fn check_bounds(context: &Context<'_>, bounds: &[Bytes], of_position: bool) -> Result<(), Failure> {
    if context.engine.options.version < Version::V7_2 {
        return Ok(());
    }
    let integer = |text: &Bytes| parse_integer(text).map(drop).ok_or(NOT_AN_INTEGER);
    match bounds {
        [] => Ok(()),
        [start] if of_position => integer(start),
        [start, end] => integer(start).and_then(|()| integer(end)),
        [start, end, unit] if of_position => {
            integer(start)?;
            counts_bits(unit)?;
            integer(end)
        }
        [start, end, unit] => {
            integer(start)?;
            integer(end)?;
            counts_bits(unit).map(drop)
        }
        _ => Err(SYNTAX),
    }
}

fn bitcount(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    check_bounds(context, &args[2..], false)?;
    let Some(data) = context.text(&Key::new(&args[1]))?.map(|text| text.data.to_bytes()) else {
        return Ok(Reply::Integer(0));
    };
    let integer = |text: &Bytes| parse_integer(text).ok_or(NOT_AN_INTEGER);
    let range = match &args[2..] {
        [] => bit_range(data.len(), 0, -1, false),
        [start, end, unit @ ..] if unit.len() < 2 => {
            let (start, end) = (integer(start)?, integer(end)?);
            if start < 0 && end < 0 && start > end {
                return Ok(Reply::Integer(0));
            }
            let in_bits = unit.first().map_or(Ok(false), |unit| counts_bits(unit))?;
            bit_range(data.len(), start, end, in_bits)
        }
        _ => return Err(SYNTAX),
    };
    Ok(Reply::Integer(range.map_or(0, |(first, last)| count_ones(&data, first, last) as i64)))
}

/// How many bits are set between two, both included.
fn count_ones(data: &[u8], first: usize, last: usize) -> u64 {
    let bytes = &data[first / 8..=last / 8];
    let (words, rest) = bytes.as_chunks::<8>();
    let ones: u64 = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
    let ones = ones + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
    let before = bytes[0] & !(0xff >> (first % 8));
    let after = bytes[bytes.len() - 1] & (0x7f >> (last % 8));
    ones - u64::from(before.count_ones()) - u64::from(after.count_ones())
}

fn bitpos(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let integer = |text: &Bytes| parse_integer(text).ok_or(NOT_AN_INTEGER);
    let bit = match integer(&args[2])? {
        0 => false,
        1 => true,
        _ => return Err(Failure::Constant("ERR The bit argument must be 1 or 0.")),
    };
    check_bounds(context, &args[3..], true)?;
    let Some(data) = context.text(&Key::new(&args[1]))?.map(|text| text.data.to_bytes()) else {
        return Ok(Reply::Integer(if bit { -1 } else { 0 }));
    };
    let (range, end_given) = match &args[3..] {
        [] => (bit_range(data.len(), 0, -1, false), false),
        [start] => (bit_range(data.len(), integer(start)?, -1, false), false),
        [start, end, unit @ ..] if unit.len() < 2 => {
            let start = integer(start)?;
            let in_bits = unit.first().map_or(Ok(false), |unit| counts_bits(unit))?;
            (bit_range(data.len(), start, integer(end)?, in_bits), true)
        }
        _ => return Err(SYNTAX),
    };
    let Some((first, last)) = range else { return Ok(Reply::Integer(-1)) };
    Ok(Reply::Integer(match position(&data, bit, first, last) {
        Some(at) => at as i64,
        // Zeros follow a string whose end was not named.
        None if !bit && !end_given => data.len() as i64 * 8,
        None => -1,
    }))
}

/// The first bit of a value between two, both included.
fn position(data: &[u8], bit: bool, first: usize, last: usize) -> Option<usize> {
    let nothing = if bit { 0 } else { 0xff };
    // Bits outside of the range look like what is not searched.
    let at = |index: usize| {
        let mut byte = data[index] ^ nothing;
        if index == first / 8 {
            byte &= 0xff >> (first % 8);
        }
        if index == last / 8 {
            byte &= !(0x7f >> (last % 8));
        }
        byte
    };
    let found = (first / 8..=last / 8).find(|index| at(*index) != 0)?;
    Some(found * 8 + at(found).leading_zeros() as usize)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    And,
    Or,
    Xor,
    Not,
}

fn bitop(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let operation = match args[1].to_ascii_lowercase().as_slice() {
        b"and" => Operation::And,
        b"or" => Operation::Or,
        b"xor" => Operation::Xor,
        b"not" => Operation::Not,
        _ => return Err(SYNTAX),
    };
    if operation == Operation::Not && args.len() != 4 {
        return Err(Failure::Constant("ERR BITOP NOT must be called with a single source key."));
    }
    context.reads = true;
    let mut sources = Vec::with_capacity(args.len() - 3);
    context.reads = true;
    for name in &args[3..] {
        sources.push(context.text(&Key::new(name))?.map(|text| text.data.to_bytes()).unwrap_or_default());
    }
    context.reads = false;
    let result = combine(operation, &sources);
    let (key, len) = (Key::new(&args[2]), result.len());
    if len > 0 {
        context.visit(&key, Access::IntentRead);
        context.store(&key, Value::Text(Text::raw(result)), Deadline::Clear);
        context.event(notify::STRING, "set", &key);
        context.propagate(args);
    } else {
        // A key whose time is over is there to be removed, so the time does not matter.
        context.touch(Object::Keyspace(context.db), Access::IntentRead);
        context.touch_key(&key, Access::IntentRead);
        if context.remove(&key).is_some() {
            context.event(notify::GENERIC, "del", &key);
            context.propagate(args);
        }
    }
    Ok(Reply::Integer(len as i64))
}

/// As long as the longest source; shorter ones are followed by zeros.
fn combine(operation: Operation, sources: &[Bytes]) -> Bytes {
    let len = sources.iter().map(Bytes::len).max().unwrap_or_default();
    let mut result = BytesMut::zeroed(len);
    let Some((first, others)) = sources.split_first() else { return result.freeze() };
    result[..first.len()].copy_from_slice(first);
    if operation == Operation::Not {
        result.iter_mut().for_each(|byte| *byte = !*byte);
    }
    for source in others {
        let (common, rest) = result.split_at_mut(source.len());
        let pairs = common.iter_mut().zip(source);
        match operation {
            Operation::And => {
                pairs.for_each(|(byte, other)| *byte &= other);
                rest.fill(0);
            }
            Operation::Or => pairs.for_each(|(byte, other)| *byte |= other),
            Operation::Xor => pairs.for_each(|(byte, other)| *byte ^= other),
            Operation::Not => {}
        }
    }
    result.freeze()
}
