//! A strict, incremental reader of RESP2 and RESP3.
//!
//! It gives each reply with its full type, as the engine's [`Reply`], and can give the bytes it was made of. It is
//! strict, because its job is to notice what a server really sent: a length with a sign, a line without `\r`, a boolean
//! `#x` are errors, not guesses. Nesting is kept on a stack of its own, so that a reply can be read in pieces and deep
//! replies cannot exhaust the thread's stack.

use bytes::Bytes;

use crate::Reply;

/// A longer line (a number, a status, an error) is not Redis's.
const LINE_BYTES_MAX: usize = 1 << 20;
/// Redis's own limit of a bulk string (proto-max-bulk-len).
const BULK_BYTES_MAX: usize = 512 << 20;
/// More elements than this are not sent by Redis.
const ELEMENTS_MAX: usize = 1 << 30;
/// Dropping and comparing replies recurses, so their depth is bounded.
const DEPTH_MAX: usize = 1024;

/// Bytes that are no RESP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RespError {
    /// The first byte of a reply names its type.
    #[error("{:?} starts no reply", char::from(*.0))]
    UnknownType(u8),
    /// A number, a length, a float or a boolean that is not written as it must be.
    #[error("{1:?} is no {0}")]
    Malformed(&'static str, String),
    /// A line or a bulk string does not end with `\r\n` where it must.
    #[error("a line does not end with \\r\\n")]
    NoLineEnd,
    /// A length, a line or a nesting beyond what Redis sends.
    #[error("a {what} of {size} is beyond the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The largest size that is read.
        limit: usize,
    },
}

/// What a frame on the stack will become.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Array,
    Map,
    Set,
    Push,
    /// RESP3's out-of-line attributes: read and dropped, the reply they belong to follows.
    Attribute,
}

/// An aggregate of which not all elements have come yet.
#[derive(Debug)]
struct Frame {
    kind: Kind,
    missing: usize,
    items: Vec<Reply>,
}

enum Element {
    Whole(Reply),
    Opens(Kind, usize),
}

/// Reads replies from bytes that come in pieces.
#[derive(Debug, Default)]
pub struct Reader {
    /// The bytes from the start of the current reply on.
    buffer: Vec<u8>,
    /// How many of them are understood.
    at: usize,
    /// The aggregates that are open at `at`.
    open: Vec<Frame>,
}

impl Reader {
    /// A reader that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what has arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether the last reply taken was the end of what has arrived.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The next whole reply with the bytes it was read from, or `None` until more has arrived.
    ///
    /// # Errors
    /// Bytes that are no RESP. The reader cannot go on after that: where the next reply starts is unknown.
    pub fn next_reply(&mut self) -> Result<Option<(Reply, Bytes)>, RespError> {
        while let Some(element) = self.element()? {
            let reply = match element {
                Element::Whole(reply) => Some(reply),
                Element::Opens(kind, 0) => close(kind, Vec::new()),
                Element::Opens(_, _) if self.open.len() == DEPTH_MAX => {
                    return Err(RespError::TooLarge { what: "nesting", size: DEPTH_MAX + 1, limit: DEPTH_MAX });
                }
                Element::Opens(kind, missing) => {
                    self.open.push(Frame { kind, missing, items: Vec::with_capacity(missing.min(1024)) });
                    None
                }
            };
            if let Some(whole) = reply.and_then(|reply| self.put(reply)) {
                let rest = self.buffer.split_off(self.at);
                let raw = std::mem::replace(&mut self.buffer, rest);
                self.at = 0;
                return Ok(Some((whole, raw.into())));
            }
        }
        Ok(None)
    }

    /// Puts a reply where it belongs: into the innermost open aggregate, which may become whole by it and belong into
    /// the next one. Gives the outermost reply once that is whole.
    fn put(&mut self, mut reply: Reply) -> Option<Reply> {
        while let Some(frame) = self.open.last_mut() {
            frame.items.push(reply);
            frame.missing -= 1;
            if frame.missing > 0 {
                return None;
            }
            let frame = self.open.pop()?;
            reply = close(frame.kind, frame.items)?;
        }
        Some(reply)
    }

    /// The next element, or `None` (and nothing consumed) until it is there as a whole.
    fn element(&mut self) -> Result<Option<Element>, RespError> {
        let Some(&kind) = self.buffer.get(self.at) else { return Ok(None) };
        if !b"+-:$*%~>|_,#=(!".contains(&kind) {
            return Err(RespError::UnknownType(kind));
        }
        let Some((line, after)) = self.line(self.at + 1)? else { return Ok(None) };
        let element = match kind {
            b'*' if line == b"-1" => Element::Whole(Reply::NullArray),
            b'*' => Element::Opens(Kind::Array, length(line, ELEMENTS_MAX)?),
            b'~' => Element::Opens(Kind::Set, length(line, ELEMENTS_MAX)?),
            b'>' => Element::Opens(Kind::Push, length(line, ELEMENTS_MAX)?),
            b'%' => Element::Opens(Kind::Map, 2 * length(line, ELEMENTS_MAX)?),
            b'|' => Element::Opens(Kind::Attribute, 2 * length(line, ELEMENTS_MAX)?),
            b'$' if line == b"-1" => Element::Whole(Reply::Null),
            b'$' | b'=' | b'!' => {
                let Some(end) = self.bulk_end(after, length(line, BULK_BYTES_MAX)?)? else { return Ok(None) };
                let reply = bulk(kind, &self.buffer[after..end])?;
                self.at = end + 2;
                return Ok(Some(Element::Whole(reply)));
            }
            _ => Element::Whole(scalar(kind, line)?),
        };
        self.at = after;
        Ok(Some(element))
    }

