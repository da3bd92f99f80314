//! The grammar of `CLIENT PAUSE`. Only commands that may write are held: where all are, the test itself would be.

use super::grammar::Choices;

/// Families of commands, each with its weight, each command with its weight.
pub(crate) const FAMILIES: &[(&str, u32, Choices)] = &[(
    "pauses",
    1,
    &[
        (12, "CLIENT PAUSE pausetime WRITE"),
        (1, "CLIENT PAUSE 0 WRITE"),
        (1, "CLIENT PAUSE int junk"),
        (1, "CLIENT PAUSE junk WRITE"),
        (1, "CLIENT PAUSE -1 WRITE"),
        (1, "CLIENT PAUSE 1.5 WRITE"),
        (1, "CLIENT PAUSE 10 WRITE junk"),
        (20, "CLIENT UNPAUSE"),
        (1, "CLIENT UNPAUSE junk"),
        (12, "SET key value"),
        (4, "SET key value PX 1"),
        (6, "INCR key"),
        (8, "GET key"),
        (3, "EXISTS key+"),
        (2, "PTTL key"),
        (2, "TYPE key"),
        (2, "KEYS pattern"),
        (2, "DBSIZE"),
        (2, "MGET key+"),
        (2, "OBJECT ENCODING key"),
        (2, "GETEX key PERSIST"),
        (3, "RPUSH l value"),
        (2, "LRANGE l 0 -1"),
        (4, "BLPOP l 0"),
        (2, "BLMOVE l m LEFT LEFT 0"),
        (3, "XADD x * f value"),
        (2, "XREAD BLOCK 0 STREAMS x $"),
        (2, "PUBLISH channel value"),
        (2, "SUBSCRIBE channel"),
        (2, "PFCOUNT key"),
        (2, "WATCH key"),
        (6, "MULTI"),
        (8, "EXEC"),
        (2, "DISCARD"),
        (4, "EVAL pausescript 1 key"),
        (2, "EVAL_RO pausescript 1 key"),
        (2, "EVALSHA junk 0"),
        (2, "FUNCTION LOAD library"),
        (3, "FCALL function callargs"),
        (1, "FCALL_RO function callargs"),
        (2, "SELECT small"),
        (2, "FLUSHALL"),
        (1, "HELLO hellover"),
        (1, "CLIENT REPLY SKIP"),
        (1, "CLIENT REPLY ON"),
        (2, "CLIENT KILL ID client"),
        (1, "CLIENT TRACKING ON"),
        (1, "CLIENT TRACKING ON BCAST"),
        (1, "CLIENT LIST"),
        (2, "INFO CLIENTS"),
        (1, "RESET"),
        (1, "MONITOR"),
        (1, "QUIT"),
    ],
)];

/// Times that do not pass while a sequence is run (ms).
pub(crate) const TIMES: &[(u32, &[u8])] =
    &[(4, b"100000"), (2, b"1000000"), (1, b"00000000100000"), (1, b"9223372036854775807")];

/// Scripts that take a key.
pub(crate) const SCRIPTS: &[(u32, &[u8])] = &[
    (4, b"return redis.call('GET', KEYS[1])"),
    (4, b"return redis.call('SET', KEYS[1], 1)"),
    (4, b"#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])"),
    (2, b"#!lua flags=no-writes\nreturn redis.call('SET', KEYS[1], 1)"),
    (2, b"#!lua\nreturn redis.call('SET', KEYS[1], 1)"),
    (1, b"#!lua flags=allow-oom\nreturn redis.call('INCR', KEYS[1])"),
    (1, b"#!lua flags=nosuch\nreturn 1"),
    (1, b"#!python\nreturn 1"),
];
