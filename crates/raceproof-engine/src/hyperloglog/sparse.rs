//! Registers as runs of equal values: up to 64 zeros in one byte (`00nnnnnn`), up to 16,384 in two (`01nnnnnn nnnnnnnn`),
//! and up to four times the same value of 1 to 32 in one (`1vvvvvnn`). Numbers are one less than what they mean.

use bytes::BytesMut;

use super::{Corrupted, HEADER, REGISTERS};

const SHORT_ZEROS: usize = 64;
const MOST_VALUES: usize = 4;
const MAX_VALUE: u8 = 32;

/// All registers are zero.
pub(super) const NOTHING: [u8; 2] = long_zeros(REGISTERS);

/// How many runs are looked at after a change, to be merged.
const MERGED: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) value: u8,
    /// How many registers.
    pub(crate) len: usize,
    /// How many bytes the run takes.
    pub(crate) bytes: usize,
}

impl Run {
    /// The run that begins at a place; bytes after the end are zero, as they are behind a string of Redis.
    fn at(registers: &[u8], at: usize) -> Option<Self> {
        let first = *registers.get(at)?;
        let rest = usize::from(first & 0x3f);
        Some(match first >> 6 {
            0 => Self { value: 0, len: rest + 1, bytes: 1 },
            1 => {
                let low = registers.get(at + 1).copied().unwrap_or_default();
                Self { value: 0, len: (rest << 8 | usize::from(low)) + 1, bytes: 2 }
            }
            _ => Self { value: (first >> 2 & 0x1f) + 1, len: usize::from(first & 3) + 1, bytes: 1 },
        })
    }

    /// Whether it is a run of a value, or of zeros.
    const fn has_value(self) -> bool {
        self.value > 0
    }
}

/// The runs of registers.
#[derive(Clone, Debug)]
pub(crate) struct Runs<'a> {
    registers: &'a [u8],
    at: usize,
}

impl<'a> Runs<'a> {
    pub(super) const fn of(registers: &'a [u8]) -> Self {
        Self { registers, at: 0 }
    }
}

impl Iterator for Runs<'_> {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        let run = Run::at(self.registers, self.at)?;
        self.at += run.bytes;
        Some(run)
    }
}

const fn values(value: u8, len: usize) -> u8 {
    0x80 | (value - 1) << 2 | (len - 1) as u8
}

const fn long_zeros(len: usize) -> [u8; 2] {
    let rest = len - 1;
    [0x40 | (rest >> 8) as u8, rest as u8]
}

/// What became of an attempt to raise a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raised {
    /// It was lower, and is raised.
    Lower,
    NotLower,
    /// It is lower, but runs do not go so far.
    TooLarge,
}

/// Raises a register of the string, header included.
pub(super) fn raise(data: &mut BytesMut, index: usize, value: u8, limit: usize) -> Result<Raised, Corrupted> {
    if value > MAX_VALUE {
        return Ok(Raised::TooLarge);
    }
    let (mut first, mut at, mut previous) = (0, HEADER, HEADER);
    let run = loop {
        let run = Run::at(data, at).ok_or(Corrupted)?;
        if index < first + run.len {
            break run;
        }
        previous = at;
        at += run.bytes;
        first += run.len;
    };
    if run.value >= value {
        return Ok(Raised::NotLower);
    }
    if run.len == 1 && run.bytes == 1 {
        data[at] = values(value, 1);
    } else {
        let parts = split(run, index - first, value);
        let grows = parts.len() > run.bytes;
        if grows && data.len() + parts.len() - run.bytes > limit {
            return Ok(Raised::TooLarge);
        }
        replace(data, at, run.bytes, &parts);
    }
    merge(data, previous);
    Ok(Raised::Lower)
}

/// A run in whose place one register has another value.
fn split(run: Run, before: usize, value: u8) -> Vec<u8> {
    let mut parts = Vec::with_capacity(5);
    let rest = |parts: &mut Vec<u8>, len: usize| match len {
        0 => {}
        _ if run.has_value() => parts.push(values(run.value, len)),
        _ if len > SHORT_ZEROS => parts.extend_from_slice(&long_zeros(len)),
        _ => parts.push(len as u8 - 1),
    };
    rest(&mut parts, before);
    parts.push(values(value, 1));
    rest(&mut parts, run.len - before - 1);
    parts
}

fn replace(data: &mut BytesMut, at: usize, old: usize, new: &[u8]) {
    let len = data.len();
    // A run may begin in the last byte and lack its second one, which then goes missing again.
    let end = (at + old).min(len);
    data.resize(len.max(len + new.len() - (end - at)), 0);
    data.copy_within(end..len, at + new.len());
    data[at..at + new.len()].copy_from_slice(new);
    data.truncate(len + new.len() - old);
}

/// Joins neighbouring runs of the same value from a place on.
fn merge(data: &mut BytesMut, from: usize) {
    let mut at = from;
    for _ in 0..MERGED {
        let Some(run) = Run::at(data, at) else { return };
        let next = Run::at(data, at + run.bytes).filter(|next| run.has_value() && next.value == run.value);
        match next.map(|next| run.len + next.len).filter(|len| *len <= MOST_VALUES) {
            Some(len) => replace(data, at, 2, &[values(run.value, len)]),
            None => at += run.bytes,
        }
    }
}
