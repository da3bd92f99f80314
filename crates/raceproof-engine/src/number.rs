//! Numbers as Redis reads and writes them.

use bytes::Bytes;

/// The longest decimal form of an `i64`.
pub(crate) const MAX_DECIMAL_LEN: usize = 20;

/// Reads the canonical decimal form of an integer: no leading zeros, spaces or plus sign, no `-0`.
pub(crate) fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    match digits {
        [b'0'] => return (!negative).then_some(0),
        [] | [b'0', ..] => return None,
        _ => {}
    }
    if digits.len() >= MAX_DECIMAL_LEN {
        return None;
    }
    let mut magnitude: u64 = 0;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        magnitude = magnitude.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// Writes an integer into a buffer and gives the written part.
pub(crate) fn write_integer(value: i64, buffer: &mut [u8; MAX_DECIMAL_LEN]) -> &[u8] {
    let mut at = MAX_DECIMAL_LEN;
    let mut rest = value.unsigned_abs();
    while rest >= 10 {
        let two = (rest % 100) as u8;
        rest /= 100;
        at -= 2;
        (buffer[at], buffer[at + 1]) = (b'0' + two / 10, b'0' + two % 10);
    }
    // Of a number with an even count of digits nothing is left.
    if rest > 0 || at == MAX_DECIMAL_LEN {
        at -= 1;
        buffer[at] = b'0' + rest as u8;
    }
    if value < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    &buffer[at..]
}

/// The decimal form of an integer.
pub(crate) fn integer_text(value: i64) -> Bytes {
    Bytes::copy_from_slice(write_integer(value, &mut [0; MAX_DECIMAL_LEN]))
}

/// Reads an unsigned number as C's `strtoul` does in base 10, refusing leading space and trailing text: this is how
/// `SCAN` reads its cursor. An empty text is 0 and a minus sign wraps around.
pub(crate) fn parse_cursor(text: &[u8]) -> Option<u64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        [] => return Some(0),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    Some(if negative { value.wrapping_neg() } else { value })
}

/// Reads an unsigned number as C's `strtoull` does in base 10, refusing what is too large and trailing text.
pub(crate) fn parse_unsigned(text: &[u8]) -> Option<u64> {
    let start = text.iter().position(|byte| !matches!(byte, b' ' | b'\t'..=b'\r'))?;
    parse_cursor(&text[start..])
}

/// The form that C's `printf("%.17g")` gives a finite float.
pub(crate) fn float_text(value: f64) -> String {
    if value == 0.0 {
        return if value.is_sign_negative() { "-0".into() } else { "0".into() };
    }
    let scientific = format!("{value:.16e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..17).contains(&exponent) {
        let decimals = usize::try_from(16 - exponent).unwrap_or(0);
        return trim_decimals(&format!("{value:.decimals$}")).into();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trim_decimals(mantissa), exponent.abs())
}

/// Whole numbers within these bounds are written as integers.
const WHOLE: f64 = (1_u64 << 62) as f64;

/// A finite float in the fewest digits that tell it from others, as versions from 7.2 on write it: integers are integers,
/// small fractions have leading zeros rather than an exponent, and large numbers ending zeros, up to seven.
pub(crate) fn shortest_text(value: f64) -> String {
    if value.abs() <= WHOLE && value.trunc() == value {
        return (value as i64).to_string();
    }
    let scientific = format!("{:e}", value.abs());
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let sign = if value < 0.0 { "-" } else { "" };
    // The power of ten of the last digit.
    let last = exponent + 1 - digits.len() as i32;
    let zeros = if sign.is_empty() { 7 } else { 6 };
    if last >= 0 && exponent < digits.len() as i32 + zeros {
        return format!("{sign}{digits}{}", "0".repeat(last.unsigned_abs() as usize));
    }
    if last < 0 && (last > -7 || exponent.abs() < 4) {
        return match usize::try_from(exponent) {
            Ok(before) => format!("{sign}{}.{}", &digits[..=before], &digits[before + 1..]),
            Err(_) => format!("{sign}0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
        };
    }
    let direction = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{mantissa}e{direction}{}", exponent.abs())
}

/// A float in decimals, seventeen at most.
pub(crate) fn decimal_text(value: f64) -> String {
    let text = format!("{value:.17}");
    let text = trim_decimals(&text);
    if text == "-0" { "0".into() } else { text.into() }
}

/// Drops the zeros that end a fraction, and the point if nothing is left after it.
pub(crate) fn trim_decimals(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// The integer at the beginning of a text, zero if there is none, cut to 32 bits: C's `atoi`, with which Redis counts
/// keys when it only looks for them.
pub(crate) fn leading_integer(text: &[u8]) -> i32 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let sign = if negative { -1 } else { 1 };
    let digit = |value: i64, byte: &u8| value.saturating_mul(10).saturating_add(sign * i64::from(byte - b'0'));
    digits.iter().take_while(|byte| byte.is_ascii_digit()).fold(0, digit) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_canonical() {
        for (text, value) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("", None),
            ("-", None),
            ("-0", None),
            ("01", None),
            ("+1", None),
            (" 1", None),
            ("1 ", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(parse_integer(text.as_bytes()), value, "{text:?}");
        }
        for value in [0, 7, -7, i64::MAX, i64::MIN] {
            assert_eq!(parse_integer(&integer_text(value)), Some(value));
        }
    }

    #[test]
    fn floats_print_as_c_does() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (3.0, "3"),
            (0.1, "0.10000000000000001"),
            (1e17, "1e+17"),
            (1.5e300, "1.5000000000000001e+300"),
            (1e-5, "1.0000000000000001e-05"),
            (123_456.75, "123456.75"),
        ] {
            assert_eq!(float_text(value), text);
        }
    }
}
