//! The grammar of random commands on streams, and the words that only they need.

use super::grammar::Choices;

/// Rules made of templates, each with its weight.
pub(crate) const RULES: &[(&str, Choices)] = &[
    ("addid", &[(6, "*"), (8, "id"), (3, "nextid"), (2, "openid")]),
    ("entry", &[(6, "field value"), (3, "field value field value"), (1, "fieldpair+"), (1, "field")]),
    ("mark", &[(3, "~"), (2, "=")]),
    ("trimlimit", &[(4, "LIMIT small"), (1, "LIMIT"), (1, "LIMIT int")]),
    ("trim", &[(6, "MAXLEN mark? small"), (5, "MINID mark? id"), (1, "MAXLEN mark? int"), (1, "MAXLEN mark")]),
    ("addopt", &[(3, "NOMKSTREAM"), (5, "trim"), (3, "trim trimlimit"), (1, "trimlimit"), (1, "trim trim")]),
    ("xcount", &[(6, "COUNT small"), (2, "COUNT int"), (1, "COUNT"), (1, "junk")]),
    (
        "xblock",
        &[(6, "BLOCK 0"), (3, "BLOCK 100000"), (1, "BLOCK -1"), (1, "BLOCK junk"), (1, "BLOCK 9223372036854775807")],
    ),
    ("interval", &[(5, "edge edge"), (4, "lowest highest"), (1, "highest lowest")]),
    (
        "xstreams",
        &[(8, "STREAMS xkey readid"), (4, "STREAMS xkey xkey readid readid"), (1, "STREAMS xkey xkey readid")],
    ),
    ("xnew", &[(10, "STREAMS xkey undelivered"), (4, "STREAMS xkey xkey undelivered readid"), (1, "STREAMS xkey")]),
    ("xlater", &[(6, "STREAMS xkey $"), (3, "STREAMS xkey xkey $ $"), (2, "STREAMS xkey xkey $ readid")]),
    ("setidopt", &[(3, "ENTRIESADDED int"), (3, "MAXDELETEDID id"), (1, "junk")]),
    ("groupopt", &[(3, "MKSTREAM"), (3, "ENTRIESREAD int"), (1, "ENTRIESREAD"), (1, "junk")]),
    ("groupid", &[(5, "id"), (3, "lastid"), (1, "lowest")]),
    (
        "claimopt",
        &[
            (4, "IDLE small"),
            (2, "TIME at_ms"),
            (4, "RETRYCOUNT int"),
            (5, "FORCE"),
            (4, "JUSTID"),
            (3, "LASTID id"),
            (1, "IDLE int"),
            (1, "junk"),
        ],
    ),
    ("minidle", &[(10, "0"), (4, "small"), (1, "int")]),
    ("autoopt", &[(5, "COUNT small"), (4, "JUSTID"), (1, "COUNT int"), (1, "junk")]),
    ("fullopt", &[(4, "FULL"), (2, "FULL COUNT small"), (1, "FULL COUNT int"), (1, "FULL junk"), (1, "junk")]),
];

