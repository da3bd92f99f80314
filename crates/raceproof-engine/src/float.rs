//! 64-bit floats as C's `strtod` reads them.

use crate::number;

/// What a text begins with, read as a float.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Read {
    value: f64,
    /// How many bytes it took; none if there is no number.
    len: usize,
    /// The number is too large for a float, or too small for anything but zero.
    out_of_range: bool,
}

/// A score, a weight, an increment: the whole text, no leading space, no NaN, nothing out of range.
pub(crate) fn parse(text: &[u8]) -> Option<f64> {
    if text.first().is_none_or(|byte| is_space(*byte)) {
        return None;
    }
    let read = read(text);
    (read.len == text.len() && !read.out_of_range && !read.value.is_nan()).then_some(read.value)
}

/// The bound of a range, up to the first NUL: leading space, out-of-range numbers and nothing at all (zero) are taken.
pub(crate) fn parse_bound(text: &[u8]) -> Option<f64> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let read = read(text);
    (read.len == text.len() && !read.value.is_nan()).then_some(read.value)
}

/// What `SORT` sorts by: as a bound, but nothing out of range, however little.
pub(crate) fn parse_weight(text: &[u8]) -> Option<f64> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let read = read(text);
    let is_exact = read.value == 0.0 || read.value.abs() >= f64::MIN_POSITIVE;
    (read.len == text.len() && !read.out_of_range && !read.value.is_nan() && is_exact).then_some(read.value)
}

/// The number at the beginning of a text, 0 if there is none: C's `strtod`.
pub(crate) fn parse_beginning(text: &[u8]) -> Option<f64> {
    Some(read(text).value).filter(|value| !value.is_nan())
}

/// The form in which Redis shows a score that it keeps: `%.17g`.
pub(crate) fn text(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    number::float_text(value)
}

/// As [`text`], in the form of 7.2 and later.
pub(crate) fn shortest_text(value: f64) -> String {
    if value.is_infinite() { text(value) } else { number::shortest_text(value) }
}

/// Whole numbers up to this size are integers in a listpack.
const MOST_INTEGER: f64 = (1_u64 << 62) as f64;

/// The form in which a listpack holds a score: integers with all their digits.
pub(crate) fn packed_text(value: f64) -> String {
    let is_integer = value.abs() <= MOST_INTEGER && value.trunc() == value;
    if is_integer { (value as i64).to_string() } else { text(value) }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

fn read(text: &[u8]) -> Read {
    let start = text.iter().take_while(|byte| is_space(**byte)).count();
    let sign = usize::from(matches!(text.get(start), Some(b'+' | b'-')));
    let body = &text[start + sign..];
    let read = word(body).or_else(|| hexadecimal(body)).or_else(|| decimal(body));
    let Some(mut read) = read else { return Read { value: 0.0, len: 0, out_of_range: false } };
    read.len += start + sign;
    if sign == 1 && text[start] == b'-' {
        read.value = -read.value;
    }
    read
}

/// `inf`, `infinity`, `nan`, `nan(…)`
fn word(text: &[u8]) -> Option<Read> {
    let begins = |word: &str| text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()));
    let found = |value, len| Some(Read { value, len, out_of_range: false });
    if begins("infinity") {
        return found(f64::INFINITY, "infinity".len());
    }
    if begins("inf") {
        return found(f64::INFINITY, "inf".len());
    }
    if !begins("nan") {
        return None;
    }
    let payload = text[3..].strip_prefix(b"(").map_or(0, |rest| {
        let len = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        if rest.get(len) == Some(&b')') { len + 2 } else { 0 }
    });
    found(f64::NAN, 3 + payload)
}

/// How many bytes an exponent takes, with the letter before it, and its value.
fn exponent(text: &[u8], letter: u8) -> (usize, i64) {
    if !text.first().is_some_and(|byte| byte.eq_ignore_ascii_case(&letter)) {
        return (0, 0);
    }
    let sign = usize::from(matches!(text.get(1), Some(b'+' | b'-')));
    let digits = text[1 + sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return (0, 0);
    }
    let digit = |value: i64, byte: &u8| value.saturating_mul(10).saturating_add(i64::from(byte - b'0'));
    let value = text[1 + sign..1 + sign + digits].iter().fold(0, digit);
    (1 + sign + digits, if sign == 1 && text[1] == b'-' { -value } else { value })
}

