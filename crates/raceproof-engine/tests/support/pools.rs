//! The words that commands are made of: few, so that they collide, and odd, so that edge cases are met.

/// Few keys. The first ones are the likeliest.
pub(crate) const KEYS: &[(u32, &[u8])] = &[
    (10, b"a"),
    (8, b"b"),
    (8, b"h"),
    (3, b"l"),
    (3, b"s"),
    (3, b"z"),
    (3, b"x"),
    (4, b"c"),
    (1, b""),
    (1, b"{t}x"),
    (1, b"bin\xff\x00\r\nkey"),
    (1, b"A"),
];

/// Few fields; one does not fit a listpack.
pub(crate) const FIELDS: &[(u32, &[u8])] = &[
    (10, b"f"),
    (8, b"g"),
    (4, b"n1"),
    (2, b"7"),
    (1, b""),
    (1, b"\xfe\x00"),
    (1, b"field-that-is-longer-than-the-sixty-four-bytes-which-a-listpack-may-hold"),
];

/// Values: numbers at every edge that Redis parses, and strings at every edge of an encoding.
pub(crate) const VALUES: &[(u32, &[u8])] = &[
    (6, b"hello"),
    (6, b"1"),
    (4, b"10"),
    (4, b"-1"),
    (3, b"0"),
    (3, b""),
    (2, b"9223372036854775807"),
    (1, b"9223372036854775808"),
    (2, b"-9223372036854775808"),
    (1, b"-9223372036854775809"),
    (1, b"18446744073709551616"),
    (2, b"1.5"),
    (1, b"-0"),
    (1, b"+1"),
    (1, b"007"),
    (1, b" 1"),
    (1, b"1 "),
    (1, b"0x10"),
    (1, b"1e3"),
    (1, b"1e400"),
    (1, b"5e-324"),
    (1, b"nan"),
    (1, b"inf"),
    (1, b"-inf"),
    (1, b"3.0"),
    (1, b"0.1"),
    (1, b"17976931348623157000000000000000000000"),
    (1, b"3.14159265358979323846264338327950288"),
    (1, b"1.0000000000000000000001"),
    (1, b"10000"),
    (1, b"9999"),
    (1, b"12345678901234567890"),
    (1, b"1\x00"),
    (1, b"\x00\xff\r\n"),
    (2, b"exactly-forty-four-bytes-long-embstr-string!"),
    (2, b"exactly-forty-five-bytes-long-string-not-embs"),
    (2, b"exactly-sixty-four-bytes-long-the-most-that-a-listpack-entry-has"),
    (2, b"exactly-sixty-five-bytes-long-one-more-than-a-listpack-entry-has!"),
];

/// Whole numbers for increments, ranges and counts.
pub(crate) const INTEGERS: &[(u32, &[u8])] = &[
    (10, b"1"),
    (6, b"0"),
    (6, b"-1"),
    (4, b"2"),
    (4, b"5"),
    (3, b"-3"),
    (2, b"100"),
    (2, b"-100"),
    (2, b"9223372036854775807"),
    (2, b"-9223372036854775808"),
    (1, b"9223372036854775808"),
    (1, b"-9223372036854775809"),
    (1, b"9223372036854775806"),
    (1, b"4294967296"),
    (1, b"2147483648"),
    (1, b"536870912"),
    (1, b"536870911"),
    (1, b"1.5"),
    (1, b"x"),
    (1, b""),
    (1, b"+1"),
    (1, b"01"),
    (1, b" 1"),
    (1, b"-0"),
    (1, b"1e2"),
];

/// Counts and offsets that stay small, for commands that would otherwise build huge values.
pub(crate) const SMALL: &[(u32, &[u8])] = &[
    (4, b"0"),
    (6, b"1"),
    (4, b"2"),
    (3, b"5"),
    (2, b"44"),
    (2, b"63"),
    (1, b"200"),
    (2, b"-1"),
    (1, b"-5"),
    (1, b"536870912"),
    (1, b"9223372036854775807"),
    (1, b"-9223372036854775808"),
    (1, b"abc"),
    (1, b"1.0"),
];

