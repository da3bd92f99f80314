//! `BITFIELD`: integers of any width anywhere in a string.

use bytes::Bytes;

use super::bitmap::bit_offset;
use crate::{
    Reply,
    command::{Command, Group, KeySpec, flag::*, keys},
    context::Context,
    failure::{Answer, Failure, NOT_AN_INTEGER, SYNTAX},
    key::Key,
    notify,
    number::parse_integer,
};

pub(super) const COMMANDS: &[Command] = &[
    Command::new("bitfield", bitfield, -2, WRITE | DENYOOM, Group::Bitmap).keys(&[KeySpec {
        notes: Some("This command allows both access and modification of the key"),
        ..keys(1, 0, 1, &["RW", "access", "update", "variable_flags"])
    }]),
    Command::new("bitfield_ro", bitfield_ro, -2, READONLY | FAST, Group::Bitmap).keys(&[keys(
        1,
        0,
        1,
        &["RO", "access"],
    )]),
];

/// What happens to a number that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overflow {
    Wrap,
    Saturate,
    Fail,
}

/// The type of a field: up to 64 bits with a sign, up to 63 without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Width {
    signed: bool,
    bits: u32,
}

impl Width {
    fn parse(text: &[u8]) -> Result<Self, Failure> {
        let (signed, most, digits) = match text {
            [b'i', digits @ ..] => (true, 64, digits),
            [b'u', digits @ ..] => (false, 63, digits),
            _ => (false, 0, text),
        };
        // A C string ends at a NUL.
        let digits = digits.split(|byte| *byte == 0).next().unwrap_or_default();
        match parse_integer(digits) {
            Some(bits) if (1..=most).contains(&bits) => Ok(Self { signed, bits: bits as u32 }),
            _ => Err(Failure::Constant(
                "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
            )),
        }
    }

    fn bounds(self) -> (i128, i128) {
        if self.signed { (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1) } else { (0, (1 << self.bits) - 1) }
    }

    /// The number as a field holds it, or `None` if it does not fit and must not be changed.
    fn fit(self, number: i128, overflow: Overflow) -> Option<i128> {
        let (low, high) = self.bounds();
        if (low..=high).contains(&number) {
            return Some(number);
        }
        match overflow {
            Overflow::Fail => None,
            Overflow::Saturate => Some(number.clamp(low, high)),
            Overflow::Wrap => Some((number - low).rem_euclid(1 << self.bits) + low),
        }
    }

    /// The number in a string at an offset; zeros follow the string.
    fn read(self, data: &[u8], offset: u64) -> i128 {
        let mut number: i128 = 0;
        for at in offset..offset + u64::from(self.bits) {
            let byte = data.get((at >> 3) as usize).copied().unwrap_or_default();
            number = number << 1 | i128::from(byte >> (7 - (at & 7)) & 1);
        }
        if self.signed && number > self.bounds().1 { number - (1 << self.bits) } else { number }
    }

