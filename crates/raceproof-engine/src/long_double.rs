//! The 80-bit floats in which Redis adds for `INCRBYFLOAT` and `HINCRBYFLOAT` on x86-64.
//!
//! `3.0 + 1.1` is `4.1` there and `4.09999999999999964` in 64 bits, so replies would differ. A number is a 64-bit
//! mantissa and a power of two; reading, adding and printing go through exact integers of any length and round once,
//! to the nearest, ties to even.

use std::cmp::Ordering;

/// The bits of a mantissa.
const PRECISION: u32 = 64;
/// The exponent of the lowest bit of the smallest numbers.
const MIN_EXPONENT: i32 = -16445;
/// The highest exponent that the lowest bit of a full mantissa can have.
const MAX_EXPONENT: i32 = 16384 - PRECISION as i32;
/// Decimal exponents beyond this are zero or infinite whatever the digits.
const FAR_EXPONENT: i64 = 20_000;
/// Digits behind the point in the printed form, as `%.17Lf` has.
const DECIMALS: u32 = 17;

/// A finite or infinite number. There is no NaN: reading refuses it, and adding tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LongDouble {
    negative: bool,
    magnitude: Magnitude,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Magnitude {
    /// `mantissa × 2^exponent`, zero having the mantissa 0.
    Finite {
        mantissa: u64,
        exponent: i32,
    },
    Infinite,
}

impl LongDouble {
    /// Reads a number as C's `strtold` does, from the whole text. Refused are leading space, NaN, and what overflows
    /// or underflows.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let (negative, body) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        if body.eq_ignore_ascii_case(b"inf") || body.eq_ignore_ascii_case(b"infinity") {
            return Some(Self { negative, magnitude: Magnitude::Infinite });
        }
        let (hexadecimal, body) = match body {
            [b'0', b'x' | b'X', rest @ ..] => (true, rest),
            _ => (false, body),
        };
        let number = Digits::parse(body, hexadecimal)?;
        let magnitude = if hexadecimal { number.binary() } else { number.decimal() };
        let out_of_range = match magnitude {
            Magnitude::Infinite => true,
            Magnitude::Finite { mantissa, .. } => mantissa == 0 && !number.is_zero(),
        };
        (!out_of_range).then_some(Self { negative, magnitude })
    }

    pub(crate) fn is_infinite(self) -> bool {
        self.magnitude == Magnitude::Infinite
    }

    /// The sum; `None` if it is infinite or no number.
    pub(crate) fn checked_add(self, other: Self) -> Option<Self> {
        let (Magnitude::Finite { mantissa: a, exponent: ea }, Magnitude::Finite { mantissa: b, exponent: eb }) =
            (self.magnitude, other.magnitude)
        else {
            return None;
        };
        let exponent = match (a, b) {
            (0, _) => eb,
            (_, 0) => ea,
            _ => ea.min(eb),
        };
        let aligned = |mantissa: u64, own: i32| {
            let mut value = Natural::from(mantissa);
            if mantissa != 0 {
                value.shift_left((own - exponent).unsigned_abs());
            }
            value
        };
        let (mut a, mut b) = (aligned(a, ea), aligned(b, eb));
        let (negative, sum) = if self.negative == other.negative {
            a.add(&b);
            (self.negative, a)
        } else {
            match a.compare(&b) {
                Ordering::Equal => (false, Natural::default()),
                Ordering::Greater => {
                    a.subtract(&b);
                    (self.negative, a)
                }
                Ordering::Less => {
                    b.subtract(&a);
                    (other.negative, b)
                }
            }
        };
        let magnitude = round(&sum, exponent, false);
        (magnitude != Magnitude::Infinite).then_some(Self { negative, magnitude })
    }

    /// The product with a whole number, rounded as a long double, then up to a whole number; `None` if that has no place
    /// in 64 bits.
    pub(crate) fn times_rounded_up(self, factor: u32) -> Option<i64> {
        let Magnitude::Finite { mantissa, exponent } = self.magnitude else { return None };
        let mut product = Natural::from(mantissa);
        product.multiply_add(factor, 0);
        let Magnitude::Finite { mantissa, exponent } = round(&product, exponent, false) else { return None };
        let whole = match exponent {
            0.. => u64::try_from(u128::from(mantissa).checked_shl(exponent.unsigned_abs()).filter(|_| exponent < 64)?),
            _ => {
                let below = exponent.unsigned_abs();
                let (whole, rest) = match below {
                    0..64 => (mantissa >> below, mantissa & ((1 << below) - 1)),
                    _ => (0, mantissa),
                };
                Ok(whole + u64::from(rest > 0 && !self.negative))
            }
        };
        let whole = i128::from(whole.ok()?);
        i64::try_from(if self.negative { -whole } else { whole }).ok()
    }

    /// The decimal form with at most 17 digits behind the point and no zeros at its end.
    pub(crate) fn text(self) -> String {
        let Magnitude::Finite { mantissa, exponent } = self.magnitude else {
            return if self.negative { "-inf" } else { "inf" }.into();
        };
        let mut scaled = Natural::from(mantissa);
        for _ in 0..DECIMALS {
            scaled.multiply_add(10, 0);
        }
        if exponent >= 0 {
            scaled.shift_left(exponent.unsigned_abs());
        } else {
            scaled.shift_right_rounding(exponent.unsigned_abs());
        }
        let digits = scaled.decimal();
        let digits = format!("{digits:0>width$}", width = DECIMALS as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - DECIMALS as usize);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        let sign = if self.negative && (whole != "0" || !fraction.is_empty()) { "-" } else { "" };
        format!("{sign}{whole}{point}{fraction}")
    }
}