    /// The line that starts at `start`, without its end, and where the next one starts.
    fn line(&self, start: usize) -> Result<Option<(&[u8], usize)>, RespError> {
        let rest = &self.buffer[start..];
        let Some(length) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
            if rest.len() > LINE_BYTES_MAX {
                return Err(RespError::TooLarge { what: "line", size: rest.len(), limit: LINE_BYTES_MAX });
            }
            return Ok(None);
        };
        match &rest[length..] {
            [b'\r'] => Ok(None),
            [b'\r', b'\n', ..] => Ok(Some((&rest[..length], start + length + 2))),
            _ => Err(RespError::NoLineEnd),
        }
    }

    /// Where a bulk string ends, if it and its line end have come.
    fn bulk_end(&self, start: usize, length: usize) -> Result<Option<usize>, RespError> {
        let end = start + length;
        match self.buffer.get(end..) {
            None | Some([] | [b'\r']) => Ok(None),
            Some([b'\r', b'\n', ..]) => Ok(Some(end)),
            Some(_) => Err(RespError::NoLineEnd),
        }
    }
}

/// A whole aggregate as a reply; nothing for attributes.
fn close(kind: Kind, items: Vec<Reply>) -> Option<Reply> {
    Some(match kind {
        Kind::Array => Reply::Array(items),
        Kind::Set => Reply::Set(items),
        Kind::Push => Reply::Push(items),
        Kind::Map => {
            let mut items = items.into_iter();
            let pairs = std::iter::from_fn(|| Some((items.next()?, items.next()?)));
            Reply::Map(pairs.collect())
        }
        Kind::Attribute => return None,
    })
}

fn malformed(what: &'static str, bytes: &[u8]) -> RespError {
    let shown = bytes[..bytes.len().min(64)].escape_ascii().to_string();
    RespError::Malformed(what, shown)
}

fn length(line: &[u8], limit: usize) -> Result<usize, RespError> {
    let digits = !line.is_empty() && line.len() <= 18 && line.iter().all(u8::is_ascii_digit);
    let value = digits.then(|| str::from_utf8(line).ok()?.parse::<usize>().ok()).flatten();
    let size = value.ok_or_else(|| malformed("length", line))?;
    if size > limit {
        return Err(RespError::TooLarge { what: "length", size, limit });
    }
    Ok(size)
}

/// A reply that is one line.
fn scalar(kind: u8, line: &[u8]) -> Result<Reply, RespError> {
    let text = || str::from_utf8(line).unwrap_or_default();
    Ok(match kind {
        b'+' => Reply::Status(Bytes::copy_from_slice(line)),
        b'-' => Reply::Error(Bytes::copy_from_slice(line)),
        b':' => {
            let value = text().parse::<i64>().ok().filter(|_| !line.starts_with(b"+"));
            Reply::Integer(value.ok_or_else(|| malformed("integer", line))?)
        }
        b'_' if line.is_empty() => Reply::Null,
        b'#' if line == b"t" => Reply::Boolean(true),
        b'#' if line == b"f" => Reply::Boolean(false),
        b',' => Reply::Double(double(text()).ok_or_else(|| malformed("float", line))?),
        b'(' => {
            let digits = line.strip_prefix(b"-").unwrap_or(line);
            if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                return Err(malformed("big number", line));
            }
            Reply::BigNumber(Bytes::copy_from_slice(line))
        }
        b'_' => return Err(malformed("null", line)),
        _ => return Err(malformed("boolean", line)),
    })
}

fn double(text: &str) -> Option<f64> {
    match text {
        "inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        "nan" | "-nan" => Some(f64::NAN),
        _ if text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) => text.parse().ok(),
        _ => None,
    }
}

/// A reply that is a counted string.
fn bulk(kind: u8, payload: &[u8]) -> Result<Reply, RespError> {
    match (kind, payload) {
        (b'=', [a, b, c, b':', text @ ..]) => Ok(Reply::Verbatim([*a, *b, *c], Bytes::copy_from_slice(text))),
        (b'=', _) => Err(malformed("verbatim string", payload)),
        (b'!', _) => Ok(Reply::Error(Bytes::copy_from_slice(payload))),
        _ => Ok(Reply::Bulk(Bytes::copy_from_slice(payload))),
    }
}

#[cfg(test)]
#[path = "resp_tests.rs"]
mod tests;