fn decimal(text: &[u8]) -> Option<Read> {
    let whole = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let point = usize::from(text.get(whole) == Some(&b'.'));
    let fraction = text[whole + point..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if whole + fraction == 0 {
        return None;
    }
    let len = whole + point + fraction;
    let is_zero = text[..len].iter().all(|byte| matches!(byte, b'0' | b'.'));
    let len = len + exponent(&text[len..], b'e').0;
    let value: f64 = std::str::from_utf8(&text[..len]).ok()?.parse().ok()?;
    Some(Read { value, len, out_of_range: value.is_infinite() || (value == 0.0 && !is_zero) })
}

/// The bits of a mantissa.
const PRECISION: i64 = 53;
/// The exponent of the lowest bit of the smallest floats.
const MIN_EXPONENT: i64 = -1074;
/// Exponents beyond this are zero or infinite whatever the digits.
const FAR_EXPONENT: i64 = 1 << 40;

fn hexadecimal(text: &[u8]) -> Option<Read> {
    let body = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X"))?;
    let whole = body.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let point = usize::from(body.get(whole) == Some(&b'.'));
    let fraction = body[whole + point..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if whole + fraction == 0 {
        return None;
    }
    let digits = body[..whole].iter().chain(&body[whole + point..whole + point + fraction]);
    // The first digits as they are; of those beyond, only whether one of them is not zero.
    let (mut mantissa, mut scale, mut more) = (0_u64, -4 * fraction as i64, false);
    for digit in digits {
        if mantissa >> 56 == 0 {
            mantissa = mantissa << 4 | u64::from(char::from(*digit).to_digit(16)?);
        } else {
            more |= *digit != b'0';
            scale += 4;
        }
    }
    let len = whole + point + fraction;
    let (exponent_len, exponent) = exponent(&body[len..], b'p');
    let value = binary(mantissa, scale.saturating_add(exponent.clamp(-FAR_EXPONENT, FAR_EXPONENT)), more);
    let out_of_range = value.is_infinite() || (value == 0.0 && mantissa != 0);
    Some(Read { value, len: 2 + len + exponent_len, out_of_range })
}

/// `mantissa × 2^exponent` and a little more, to the nearest float, ties to even.
fn binary(mantissa: u64, exponent: i64, more: bool) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let bits = i64::from(64 - mantissa.leading_zeros());
    let dropped = (bits - PRECISION).max(MIN_EXPONENT - exponent).max(0);
    if dropped > 64 {
        return 0.0;
    }
    let wide = u128::from(mantissa);
    let (kept, rest) = (wide >> dropped, wide & ((1 << dropped) - 1));
    let half = if dropped == 0 { 0 } else { 1_u128 << (dropped - 1) };
    let up = dropped > 0 && (rest > half || (rest == half && (more || kept & 1 == 1)));
    let mut value = (kept + u128::from(up)) as f64;
    let mut exponent = exponent + dropped;
    // Two steps at most: the mantissa has at most 54 bits, and the result is exact or infinite.
    while exponent != 0 && value.is_finite() && value != 0.0 {
        let step = exponent.clamp(-1000, 1000);
        value *= 2_f64.powi(step as i32);
        exponent -= step;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores() {
        for (text, value) in [
            ("1", Some(1.0)),
            ("-1.5", Some(-1.5)),
            ("+.5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1e3", Some(1000.0)),
            ("1e", None),
            ("1e+", None),
            (".", None),
            ("", None),
            (" 1", None),
            ("1 ", None),
            ("inf", Some(f64::INFINITY)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("infin", None),
            ("nan", None),
            ("nan(1)", None),
            ("1e400", None),
            ("1e-400", None),
            ("5e-324", Some(5e-324)),
            ("0e999999999999999999999", Some(0.0)),
            ("0x10", Some(16.0)),
            ("-0x1.8p1", Some(-3.0)),
            ("0x", None),
            ("0x.p1", None),
            ("0x1p-1074", Some(5e-324)),
            ("0x1p-1075", None),
            ("0x1.8p-1075", Some(5e-324)),
            ("0x1p1024", None),
            ("0x1.fffffffffffffp1023", Some(f64::MAX)),
            ("0x1.fffffffffffff8p1023", None),
            ("0x20000000000001", Some(9_007_199_254_740_992.0)),
            ("0x20000000000001000000000001", Some(2_f64.powi(101) + 2_f64.powi(49))),
            ("0x20000000000003", Some(9_007_199_254_740_996.0)),
            ("1\0", None),
        ] {
            assert_eq!(parse(text.as_bytes()), value, "{text:?}");
        }
        assert!(parse(b"-0").is_some_and(|zero| zero.is_sign_negative()));
    }

    #[test]
    fn bounds() {
        for (text, value) in [
            ("", Some(0.0)),
            (" 1", Some(1.0)),
            ("1\0junk", Some(1.0)),
            ("1e400", Some(f64::INFINITY)),
            ("1e-400", Some(0.0)),
            (" ", None),
            ("nan", None),
            ("1x", None),
        ] {
            assert_eq!(parse_bound(text.as_bytes()), value, "{text:?}");
        }
    }
}