    fn write(self, data: &mut [u8], offset: u64, number: i128) {
        for index in 0..self.bits {
            let at = offset + u64::from(index);
            let (byte, mask) = (&mut data[(at >> 3) as usize], 0x80 >> (at & 7));
            if number >> (self.bits - 1 - index) & 1 == 1 { *byte |= mask } else { *byte &= !mask }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Get,
    Set(i64),
    Increment(i64),
}

#[derive(Clone, Copy, Debug)]
struct Operation {
    action: Action,
    width: Width,
    offset: u64,
    overflow: Overflow,
}

fn parse(context: &Context<'_>, mut args: &[Bytes]) -> Result<Vec<Operation>, Failure> {
    let mut operations = Vec::new();
    let mut overflow = Overflow::Wrap;
    while let [name, rest @ ..] = args {
        let name = name.to_ascii_lowercase();
        let (width, offset, number, left) = match (name.as_slice(), rest) {
            (b"get", [width, offset, left @ ..]) => (width, offset, None, left),
            (b"set" | b"incrby", [width, offset, number, left @ ..]) => (width, offset, Some(number), left),
            (b"overflow", [mode, left @ ..]) => {
                overflow = match mode.to_ascii_lowercase().as_slice() {
                    b"wrap" => Overflow::Wrap,
                    b"sat" => Overflow::Saturate,
                    b"fail" => Overflow::Fail,
                    _ => return Err(Failure::Constant("ERR Invalid OVERFLOW type specified")),
                };
                args = left;
                continue;
            }
            _ => return Err(SYNTAX),
        };
        let width = Width::parse(width)?;
        let offset = bit_offset(context, offset, Some(width.bits))?;
        let number = number.map(|number| parse_integer(number).ok_or(NOT_AN_INTEGER)).transpose()?;
        let action = match number {
            None => Action::Get,
            Some(number) if name == b"set" => Action::Set(number),
            Some(number) => Action::Increment(number),
        };
        operations.push(Operation { action, width, offset, overflow });
        args = left;
    }
    Ok(operations)
}

/// The last bit that is written.
fn highest_written(operations: &[Operation]) -> Option<u64> {
    let written = operations.iter().filter(|operation| !matches!(operation.action, Action::Get));
    written.map(|operation| operation.offset + u64::from(operation.width.bits) - 1).max()
}

impl Operation {
    /// Replies, and tells whether the field is another one now.
    fn apply(&self, data: &mut [u8]) -> (Reply, bool) {
        let old = self.width.read(data, self.offset);
        let wanted = match self.action {
            Action::Get => return (integer(old), false),
            // A number without a sign takes a negative one for a large one.
            Action::Set(number) if !self.width.signed => i128::from(number.cast_unsigned()),
            Action::Set(number) => i128::from(number),
            Action::Increment(number) => old + i128::from(number),
        };
        let Some(new) = self.width.fit(wanted, self.overflow) else { return (Reply::Null, false) };
        self.width.write(data, self.offset, new);
        (integer(if matches!(self.action, Action::Set(_)) { old } else { new }), old != new)
    }
}

/// No field is wider than what fits.
fn integer(number: i128) -> Reply {
    Reply::Integer(number as i64)
}

fn bitfield(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let operations = parse(context, &args[2..])?;
    let Some(highest) = highest_written(&operations) else {
        context.reads = true;
        return read_all(context, &args[1], &operations);
    };
    let key = Key::new(&args[1]);
    context.text(&key)?;
    let (grown, results) = context.edit_text(&key, (highest >> 3) as usize + 1, |data| {
        operations.iter().map(|operation| operation.apply(data)).collect::<Vec<_>>()
    });
    let written = |&(operation, (reply, new)): &(&Operation, &(Reply, bool))| {
        !matches!(operation.action, Action::Get) && *reply != Reply::Null && (grown || *new)
    };
    let changes = operations.iter().zip(&results).filter(written).count();
    if changes > 0 {
        context.changed(context.db, &key);
        context.replies_here();
        context.event(notify::STRING, "setbit", &key);
        context.propagate_changes(args, changes);
    }
    Ok(Reply::Array(results.into_iter().map(|(reply, _)| reply).collect()))
}

fn bitfield_ro(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let operations = parse(context, &args[2..])?;
    if highest_written(&operations).is_some() {
        return Err(Failure::Constant("ERR BITFIELD_RO only supports the GET subcommand"));
    }
    read_all(context, &args[1], &operations)
}

fn read_all(context: &mut Context<'_>, key: &Bytes, operations: &[Operation]) -> Answer {
    let text = context.text(&Key::new(key))?;
    let data = text.map(|text| text.data.to_bytes()).unwrap_or_default();
    let read = |operation: &Operation| integer(operation.width.read(&data, operation.offset));
    Ok(Reply::Array(operations.iter().map(read).collect()))
}
