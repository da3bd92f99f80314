//! The grammar of random commands that send messages to sessions, and the words that only they need.

use super::grammar::Choices;

/// Families of commands, each with its weight, each command with its weight.
pub(crate) const FAMILIES: &[(&str, u32, Choices)] = &[(
    "channels",
    2,
    &[
        (8, "SUBSCRIBE channel+"),
        (4, "UNSUBSCRIBE channel*"),
        (6, "PSUBSCRIBE channelpattern+"),
        (3, "PUNSUBSCRIBE channelpattern*"),
        (4, "SSUBSCRIBE channel+"),
        (2, "SUNSUBSCRIBE channel*"),
        (24, "PUBLISH channel value"),
        (8, "SPUBLISH channel value"),
        (3, "EVAL publishing 2 channel channel value"),
        (2, "PUBSUB CHANNELS channelpattern?"),
        (2, "PUBSUB NUMSUB channel*"),
        (2, "PUBSUB NUMPAT"),
        (2, "PUBSUB SHARDCHANNELS channelpattern?"),
        (2, "PUBSUB SHARDNUMSUB channel*"),
        (1, "PUBSUB HELP"),
        (1, "PUBSUB junk"),
        (2, "CLIENT REPLY ON"),
        (1, "CLIENT REPLY OFF"),
        (2, "CLIENT REPLY SKIP"),
        (1, "CLIENT REPLY junk"),
        (4, "PING"),
        (2, "PING value"),
        (6, "RESET"),
        (1, "QUIT"),
        (4, "HELLO hellover"),
        (3, "MULTI"),
        (4, "EXEC"),
        (1, "DISCARD"),
        (3, "GET key"),
        (3, "SET key value"),
        (1, "CLIENT INFO"),
    ],
)];

/// Names of channels.
pub(crate) const CHANNELS: &[(u32, &[u8])] =
    &[(8, b"news"), (6, b"x"), (3, b"xy"), (1, b""), (1, b"bin\xff\x00\r\nchannel"), (1, b"a")];

/// Patterns, most of which match a channel.
pub(crate) const PATTERNS: &[(u32, &[u8])] =
    &[(4, b"x*"), (3, b"*"), (3, b"news"), (2, b"[nx]*"), (1, b"n?ws"), (1, b"NEWS"), (1, b"nosuch"), (1, b"")];

/// Classes of keyspace events, right and wrong.
pub(crate) const EVENTS: &[(u32, &[u8])] = &[
    (10, b"KEAmn"),
    (6, b"KEA"),
    (2, b"EAn"),
    (2, b"Kg$"),
    (1, b"Elshzt"),
    (1, b"KxmE"),
    (1, b"mKg$E"),
    (1, b"A"),
    (1, b""),
    (1, b"q"),
];

/// Scripts that take two channels and a message.
pub(crate) const SCRIPTS: &[(u32, &[u8])] = &[
    (3, b"return redis.call('PUBLISH', KEYS[1], ARGV[1])"),
    (2, b"redis.call('SET', 'a', 1) redis.call('PUBLISH', KEYS[1], 'first') return redis.call('SPUBLISH', KEYS[2], ARGV[1])"),
    (1, b"redis.call('PUBLISH', KEYS[1], 'said') error('after that')"),
    (1, b"return redis.call('SUBSCRIBE', KEYS[1])"),
    (1, b"return redis.call('PUBSUB', 'NUMPAT')"),
];
