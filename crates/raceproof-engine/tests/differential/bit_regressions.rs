//! Edges of bitmaps, HyperLogLogs, positions and payloads that random sequences meet too rarely. They are always run.

/// Each with a name; see `regressions.rs`.
pub(crate) const TABLE: &[(&str, &str)] = &[
    (
        "bits up to the longest string",
        "
        [0] GETBIT a 4294967295
        [0] GETBIT a 4294967296
        [0] SETBIT a 4294967296 1
        [0] BITFIELD a GET u8 4294967295
        [0] BITFIELD a SET u8 4294967296 1
        [0] CONFIG SET proto-max-bulk-len 1mb
        [0] SETBIT a 8388608 1
        [0] SETBIT a 8388607 1
        [0] STRLEN a
        [0] BITCOUNT a
        [0] BITPOS a 1
        [0] BITFIELD a INCRBY i64 8388600 1
        [0] STRLEN a
        ",
    ),
    (
        "a bit that is what it was makes a string raw and tells nobody",
        "
        [0] SET a 1
        [0] WATCH a
        [1] SETBIT a 7 1
        [1] OBJECT ENCODING a
        [0] MULTI
        [0] PING
        [0] EXEC
        [0] WATCH b
        [1] BITFIELD b OVERFLOW FAIL SET u1 100 2
        [1] GET b
        [0] MULTI
        [0] PING
        [0] EXEC
        ",
    ),
    (
        "an expired payload replaces a key by nothing",
        "
        [0] SET a 1
        [0] RESTORE a 1 \"\\x00\\x05hello\\x0a\\x00\\xa8\\x20\\x63\\x72\\xb8\\x76\\x65\\x34\" ABSTTL
        [0] RESTORE a 1 \"\\x00\\x05hello\\x0a\\x00\\xa8\\x20\\x63\\x72\\xb8\\x76\\x65\\x34\" ABSTTL REPLACE
        [0] EXISTS a
        [0] RESTORE a 9223372036854775807 \"\\x00\\xc0\\x01\\x0a\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\" REPLACE
        ",
    ),
];