/// Floats for INCRBYFLOAT and HINCRBYFLOAT.
pub(crate) const FLOATS: &[(u32, &[u8])] = &[
    (6, b"1.5"),
    (4, b"0.1"),
    (4, b"-0.1"),
    (4, b"1"),
    (3, b"0"),
    (2, b"-1"),
    (2, b"3.0e3"),
    (2, b"1e-5"),
    (1, b"1e17"),
    (1, b"1e300"),
    (1, b"1e308"),
    (1, b"-1e308"),
    (1, b"1e5000"),
    (1, b"5e-324"),
    (1, b"1e-300"),
    (1, b"0.1234567890123456789"),
    (1, b"123456789.123456789"),
    (1, b"9223372036854775807"),
    (1, b"18014398509481985"),
    (1, b"nan"),
    (1, b"inf"),
    (1, b"+inf"),
    (1, b"-inf"),
    (1, b"-Infinity"),
    (1, b"0x1p3"),
    (1, b"+1.5"),
    (1, b".5"),
    (1, b"5."),
    (1, b" 1"),
    (1, b"1 "),
    (1, b""),
    (1, b"1,5"),
    (1, b"abc"),
    (1, b"1.5\x00"),
];

/// Times to live in seconds.
pub(crate) const TTL_S: &[(u32, &[u8])] = &[
    (8, b"100"),
    (6, b"1000"),
    (4, b"50"),
    (3, b"1"),
    (2, b"0"),
    (2, b"-1"),
    (2, b"100000"),
    (1, b"-100000000000"),
    (1, b"9223372036854775"),
    (1, b"9223372036854776"),
    (1, b"-9223372036854776"),
    (1, b"9223372036854775807"),
    (1, b"-9223372036854775808"),
    (1, b"9223370000000000"),
    (1, b"9223372036854775808"),
    (1, b"1.5"),
    (1, b"abc"),
    (1, b""),
];

/// Times to live in milliseconds.
pub(crate) const TTL_MS: &[(u32, &[u8])] = &[
    (8, b"100000"),
    (6, b"1000000"),
    (4, b"50000"),
    (4, b"1"),
    (3, b"2"),
    (2, b"1999"),
    (2, b"1500"),
    (2, b"0"),
    (2, b"-1"),
    (1, b"499"),
    (1, b"500"),
    (1, b"9223372036854775807"),
    (1, b"9223370000000000000"),
    (1, b"9223372036854775000"),
    (1, b"-9223372036854775808"),
    (1, b"9223372036854775808"),
    (1, b"1.5"),
    (1, b"abc"),
];

/// Offsets of absolute deadlines from the start of the sequence (ms).
pub(crate) const AT_OFFSETS_MS: &[(u32, i64)] =
    &[(6, 100_000), (4, 50_000), (4, 1_000_000), (2, 0), (2, 1), (2, 2), (1, 3), (1, -1), (1, -100_000), (1, 1500)];

/// Offsets of absolute deadlines from the start of the sequence (s).
pub(crate) const AT_OFFSETS_S: &[(u32, i64)] = &[(6, 100), (4, 50), (4, 1000), (2, 0), (1, 1), (1, -1), (1, -100)];

/// Absolute deadlines that do not depend on the clock.
pub(crate) const AT_FIXED: &[(u32, &[u8])] = &[
    (2, b"0"),
    (2, b"1"),
    (1, b"-1"),
    (1, b"9223372036854775807"),
    (1, b"9223372036854775"),
    (1, b"9223372036854776"),
    (1, b"-9223372036854775808"),
    (1, b"4102444800"),
    (1, b"4102444800000"),
    (1, b"abc"),
];

/// Numbers of databases.
pub(crate) const DATABASES: &[(u32, &[u8])] = &[
    (8, b"0"),
    (8, b"1"),
    (2, b"2"),
    (1, b"15"),
    (1, b"16"),
    (1, b"-1"),
    (1, b"abc"),
    (1, b"99999999999999999999"),
    (1, b"4294967296"),
    (1, b" 1"),
];

/// Glob patterns.
pub(crate) const PATTERNS: &[(u32, &[u8])] = &[
    (6, b"*"),
    (2, b"a"),
    (2, b"?"),
    (1, b"[a-b]"),
    (1, b"[^a]*"),
    (1, b"h*"),
    (1, b""),
    (1, b"\\a"),
    (1, b"[b-a]"),
    (1, b"[a"),
    (1, b"*\xff*"),
    (1, b"f*"),
    (1, b"**"),
    (1, b"a\\"),
    (1, b"[\\a]"),
    (1, b"?*?"),
];

/// Cursors of SCAN.
pub(crate) const CURSORS: &[(u32, &[u8])] =
    &[(12, b"0"), (1, b"17"), (1, b"-1"), (1, b"abc"), (1, b"18446744073709551615"), (1, b"1.5"), (1, b" 0"), (1, b"")];
