//! The grammar of random commands on bitmaps and HyperLogLogs, and the words that only they need.

use super::grammar::Choices;

/// Rules made of templates, each with its weight.
pub(crate) const RULES: &[(&str, Choices)] = &[
    ("bitrange", &[(4, "int int"), (4, "int int BIT"), (2, "int int BYTE"), (1, "int"), (1, "int int junk")]),
    ("bitspan", &[(3, "int"), (4, "int int"), (4, "int int BIT"), (2, "int int BYTE"), (1, "int int junk")]),
    (
        "restoreopt",
        &[(6, "REPLACE"), (3, "ABSTTL"), (2, "IDLETIME small"), (2, "FREQ small"), (1, "IDLETIME"), (1, "junk")],
    ),
    ("bitname", &[(3, "AND"), (3, "OR"), (3, "XOR"), (1, "NOT"), (1, "junk")]),
    (
        "fieldop",
        &[
            (4, "GET width place"),
            (4, "SET width place int"),
            (6, "INCRBY width place int"),
            (2, "OVERFLOW WRAP"),
            (3, "OVERFLOW SAT"),
            (3, "OVERFLOW FAIL"),
            (1, "OVERFLOW junk"),
            (1, "junk"),
        ],
    ),
];

/// Families of commands, each with its weight, each command with its weight.
pub(crate) const FAMILIES: &[(&str, u32, Choices)] = &[
    (
        "payloads",
        8,
        &[
            (4, "DUMP key"),
            (2, "DUMP hkey"),
            (2, "DUMP lkey"),
            (2, "DUMP skey"),
            (2, "DUMP zkey"),
            (3, "DUMP xkey"),
            (14, "RESTORE key 0 payload REPLACE"),
            (3, "RESTORE key 0 payload restoreopt*"),
            (3, "RESTORE key ttl_ms payload restoreopt*"),
            (3, "RESTORE key at_ms payload ABSTTL restoreopt*"),
            (1, "RESTORE key 0 value REPLACE"),
            (1, "RESTORE-ASKING key 0 payload REPLACE"),
            (2, "OBJECT ENCODING key"),
            (3, "HGETALL key"),
            (3, "LRANGE key 0 -1"),
            (3, "SMEMBERS key"),
            (3, "ZRANGE key 0 -1 WITHSCORES"),
            (2, "XRANGE key lowest highest"),
            (2, "XINFO STREAM key FULL"),
            (1, "GET key"),
            (1, "PTTL key"),
        ],
    ),
    (
        "hyperloglogs",
        8,
        &[
            (8, "PFADD pkey value+"),
            (6, "PFADD pkey member*"),
            (3, "PFADD pkey fewelements"),
            (1, "PFADD pkey manyelements"),
            (2, "SET pkey sketch"),
            (1, "SET pkey value"),
            (2, "SETRANGE pkey sketchat sketchbyte"),
            (6, "PFCOUNT pkey"),
            (4, "PFCOUNT pkey pkey+"),
            (5, "PFMERGE pkey pkey*"),
            (6, "GET pkey"),
            (1, "STRLEN pkey"),
            (2, "OBJECT ENCODING pkey"),
            (1, "PFDEBUG TODENSE pkey"),
            (2, "PFDEBUG DECODE pkey"),
            (1, "PFDEBUG ENCODING pkey"),
            (1, "PFDEBUG GETREG pkey"),
            (1, "PFDEBUG junk pkey"),
            (1, "CONFIG SET hll-sparse-max-bytes small"),
        ],
    ),
    (
        "bitmaps",
        12,
        &[
            (8, "SETBIT bkey bit 1"),
            (4, "SETBIT bkey bit 0"),
            (2, "SETBIT bkey bit int"),
            (1, "SETBIT bkey int junk"),
            (4, "SET bkey value"),
            (6, "GETBIT bkey bit"),
            (2, "BITCOUNT bkey"),
            (6, "BITCOUNT bkey bitrange"),
            (3, "BITPOS bkey 1 bitspan?"),
            (3, "BITPOS bkey 0 bitspan?"),
            (1, "BITPOS bkey int bitspan"),
            (6, "BITOP bitname bkey bkey+"),
            (2, "BITOP NOT bkey bkey"),
            (10, "BITFIELD bkey fieldop+"),
            (3, "BITFIELD bkey OVERFLOW SAT INCRBY width place int fieldop*"),
            (3, "BITFIELD bkey OVERFLOW FAIL INCRBY width place int fieldop*"),
            (3, "BITFIELD bkey fieldop* GET width place"),
            (3, "BITFIELD_RO bkey GET width place"),
            (1, "BITFIELD_RO bkey fieldop*"),
            (3, "GET bkey"),
            (2, "OBJECT ENCODING bkey"),
        ],
    ),
];

