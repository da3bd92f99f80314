//! Rules for Rust sources: an opening that says what the file holds, a bounded length, nothing left half done.

use crate::File;

/// Longer files are split, unless they are tables.
const LINES_MAX: usize = 600;

/// Tables that may be longer, each with what it tabulates.
const TABLES: &[(&str, &str)] = &[];

/// What marks unfinished work, or output left from debugging. Spelt in halves, so that this file passes.
const FORBIDDEN: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("for", " now"), concat!("dbg", "!")];

/// The problems of one file.
pub(crate) fn problems(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let opening = text.lines().next().unwrap_or_default();
    if !opening.strip_prefix("//! ").is_some_and(|rest| rest.contains(char::is_alphabetic)) {
        problems.push(format!("{path}:1: opens with a line `//! …` that says what the file holds"));
    }
    let lines = text.lines().count();
    if lines > LINES_MAX && !TABLES.iter().any(|(table, _)| *table == path) {
        problems.push(format!("{path}: {lines} lines, at most {LINES_MAX}; split it by what it holds"));
    }
    for (index, line) in text.lines().enumerate() {
        for word in FORBIDDEN.iter().filter(|word| holds_word(line, word)) {
            problems.push(format!("{path}:{}: `{word}`; finish it, or open an issue", index + 1));
        }
    }
    problems
}

/// Exceptions that are no longer needed.
pub(crate) fn stale_exceptions(files: &[File]) -> Vec<String> {
    let needed = |path: &str| files.iter().any(|file| file.path == path && file.text.lines().count() > LINES_MAX);
    let stale = TABLES.iter().filter(|(table, _)| !needed(table));
    stale.map(|(table, what)| format!("{table} ({what}): no longer needs its exception in {}", file!())).collect()
}

/// Whether the line holds the word, not as a part of a longer one.
fn holds_word(line: &str, word: &str) -> bool {
    let joins = |neighbour: Option<char>| neighbour.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(start, _)| {
        let end = start + word.len();
        !joins(line[..start].chars().next_back()) && (word.ends_with('!') || !joins(line[end..].chars().next()))
    })
}

#[test]
fn a_tidy_source_has_no_problem() {
    assert_eq!(problems("a.rs", "//! Strings.\n\nfn mastodon() {}\n"), Vec::<String>::new());
}

#[test]
fn an_opening_that_says_nothing_is_found() {
    for text in ["", "fn main() {}\n", "//! .\nfn main() {}\n", "// The commands on strings.\n"] {
        assert_eq!(problems("a.rs", text).len(), 1, "{text:?}");
    }
}

#[test]
fn a_long_file_is_found() {
    let text = format!("//! The commands on strings.\n{}", "\n".repeat(LINES_MAX));
    assert_eq!(problems("a.rs", &text), [format!("a.rs: 601 lines, at most {LINES_MAX}; split it by what it holds")]);
    assert_eq!(problems("a.rs", &text[1 + text.find('\n').unwrap_or(0)..]).len(), 1, "600 lines, but no opening");
}

#[test]
fn every_forbidden_word_is_found_as_a_word_only() {
    for word in FORBIDDEN {
        let found = problems("a.rs", &format!("//! The commands on strings.\n// {word} one thing\n"));
        assert_eq!(found, [format!("a.rs:2: `{word}`; finish it, or open an issue")]);
        assert_eq!(problems("a.rs", &format!("//! The commands on strings.\n// a{word} thing\n")).len(), 0);
    }
    assert!(!holds_word(concat!("waits for", " nowhere"), concat!("for", " now")));
    assert!(holds_word(concat!("  dbg", "!(x)"), concat!("dbg", "!")));
}
