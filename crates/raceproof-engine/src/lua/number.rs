//! Numbers as C's `printf` writes them and `strtod` reads them.

/// `%.<precision>g`
pub(crate) fn format_g(n: f64, precision: usize) -> String {
    if n.is_nan() {
        return if n.is_sign_negative() { "-nan" } else { "nan" }.to_owned();
    }
    if n.is_infinite() {
        return if n < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let precision = precision.max(1);
    let scientific = format!("{n:.*e}", precision - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= precision as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", without_trailing_zeros(mantissa), exponent.abs());
    }
    let decimals = (precision as i32 - 1 - exponent) as usize;
    without_trailing_zeros(&format!("{n:.decimals$}")).to_owned()
}

fn without_trailing_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// `strtod` without leading white space: the number at the start of the text and how many bytes it takes.
pub(super) fn parse_prefix(text: &[u8]) -> Option<(f64, usize)> {
    let negative = text.first() == Some(&b'-');
    let sign_len = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let body = &text[sign_len..];
    let (magnitude, len) = parse_word(body).or_else(|| parse_hex(body)).or_else(|| parse_decimal(body))?;
    Some((if negative { -magnitude } else { magnitude }, sign_len + len))
}

fn parse_word(text: &[u8]) -> Option<(f64, usize)> {
    let starts_with = |word: &[u8]| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if starts_with(b"infinity") {
        Some((f64::INFINITY, 8))
    } else if starts_with(b"inf") {
        Some((f64::INFINITY, 3))
    } else if starts_with(b"nan") {
        let inside = text[3..].strip_prefix(b"(").and_then(|rest| {
            let end = rest.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_')?;
            (rest[end] == b')').then_some(end + 2)
        });
        Some((f64::NAN, 3 + inside.unwrap_or(0)))
    } else {
        None
    }
}

fn digits(text: &[u8], is_digit: impl Fn(&u8) -> bool) -> usize {
    text.iter().take_while(|b| is_digit(b)).count()
}

/// The length of an exponent (`e+12`) at the start of a text, 0 if there is none.
fn exponent_len(text: &[u8], letter: u8) -> usize {
    if text.first().map(u8::to_ascii_lowercase) != Some(letter) {
        return 0;
    }
    let sign = usize::from(matches!(text.get(1), Some(b'-' | b'+')));
    match digits(&text[1 + sign..], u8::is_ascii_digit) {
        0 => 0,
        count => 1 + sign + count,
    }
}

fn parse_decimal(text: &[u8]) -> Option<(f64, usize)> {
    let whole = digits(text, u8::is_ascii_digit);
    let mut len = whole;
    let mut fraction = 0;
    if text.get(whole) == Some(&b'.') {
        fraction = digits(&text[whole + 1..], u8::is_ascii_digit);
        len = whole + 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    len += exponent_len(&text[len..], b'e');
    std::str::from_utf8(&text[..len]).ok()?.parse().ok().map(|n| (n, len))
}

/// Hexadecimal floats, exact up to 60 bits of digits; what follows them only moves the exponent.
fn parse_hex(text: &[u8]) -> Option<(f64, usize)> {
    if !text.get(..2)?.eq_ignore_ascii_case(b"0x") {
        return None;
    }
    let (mut mantissa, mut exponent, mut len, mut seen, mut point) = (0u64, 0i32, 2, false, false);
    while let Some(&byte) = text.get(len) {
        match (byte as char).to_digit(16) {
            Some(digit) => {
                seen = true;
                if mantissa >> 60 == 0 {
                    mantissa = mantissa << 4 | u64::from(digit);
                    exponent -= if point { 4 } else { 0 };
                } else {
                    exponent = exponent.saturating_add(if point { 0 } else { 4 });
                }
            }
            None if byte == b'.' && !point => point = true,
            None => break,
        }
        len += 1;
    }
    if !seen {
        return Some((0.0, 1)); // only the "0" is a number
    }
    let exp_len = exponent_len(&text[len..], b'p');
    if exp_len > 0 {
        let written = std::str::from_utf8(&text[len + 1..len + exp_len]).ok()?;
        exponent =
            exponent.saturating_add(written.parse().unwrap_or(if written.starts_with('-') { -9999 } else { 9999 }));
    }
    Some((mantissa as f64 * 2f64.powi(exponent), len + exp_len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_like_printf() {
        for (n, precision, text) in [
            (1.5, 17, "1.5"),
            (0.1, 17, "0.10000000000000001"),
            (1e300, 17, "1.0000000000000001e+300"),
            (100_000.0, 14, "100000"),
            (1e14, 14, "1e+14"),
            (0.0001, 14, "0.0001"),
            (0.00001, 14, "1e-05"),
            (-0.0, 14, "-0"),
            (3.999_999, 3, "4"),
            (123_456.0, 3, "1.23e+05"),
        ] {
            assert_eq!(format_g(n, precision), text);
        }
    }

    #[test]
    fn reads_like_strtod() {
        assert_eq!(parse_prefix(b"1.5e3x"), Some((1500.0, 5)));
        assert_eq!(parse_prefix(b"1e"), Some((1.0, 1)));
        assert_eq!(parse_prefix(b"-.5"), Some((-0.5, 3)));
        assert_eq!(parse_prefix(b"0x1F,"), Some((31.0, 4)));
        assert_eq!(parse_prefix(b"0x.8p1"), Some((1.0, 6)));
        assert_eq!(parse_prefix(b"0xg"), Some((0.0, 1)));
        assert_eq!(parse_prefix(b"-inf]"), Some((f64::NEG_INFINITY, 4)));
        assert_eq!(parse_prefix(b"-"), None);
    }
}
