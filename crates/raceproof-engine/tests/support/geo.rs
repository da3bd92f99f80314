//! The grammar of random commands on positions, and the words that only they need.

use super::grammar::Choices;

/// Rules made of templates, each with its weight.
pub(crate) const RULES: &[(&str, Choices)] = &[
    ("position", &[(1, "longitude latitude member")]),
    ("geoaddopt", &[(3, "NX"), (3, "XX"), (4, "CH"), (1, "GT"), (1, "junk")]),
    (
        "geoopt",
        &[
            (4, "ASC"),
            (4, "DESC"),
            (3, "WITHDIST"),
            (3, "WITHHASH"),
            (3, "WITHCOORD"),
            (6, "COUNT small"),
            (3, "COUNT 10"),
            (3, "COUNT 10 ANY"),
            (2, "COUNT small ANY"),
            (1, "ANY"),
            (1, "COUNT"),
            (1, "STORE gkey"),
            (1, "STOREDIST"),
            (1, "junk"),
        ],
    ),
    (
        "searchopt",
        &[
            (5, "FROMMEMBER member"),
            (5, "FROMLONLAT longitude latitude"),
            (6, "BYRADIUS length unit"),
            (6, "BYBOX length length unit"),
            (8, "geoopt"),
        ],
    ),
    ("from", &[(3, "FROMMEMBER member"), (4, "FROMLONLAT longitude latitude")]),
    ("within", &[(4, "BYRADIUS length unit"), (4, "BYBOX length length unit")]),
    ("geostore", &[(4, "STORE gkey"), (4, "STOREDIST gkey"), (1, "STORE")]),
];

/// Families of commands, each with its weight, each command with its weight.
pub(crate) const FAMILIES: &[(&str, u32, Choices)] = &[(
    "positions",
    14,
    &[
        (12, "GEOADD gkey position+"),
        (4, "GEOADD gkey geoaddopt+ position+"),
        (2, "GEOADD gkey manyplaces"),
        (1, "GEOADD gkey crowd"),
        (1, "ZADD gkey score member"),
        (4, "GEODIST gkey member member"),
        (4, "GEODIST gkey member member unit"),
        (1, "GEODIST gkey member member unit junk"),
        (4, "GEOPOS gkey member+"),
        (4, "GEOHASH gkey member+"),
        (1, "GEOPOS gkey"),
        (12, "GEOSEARCH gkey from within geoopt*"),
        (4, "GEOSEARCH gkey searchopt+ searchopt+"),
        (8, "GEOSEARCHSTORE gkey gkey from within geoopt*"),
        (3, "GEOSEARCHSTORE gkey gkey from within STOREDIST"),
        (6, "GEORADIUS gkey longitude latitude length unit geoopt*"),
        (3, "GEORADIUS gkey longitude latitude length unit geoopt? geostore"),
        (3, "GEORADIUS_RO gkey longitude latitude length unit geoopt*"),
        (6, "GEORADIUSBYMEMBER gkey member length unit geoopt*"),
        (3, "GEORADIUSBYMEMBER gkey member length unit geoopt? geostore"),
        (3, "GEORADIUSBYMEMBER_RO gkey member length unit geoopt*"),
        (1, "GEORADIUS_RO gkey longitude latitude length unit geostore"),
        (3, "ZRANGE gkey 0 -1 WITHSCORES"),
        (1, "OBJECT ENCODING gkey"),
    ],
)];

/// Longitudes, with the edges of the map.
pub(crate) const LONGITUDES: &[(u32, &[u8])] = &[
    (4, b"13.361389"),
    (4, b"15.087269"),
    (4, b"13.361390"),
    (3, b"0"),
    (3, b"2.349"),
    (2, b"-73.93"),
    (2, b"180"),
    (2, b"-180"),
    (2, b"179.999999"),
    (1, b"90"),
    (1, b"-0.000001"),
    (1, b"180.0000001"),
    (1, b"-181"),
    (1, b"1e300"),
    (1, b"inf"),
    (1, b"nan"),
    (1, b"x"),
    (1, b""),
];

/// Latitudes, with the edges of the map.
pub(crate) const LATITUDES: &[(u32, &[u8])] = &[
    (4, b"38.115556"),
    (4, b"37.502669"),
    (4, b"38.115560"),
    (3, b"0"),
    (3, b"48.8567"),
    (2, b"-33.86"),
    (2, b"85.05112878"),
    (2, b"-85.05112878"),
    (2, b"70.5"),
    (2, b"-81.25"),
    (1, b"-0.000001"),
    (1, b"85.06"),
    (1, b"-90"),
    (1, b"x"),
];

/// Radii and sides.
pub(crate) const LENGTHS: &[(u32, &[u8])] = &[
    (4, b"200"),
    (4, b"1"),
    (4, b"5000"),
    (3, b"0"),
    (3, b"166.2742"),
    (2, b"20000"),
    (2, b"100000"),
    (2, b"0.1"),
    (1, b"1e9"),
    (1, b"-1"),
    (1, b"inf"),
    (1, b"x"),
    (1, b""),
];

/// Units of length.
pub(crate) const UNITS: &[(u32, &[u8])] =
    &[(6, b"km"), (4, b"m"), (2, b"mi"), (2, b"ft"), (1, b"KM"), (1, b"cm"), (1, b"")];
