//! Sequences that once got other replies from the engine than from redis-server, and the edges that random sequences
//! meet too rarely. They are always run.

/// Each with a name; one step a line, as the test prints them.
pub(crate) const TABLE: &[(&str, &str)] = &[(
    "a key lives through the whole of its last millisecond",
    "
        [0] SET a 1 PXAT @ms+1
        [0] GET a
        [0] PTTL a
        (wait 1 ms)
        [0] PTTL a
        [0] GET a
        [0] PTTL a
        (wait 1 ms)
        [0] GET a
        [0] DBSIZE
        [0] SET a 1 PXAT @ms+0
        [0] GET a
        [0] SET b 1
        [0] PEXPIREAT b @ms+0
        [0] EXISTS b
        ",
)];
