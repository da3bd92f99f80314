//! The grammar of random commands on the server and its functions, and the words that only they need.

use super::grammar::Choices;

/// Rules made of templates, each with its weight.
pub(crate) const RULES: &[(&str, Choices)] = &[
    (
        "callargs",
        &[(5, "0"), (6, "1 key"), (4, "1 key value"), (3, "2 key key value"), (1, "int key"), (1, "3 key"), (1, "abc")],
    ),
    (
        "protocolkind",
        &[
            (1, "string"),
            (1, "integer"),
            (1, "double"),
            (1, "bignum"),
            (1, "null"),
            (1, "array"),
            (1, "set"),
            (1, "map"),
            (1, "verbatim"),
            (1, "true"),
            (1, "false"),
            (1, "abc"),
        ],
    ),
    ("libraryopt", &[(12, "REPLACE"), (1, "junk")]),
    ("listopt", &[(4, "WITHCODE"), (3, "LIBRARYNAME pattern"), (2, "LIBRARYNAME libraryname"), (1, "junk")]),
];

/// Families of commands, each with its weight, each command with its weight.
pub(crate) const FAMILIES: &[(&str, u32, Choices)] = &[
    (
        "functions",
        4,
        &[
            (10, "FUNCTION LOAD library"),
            (6, "FUNCTION LOAD libraryopt library"),
            (4, "FUNCTION LIST listopt*"),
            (3, "FUNCTION DELETE libraryname"),
            (2, "FUNCTION FLUSH flushopt?"),
            (2, "FUNCTION STATS"),
            (1, "FUNCTION KILL"),
            (1, "FUNCTION HELP"),
            (1, "FUNCTION junk"),
            (16, "FCALL function callargs"),
            (6, "FCALL_RO function callargs"),
        ],
    ),
    (
        "server",
        3,
        &[
            (1, "LOLWUT"),
            (1, "LOLWUT junk"),
            (1, "LOLWUT VERSION abc"),
            (2, "ROLE"),
            (1, "REPLICAOF NO ONE"),
            (1, "REPLICAOF abc junk"),
            (1, "SLAVEOF NO ONE"),
            (1, "FAILOVER"),
            (1, "FAILOVER ABORT"),
            (1, "FAILOVER junk"),
            (1, "ASKING"),
            (1, "READONLY"),
            (1, "READWRITE"),
            (1, "CLUSTER INFO"),
            (1, "CLUSTER KEYSLOT key"),
            (1, "CLUSTER junk"),
            (1, "SLOWLOG GET"),
            (1, "SLOWLOG GET int"),
            (1, "SLOWLOG LEN"),
            (1, "SLOWLOG RESET"),
            (1, "SLOWLOG HELP"),
            (1, "SLOWLOG junk"),
            (1, "LATENCY DOCTOR"),
            (1, "LATENCY GRAPH junk"),
            (1, "LATENCY HISTORY junk"),
            (1, "LATENCY LATEST"),
            (1, "LATENCY RESET"),
            (1, "LATENCY RESET junk"),
            (1, "LATENCY HISTOGRAM junk"),
            (1, "LATENCY HELP"),
            (1, "MEMORY DOCTOR"),
            (1, "MEMORY MALLOC-STATS"),
            (1, "MEMORY PURGE"),
            (1, "MEMORY STATS"),
            (1, "MEMORY HELP"),
            (1, "MEMORY junk"),
            (8, "DEBUG DIGEST"),
            (8, "DEBUG DIGEST-VALUE key*"),
            (2, "DEBUG LISTPACK key"),
            (1, "DEBUG SLEEP 0"),
            (1, "DEBUG ERROR value"),
            (2, "DEBUG PROTOCOL protocolkind"),
            (1, "DEBUG QUICKLIST-PACKED-THRESHOLD memory"),
            (1, "DEBUG CHANGE-REPL-ID"),
            (1, "DEBUG HELP"),
            (1, "DEBUG junk"),
            (1, "SCRIPT HELP"),
            (1, "COMMAND HELP"),
            (1, "COMMAND DOCS commandname"),
            (4, "COMMAND GETKEYSANDFLAGS call"),
            (1, "CONFIG HELP"),
        ],
    ),
];
/// Sources of libraries.
pub(crate) const LIBRARIES: &[(u32, &[u8])] = &[
    (
        8,
        b"#!lua name=one\nredis.register_function('get', function(keys, args) return redis.call('GET', keys[1]) end)\n\
          redis.register_function('set', function(keys, args) return redis.call('SET', keys[1], args[1] or 'x') end)",
    ),
    (
        6,
        b"#!lua name=two\nlocal function echo(keys, args) return {#keys, args} end\n\
          redis.register_function{function_name='echo', callback=echo, description='says it again', flags={'no-writes', \
          'allow-oom'}}\n\
          redis.register_function{function_name='ro', callback=function(k) return redis.call('DEL', k[1]) end, \
          flags={'no-writes'}}",
    ),
    (3, b"#!LUA NAME=two\nredis.register_function('counts', function(keys) return redis.call('INCR', keys[1]) end)"),
    (3, b"#!lua name=three\nredis.register_function('GET', function() return 3 end)"),
    (
        3,
        b"#!lua name=three\nlocal v = redis.REDIS_VERSION\nredis.register_function('echo', function() error(v) end)\n\
          redis.register_function('hash', function() redis.setresp(3) return redis.call('HGETALL', 'h') end)",
    ),
    (1, b"#!lua name=three\nredis.register_function('set', function() return nosuch end)"),
    (1, b"#!lua name=four\n"),
    (1, b"#!lua name=four\nreturn ("),
    (1, b"#!lua name=four\nredis.call('SET', 'a', 1)"),
    (1, b"#!lua name=four\nx = 1"),
    (1, b"#!lua name=four\nredis.register_function('a-b', function() end)"),
    (1, b"#!lua name=four five=six\nreturn 1"),
    (1, b"#!python name=four\nreturn 1"),
    (1, b"#!lua\nreturn 1"),
    (1, b"return 1"),
    (1, b""),
];

/// Names of functions.
pub(crate) const FUNCTIONS: &[(u32, &[u8])] = &[
    (5, b"get"),
    (6, b"set"),
    (4, b"echo"),
    (4, b"ro"),
    (3, b"counts"),
    (1, b"hash"),
    (1, b"GET"),
    (1, b"nosuch"),
    (1, b""),
];

/// Names of libraries.
pub(crate) const LIBRARY_NAMES: &[(u32, &[u8])] =
    &[(4, b"one"), (4, b"two"), (2, b"three"), (1, b"ONE"), (1, b"nosuch")];
