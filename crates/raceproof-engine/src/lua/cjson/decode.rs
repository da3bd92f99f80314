//! JSON to Lua values.

use mlua::{Lua, Table, Value};

use super::{Invalid, Settings, null};
use crate::lua::native::{Fail, Text};
use crate::lua::number::parse_prefix;

/// However large a script sets the limit, deeper documents would endanger this host's own stack.
const DEPTH_MAX: i64 = 1_500;

pub(super) fn decode(lua: &Lua, text: &[u8], settings: Settings) -> Result<Value, Fail> {
    if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
        return Err(Fail::at("JSON parser does not support UTF-16 or UTF-32"));
    }
    let mut parser = Parser { lua, text, at: 0, settings };
    let first = parser.next();
    let value = parser.value(first, 0)?;
    let end = parser.next();
    if matches!(end.kind, Kind::End) { Ok(value) } else { Err(unexpected("the end", &end)) }
}

enum Kind {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    Text(Text),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Error(&'static str),
}

struct Token {
    kind: Kind,
    at: usize,
}

fn unexpected(expected: &str, token: &Token) -> Fail {
    let found = match token.kind {
        Kind::ObjectBegin => "T_OBJ_BEGIN",
        Kind::ObjectEnd => "T_OBJ_END",
        Kind::ArrayBegin => "T_ARR_BEGIN",
        Kind::ArrayEnd => "T_ARR_END",
        Kind::Text(_) => "T_STRING",
        Kind::Number(_) => "T_NUMBER",
        Kind::Boolean(_) => "T_BOOLEAN",
        Kind::Null => "T_NULL",
        Kind::Colon => "T_COLON",
        Kind::Comma => "T_COMMA",
        Kind::End => "T_END",
        Kind::Error(reason) => reason,
    };
    Fail::at(format!("Expected {expected} but found {found} at character {}", token.at + 1))
}

struct Parser<'a> {
    lua: &'a Lua,
    text: &'a [u8],
    at: usize,
    settings: Settings,
}

