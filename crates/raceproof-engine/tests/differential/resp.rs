//! Replies read from the wire, in RESP2 and RESP3.

/// A reply as it was framed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    /// A line: `+`, `-`, `:`, `,`, `#`, `(`, `_`.
    Line(u8, Vec<u8>),
    /// Bytes with their length: `$`, `=`, `!`. `None` is the null bulk string of RESP2.
    Bulk(u8, Option<Vec<u8>>),
    /// Values in a row: `*`, `%`, `~`, `>`; a map's keys and values follow each other. `None` is the null array of RESP2.
    Aggregate(u8, Option<Vec<Value>>),
}

impl Value {
    /// Whether this is an error reply.
    pub(crate) const fn is_error(&self) -> bool {
        matches!(self, Self::Line(b'-', _))
    }

    /// The elements of an array, map or set.
    pub(crate) fn elements(&self) -> Option<&[Self]> {
        match self {
            Self::Aggregate(_, elements) => elements.as_deref(),
            _ => None,
        }
    }

    /// The bytes of a bulk string.
    pub(crate) fn bulk(&self) -> Option<&[u8]> {
        match self {
            Self::Bulk(_, bytes) => bytes.as_deref(),
            _ => None,
        }
    }

    /// The value with everything but its kind forgotten.
    pub(crate) fn kind(&self) -> u8 {
        match self {
            Self::Line(kind, _) | Self::Bulk(kind, _) | Self::Aggregate(kind, _) => *kind,
        }
    }
}

/// The first reply in a buffer and its length; `None` if it is not complete yet.
///
/// # Panics
/// On bytes that are no reply: the server or the engine broke the protocol.
pub(crate) fn parse(buffer: &[u8]) -> Option<(Value, usize)> {
    let end = buffer.windows(2).position(|pair| pair == b"\r\n")?;
    let (kind, line) = (buffer[0], &buffer[1..end]);
    let mut at = end + 2;
    match kind {
        b'+' | b'-' | b':' | b',' | b'#' | b'(' | b'_' => Some((Value::Line(kind, line.to_vec()), at)),
        b'$' | b'=' | b'!' => {
            let Some(length) = length(line) else { return Some((Value::Bulk(kind, None), at)) };
            let bytes = buffer.get(at..at + length)?.to_vec();
            (buffer.len() >= at + length + 2).then_some((Value::Bulk(kind, Some(bytes)), at + length + 2))
        }
        b'*' | b'%' | b'~' | b'>' => {
            let Some(count) = length(line) else { return Some((Value::Aggregate(kind, None), at)) };
            let count = if kind == b'%' { count * 2 } else { count };
            let mut elements = Vec::new();
            for _ in 0..count {
                let (element, length) = parse(&buffer[at..])?;
                elements.push(element);
                at += length;
            }
            Some((Value::Aggregate(kind, Some(elements)), at))
        }
        _ => panic!("a reply begins with {:?}", char::from(kind)),
    }
}

fn length(line: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(line).expect("a length is a number");
    match text.parse::<i64>().expect("a length is a number") {
        -1 => None,
        length => Some(usize::try_from(length).expect("a length is not negative")),
    }
}
