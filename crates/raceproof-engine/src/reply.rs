//! Replies, and their bytes in RESP2 and RESP3.

use bytes::Bytes;

use crate::Version;

/// The version of the protocol that a session speaks (`HELLO 2`, `HELLO 3`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// The protocol of Redis 2 to 5, and the default of every session.
    #[default]
    Resp2,
    /// The typed protocol of Redis 6.
    Resp3,
}

/// A reply with its full type. [`Reply::encode`] gives the shape that each protocol has for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// `+text`
    Simple(&'static str),
    /// `+text` that is not a constant, e.g. a status reply made by a script.
    Status(Bytes),
    /// `-text`, the text with its code (`ERR …`, `WRONGTYPE …`).
    Error(Bytes),
    /// `:n`
    Integer(i64),
    /// `$n`
    Bulk(Bytes),
    /// The null bulk string of RESP2 (`$-1`), the null of RESP3 (`_`).
    Null,
    /// The null array of RESP2 (`*-1`), the null of RESP3 (`_`).
    NullArray,
    /// The null of one protocol, whichever the session speaks: what is told in place of a session is written as that one
    /// has it.
    NullOf(Protocol),
    /// `*n`
    Array(Vec<Reply>),
    /// A map: flattened in RESP2, `%n` in RESP3.
    Map(Vec<(Reply, Reply)>),
    /// A set: an array in RESP2, `~n` in RESP3.
    Set(Vec<Reply>),
    /// A float: a bulk string in RESP2, `,x` in RESP3.
    Double(f64),
    /// A float in decimals, without an exponent: a bulk string in RESP2, `,x` in RESP3.
    Decimal(f64),
    /// A float in the fewest digits that tell it from others, as versions from 7.2 on write it: a bulk string in RESP2, `,x`
    /// in RESP3.
    Shortest(f64),
    /// A boolean: `:1`/`:0` in RESP2, `#t`/`#f` in RESP3.
    Boolean(bool),
    /// Text with a three-letter format: a bulk string in RESP2, `=n` in RESP3.
    Verbatim([u8; 3], Bytes),
    /// A big number: a bulk string in RESP2, `(n` in RESP3.
    BigNumber(Bytes),
    /// Values in a row, without anything around them: none for a command that gets no reply ([`Reply::NONE`]), several
    /// where Redis writes messages between the elements of an `EXEC`.
    Inline(Vec<Reply>),
    /// What is told about the reply that follows: nothing in RESP2, `|n` in RESP3.
    Attribute(Vec<(Reply, Reply)>),
    /// An out-of-band message: an array in RESP2, `>n` in RESP3.
    Push(Vec<Reply>),
}

impl Reply {
    /// Floats in the form of a version: with seventeen digits at first, in the fewest from 7.2 on, and from 8.0 on places
    /// on Earth too.
    pub(crate) fn in_form_of(&mut self, version: Version) {
        match self {
            Self::Double(value) if version >= Version::V7_2 => *self = Self::Shortest(*value),
            Self::Decimal(value) if version >= Version::V8_0 => *self = Self::Shortest(*value),
            Self::Array(parts) | Self::Set(parts) | Self::Push(parts) | Self::Inline(parts) => {
                parts.iter_mut().for_each(|part| part.in_form_of(version));
            }
            Self::Map(pairs) | Self::Attribute(pairs) => {
                for (key, value) in pairs {
                    key.in_form_of(version);
                    value.in_form_of(version);
                }
            }
            _ => {}
        }
    }

    /// No reply at all (`SUBSCRIBE`, which is answered by messages).
    pub const NONE: Self = Self::Inline(Vec::new());
}
