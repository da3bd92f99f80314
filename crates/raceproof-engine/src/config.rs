//! The settings that `CONFIG` shows and changes.

use bytes::Bytes;

use crate::hash::Limits;

/// The settings that were changed, and those that the engine itself goes by.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    hash_entries: usize,
    hash_value: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { hash_entries: 128, hash_value: 64 }
    }
}

impl Config {
    pub(crate) const fn limits(&self, sorted: bool) -> Limits {
        Limits { entries: self.hash_entries, value: self.hash_value, sorted }
    }

    pub(crate) const fn databases(&self) -> u32 {
        16
    }

    /// What an expiry is propagated as.
    pub(crate) fn expiry_command(&self) -> Bytes {
        Bytes::from_static(b"DEL")
    }

    pub(crate) const fn counts_frequency(&self) -> bool {
        false
    }
}
