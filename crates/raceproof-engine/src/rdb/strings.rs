//! Lengths and strings of payloads: a string may be a number, or compressed.

use bytes::Bytes;

use super::lzf;
use crate::number::{integer_text, parse_integer};

const ENCODED: u8 = 0xc0;
const INT_8: u8 = 0;
const INT_16: u8 = 1;
const INT_32: u8 = 2;
const COMPRESSED: u8 = 3;

/// Shorter strings are looked at for being numbers, longer ones may be compressed.
const LONGEST_NUMBER: usize = 11;
const SHORTEST_COMPRESSED: usize = 21;

/// A payload that is being written.
#[derive(Clone, Debug, Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    /// `rdbcompression`
    pub(super) compresses: bool,
}

impl Writer {
    pub(super) fn len(&mut self, len: u64) {
        match len {
            0..64 => self.bytes.push(len as u8),
            64..16_384 => self.bytes.extend([0x40 | (len >> 8) as u8, len as u8]),
            _ => match u32::try_from(len) {
                Ok(len) => {
                    self.bytes.push(0x80);
                    self.bytes.extend_from_slice(&len.to_be_bytes());
                }
                Err(_) => {
                    self.bytes.push(0x81);
                    self.bytes.extend_from_slice(&len.to_be_bytes());
                }
            },
        }
    }

    pub(super) fn string(&mut self, text: &[u8]) {
        let number = if text.len() <= LONGEST_NUMBER { parse_integer(text) } else { None };
        if number.is_some_and(|number| self.short_integer(number)) {
            return;
        }
        if self.compresses
            && text.len() >= SHORTEST_COMPRESSED
            && let Some(packed) = lzf::compress(text)
        {
            self.bytes.push(ENCODED | COMPRESSED);
            self.len(packed.len() as u64);
            self.len(text.len() as u64);
            self.bytes.extend_from_slice(&packed);
            return;
        }
        self.len(text.len() as u64);
        self.bytes.extend_from_slice(text);
    }

    /// A string that is held as a number.
    pub(super) fn number(&mut self, text: &[u8]) {
        if !parse_integer(text).is_some_and(|number| self.short_integer(number)) {
            self.len(text.len() as u64);
            self.bytes.extend_from_slice(text);
        }
    }

    /// A number of up to 32 bits; tells whether it is one.
    fn short_integer(&mut self, number: i64) -> bool {
        let bytes = number.to_le_bytes();
        let (kind, len) = if i8::try_from(number).is_ok() {
            (INT_8, 1)
        } else if i16::try_from(number).is_ok() {
            (INT_16, 2)
        } else if i32::try_from(number).is_ok() {
            (INT_32, 4)
        } else {
            return false;
        };
        self.bytes.push(ENCODED | kind);
        self.bytes.extend_from_slice(&bytes[..len]);
        true
    }
}

/// What is left of a payload. Everything is `None` where it does not hold what is asked for.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    pub(super) fn eight(&mut self) -> Option<[u8; 8]> {
        self.take(8)?.try_into().ok()
    }

    /// A length, or the kind of an encoded string.
    fn len_or_kind(&mut self) -> Option<(u64, bool)> {
        let first = self.byte()?;
        let rest = u64::from(first & 0x3f);
        match first >> 6 {
            0 => Some((rest, false)),
            1 => Some((rest << 8 | u64::from(self.byte()?), false)),
            3 => Some((rest, true)),
            _ => match first {
                0x80 => Some((u64::from(u32::from_be_bytes(self.take(4)?.try_into().ok()?)), false)),
                0x81 => Some((u64::from_be_bytes(self.eight()?), false)),
                _ => None,
            },
        }
    }

    pub(super) fn len(&mut self) -> Option<u64> {
        // All bits set is what Redis takes for no length at all.
        self.len_or_kind().map(|(len, _)| len).filter(|len| *len != u64::MAX)
    }

    /// A number that may have all bits set.
    pub(super) fn number(&mut self) -> Option<u64> {
        self.len_or_kind().map(|(len, _)| len)
    }

    pub(super) fn string(&mut self) -> Option<Bytes> {
        let (len, encoded) = self.len_or_kind()?;
        let integer = |bytes: &[u8]| {
            let mut whole = [0; 8];
            whole[8 - bytes.len()..].copy_from_slice(bytes);
            integer_text(i64::from_le_bytes(whole) >> (64 - 8 * bytes.len()))
        };
        if !encoded {
            return self.take(usize::try_from(len).ok()?).map(Bytes::copy_from_slice);
        }
        match u8::try_from(len).ok()? {
            INT_8 => self.take(1).map(integer),
            INT_16 => self.take(2).map(integer),
            INT_32 => self.take(4).map(integer),
            COMPRESSED => {
                let packed = usize::try_from(self.len()?).ok()?;
                let len = usize::try_from(self.len()?).ok()?;
                lzf::decompress(self.take(packed)?, len).map(Bytes::from)
            }
            _ => None,
        }
    }
}