/// Families of commands, each with its weight, each command with its weight.
pub(crate) const FAMILIES: &[(&str, u32, Choices)] = &[
    (
        "streams",
        20,
        &[
            (14, "XADD xkey addid entry"),
            (8, "XADD xkey * entry"),
            (8, "XADD xkey addopt* addid entry"),
            (4, "XLEN xkey"),
            (6, "XRANGE xkey interval xcount?"),
            (6, "XREVRANGE xkey interval xcount?"),
            (7, "XDEL xkey id+"),
            (6, "XTRIM xkey trim trimlimit?"),
            (2, "XTRIM xkey trimlimit"),
            (3, "XSETID xkey id setidopt*"),
            (8, "XREAD xcount? xstreams"),
            (2, "XREAD xblock xcount? xstreams"),
            (4, "XREAD xblock xcount? xlater"),
            (1, "XREAD NOACK xstreams"),
            (4, "XINFO STREAM xkey"),
            (4, "XINFO STREAM xkey fullopt"),
            (2, "OBJECT ENCODING xkey"),
            (1, "CONFIG SET stream-node-max-entries small"),
            (1, "CONFIG SET stream-node-max-bytes small"),
        ],
    ),
    (
        "stream groups",
        18,
        &[
            (8, "XADD xkey addid entry"),
            (8, "XGROUP CREATE xkey group 0 MKSTREAM"),
            (5, "XGROUP CREATE xkey group groupid groupopt*"),
            (4, "XGROUP SETID xkey group groupid groupopt?"),
            (2, "XGROUP DESTROY xkey group"),
            (3, "XGROUP CREATECONSUMER xkey group consumer"),
            (3, "XGROUP DELCONSUMER xkey group consumer"),
            (1, "XGROUP junk xkey group"),
            (1, "XGROUP HELP"),
            (16, "XREADGROUP GROUP group consumer xcount? xnew"),
            (6, "XREADGROUP GROUP group consumer NOACK xcount? xnew"),
            (6, "XREADGROUP GROUP group consumer xcount? xstreams"),
            (5, "XREADGROUP GROUP group consumer xblock xnew"),
            (2, "XREADGROUP GROUP group consumer NOACK xblock STREAMS xkey >"),
            (1, "XREADGROUP xcount NOACK xnew"),
            (6, "XACK xkey group id+"),
            (6, "XPENDING xkey group"),
            (5, "XPENDING xkey group interval small consumer?"),
            (3, "XPENDING xkey group IDLE small interval int consumer?"),
            (1, "XPENDING xkey group IDLE small interval"),
            (8, "XCLAIM xkey group consumer minidle id+ claimopt*"),
            (4, "XCLAIM xkey group consumer 0 id+ FORCE"),
            (8, "XAUTOCLAIM xkey group consumer minidle edge autoopt*"),
            (4, "XDEL xkey id+"),
            (4, "XINFO GROUPS xkey"),
            (4, "XINFO CONSUMERS xkey group"),
            (4, "XINFO STREAM xkey fullopt"),
            (1, "XINFO HELP"),
        ],
    ),
];

/// IDs that meet, and odd ones.
pub(crate) const IDS: &[(u32, &[u8])] = &[
    (8, b"1-1"),
    (8, b"1-2"),
    (6, b"2-1"),
    (6, b"3"),
    (4, b"5-0"),
    (4, b"5-1"),
    (3, b"0-1"),
    (2, b"0-0"),
    (2, b"0"),
    (1, b"18446744073709551615-18446744073709551615"),
    (1, b"18446744073709551615"),
    (1, b"18446744073709551616"),
    (1, b"-1"),
    (1, b"1--1"),
    (1, b"01-02"),
    (1, b" 1-1"),
    (1, b"1-1 "),
    (1, b"1-1-1"),
    (1, b"abc"),
    (1, b""),
    (1, b"-"),
    (1, b"+"),
    (1, b"$"),
    (1, b">"),
    (1, b"*"),
];

/// IDs that rise.
pub(crate) const NEXT_IDS: &[(u32, &[u8])] =
    &[(3, b"7-1"), (3, b"8-1"), (3, b"9-1"), (2, b"10-1"), (2, b"11-1"), (2, b"12-1")];

/// IDs whose number is to be found.
pub(crate) const OPEN_IDS: &[(u32, &[u8])] =
    &[(4, b"1-*"), (4, b"5-*"), (2, b"0-*"), (2, b"9-*"), (1, b"18446744073709551615-*"), (1, b"-*"), (1, b"1-**")];

/// Ends of intervals.
pub(crate) const EDGES: &[(u32, &[u8])] = &[
    (6, b"-"),
    (6, b"+"),
    (4, b"1-1"),
    (4, b"2"),
    (4, b"5-0"),
    (3, b"(1-1"),
    (3, b"(5"),
    (1, b"(0-0"),
    (1, b"(18446744073709551615-18446744073709551615"),
    (1, b"(-"),
    (1, b"(+"),
    (1, b"("),
    (1, b"abc"),
    (1, b""),
];

/// From where streams are read.
pub(crate) const READ_IDS: &[(u32, &[u8])] =
    &[(8, b"0"), (4, b"1-1"), (3, b"2"), (3, b"5-0"), (2, b"$"), (2, b">"), (1, b"+"), (1, b"-"), (1, b"abc")];

/// Groups and consumers.
pub(crate) const GROUPS: &[(u32, &[u8])] = &[(10, b"g1"), (5, b"g2"), (1, b""), (1, b"g\xff\x00x")];

/// Consumers.
pub(crate) const CONSUMERS: &[(u32, &[u8])] = &[(8, b"c1"), (6, b"c2"), (3, b"c3"), (1, b"")];
