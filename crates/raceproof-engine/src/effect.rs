//! What Redis would write to its append-only file and send to its replicas.

use bytes::Bytes;

/// One propagated command, in its deterministic form (`EXPIRE` is propagated as `PEXPIREAT`, an expiry as `DEL`, …).
///
/// The effects of one `MULTI … EXEC` or one script are framed by `MULTI` and `EXEC`, as Redis does when there is more
/// than one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Effect {
    /// The number of the database that the command applies to.
    pub db: u32,
    /// The command and its arguments.
    pub args: Vec<Bytes>,
}