/// Digits and an exponent, as written.
struct Digits {
    value: Natural,
    /// Of ten in decimal, of two in hexadecimal notation.
    exponent: i64,
}

impl Digits {
    fn parse(text: &[u8], hexadecimal: bool) -> Option<Self> {
        let (base, exponent_mark) = if hexadecimal { (16, b'p') } else { (10, b'e') };
        let mut value = Natural::default();
        let (mut any, mut point, mut behind) = (false, false, 0i64);
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            if byte == b'.' && !point {
                point = true;
            } else if let Some(digit) = char::from(byte).to_digit(base) {
                value.multiply_add(base, digit);
                any = true;
                behind += i64::from(point);
            } else {
                break;
            }
            at += 1;
        }
        if !any {
            return None;
        }
        let written = match &text[at..] {
            [] => 0,
            [mark, rest @ ..] if mark.eq_ignore_ascii_case(&exponent_mark) => parse_exponent(rest)?,
            _ => return None,
        };
        let exponent = written - if hexadecimal { behind * 4 } else { behind };
        Some(Self { value, exponent })
    }

    fn is_zero(&self) -> bool {
        self.value.bits() == 0
    }

    fn binary(&self) -> Magnitude {
        let exponent = self.exponent.clamp(-FAR_EXPONENT * 4, FAR_EXPONENT * 4) as i32;
        round(&self.value, exponent, false)
    }

    fn decimal(&self) -> Magnitude {
        if self.is_zero() {
            return Magnitude::Finite { mantissa: 0, exponent: 0 };
        }
        // More than the digits can make up for: the texts that Redis accepts have at most 5 KiB.
        if self.exponent > FAR_EXPONENT {
            return Magnitude::Infinite;
        }
        if self.exponent < -FAR_EXPONENT {
            return Magnitude::Finite { mantissa: 0, exponent: 0 };
        }
        let mut power = Natural::from(1);
        for _ in 0..self.exponent.unsigned_abs() {
            power.multiply_add(10, 0);
        }
        if self.exponent >= 0 {
            return round(&self.value.times(&power), 0, false);
        }
        // Scaled so that the quotient has some bits more than a mantissa; the remainder only breaks ties.
        let wanted = i64::from(power.bits()) - i64::from(self.value.bits()) + i64::from(PRECISION) + 2;
        let mut numerator = self.value.clone();
        let scale = wanted.max(0) as u32;
        numerator.shift_left(scale);
        let (quotient, inexact) = numerator.divide(&power);
        round(&quotient, -(scale as i32), inexact)
    }
}

/// The exponent's own digits, held within bounds that are far out of range anyway.
fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits.iter().fold(0i64, |value, digit| (value * 10 + i64::from(digit - b'0')).min(1_000_000));
    Some(if negative { -magnitude } else { magnitude })
}

