//! The first line of a script: `#!lua flags=no-writes,allow-stale`.

use bytes::Bytes;

/// What a script says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// There was a shebang. Without one, Redis runs a script in compatibility mode.
    pub(crate) declared: bool,
    /// `no-writes`
    pub(crate) no_writes: bool,
    /// `allow-oom`
    pub(crate) allow_oom: bool,
    /// `allow-stale`
    pub(crate) allow_stale: bool,
    /// `no-cluster`
    pub(crate) no_cluster: bool,
    /// `allow-cross-slot-keys`
    pub(crate) allow_cross_slot_keys: bool,
    /// How many bytes of the source the shebang takes, without its line feed.
    pub(crate) len: usize,
}

/// Reads the shebang of a script. A source without one has no flags.
///
/// # Errors
/// The text of the error reply.
pub(crate) fn parse(source: &[u8]) -> Result<Flags, Bytes> {
    let mut flags = Flags::default();
    if !source.starts_with(b"#!") {
        return Ok(flags);
    }
    let Some(len) = source.iter().position(|&byte| byte == b'\n') else {
        return Err(Bytes::from_static(b"ERR Invalid script shebang"));
    };
    flags.declared = true;
    flags.len = len;
    let words = split(&source[..len]).ok_or(Bytes::from_static(b"ERR Invalid engine in script shebang"))?;
    let mut words = words.iter().map(Vec::as_slice);
    let engine = words.next().unwrap_or_default();
    if engine != b"#!lua" {
        return Err(error("ERR Unexpected engine in script shebang: ", engine));
    }
    for word in words {
        let Some(list) = word.strip_prefix(b"flags=") else {
            return Err(error("ERR Unknown lua shebang option: ", word));
        };
        for name in list.split(|byte| *byte == b',').filter(|_| !list.is_empty()) {
            match name {
                b"no-writes" => flags.no_writes = true,
                b"allow-oom" => flags.allow_oom = true,
                b"allow-stale" => flags.allow_stale = true,
                b"no-cluster" => flags.no_cluster = true,
                b"allow-cross-slot-keys" => flags.allow_cross_slot_keys = true,
                unknown => return Err(error("ERR Unexpected flag in script shebang: ", unknown)),
            }
        }
    }
    Ok(flags)
}

/// The words of a line: separated by white space, quoted where they hold some. Nothing if a quote is left open or has
/// something right behind it.
pub(crate) fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while !rest.is_empty() {
        let mut word = Vec::new();
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'"' | b'\'' => {
                    rest = quoted(rest, byte, &mut word)?;
                    if rest.first().is_some_and(|next| !next.is_ascii_whitespace()) {
                        return None;
                    }
                }
                _ if byte.is_ascii_whitespace() => break,
                _ => word.push(byte),
            }
        }
        words.push(word);
        rest = rest.trim_ascii_start();
    }
    Some(words)
}

/// Reads up to the closing quote; gives what follows it.
fn quoted<'a>(mut rest: &'a [u8], quote: u8, word: &mut Vec<u8>) -> Option<&'a [u8]> {
    let double = quote == b'"';
    loop {
        let hex = |byte: &u8| (*byte as char).to_digit(16);
        match rest {
            [] => return None,
            [byte, after @ ..] if *byte == quote => return Some(after),
            [b'\\', b'x', high, low, after @ ..] if double && hex(high).is_some() && hex(low).is_some() => {
                word.push((hex(high)? << 4 | hex(low)?) as u8);
                rest = after;
            }
            [b'\\', byte, after @ ..] if double || *byte == b'\'' => {
                word.push(match (double, byte) {
                    (true, b'n') => b'\n',
                    (true, b'r') => b'\r',
                    (true, b't') => b'\t',
                    (true, b'b') => 0x08,
                    (true, b'a') => 0x07,
                    _ => *byte,
                });
                rest = after;
            }
            [byte, after @ ..] => {
                word.push(*byte);
                rest = after;
            }
        }
    }
}

fn error(text: &str, what: &[u8]) -> Bytes {
    let mut message = text.as_bytes().to_vec();
    message.extend_from_slice(what);
    message.into()
}
