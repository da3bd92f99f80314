//! Commands and replies as text, for people.

use bytes::Bytes;
use raceproof_engine::Reply;

/// The most bytes of one argument or string that are shown.
const SHOWN: usize = 1024;
/// The most elements of one collection that are shown.
const SHOWN_ELEMENTS: usize = 1000;

/// A command as one would type it. What authenticates is left out.
pub(crate) fn command_text(args: &[Bytes]) -> String {
    let is =
        |index: usize, name: &str| args.get(index).is_some_and(|arg: &Bytes| arg.eq_ignore_ascii_case(name.as_bytes()));
    let mut text = String::new();
    for (index, arg) in args.iter().enumerate() {
        let secret = index > 0 && (is(0, "auth") || is(0, "hello") && index > 2 && is(index - 2, "auth"))
            || (index > 2 && is(0, "config") && is(index - 1, "requirepass"))
            || (index > 2
                && is(0, "acl")
                && is(1, "setuser")
                && matches!(arg.first(), Some(b'>' | b'<' | b'#' | b'!')));
        if index > 0 {
            text.push(' ');
        }
        if secret { text.push_str("(redacted)") } else { word(arg, &mut text) }
    }
    text
}

/// A word, in quotes if it needs any.
fn word(bytes: &[u8], text: &mut String) {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if !bytes.is_empty() && bytes.len() <= SHOWN && bytes.iter().all(plain) {
        text.push_str(&String::from_utf8_lossy(bytes));
    } else {
        quoted(bytes, text);
    }
}

/// A string in quotes, escaped as redis-cli does it. Of a long one the middle is left out.
pub(crate) fn quoted(bytes: &[u8], text: &mut String) {
    if bytes.len() > SHOWN {
        let half = SHOWN / 2;
        quoted(&bytes[..half], text);
        text.push_str(&format!("…({} bytes)…", bytes.len() - 2 * half));
        return quoted(&bytes[bytes.len() - half..], text);
    }
    text.push('"');
    for &byte in bytes {
        match byte {
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            7 => text.push_str("\\a"),
            8 => text.push_str("\\b"),
            b' '..=b'~' => text.push(char::from(byte)),
            other => text.push_str(&format!("\\x{other:02x}")),
        }
    }
    text.push('"');
}

/// A reply in one line.
pub(crate) fn reply_text(reply: &Reply) -> String {
    let mut text = String::new();
    show(reply, &mut text);
    text
}

fn show(reply: &Reply, text: &mut String) {
    match reply {
        Reply::Simple(status) => text.push_str(status),
        Reply::Status(status) => text.push_str(&String::from_utf8_lossy(status)),
        Reply::Error(error) => {
            text.push_str("(error) ");
            text.push_str(&String::from_utf8_lossy(error));
        }
        Reply::Integer(value) => text.push_str(&format!("(integer) {value}")),
        Reply::Bulk(bytes) | Reply::Verbatim(_, bytes) => quoted(bytes, text),
        Reply::BigNumber(number) => text.push_str(&String::from_utf8_lossy(number)),
        Reply::Null | Reply::NullArray | Reply::NullOf(_) => text.push_str("(nil)"),
        Reply::Double(value) | Reply::Decimal(value) | Reply::Shortest(value) => {
            text.push_str(&format!("(double) {value}"))
        }
        Reply::Boolean(value) => text.push_str(if *value { "(true)" } else { "(false)" }),
        Reply::Array(elements) => list('[', elements, ']', text),
        Reply::Set(elements) => list('{', elements, '}', text),
        Reply::Push(elements) => list('>', elements, '\0', text),
        Reply::Inline(values) => {
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    text.push(' ');
                }
                show(value, text);
            }
        }
        Reply::Map(pairs) | Reply::Attribute(pairs) => {
            text.push('{');
            for (index, (key, value)) in pairs.iter().take(SHOWN_ELEMENTS).enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                show(key, text);
                text.push_str(" => ");
                show(value, text);
            }
            text.push('}');
        }
    }
}

fn list(open: char, elements: &[Reply], close: char, text: &mut String) {
    text.push(open);
    for (index, element) in elements.iter().take(SHOWN_ELEMENTS).enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        show(element, text);
    }
    if elements.len() > SHOWN_ELEMENTS {
        text.push_str(&format!(", … {} more", elements.len() - SHOWN_ELEMENTS));
    }
    if close != '\0' {
        text.push(close);
    }
}