/// `value × 2^exponent`, plus a little if inexact, rounded to the precision.
fn round(value: &Natural, exponent: i32, inexact: bool) -> Magnitude {
    let bits = value.bits();
    if bits == 0 {
        return Magnitude::Finite { mantissa: 0, exponent: 0 };
    }
    let too_long = i64::from(bits) - i64::from(PRECISION);
    let too_low = i64::from(MIN_EXPONENT) - i64::from(exponent);
    let drop = too_long.max(too_low).max(0) as u32;
    let mut kept = value.clone();
    if inexact {
        // A bit below the lowest one stands for all that was cut off.
        kept.shift_left(1);
        kept.add(&Natural::from(1));
        kept.shift_right_rounding(drop + 1);
    } else {
        kept.shift_right_rounding(drop);
    }
    let mut exponent = exponent + drop as i32;
    if kept.bits() > PRECISION {
        kept.shift_right_rounding(1);
        exponent += 1;
    }
    let mantissa = kept.low_u64();
    if mantissa == 0 {
        return Magnitude::Finite { mantissa: 0, exponent: 0 };
    }
    if exponent - mantissa.leading_zeros() as i32 > MAX_EXPONENT {
        return Magnitude::Infinite;
    }
    Magnitude::Finite { mantissa, exponent }
}

/// A natural number of any length, lowest limb first, without leading zero limbs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Natural {
    limbs: Vec<u32>,
}

impl From<u64> for Natural {
    fn from(value: u64) -> Self {
        let mut natural = Self { limbs: vec![value as u32, (value >> 32) as u32] };
        natural.trim();
        natural
    }
}

impl Natural {
    fn trim(&mut self) {
        while self.limbs.last() == Some(&0) {
            self.limbs.pop();
        }
    }

    fn bits(&self) -> u32 {
        self.limbs.last().map_or(0, |top| self.limbs.len() as u32 * 32 - top.leading_zeros())
    }

    fn bit(&self, index: u32) -> bool {
        self.limbs.get((index / 32) as usize).is_some_and(|limb| limb >> (index % 32) & 1 == 1)
    }

    fn low_u64(&self) -> u64 {
        let limb = |index| u64::from(self.limbs.get(index).copied().unwrap_or(0));
        limb(0) | limb(1) << 32
    }

    fn multiply_add(&mut self, factor: u32, more: u32) {
        let mut carry = u64::from(more);
        for limb in &mut self.limbs {
            let product = u64::from(*limb) * u64::from(factor) + carry;
            *limb = product as u32;
            carry = product >> 32;
        }
        if carry != 0 {
            self.limbs.push(carry as u32);
        }
    }

    fn times(&self, other: &Self) -> Self {
        let mut limbs = vec![0u32; self.limbs.len() + other.limbs.len()];
        for (i, a) in self.limbs.iter().enumerate() {
            let mut carry = 0u64;
            for (j, b) in other.limbs.iter().enumerate() {
                let sum = u64::from(*a) * u64::from(*b) + u64::from(limbs[i + j]) + carry;
                limbs[i + j] = sum as u32;
                carry = sum >> 32;
            }
            limbs[i + other.limbs.len()] = carry as u32;
        }
        let mut product = Self { limbs };
        product.trim();
        product
    }

    fn add(&mut self, other: &Self) {
        let len = self.limbs.len().max(other.limbs.len());
        self.limbs.resize(len, 0);
        let mut carry = 0u64;
        for (index, limb) in self.limbs.iter_mut().enumerate() {
            let sum = u64::from(*limb) + u64::from(other.limbs.get(index).copied().unwrap_or(0)) + carry;
            *limb = sum as u32;
            carry = sum >> 32;
        }
        if carry != 0 {
            self.limbs.push(carry as u32);
        }
    }

