//! Sequences on streams that once differed, or that random ones hardly come upon.

/// What a sequence is about, and its steps.
pub(crate) const TABLE: &[(&str, &str)] = &[
    (
        "a consumer that claims nothing is not known, and a claim is propagated with the ID as it came",
        "
        [0] XADD x 1-1 f a
        [0] XADD x 3 f b
        [0] XGROUP CREATE x g1 0
        [0] XCLAIM x g1 c1 0 1-1
        [0] XAUTOCLAIM x g1 c2 0 -
        [0] XINFO CONSUMERS x g1
        [0] XCLAIM x g1 c1 0 3 FORCE
        [0] XCLAIM x g1 c2 0 1 3 FORCE RETRYCOUNT 7 LASTID 2
        [0] XCLAIM x g1 c3 0 7-7 LASTID 3
        [0] XINFO STREAM x FULL
        ",
    ),
    (
        "where a stream's node is full",
        "
        [0] CONFIG SET stream-node-max-bytes 100
        [0] XADD x 1 field value
        [0] XADD x 2 field value
        [0] XADD x 3 other value
        [0] XADD x 300 field 12345678901234
        [0] XADD x 70000 field value
        [0] XADD x 5000000000 field value-of-more-than-sixty-four-bytes-which-takes-two-bytes-more-for-its-length
        [0] XINFO STREAM x
        [0] XTRIM x MAXLEN ~ 3
        [0] XINFO STREAM x
        [0] XADD x 5000000001 a 1 b 2 c 3
        [0] XADD x 5000000002 a 1 b 2 c 4
        [0] XADD x MINID ~ 5000000002 5000000003 a 1 b 2 c 5
        [0] XINFO STREAM x FULL
        ",
    ),
    (
        "an empty stream goes back behind what was deleted",
        "
        [0] XADD x 3 f a
        [0] XDEL x 3
        [0] XSETID x 1-1
        [0] XADD x 2-* f b
        [0] XSETID x 1-1
        [0] XINFO STREAM x
        ",
    ),
    (
        "how far a group has read",
        "
        [0] XADD x 1 f a
        [0] XADD x 2 f b
        [0] XADD x 3 f c
        [0] XADD x 4 f d
        [0] XGROUP CREATE x g1 0
        [0] XGROUP CREATE x g2 2
        [0] XGROUP CREATE x g3 $ ENTRIESREAD 2
        [0] XDEL x 3
        [0] XINFO GROUPS x
        [0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >
        [0] XREADGROUP GROUP g2 c1 NOACK COUNT 1 STREAMS x >
        [0] XINFO GROUPS x
        [0] XTRIM x MAXLEN 1
        [0] XINFO GROUPS x
        [0] XGROUP SETID x g1 1 ENTRIESREAD 1
        [0] XINFO GROUPS x
        [0] XGROUP SETID x g2 2
        [0] XADD x 5 f e
        [0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >
        [0] XREADGROUP GROUP g2 c1 NOACK COUNT 1 STREAMS x >
        [0] XINFO GROUPS x
        [0] XDEL x 4
        [0] XINFO GROUPS x
        [0] XSETID x 9 ENTRIESADDED 20 MAXDELETEDID 8
        [0] XINFO GROUPS x
        [0] XINFO STREAM x
        ",
    ),
    (
        "what happens to groups is no change to those who watch",
        "
        [0] XADD x 1 f a
        [1] WATCH x
        [0] XGROUP CREATE x g1 0
        [0] XREADGROUP GROUP g1 c1 STREAMS x >
        [0] XACK x g1 1
        [0] XSETID x 5
        [0] XGROUP DESTROY x g1
        [1] MULTI
        [1] PING
        [1] EXEC
        [1] WATCH x
        [0] XDEL x 1
        [1] MULTI
        [1] PING
        [1] EXEC
        ",
    ),
    (
        "who waits for an entry is served by one that is gone at once",
        "
        [0] XADD x 1-1 f v
        [0] XGROUP CREATE x g1 $
        [0] XREAD BLOCK 0 STREAMS x $
        [1] XREADGROUP GROUP g1 c1 BLOCK 0 STREAMS x >
        [2] XADD x MAXLEN 0 2-1 f v
        [2] CLIENT UNBLOCK 1 TIMEOUT junk
        ",
    ),
];
