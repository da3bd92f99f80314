//! The text of a scenario: where its header and its checks stand, so that a mutant edits the protocol and nothing else.

use std::ops::Range;

/// The calls whose text no mutant may edit, and which stand at the top level of the file.
const CHECKS: [&str; 16] = [
    "always",
    "finally",
    "quiet",
    "fresh",
    "exclusive",
    "linearizable",
    "value",
    "serializable",
    "no_lost_update",
    "staleness",
    "monotonic_reads",
    "read_your_writes",
    "fencing",
    "survives",
    "at_most_once",
    "agrees",
];

/// Where the header and the checks stand in a source.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) header: Option<Range<usize>>,
    /// Checks at the top level, and every `expect(…)`, wherever it stands.
    pub(super) checks: Vec<Range<usize>>,
}

/// What a byte position begins.
enum Token<'a> {
    Word(&'a str),
    Open,
    Close,
    Blank,
    Other,
}

/// A call that is of interest.
#[derive(Clone, Copy)]
struct Call {
    start: usize,
    is_header: bool,
}

pub(super) fn layout(source: &str) -> Layout {
    let mut layout = Layout::default();
    // One entry for each bracket that is open: the call whose arguments it holds, if that is of interest.
    let mut open: Vec<Option<Call>> = Vec::new();
    let mut called: Option<Call> = None;
    let mut at = 0;
    let mut after_dot = false;
    while at < source.len() {
        let (token, end) = next_token(source, at);
        match token {
            Token::Blank => {}
            Token::Word(word) => {
                let known = word == "expect" || open.is_empty() && (word == "scenario" || CHECKS.contains(&word));
                called = (known && !after_dot).then_some(Call { start: at, is_header: word == "scenario" });
            }
            Token::Open => open.push(called.take()),
            Token::Close => match open.pop().flatten() {
                Some(call) if call.is_header => {
                    layout.header.get_or_insert(call.start..end);
                }
                Some(call) => layout.checks.push(call.start..end),
                None => {}
            },
            Token::Other => called = None,
        }
        if !matches!(token, Token::Blank) {
            after_dot = matches!(source.as_bytes()[at], b'.' | b':');
        }
        at = end;
    }
    layout
}

/// The token at `at` and where it ends. Strings and comments are one token each, whatever stands in them.
fn next_token(source: &str, at: usize) -> (Token<'_>, usize) {
    let rest = &source[at..];
    let first = rest.as_bytes()[0];
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if first.is_ascii_alphabetic() || first == b'_' {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        return (Token::Word(&rest[..length]), at + length);
    }
    if let Some(comment) = rest.strip_prefix("--") {
        let length = long_bracket(comment).map_or_else(|| rest.find('\n').unwrap_or(rest.len()), |n| n + 2);
        return (Token::Blank, at + length);
    }
    if let Some(length) = long_bracket(rest) {
        return (Token::Other, at + length);
    }
    match first {
        b'"' | b'\'' => (Token::Other, at + quoted(rest.as_bytes(), first)),
        b'(' | b'{' | b'[' => (Token::Open, at + 1),
        b')' | b'}' | b']' => (Token::Close, at + 1),
        _ if first.is_ascii_whitespace() => (Token::Blank, at + 1),
        _ => (Token::Other, at + rest.chars().next().map_or(1, char::len_utf8)),
    }
}

/// The length of the quoted string that the bytes begin with.
fn quoted(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte => {
                at += 1;
                if byte == quote {
                    break;
                }
            }
        }
    }
    // An escape at the very end, or before a character of several bytes, must not split a character.
    let mut end = at.min(bytes.len());
    while end < bytes.len() && bytes[end] & 0xC0 == 0x80 {
        end += 1;
    }
    end
}

/// The length of the `[[ … ]]` or `[=[ … ]=]` that the text begins with.
fn long_bracket(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('[')?;
    let level = inner.len() - inner.trim_start_matches('=').len();
    if !inner[level..].starts_with('[') {
        return None;
    }
    let close = format!("]{}]", "=".repeat(level));
    Some(text[level + 2..].find(&close).map_or(text.len(), |found| level + 2 + found + close.len()))
}

/// Where `from` stands outside the header.
pub(super) fn occurrences(source: &str, from: &str, layout: &Layout) -> Vec<Range<usize>> {
    source
        .match_indices(from)
        .map(|(at, text)| at..at + text.len())
        .filter(|found| !layout.header.as_ref().is_some_and(|header| overlap(found, header)))
        .collect()
}

pub(super) fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// The line (from 1) of a byte position.
pub(super) fn line_of(source: &str, at: usize) -> u32 {
    let newlines = source.as_bytes()[..at.min(source.len())].iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(newlines + 1).unwrap_or(u32::MAX)
}

/// The line of the header field `name`, or of the header.
pub(super) fn line_of_field(source: &str, layout: &Layout, name: &str) -> Option<u32> {
    let header = layout.header.clone()?;
    let text = &source[header.clone()];
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let field = text
        .match_indices(name)
        .find(|(at, _)| !text[..*at].ends_with(is_word) && text[at + name.len()..].trim_start().starts_with('='));
    Some(line_of(source, header.start + field.map_or(0, |(at, _)| at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> (Option<&str>, Vec<&str>) {
        let layout = layout(source);
        (layout.header.map(|range| &source[range]), layout.checks.into_iter().map(|range| &source[range]).collect())
    }

    #[test]
    fn finds_the_header_and_the_checks() {
        let source = "scenario { name = 'a)', about = [[ } ]] } -- finally(\n\
                      client('c', function() redis('GET', finally) end)\n\
                      finally(function() expect(f({ '(' }), \"\\\")\") end)\nfresh('row') local x = t.quiet(1)";
        assert_eq!(
            texts(source),
            (
                Some("scenario { name = 'a)', about = [[ } ]] }"),
                vec![
                    "expect(f({ '(' }), \"\\\")\")",
                    "finally(function() expect(f({ '(' }), \"\\\")\") end)",
                    "fresh('row')"
                ]
            )
        );
    }

    #[test]
    fn unfinished_texts_end_with_the_source() {
        for source in ["scenario {", "finally('", "--[[ x", "[==[", "'\\", "'\\é", "--", "x = '\\é'"] {
            let _ = layout(source);
        }
        assert_eq!(texts("finally(function() end"), (None, vec![]));
    }

    #[test]
    fn an_occurrence_in_the_header_does_not_count() {
        let source = "scenario { from = 'DEL' }\nredis('DEL')\nredis('DEL')";
        assert_eq!(occurrences(source, "DEL", &layout(source)).len(), 2);
        assert_eq!(line_of(source, source.rfind("DEL").unwrap()), 3);
    }
}
