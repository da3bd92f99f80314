//! Redis commands and replies on one line each, as redis-cli shows them.

use std::fmt::Write;

use bytes::Bytes;
use raceproof_engine::Reply;

use super::text::is_unseen;

/// A command as one would type it: `SET user:123 "1,2"`.
#[must_use]
pub fn command(args: &[Bytes]) -> String {
    args.iter().map(|arg| argument(arg)).collect::<Vec<_>>().join(" ")
}

/// An argument: bare where that is unmistakable, quoted elsewhere.
#[must_use]
pub fn argument(bytes: &[u8]) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_-:.{}[]()*+/@=<>!?$%&^~|#".contains(&byte);
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && bytes.iter().all(|byte| bare(*byte)) => text.to_owned(),
        _ => quoted(bytes),
    }
}

/// A value in quotes. Bytes that are no printable text are escaped as redis-cli does (`\x00`); printable text beyond
/// ASCII stays readable, which redis-cli would escape too.
#[must_use]
pub fn quoted(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|character| push_character(&mut out, character));
        push_bytes(&mut out, chunk.invalid());
    }
    out.push('"');
    out
}

fn push_character(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        _ if is_unseen(character) => push_bytes(out, character.encode_utf8(&mut [0; 4]).as_bytes()),
        _ => out.push(character),
    }
}

fn push_bytes(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(out, "\\x{byte:02x}");
    }
}

/// A reply on one line: `OK`, `"1,2"`, `(nil)`, `(error) ERR …`, `1) "a" 2) "b"`. An integer is shown bare: the
/// quotes of a string tell them apart.
#[must_use]
pub fn reply(reply: &Reply) -> String {
    match reply {
        Reply::Simple(text) => (*text).to_owned(),
        Reply::Status(text) => plain(text),
        Reply::Error(text) => format!("(error) {}", plain(text)),
        Reply::Integer(number) => number.to_string(),
        Reply::Bulk(bytes) | Reply::Verbatim(_, bytes) => quoted(bytes),
        Reply::Null | Reply::NullArray => "(nil)".to_owned(),
        Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => list(items),
        Reply::Map(pairs) if pairs.is_empty() => "(empty hash)".to_owned(),
        Reply::Map(pairs) => {
            let shown = |(key, value): &(Reply, Reply)| format!("{} => {}", self::reply(key), self::reply(value));
            pairs.iter().map(shown).collect::<Vec<_>>().join(", ")
        }
        Reply::Double(number) => format!("(double) {number}"),
        Reply::Boolean(true) => "(true)".to_owned(),
        Reply::Boolean(false) => "(false)".to_owned(),
        Reply::BigNumber(digits) => plain(digits),
    }
}

fn list(items: &[Reply]) -> String {
    if items.is_empty() {
        return "(empty array)".to_owned();
    }
    let shown = |(at, item): (usize, &Reply)| match item {
        Reply::Array(inner) | Reply::Set(inner) | Reply::Push(inner) if !inner.is_empty() => {
            format!("{}) [{}]", at + 1, list(inner))
        }
        _ => format!("{}) {}", at + 1, reply(item)),
    };
    items.iter().enumerate().map(shown).collect::<Vec<_>>().join(" ")
}

/// Text of a status or an error: as it is, harmless.
fn plain(bytes: &[u8]) -> String {
    super::text::harmless(&String::from_utf8_lossy(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(bytes: &'static [u8]) -> Reply {
        Reply::Bulk(Bytes::from_static(bytes))
    }

    #[test]
    fn a_command_reads_as_one_would_type_it() {
        let args = ["SET", "user:{123}", "1,2", "", "two words", "EX", "30"]
            .map(|arg: &'static str| Bytes::from_static(arg.as_bytes()));
        assert_eq!(command(&args), r#"SET user:{123} "1,2" "" "two words" EX 30"#);
    }

    #[test]
    fn binary_is_escaped_as_redis_cli_does() {
        assert_eq!(quoted(b"a\0\x1b\xff\xc3\"\\\n\r\t\x07\x08"), r#""a\x00\x1b\xff\xc3\"\\\n\r\t\a\b""#);
        assert_eq!(argument("naïve 東京".as_bytes()), "\"naïve 東京\"");
        assert_eq!(quoted("x\u{202e}y".as_bytes()), r#""x\xe2\x80\xaey""#, "nothing turns the direction of writing");
    }

    #[test]
    fn replies_tell_their_types_apart() {
        assert_eq!(reply(&Reply::Simple("OK")), "OK");
        assert_eq!(reply(&Reply::Integer(-2)), "-2");
        assert_eq!(reply(&bulk(b"-2")), "\"-2\"");
        assert_eq!(reply(&Reply::Null), "(nil)");
        assert_eq!(reply(&Reply::NullArray), "(nil)");
        assert_eq!(reply(&Reply::Error(Bytes::from_static(b"ERR no\nsuch"))), "(error) ERR no\\nsuch");
        assert_eq!(reply(&Reply::Array(vec![])), "(empty array)");
        assert_eq!(
            reply(&Reply::Array(vec![bulk(b"a"), Reply::Array(vec![Reply::Integer(1), Reply::Null])])),
            "1) \"a\" 2) [1) 1 2) (nil)]"
        );
        assert_eq!(reply(&Reply::Map(vec![(bulk(b"f"), Reply::Boolean(true))])), "\"f\" => (true)");
        assert_eq!(reply(&Reply::Double(1.5)), "(double) 1.5");
    }
}
