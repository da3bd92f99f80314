//! How long sessions live and how large they may be.

use super::error::BadInput;

/// The longest time that can be set, in ms: a hundred years, so that no deadline leaves the range of exact numbers.
const LONGEST_MS: u64 = 100 * 366 * 24 * 3600 * 1000;

/// How a [`Memory`](super::Memory) keeps its sessions. All clients of one set of sessions should use the same options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long a session lives after its last use, in ms. Touched at gaps of at most 0.9 times this, it does not expire
    /// before its maximal age (M5). Default: 24 hours.
    pub sliding_ttl_ms: u64,
    /// How old a session can become, used or not, in ms; at least the sliding TTL. Default: 30 days.
    pub max_age_ms: u64,
    /// How long after `forget` nothing can be merged under the session's id, in ms (M4). Longer than any client may
    /// pause, and any driver resend. Default: 24 hours.
    pub tombstone_ms: u64,
    /// How many operations back a resent one is known (M2), per session; 1 to 4096. Each costs about 100 bytes.
    /// Default: 128.
    pub op_window: u32,
    /// How many fields a session may have. Default: 10,000.
    pub max_fields: u32,
    /// How many bytes one field's value may have. Default: 1 MiB.
    pub max_value_bytes: u32,
    /// How many fields one change or one read may name; at most 1000. Default: 1000.
    pub max_changes: u32,
    /// Put before every key, to tell applications apart (`app:`). No braces. Default: none.
    pub key_prefix: String,
    /// Whether the connection may send a command more than once, as redis-rs' cluster connection does. Then the error
    /// of its last attempt says nothing about the earlier ones, so every such error of a merge is `Uncertain`. With
    /// `false` (right for `MultiplexedConnection` and `ConnectionManager`) a request that the server refused, or that
    /// could not be sent, is `Unavailable`: surely not applied. Default: true, which is never wrong.
    pub driver_may_resend: bool,
}

impl Default for Options {
    fn default() -> Self {
        const DAY_MS: u64 = 24 * 3600 * 1000;
        Self {
            sliding_ttl_ms: DAY_MS,
            max_age_ms: 30 * DAY_MS,
            tombstone_ms: DAY_MS,
            op_window: 128,
            max_fields: 10_000,
            max_value_bytes: 1 << 20,
            max_changes: 1000,
            key_prefix: String::new(),
            driver_may_resend: true,
        }
    }
}

impl Options {
    /// Checks that every option is in its range.
    ///
    /// # Errors
    /// The first option that is not.
    pub fn validate(&self) -> Result<(), BadInput> {
        let bad =
            |name, value: &dyn ToString, way_out| Err(BadInput::Option { name, value: value.to_string(), way_out });
        let times = [
            ("sliding_ttl_ms", self.sliding_ttl_ms),
            ("max_age_ms", self.max_age_ms),
            ("tombstone_ms", self.tombstone_ms),
        ];
        for (name, value) in times {
            if value == 0 || value > LONGEST_MS {
                return bad(name, &value, "give 1 ms to 100 years");
            }
        }
        if self.max_age_ms < self.sliding_ttl_ms {
            return bad("max_age_ms", &self.max_age_ms, "give at least sliding_ttl_ms");
        }
        if !(1..=4096).contains(&self.op_window) {
            return bad("op_window", &self.op_window, "give 1 to 4096");
        }
        if self.max_fields == 0 {
            return bad("max_fields", &self.max_fields, "give at least 1");
        }
        if self.max_value_bytes == 0 || self.max_value_bytes > 1 << 29 {
            return bad("max_value_bytes", &self.max_value_bytes, "give 1 byte to 512 MiB, the most that Redis holds");
        }
        if !(1..=1000).contains(&self.max_changes) {
            return bad("max_changes", &self.max_changes, "give 1 to 1000");
        }
        if self.key_prefix.contains(['{', '}']) {
            return bad("key_prefix", &self.key_prefix, "leave braces out: they would move the hash tag");
        }
        Ok(())
    }
}