impl Parser<'_> {
    fn value(&mut self, token: Token, depth: i64) -> Result<Value, Fail> {
        Ok(match token.kind {
            Kind::Text(text) => Value::String(self.lua.create_string(&text)?),
            Kind::Number(n) => Value::Number(n),
            Kind::Boolean(truth) => Value::Boolean(truth),
            Kind::Null => null(),
            Kind::ObjectBegin => Value::Table(self.object(depth + 1)?),
            Kind::ArrayBegin => Value::Table(self.array(depth + 1)?),
            _ => return Err(unexpected("value", &token)),
        })
    }

    fn descend(&self, depth: i64) -> Result<Table, Fail> {
        if depth > self.settings.decode_depth_max.min(DEPTH_MAX) {
            let text = format!("Found too many nested data structures ({depth}) at character {}", self.at);
            return Err(Fail::at(text));
        }
        Ok(self.lua.create_table()?)
    }

    fn object(&mut self, depth: i64) -> Result<Table, Fail> {
        let table = self.descend(depth)?;
        let mut token = self.next();
        if matches!(token.kind, Kind::ObjectEnd) {
            return Ok(table);
        }
        loop {
            let Kind::Text(key) = token.kind else { return Err(unexpected("object key string", &token)) };
            let key = self.lua.create_string(&key)?;
            let colon = self.next();
            if !matches!(colon.kind, Kind::Colon) {
                return Err(unexpected("colon", &colon));
            }
            let first = self.next();
            let value = self.value(first, depth)?;
            table.raw_set(key, value)?;
            let after = self.next();
            match after.kind {
                Kind::ObjectEnd => return Ok(table),
                Kind::Comma => token = self.next(),
                _ => return Err(unexpected("comma or object end", &after)),
            }
        }
    }

    fn array(&mut self, depth: i64) -> Result<Table, Fail> {
        let table = self.descend(depth)?;
        let mut token = self.next();
        if matches!(token.kind, Kind::ArrayEnd) {
            return Ok(table);
        }
        for index in 1.. {
            let value = self.value(token, depth)?;
            table.raw_set(index, value)?;
            let after = self.next();
            match after.kind {
                Kind::ArrayEnd => break,
                Kind::Comma => token = self.next(),
                _ => return Err(unexpected("comma or array end", &after)),
            }
        }
        Ok(table)
    }

    fn next(&mut self) -> Token {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        let at = self.at;
        let rest = &self.text[at..];
        let single = match rest.first() {
            None | Some(0) => return Token { kind: Kind::End, at },
            Some(b'{') => Some(Kind::ObjectBegin),
            Some(b'}') => Some(Kind::ObjectEnd),
            Some(b'[') => Some(Kind::ArrayBegin),
            Some(b']') => Some(Kind::ArrayEnd),
            Some(b':') => Some(Kind::Colon),
            Some(b',') => Some(Kind::Comma),
            Some(_) => None,
        };
        if let Some(kind) = single {
            self.at += 1;
            return Token { kind, at };
        }
        let invalid_allowed = self.settings.decode_invalid != Invalid::Off;
        if rest[0] == b'"' {
            return self.string();
        } else if rest[0] == b'-' || rest[0].is_ascii_digit() {
            if !invalid_allowed && is_invalid_number(rest) {
                return Token { kind: Kind::Error("invalid number"), at };
            }
            return self.number();
        }
        for (word, kind) in
            [(&b"true"[..], Kind::Boolean(true)), (b"false", Kind::Boolean(false)), (b"null", Kind::Null)]
        {
            if rest.starts_with(word) {
                self.at += word.len();
                return Token { kind, at };
            }
        }
        if invalid_allowed && is_invalid_number(rest) {
            return self.number();
        }
        Token { kind: Kind::Error("invalid token"), at }
    }

    fn number(&mut self) -> Token {
        let at = self.at;
        match parse_prefix(&self.text[at..]) {
            Some((n, len)) => {
                self.at += len;
                Token { kind: Kind::Number(n), at }
            }
            None => Token { kind: Kind::Error("invalid number"), at },
        }
    }

    fn string(&mut self) -> Token {
        let begin = self.at;
        let mut out = Text::new();
        self.at += 1;
        loop {
            let byte = self.text.get(self.at).copied().unwrap_or(0);
            match byte {
                b'"' => break,
                0 => return Token { kind: Kind::Error("unexpected end of string"), at: self.at },
                b'\\' => {
                    if let Err(reason) = self.escape(&mut out) {
                        return Token { kind: Kind::Error(reason), at: self.at };
                    }
                }
                _ => {
                    out.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Token { kind: Kind::Text(out), at: begin }
    }

    fn escape(&mut self, out: &mut Text) -> Result<(), &'static str> {
        let byte = match self.text.get(self.at + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                let (character, len) = self.unicode().ok_or("invalid unicode escape code")?;
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                self.at += len;
                return Ok(());
            }
            _ => return Err("invalid escape code"),
        };
        out.push(byte);
        self.at += 2;
        Ok(())
    }

    /// The character of `\uXXXX`, or of a surrogate pair of those, and the length of the escape.
    fn unicode(&self) -> Option<(char, usize)> {
        let unit = |at: usize| -> Option<u32> {
            let digits = self.text.get(at + 2..at + 6)?;
            digits.iter().try_fold(0, |sum, byte| Some(sum << 4 | (*byte as char).to_digit(16)?))
        };
        let high = unit(self.at)?;
        if !(0xd800..0xe000).contains(&high) {
            return Some((char::from_u32(high)?, 6));
        }
        if high & 0x400 != 0 || self.text.get(self.at + 6..self.at + 8) != Some(b"\\u") {
            return None;
        }
        let low = unit(self.at + 6).filter(|low| low & 0xfc00 == 0xdc00)?;
        Some((char::from_u32(0x10000 + ((high & 0x3ff) << 10 | (low & 0x3ff)))?, 12))
    }
}

/// Whether a text begins with a number that `strtod` takes and JSON does not: hexadecimal, octal, NaN, infinity.
fn is_invalid_number(text: &[u8]) -> bool {
    let text = match text.first() {
        Some(b'+') => return true,
        Some(b'-') => &text[1..],
        _ => text,
    };
    match text.first() {
        Some(b'0') => text.get(1).is_some_and(|byte| matches!(byte, b'x' | b'X' | b'0'..=b'9')),
        Some(byte) if *byte <= b'9' => false,
        _ => {
            let word = text.get(..3).unwrap_or_default();
            word.eq_ignore_ascii_case(b"inf") || word.eq_ignore_ascii_case(b"nan")
        }
    }
}
