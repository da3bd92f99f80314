//! The patterns of `KEYS`, `SCAN … MATCH` and `CONFIG GET`.

/// Whether a text matches a glob-style pattern: `*`, `?`, `[a-z]`, `[^a]` and backslash escapes. The quirks are
/// Redis's: a class that is not closed ends with the pattern, a range may be given backwards, and nothing but the empty
/// pattern matches the empty text.
pub fn matches(pattern: &[u8], text: &[u8], any_case: bool) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    // After a mismatch, go back to the last star and let it take one byte more. One level of going back is enough:
    // a later star can always do the work of an earlier one.
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == b'*' {
            while p < pattern.len() && pattern[p] == b'*' {
                p += 1;
            }
            if p == pattern.len() {
                return true;
            }
            star = Some((p, t));
            continue;
        }
        if t == text.len() {
            // A star before this point could only skip more of a text that is already used up.
            return p == pattern.len();
        }
        let step = (p < pattern.len()).then(|| match_one(&pattern[p..], text[t], any_case));
        match (step, star) {
            (Some((true, used)), _) => {
                p += used;
                t += 1;
            }
            (_, Some((after, from))) => {
                p = after;
                t = from + 1;
                star = Some((after, t));
            }
            _ => return false,
        }
    }
}

/// Whether the first element of a pattern matches a byte, and how long the element is.
fn match_one(pattern: &[u8], byte: u8, any_case: bool) -> (bool, usize) {
    let same = |one: u8, other: u8| if any_case { one.eq_ignore_ascii_case(&other) } else { one == other };
    match pattern {
        [b'?', ..] => (true, 1),
        [b'[', ..] => match_class(pattern, byte, any_case),
        [b'\\', escaped, ..] => (same(*escaped, byte), 2),
        [plain, ..] => (same(*plain, byte), 1),
        [] => (false, 0),
    }
}

fn match_class(pattern: &[u8], byte: u8, any_case: bool) -> (bool, usize) {
    let fold = |byte: u8| if any_case { byte.to_ascii_lowercase() } else { byte };
    let negated = pattern.get(1) == Some(&b'^');
    let mut at = if negated { 2 } else { 1 };
    let mut found = false;
    loop {
        match &pattern[at.min(pattern.len())..] {
            [] => break,
            [b'\\', escaped, ..] => {
                found |= *escaped == byte;
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [low, b'-', high, ..] => {
                let (low, high) = (fold(*low.min(high)), fold(*low.max(high)));
                found |= (low..=high).contains(&fold(byte));
                at += 3;
            }
            [plain, ..] => {
                found |= fold(*plain) == fold(byte);
                at += 1;
            }
        }
    }
    (found != negated, at)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "", false),
            ("", "", true),
            ("", "a", false),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("*b", "abc", false),
            ("a*b*c", "a1b2b3c", true),
            ("a?c", "abc", true),
            ("a?", "a", false),
            ("h[ae]llo", "hello", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("h[a", "ha", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[\\]]", "]", true),
            ("**a**", "bab", true),
            ("*ab", "aab", true),
            ("*?", "", false),
            ("a\\", "a\\", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes(), false), expected, "{pattern} {text}");
        }
        assert!(matches(b"MAX*", b"maxmemory", true));
        assert!(matches(b"[A-C]", b"b", true));
    }
}