    /// Subtracts a number that is not larger.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (index, limb) in self.limbs.iter_mut().enumerate() {
            let (first, under) = limb.overflowing_sub(other.limbs.get(index).copied().unwrap_or(0));
            let (second, under_again) = first.overflowing_sub(u32::from(borrow));
            *limb = second;
            borrow = under || under_again;
        }
        self.trim();
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.limbs.len().cmp(&other.limbs.len()).then_with(|| self.limbs.iter().rev().cmp(other.limbs.iter().rev()))
    }

    fn shift_left(&mut self, bits: u32) {
        if self.limbs.is_empty() {
            return;
        }
        let (whole, part) = ((bits / 32) as usize, bits % 32);
        if part != 0 {
            self.multiply_add(1 << part, 0);
        }
        self.limbs.splice(0..0, std::iter::repeat_n(0, whole));
    }

    /// Divides by a power of two and rounds to the nearest, ties to even.
    fn shift_right_rounding(&mut self, bits: u32) {
        if bits == 0 {
            return;
        }
        let half = self.bit(bits - 1);
        let below = (0..bits - 1).any(|index| self.bit(index));
        let (whole, part) = ((bits / 32) as usize, bits % 32);
        self.limbs.drain(..whole.min(self.limbs.len()));
        if part != 0 {
            let mut carry = 0;
            for limb in self.limbs.iter_mut().rev() {
                let value = *limb;
                *limb = value >> part | carry;
                carry = value << (32 - part);
            }
        }
        self.trim();
        if half && (below || self.bit(0)) {
            self.add(&Self::from(1));
        }
    }

    /// The quotient and whether something is left over. The quotient has few bits, so schoolbook division bit by bit
    /// does.
    fn divide(mut self, divisor: &Self) -> (Self, bool) {
        let mut quotient = Self::default();
        let steps = (self.bits() + 1).saturating_sub(divisor.bits());
        let mut shifted = divisor.clone();
        shifted.shift_left(steps);
        for _ in 0..=steps {
            quotient.shift_left(1);
            if self.compare(&shifted) != Ordering::Less {
                self.subtract(&shifted);
                quotient.add(&Self::from(1));
            }
            shifted.halve();
        }
        (quotient, !self.limbs.is_empty())
    }

    fn halve(&mut self) {
        let mut carry = 0;
        for limb in self.limbs.iter_mut().rev() {
            let value = *limb;
            *limb = value >> 1 | carry;
            carry = value << 31;
        }
        self.trim();
    }

    fn decimal(&self) -> String {
        const CHUNK: u64 = 1_000_000_000;
        let mut rest = self.clone();
        let mut chunks = Vec::new();
        while !rest.limbs.is_empty() {
            let mut remainder = 0u64;
            for limb in rest.limbs.iter_mut().rev() {
                let value = remainder << 32 | u64::from(*limb);
                *limb = (value / CHUNK) as u32;
                remainder = value % CHUNK;
            }
            rest.trim();
            chunks.push(remainder);
        }
        let mut text = chunks.pop().unwrap_or(0).to_string();
        for chunk in chunks.iter().rev() {
            text.push_str(&format!("{chunk:09}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::LongDouble;

    fn sum(a: &str, b: &str) -> Option<String> {
        Some(LongDouble::parse(a.as_bytes())?.checked_add(LongDouble::parse(b.as_bytes())?)?.text())
    }

    /// The sums are those that `INCRBYFLOAT` of Redis 7.0.15 gives.
    #[test]
    fn sums() {
        for (a, b, expected) in [
            ("3.0", "1.1", "4.1"),
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("0.1", "0.2", "0.3"),
            ("1", "-1", "0"),
            ("-0.5", "0.25", "-0.25"),
            ("1e19", "1", "10000000000000000001"),
            ("1e20", "1", "100000000000000000000"),
            ("0x10", "1", "17"),
            ("1e-18", "0", "0"),
            ("-1e-18", "0", "0"),
            ("9007199254740993", "0.5", "9007199254740993.5"),
            ("3", "0.000005", "3.000005"),
        ] {
            assert_eq!(sum(a, b).as_deref(), Some(expected), "{a} + {b}");
        }
        assert_eq!(sum("inf", "1"), None);
        assert_eq!(sum("1e4932", "1e4932"), None);
    }

    #[test]
    fn times_rounded_up() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("0.1", Some(100)),
            ("0.0001", Some(1)),
            ("1e-4000", Some(1)),
            ("2.003", Some(2003)),
            ("2.0030001", Some(2004)),
            ("-0.0001", Some(0)),
            ("-0.001", Some(0)),
            ("-0.002", Some(-2)),
            ("-1.5", Some(-1500)),
            ("0x10", Some(16_000)),
            ("9223372036854775.807", Some(i64::MAX)),
            ("9223372036854775.808", None),
            ("-9223372036854775.808", Some(i64::MIN)),
            ("1e20", None),
            ("1e4930", None),
            ("inf", None),
        ] {
            assert_eq!(
                LongDouble::parse(text.as_bytes()).and_then(|seconds| seconds.times_rounded_up(1000)),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_number() {
        for text in ["", " 1", "1 ", "nan", "1e", "1e+", ".", "0x", "1_0", "--1", "1e5000", "1e-5000", "abc"] {
            assert_eq!(LongDouble::parse(text.as_bytes()), None, "{text:?}");
        }
        for text in ["1.", ".5", "+1", "1E5", "Infinity", "-inf", "0x1p3", "00012"] {
            assert!(LongDouble::parse(text.as_bytes()).is_some(), "{text:?}");
        }
    }
}