/// HyperLogLogs: whole ones, with an estimate and without, and broken ones. None ends within a run: what the server makes
/// of that depends on the memory behind the string.
pub(crate) const SKETCHES: &[(u32, &[u8])] = &[
    (3, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff"),
    (3, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xfb\x87\x7f"),
    (2, b"HYLL\x01abc\x07\0\0\0\0\0\0\0\x7f\xf7\xfc\x87\x84\x84"),
    (1, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff\x84"),
    (1, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff\x00"),
    (1, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xfd\x84\x84"),
    (1, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xfd\x87"),
    (1, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x40\x00\x7f\xfe"),
    (1, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x60\x00\x5e\xff\x3f"),
    (1, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80"),
    (1, b"HYLL\x00\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff"),
    (1, b"HYLL\x02\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff"),
    (1, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0"),
    (1, b"hyll\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff"),
];

/// Places in them.
pub(crate) const SKETCH_PLACES: &[(u32, &[u8])] =
    &[(2, b"4"), (2, b"15"), (3, b"16"), (3, b"17"), (2, b"18"), (2, b"20"), (1, b"8"), (1, b"0"), (1, b"12303")];

/// What is written there.
pub(crate) const SKETCH_BYTES: &[(u32, &[u8])] =
    &[(2, b"\0"), (2, b"\x01"), (3, b"\x80"), (2, b"\x7f\xff"), (2, b"\xff"), (1, b"\x87\x87"), (1, b"\xfe")];

/// Bits: near the edges of bytes, past the longest string, and what is no offset. None of them makes a long string.
pub(crate) const BITS: &[(u32, &[u8])] = &[
    (6, b"0"),
    (4, b"7"),
    (4, b"8"),
    (3, b"1"),
    (2, b"15"),
    (2, b"63"),
    (1, b"100"),
    (1, b"8191"),
    (1, b"9999999999999"),
    (1, b"9223372036854775807"),
    (1, b"-1"),
    (1, b"#1"),
    (1, b"1.0"),
    (1, b""),
];

/// Where fields are.
pub(crate) const PLACES: &[(u32, &[u8])] = &[
    (6, b"0"),
    (4, b"#1"),
    (3, b"#0"),
    (2, b"#3"),
    (3, b"5"),
    (2, b"7"),
    (2, b"17"),
    (1, b"64"),
    (1, b"#100"),
    (1, b"#"),
    (1, b"#-1"),
    (1, b"-1"),
    (1, b"##1"),
    (1, b"9999999999999"),
    (1, b"#9223372036854775807"),
    (1, b"#288230376151711744"),
    (1, b"x"),
];

/// Types of fields.
pub(crate) const WIDTHS: &[(u32, &[u8])] = &[
    (6, b"u8"),
    (6, b"i8"),
    (3, b"u1"),
    (2, b"i1"),
    (3, b"u2"),
    (2, b"i5"),
    (2, b"u7"),
    (2, b"i16"),
    (2, b"u31"),
    (1, b"i33"),
    (3, b"i64"),
    (3, b"u63"),
    (1, b"i63"),
    (1, b"u64"),
    (1, b"i65"),
    (1, b"i0"),
    (1, b"u0"),
    (1, b"u"),
    (1, b"U8"),
    (1, b"8"),
    (1, b"u08"),
    (1, b"u8\x00x"),
    (1, b"i-8"),
    (1, b""),
];
