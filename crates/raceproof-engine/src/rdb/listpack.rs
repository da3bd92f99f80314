//! Listpacks: strings and integers one after the other, each with its length behind it, so that they can be read both ways.

use crate::number::parse_integer;

/// The size and the count.
const HEADER: usize = 6;
const END: u8 = 0xff;
/// A count that is not kept.
const MANY: u16 = u16::MAX;

/// One element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Element<'a> {
    Integer(i64),
    Text(&'a [u8]),
}

impl Element<'_> {
    pub(crate) const fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            Self::Text(_) => None,
        }
    }

    pub(crate) fn bytes(&self) -> bytes::Bytes {
        match self {
            Self::Integer(value) => crate::number::integer_text(*value),
            Self::Text(text) => bytes::Bytes::copy_from_slice(text),
        }
    }
}

/// A listpack that is being written.
#[derive(Clone, Debug)]
pub(crate) struct Listpack {
    bytes: Vec<u8>,
    count: usize,
}

impl Listpack {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; HEADER], count: 0 }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many bytes it has with its end.
    pub(crate) const fn size(&self) -> usize {
        self.bytes.len() + 1
    }

    /// Appends a string, as an integer if it is one.
    pub(crate) fn push(&mut self, text: &[u8]) {
        if let Some(value) = parse_integer(text) {
            return self.push_integer(value);
        }
        let start = self.bytes.len();
        let len = text.len();
        match len {
            0..64 => self.bytes.push(0x80 | len as u8),
            64..4096 => self.bytes.extend([0xe0 | (len >> 8) as u8, len as u8]),
            _ => {
                self.bytes.push(0xf0);
                self.bytes.extend_from_slice(&(len as u32).to_le_bytes());
            }
        }
        self.bytes.extend_from_slice(text);
        self.finish(start);
    }

    pub(crate) fn push_integer(&mut self, value: i64) {
        let start = self.bytes.len();
        let bytes = value.to_le_bytes();
        match value {
            0..=127 => self.bytes.push(bytes[0]),
            -4096..=4095 => self.bytes.extend([0xc0 | (bytes[1] & 0x1f), bytes[0]]),
            -32_768..=32_767 => self.tagged(0xf1, &bytes[..2]),
            -8_388_608..=8_388_607 => self.tagged(0xf2, &bytes[..3]),
            -2_147_483_648..=2_147_483_647 => self.tagged(0xf3, &bytes[..4]),
            _ => self.tagged(0xf4, &bytes),
        }
        self.finish(start);
    }

    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.bytes.push(tag);
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends the length of the element that began at a place.
    fn finish(&mut self, start: usize) {
        let len = self.bytes.len() - start;
        self.bytes.extend(back_length(len));
        self.count += 1;
    }

    pub(crate) fn finished(mut self) -> Vec<u8> {
        self.bytes.push(END);
        let size = (self.bytes.len() as u32).to_le_bytes();
        self.bytes[..4].copy_from_slice(&size);
        let count = u16::try_from(self.count).unwrap_or(MANY).to_le_bytes();
        self.bytes[4..HEADER].copy_from_slice(&count);
        self.bytes
    }
}

/// A length in groups of seven bits, the highest first; all but the first have their highest bit set.
fn back_length(len: usize) -> impl Iterator<Item = u8> {
    let groups = match len {
        0..=127 => 1,
        128..=16_382 => 2,
        16_383..=2_097_150 => 3,
        2_097_151..=268_435_454 => 4,
        _ => 5,
    };
    (0..groups).rev().map(move |group| {
        let bits = (len >> (7 * group)) as u8 & 0x7f;
        if group == groups - 1 { bits } else { bits | 0x80 }
    })
}

/// The elements of a listpack; `None` if it is not one, through and through.
pub(crate) fn elements(data: &[u8]) -> Option<Vec<Element<'_>>> {
    let size = u32::from_le_bytes(data.get(..4)?.try_into().ok()?);
    let count = u16::from_le_bytes(data.get(4..HEADER)?.try_into().ok()?);
    if size as usize != data.len() || data.len() <= HEADER || data.last() != Some(&END) {
        return None;
    }
    let (mut rest, mut elements) = (&data[HEADER..data.len() - 1], Vec::new());
    while !rest.is_empty() {
        let (element, len) = element(rest)?;
        let back = back_length(len);
        let mut after = rest.get(len..)?;
        for byte in back {
            let (first, others) = after.split_first()?;
            if *first != byte {
                return None;
            }
            after = others;
        }
        elements.push(element);
        rest = after;
    }
    (count == MANY || usize::from(count) == elements.len()).then_some(elements)
}

/// The first element and how many bytes it has.
fn element(data: &[u8]) -> Option<(Element<'_>, usize)> {
    let first = *data.first()?;
    let text = |head: usize, len: usize| Some((Element::Text(data.get(head..head.checked_add(len)?)?), head + len));
    let integer = |len: usize| {
        let mut bytes = [0; 8];
        bytes[8 - len..].copy_from_slice(data.get(1..=len)?);
        Some((Element::Integer(i64::from_le_bytes(bytes) >> (64 - 8 * len)), len + 1))
    };
    match first {
        0..0x80 => Some((Element::Integer(i64::from(first)), 1)),
        0x80..0xc0 => text(1, usize::from(first & 0x3f)),
        0xc0..0xe0 => {
            let value = i64::from(first & 0x1f) << 8 | i64::from(*data.get(1)?);
            Some((Element::Integer(if value >= 4096 { value - 8192 } else { value }), 2))
        }
        0xe0..0xf0 => text(2, usize::from(first & 0x0f) << 8 | usize::from(*data.get(1)?)),
        0xf0 => text(5, u32::from_le_bytes(data.get(1..5)?.try_into().ok()?) as usize),
        0xf1..=0xf3 => integer(usize::from(first - 0xf1) + 2),
        0xf4 => integer(8),
        _ => None,
    }
}
