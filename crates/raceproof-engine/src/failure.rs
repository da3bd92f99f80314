//! Error replies, word for word as Redis gives them.

use bytes::Bytes;

use crate::Reply;

/// Why a command was refused: the text of the error reply with its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Constant(&'static str),
    Text(String),
    Bytes(Bytes),
}

/// What a command's function gives.
pub(crate) type Answer = Result<Reply, Failure>;

impl Failure {
    /// The error reply. A line break would end the reply early, so Redis turns it into a space.
    pub(crate) fn into_reply(self) -> Reply {
        let text = match self {
            Self::Constant(text) => return Reply::Error(Bytes::from_static(text.as_bytes())),
            Self::Text(text) => Bytes::from(text),
            Self::Bytes(text) => text,
        };
        if !text.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            return Reply::Error(text);
        }
        let one_line: Vec<u8> =
            text.iter().map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }).collect();
        Reply::Error(one_line.into())
    }
}

impl Failure {
    /// A text around what a client or a script said, which is quoted as a C format would.
    pub(crate) fn quoting(before: &str, said: &[u8], after: &str) -> Self {
        let mut text = [before.as_bytes(), quoted(said, said.len()), after.as_bytes()].concat();
        // Redis takes line ends off the end of a text before it makes spaces of the others.
        while text.pop_if(|byte| matches!(byte, b'\r' | b'\n')).is_some() {}
        Self::Bytes(text.into())
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

macro_rules! failures {
    ($($name:ident = $text:literal;)*) => {
        $(pub(crate) const $name: Failure = Failure::Constant($text);)*
    };
}

failures! {
    WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";
    SYNTAX = "ERR syntax error";
    READ_ONLY = "READONLY You can't write against a read only replica.";
    NOT_AN_INTEGER = "ERR value is not an integer or out of range";
    NOT_A_FLOAT = "ERR value is not a valid float";
    WOULD_OVERFLOW = "ERR increment or decrement would overflow";
    DECR_OVERFLOW = "ERR decrement would overflow";
    NAN_OR_INFINITY = "ERR increment would produce NaN or Infinity";
    OFFSET_OUT_OF_RANGE = "ERR offset is out of range";
    TOO_LONG = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    NO_SUCH_KEY = "ERR no such key";
    SAME_OBJECT = "ERR source and destination objects are the same";
    DB_OUT_OF_RANGE = "ERR DB index is out of range";
    INVALID_CURSOR = "ERR invalid cursor";
    NO_SCRIPT = "NOSCRIPT No matching script. Please use EVAL.";
}

/// An expire time that is not positive or does not fit.
pub(crate) fn invalid_expire_time(command: &str) -> Failure {
    Failure::Text(format!("ERR invalid expire time in '{command}' command"))
}

/// A known command with too few or too many arguments.
pub(crate) fn wrong_arity(command: &str) -> Failure {
    Failure::Text(format!("ERR wrong number of arguments for '{command}' command"))
}

/// How many bytes of a command or its arguments an error quotes.
const QUOTED: usize = 128;

/// A command that does not exist, with the beginning of what came along.
pub(crate) fn unknown_command(args: &[Bytes]) -> Failure {
    let mut text = b"ERR unknown command '".to_vec();
    text.extend_from_slice(quoted(args.first().map_or(&[], |name| name), QUOTED));
    text.extend_from_slice(b"', with args beginning with: ");
    let start = text.len();
    for arg in args.iter().skip(1) {
        let used = text.len() - start;
        if used >= QUOTED {
            break;
        }
        text.push(b'\'');
        text.extend_from_slice(quoted(arg, QUOTED - used));
        text.extend_from_slice(b"' ");
    }
    Failure::Bytes(text.into())
}

/// A container command with a subcommand that it does not have.
pub(crate) fn unknown_subcommand(args: &[Bytes]) -> Failure {
    let mut text = b"ERR unknown subcommand '".to_vec();
    text.extend_from_slice(quoted(&args[1], QUOTED));
    text.extend_from_slice(b"'. Try ");
    text.extend(args[0].iter().map(u8::to_ascii_uppercase));
    text.extend_from_slice(b" HELP.");
    Failure::Bytes(text.into())
}

/// A subcommand with options that it does not have, or too many arguments.
pub(crate) fn wrong_subcommand(args: &[Bytes]) -> Failure {
    let mut text = b"ERR unknown subcommand or wrong number of arguments for '".to_vec();
    text.extend_from_slice(quoted(&args[1], QUOTED));
    text.extend_from_slice(b"'. Try ");
    text.extend(args[0].iter().map(u8::to_ascii_uppercase));
    text.extend_from_slice(b" HELP.");
    Failure::Bytes(text.into())
}

/// A stream, or a group of it, that does not exist.
pub(crate) fn no_group(key: &[u8], group: &[u8], where_: &str) -> Failure {
    let mut text = b"NOGROUP No such key '".to_vec();
    text.extend_from_slice(quoted(key, key.len()));
    text.extend_from_slice(b"' or consumer group '");
    text.extend_from_slice(quoted(group, group.len()));
    text.push(b'\'');
    text.extend_from_slice(where_.as_bytes());
    Failure::Bytes(text.into())
}

/// What a C format prints of a string: at most `limit` bytes, and none after a NUL.
pub(crate) fn quoted(text: &[u8], limit: usize) -> &[u8] {
    let text = &text[..text.len().min(limit)];
    text.split(|&byte| byte == 0).next().unwrap_or_default()
}
