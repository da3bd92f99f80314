//! Text in terminal columns: how wide it is, how it is made harmless, shortened and wrapped.

use std::fmt::Write;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::page::{Line, Role, Span};

/// How many terminal columns a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// A whole number with its thousands apart: `30,001`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Text that cannot move the cursor, change colours or reorder the line: control characters and the marks that turn
/// the direction of writing are shown as escapes.
#[must_use]
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if character.is_ascii_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(character));
            }
            _ if is_unseen(character) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out
}

/// Control characters beyond ASCII, line separators, and the marks that turn the direction of writing.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Cuts out the middle of a text wider than `limit` columns: `"a long val…its end"`. Escapes (`\x00`) and characters
/// with their combining marks stay whole.
#[must_use]
pub fn shorten(text: &str, limit: usize) -> String {
    if width(text) <= limit {
        return text.to_owned();
    }
    let units = units(text);
    let room = limit.saturating_sub(1);
    let tail_room = room * 2 / 5;
    let mut tail = units.len();
    let mut used = 0;
    while tail > 0 && used + width(units[tail - 1]) <= tail_room {
        tail -= 1;
        used += width(units[tail]);
    }
    let mut head = 0;
    let mut head_used = 0;
    while head < tail && used + head_used + width(units[head]) <= room {
        head_used += width(units[head]);
        head += 1;
    }
    format!("{}…{}", units[..head].concat(), units[tail..].concat())
}

/// Cuts off the end of a text wider than `limit` columns: `memory of mob…`.
#[must_use]
pub fn cut(text: &str, limit: usize) -> String {
    if width(text) <= limit {
        return text.to_owned();
    }
    let mut out = String::new();
    for unit in units(text) {
        if width(&out) + width(unit) + 1 > limit {
            break;
        }
        out.push_str(unit);
    }
    let kept = out.trim_end().len();
    out.truncate(kept);
    out + "…"
}

/// Shortens every quoted value and every word of a command or a reply that is wider than `limit` columns; what lies
/// between them stays.
#[must_use]
pub(super) fn shorten_values(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (value, after) = rest.split_at(value_end(rest));
        if width(value) > limit {
            out.push_str(&shorten(&without_lines(value), limit));
        } else {
            out.push_str(value);
        }
        let blanks = after.len() - after.trim_start_matches(' ').len();
        out.push_str(&after[..blanks]);
        rest = &after[blanks..];
    }
    out
}

/// A quoted value of several lines (a script) without its line breaks and indentation: cut short, it says more so.
fn without_lines(value: &str) -> String {
    let Some(text) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return value.to_owned() };
    let lines: Vec<&str> = text.split("\\n").map(str::trim).filter(|line| !line.is_empty()).collect();
    format!("\"{}\"", lines.join(" "))
}

/// Where the first value of a text ends: behind its closing quote, else before the next blank.
fn value_end(text: &str) -> usize {
    let mut quote = None;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match quote {
            _ if escaped => escaped = false,
            Some('"') if character == '\\' => escaped = true,
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if character == '"' || (character == '\'' && at == 0) => quote = Some(character),
            None if character == ' ' => return at,
            None => {}
        }
    }
    text.len()
}

/// The parts of a text that must not be torn: an escape, or a character with the marks that combine with it.
fn units(text: &str) -> Vec<&str> {
    let mut units = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let mut end = first.len_utf8();
        if first == '\\' {
            end += escape_length(&rest[end..]);
        }
        while let Some(next) = rest[end..].chars().next() {
            if next.width() != Some(0) {
                break;
            }
            end += next.len_utf8();
        }
        let (unit, after) = rest.split_at(end);
        units.push(unit);
        rest = after;
    }
    units
}

/// How many bytes after a backslash belong to its escape.
fn escape_length(after: &str) -> usize {
    let is_hex = |range| after.get(range).is_some_and(|digits: &str| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    match after.chars().next() {
        Some('x') if is_hex(1..3) => 3,
        Some(next) => next.len_utf8(),
        None => 0,
    }
}

/// Breaks a line into lines of at most `columns`, the second and later ones indented by `hanging`. It breaks at
/// blanks; a word that is wider than a line is torn.
#[must_use]
pub fn wrap(line: &Line, columns: usize, hanging: usize) -> Vec<Line> {
    let columns = columns.max(hanging + 1);
    let indent = || Line::default().with(Role::Plain, " ".repeat(hanging));
    let mut done = Vec::new();
    let mut current = Line::default();
    let (mut used, mut empty) = (0, true);
    let mut blank = Span::default();
    for word in words(line) {
        if word.text.starts_with(' ') {
            blank = word;
            continue;
        }
        if !empty && used + width(&blank.text) + width(&word.text) > columns {
            done.push(std::mem::replace(&mut current, indent()));
            (used, empty) = (hanging, true);
        } else {
            used += width(&blank.text);
            current.push(blank.role, blank.text.as_str());
        }
        blank.text.clear();
        for unit in units(&word.text) {
            if !empty && used + width(unit) > columns {
                done.push(std::mem::replace(&mut current, indent()));
                used = hanging;
            }
            current.push(word.role, unit);
            used += width(unit);
            empty = false;
        }
    }
    done.push(current);
    done
}

/// A line as runs of blanks and of other characters.
fn words(line: &Line) -> Vec<Span> {
    let mut words: Vec<Span> = Vec::new();
    for span in &line.spans {
        for character in span.text.chars() {
            match words.last_mut() {
                Some(last) if last.role == span.role && last.text.ends_with(' ') == (character == ' ') => {
                    last.text.push(character);
                }
                _ => words.push(Span::new(span.role, character)),
            }
        }
    }
    words
}
