//! Commands and replies as a person reads them.

use std::fmt::Write as _;

use bytes::Bytes;

/// How many bytes of an argument or a reply are shown.
const SHOWN: usize = 400;

/// Bytes in the quoting of redis-cli; bare when nothing needs quoting.
pub(crate) fn word(bytes: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if !bytes.is_empty() && bytes.len() <= SHOWN && bytes.iter().all(plain) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    quoted(bytes)
}

/// Bytes in the quoting of redis-cli, however many.
pub(crate) fn whole_word(bytes: &[u8]) -> String {
    let short = word(bytes);
    if bytes.len() <= SHOWN { short } else { format!("\"{}\"", escaped(bytes)) }
}

/// Bytes in the quoting of redis-cli; many are cut.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    let cut = if bytes.len() > SHOWN { format!("… ({} bytes)", bytes.len()) } else { String::new() };
    format!("\"{}\"{cut}", escaped(&bytes[..bytes.len().min(SHOWN)]))
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            0x20..=0x7e => text.push(char::from(byte)),
            _ => write!(text, "\\x{byte:02x}").expect("writing to a string"),
        }
    }
    text
}

/// A command as a line for redis-cli.
pub(crate) fn command(args: &[Bytes]) -> String {
    args.iter().map(|arg| word(arg)).collect::<Vec<_>>().join(" ")
}
