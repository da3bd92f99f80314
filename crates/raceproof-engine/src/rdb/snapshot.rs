//! The whole data as Redis 7.0 writes it to `dump.rdb`, and sends it to a replica that begins.

use bytes::Bytes;

use super::{LIBRARY, VERSION, checksum, strings::Writer, write};
use crate::{Engine, SessionId, Timestamp};

/// What comes before a part of a snapshot.
mod part {
    pub(super) const AUX: u8 = 250;
    pub(super) const SIZES: u8 = 251;
    pub(super) const DEADLINE_MS: u8 = 252;
    pub(super) const DATABASE: u8 = 254;
    pub(super) const END: u8 = 255;
}

impl Engine {
    /// Libraries of functions and keys with their deadlines, in the format of Redis 7.0, which has no deadlines of fields.
    #[must_use]
    pub fn snapshot(&self, now: Timestamp) -> Vec<u8> {
        let mut to = Writer { bytes: format!("REDIS{VERSION:04}").into_bytes(), compresses: self.config.compresses() };
        let aux = [("redis-ver", "7.0.15"), ("redis-bits", "64"), ("ctime", &(now.ms() / 1000).to_string())];
        for (name, value) in aux {
            to.bytes.push(part::AUX);
            to.string(name.as_bytes());
            to.string(value.as_bytes());
        }
        for (_, library) in self.libraries.iter() {
            to.bytes.push(LIBRARY);
            to.string(&library.code);
        }
        let mut begun = None;
        for (db, name, entry) in self.databases.entries() {
            if begun.replace(db) != Some(db) {
                to.bytes.push(part::DATABASE);
                to.len(u64::from(db));
                to.bytes.push(part::SIZES);
                to.len(self.databases.get(db).keys.len() as u64);
                to.len(self.databases.deadlines(db).count() as u64);
            }
            if let Some(deadline) = entry.deadline() {
                to.bytes.push(part::DEADLINE_MS);
                to.bytes.extend_from_slice(&deadline.to_le_bytes());
            }
            let value = write::value(&entry.value, &self.config);
            to.bytes.push(value[0]);
            to.string(name.bytes());
            to.bytes.extend_from_slice(&value[1..]);
        }
        to.bytes.push(part::END);
        let checksum = checksum::crc64(&to.bytes);
        to.bytes.extend_from_slice(&checksum.to_le_bytes());
        to.bytes
    }

    /// Whether a session may see everything: its user has logged in, and nothing is forbidden to him.
    #[must_use]
    pub fn may_see_everything(&self, session: SessionId) -> bool {
        let user: Option<&Bytes> = self.sessions.get(session.0 as usize).map(|session| &session.user);
        self.is_authenticated(session) && user.is_some_and(|user| self.acl.is_unlimited(user))
    }
}
