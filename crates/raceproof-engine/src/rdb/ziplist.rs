//! Ziplists and zipmaps, in which Redis before 7.0 and before 2.6 kept small collections: they are read, never written.

use super::listpack::Element;

/// The size, where the last element is, and the count.
const HEADER: usize = 10;
const END: u8 = 0xff;
/// A length that is followed by the real one, in four bytes.
const LONG: u8 = 0xfe;
const MANY: u16 = u16::MAX;

fn four(data: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(data.get(at..at.checked_add(4)?)?.try_into().ok()?) as usize)
}

/// The elements of a ziplist; `None` if it is not one, through and through.
pub(super) fn elements(data: &[u8]) -> Option<Vec<Element<'_>>> {
    let (size, tail) = (four(data, 0)?, four(data, 4)?);
    let count = u16::from_le_bytes(data.get(8..HEADER)?.try_into().ok()?);
    if size != data.len() || data.len() <= HEADER || data.last() != Some(&END) {
        return None;
    }
    let end = data.len() - 1;
    let (mut at, mut last, mut previous, mut elements) = (HEADER, HEADER, 0, Vec::new());
    while at < end {
        let (back, head) = if data[at] == LONG { (four(data, at + 1)?, 5) } else { (usize::from(data[at]), 1) };
        if back != previous {
            return None;
        }
        let (element, len) = element(data.get(at + head..end)?)?;
        elements.push(element);
        last = at;
        previous = head + len;
        at += previous;
    }
    let counted = count == MANY || usize::from(count) == elements.len();
    (at == end && last == tail && counted).then_some(elements)
}

/// The element behind the length of its predecessor, and how many bytes it has.
fn element(data: &[u8]) -> Option<(Element<'_>, usize)> {
    let first = *data.first()?;
    let text = |head: usize, len: usize| Some((Element::Text(data.get(head..head.checked_add(len)?)?), head + len));
    let integer = |len: usize| {
        let mut bytes = [0; 8];
        bytes[8 - len..].copy_from_slice(data.get(1..=len)?);
        Some((Element::Integer(i64::from_le_bytes(bytes) >> (64 - 8 * len)), len + 1))
    };
    match first {
        0..0x40 => text(1, usize::from(first)),
        0x40..0x80 => text(2, usize::from(first & 0x3f) << 8 | usize::from(*data.get(1)?)),
        0x80..0xc0 => text(5, u32::from_be_bytes(data.get(1..5)?.try_into().ok()?) as usize),
        0xc0 => integer(2),
        0xd0 => integer(4),
        0xe0 => integer(8),
        0xf0 => integer(3),
        0xfe => integer(1),
        0xf1..=0xfd => Some((Element::Integer(i64::from(first & 0x0f) - 1), 1)),
        _ => None,
    }
}

/// The fields and values of a zipmap; `None` if it is not one.
pub(super) fn zipmap(data: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let count = *data.first()?;
    if data.len() < 2 || data.last() != Some(&END) {
        return None;
    }
    let end = data.len() - 1;
    let (mut at, mut pairs) = (1, Vec::new());
    let length = |at: usize| {
        let first = *data.get(at)?;
        if first == LONG { Some((four(data, at + 1)?, 5)) } else { Some((usize::from(first), 1)) }
    };
    while at < end && data[at] != END {
        let (len, head) = length(at)?;
        let field = data.get(at + head..(at + head).checked_add(len)?)?;
        at += head + len;
        let (len, head) = length(at).filter(|_| data[at] != END)?;
        let free = usize::from(*data.get(at + head)?);
        let start = at + head + 1;
        let value = data.get(start..start.checked_add(len)?)?;
        at = start + len + free;
        if at > end {
            return None;
        }
        pairs.push((field, value));
    }
    let counted = count >= LONG || usize::from(count) == pairs.len();
    (at == end && counted && !pairs.is_empty()).then_some(pairs)
}
