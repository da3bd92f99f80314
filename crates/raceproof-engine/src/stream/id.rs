//! IDs of stream entries: milliseconds and a number.

use std::fmt;

use bytes::Bytes;

use crate::{
    failure::Failure,
    number::{parse_integer, parse_unsigned},
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id {
    pub(crate) ms: u64,
    pub(crate) seq: u64,
}

pub(crate) const INVALID: Failure = Failure::Constant("ERR Invalid stream ID specified as stream command argument");

/// The longest ID that is looked at.
const LONGEST: usize = 127;

impl Id {
    pub(crate) const MIN: Self = Self { ms: 0, seq: 0 };
    pub(crate) const MAX: Self = Self { ms: u64::MAX, seq: u64::MAX };

    /// Reads an ID; a missing number is 0.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Failure> {
        match Self::parse_open(text, 0)? {
            (id, true) => Ok(id),
            (_, false) => Err(INVALID),
        }
    }

    /// Reads an ID whose number may be `*`; tells whether it is given.
    pub(crate) fn parse_for_adding(text: &[u8]) -> Result<(Self, bool), Failure> {
        Self::parse_open(text, 0)
    }

    fn parse_open(text: &[u8], missing_seq: u64) -> Result<(Self, bool), Failure> {
        if text.len() > LONGEST {
            return Err(INVALID);
        }
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        let (ms, seq) = match text.iter().position(|byte| *byte == b'-') {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let ms = number(ms).ok_or(INVALID)?;
        Ok(match seq {
            None => (Self { ms, seq: missing_seq }, true),
            Some(b"*") => (Self { ms, seq: 0 }, false),
            Some(seq) => (Self { ms, seq: number(seq).ok_or(INVALID)? }, true),
        })
    }

    fn parse_bound(text: &[u8], missing_seq: u64) -> Result<Self, Failure> {
        match text {
            b"-" => return Ok(Self::MIN),
            b"+" => return Ok(Self::MAX),
            _ => {}
        }
        match Self::parse_open(text, missing_seq)? {
            (id, true) => Ok(id),
            (_, false) => Err(INVALID),
        }
    }

    /// The start of an interval: an ID, `-` or `+`, or an ID after `(` that is left out itself.
    pub(crate) fn parse_start(text: &[u8]) -> Result<Self, Failure> {
        match text {
            [b'(', id @ ..] if !id.is_empty() => {
                Self::parse(id)?.next().ok_or(Failure::Constant("ERR invalid start ID for the interval"))
            }
            _ => Self::parse_bound(text, 0),
        }
    }

    /// The end of an interval.
    pub(crate) fn parse_end(text: &[u8]) -> Result<Self, Failure> {
        match text {
            [b'(', id @ ..] if !id.is_empty() => {
                if matches!(id, b"-" | b"+") {
                    return Err(INVALID);
                }
                let id = Self::parse_bound(id, u64::MAX)?;
                id.previous().ok_or(Failure::Constant("ERR invalid end ID for the interval"))
            }
            _ => Self::parse_bound(text, u64::MAX),
        }
    }

    pub(crate) fn next(self) -> Option<Self> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(Self { seq, ..self }),
            None => Some(Self { ms: self.ms.checked_add(1)?, seq: 0 }),
        }
    }

    fn previous(self) -> Option<Self> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(Self { seq, ..self }),
            None => Some(Self { ms: self.ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }

    pub(crate) fn text(self) -> Bytes {
        self.to_string().into()
    }

    /// The ID of a key in a radix tree.
    pub(crate) fn of_key(key: &[u8]) -> Option<Self> {
        let (ms, seq) = key.split_at_checked(8)?;
        Some(Self { ms: u64::from_be_bytes(ms.try_into().ok()?), seq: u64::from_be_bytes(seq.try_into().ok()?) })
    }

    /// The key in a radix tree.
    pub(crate) fn key(self) -> [u8; 16] {
        ((u128::from(self.ms) << 64) | u128::from(self.seq)).to_be_bytes()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// A number as it stands, or else what C's `strtoull` makes of it.
fn number(text: &[u8]) -> Option<u64> {
    match parse_integer(text) {
        Some(number) => u64::try_from(number).ok(),
        None => parse_unsigned(text),
    }
}
