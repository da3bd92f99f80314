//! The grammar of random commands by which sessions are told of keys that were changed.

use super::grammar::Choices;

/// Families of commands, each with its weight, each command with its weight.
pub(crate) const FAMILIES: &[(&str, u32, Choices)] = &[(
    "tracking",
    1,
    &[
        (12, "CLIENT TRACKING ON"),
        (3, "CLIENT TRACKING ON NOLOOP"),
        (3, "CLIENT TRACKING ON OPTIN"),
        (3, "CLIENT TRACKING ON OPTOUT"),
        (3, "CLIENT TRACKING ON BCAST"),
        (2, "CLIENT TRACKING ON BCAST NOLOOP"),
        (4, "CLIENT TRACKING ON BCAST prefixes"),
        (2, "CLIENT TRACKING ON BCAST NOLOOP prefixes prefixes?"),
        (6, "CLIENT TRACKING ON REDIRECT client"),
        (2, "CLIENT TRACKING ON BCAST REDIRECT client prefixes?"),
        (2, "CLIENT TRACKING onoff trackingopt*"),
        (4, "CLIENT TRACKING OFF"),
        (1, "CLIENT TRACKING junk"),
        (5, "CLIENT CACHING YES"),
        (3, "CLIENT CACHING NO"),
        (1, "CLIENT CACHING junk"),
        (3, "CLIENT TRACKINGINFO"),
        (2, "CLIENT GETREDIR"),
        (3, "CLIENT INFO"),
        (1, "CLIENT LIST"),
        (10, "GET key"),
        (5, "MGET key+"),
        (4, "EXISTS key+"),
        (3, "TYPE key"),
        (3, "TTL key"),
        (2, "OBJECT ENCODING key"),
        (3, "LRANGE key 0 -1"),
        (2, "XREAD STREAMS key x 0 0"),
        (12, "SET key value"),
        (4, "SET key value PX ttl_ms"),
        (4, "DEL key+"),
        (3, "MSET pair+"),
        (3, "RENAME key key"),
        (3, "PEXPIRE key ttl_ms"),
        (2, "HSET h f value"),
        (2, "RPUSH l value"),
        (2, "LMOVE l m LEFT LEFT"),
        (1, "BLMOVE l m LEFT LEFT 0"),
        (1, "BLPOP l 0"),
        (6, "EVAL trackingscript 2 key key"),
        (1, "EVAL_RO trackingscript 2 key key"),
        (1, "FLUSHALL"),
        (1, "FLUSHDB"),
        (1, "SWAPDB 0 1"),
        (1, "SELECT 1"),
        (3, "SUBSCRIBE channel"),
        (1, "UNSUBSCRIBE"),
        (3, "PUBLISH channel value"),
        (2, "CONFIG SET notify-keyspace-events KEA"),
        (3, "PSUBSCRIBE __key*__:*"),
        (4, "HELLO 3"),
        (1, "HELLO hellover"),
        (1, "RESET"),
        (1, "QUIT"),
        (3, "MULTI"),
        (5, "EXEC"),
        (1, "CLIENT REPLY SKIP"),
    ],
)];

/// Rules made of templates.
pub(crate) const RULES: &[(&str, Choices)] = &[
    (
        "prefixes",
        &[(3, "PREFIX prefix"), (2, "PREFIX prefix PREFIX prefix"), (1, "PREFIX prefix PREFIX prefix PREFIX prefix")],
    ),
    ("onoff", &[(4, "ON"), (1, "OFF")]),
    (
        "trackingopt",
        &[
            (2, "OPTIN"),
            (2, "OPTOUT"),
            (1, "BCAST"),
            (1, "PREFIX prefix"),
            (1, "REDIRECT client"),
            (1, "REDIRECT small"),
            (1, "REDIRECT junk"),
            (1, "junk"),
        ],
    ),
];

/// Prefixes of the keys, some of which overlap.
pub(crate) const PREFIXES: &[(u32, &[u8])] =
    &[(4, b"a"), (3, b"b"), (3, b"h"), (2, b"l"), (2, b"m"), (1, b""), (1, b"ab"), (1, b"nosuch"), (1, b"x")];

/// Scripts that take two keys.
pub(crate) const SCRIPTS: &[(u32, &[u8])] = &[
    (3, b"return redis.pcall('GET', KEYS[1])"),
    (3, b"return redis.pcall('SET', KEYS[1], 1)"),
    (3, b"redis.pcall('GET', KEYS[1]) return redis.pcall('SET', KEYS[2], 1)"),
    (2, b"redis.pcall('SET', KEYS[1], 1) return redis.pcall('EXISTS', 'nosuch')"),
    (1, b"return redis.pcall('CLIENT', 'TRACKING', 'ON')"),
    (1, b"return 1"),
];
