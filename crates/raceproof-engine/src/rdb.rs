//! Values as payloads: what `DUMP` gives and `RESTORE` takes is the value as Redis 7.0 writes it to its snapshots, with
//! the version of that format and a checksum behind it. Payloads may come from anywhere, so nothing in them is trusted: what
//! they claim to hold is allocated as it is read, and what is no value of a Redis that checks everything
//! (`sanitize-dump-payload yes`) is refused.

mod checksum;
mod listpack;
mod lzf;
mod read;
mod snapshot;
mod strings;
mod write;
mod ziplist;

pub(crate) use listpack::{Element, Listpack, elements};
pub(crate) use write::{integer_width, list_node_sizes, pack_hash, pack_zset};

use bytes::Bytes;

use crate::{Version, config::Config, db::Value};
use strings::{Reader, Writer};

/// The version of the format of Redis 7.0, which is what is written.
const VERSION: u16 = 10;

/// The newest format that a version takes.
const fn newest(version: Version) -> u16 {
    match version {
        Version::V7_0 => VERSION,
        Version::V7_2 => 11,
        Version::V7_4 | Version::V8_0 | Version::V8_4 => 12,
    }
}

/// The version and the checksum.
const FOOTER: usize = 10;

/// What is first in a payload.
mod kind {
    pub(super) const STRING: u8 = 0;
    pub(super) const LIST: u8 = 1;
    pub(super) const SET: u8 = 2;
    pub(super) const ZSET_TEXT: u8 = 3;
    pub(super) const HASH: u8 = 4;
    pub(super) const ZSET: u8 = 5;
    pub(super) const HASH_ZIPMAP: u8 = 9;
    pub(super) const LIST_ZIPLIST: u8 = 10;
    pub(super) const SET_INTSET: u8 = 11;
    pub(super) const ZSET_ZIPLIST: u8 = 12;
    pub(super) const HASH_ZIPLIST: u8 = 13;
    pub(super) const LIST_ZIPLISTS: u8 = 14;
    pub(super) const STREAM_1: u8 = 15;
    pub(super) const HASH_LISTPACK: u8 = 16;
    pub(super) const ZSET_LISTPACK: u8 = 17;
    pub(super) const LIST_NODES: u8 = 18;
    pub(super) const STREAM_2: u8 = 19;
    /// Those from here on are of 7.2.
    pub(super) const SET_LISTPACK: u8 = 20;
    pub(super) const STREAM_3: u8 = 21;
}

/// What comes before the source of a library of functions, and what came before it in unfinished versions.
const LIBRARY: u8 = 245;
const EARLY_LIBRARY: u8 = 246;

/// A value as a payload.
pub(crate) fn dump(value: &Value, config: &Config) -> Bytes {
    sealed(write::value(value, config))
}

/// How long a value is in a snapshot, without its type.
pub(crate) fn dumped_len(value: &Value, config: &Config) -> usize {
    write::value(value, config).len() - 1
}

/// Sources of libraries of functions as a payload.
pub(crate) fn dump_libraries<'a>(sources: impl Iterator<Item = &'a Bytes>, config: &Config) -> Bytes {
    let mut to = Writer { bytes: Vec::new(), compresses: config.compresses() };
    for source in sources {
        to.bytes.push(LIBRARY);
        to.string(source);
    }
    sealed(to.bytes)
}

/// The sources of a payload of libraries.
pub(crate) fn restore_libraries(payload: &Bytes, version: Version) -> Result<Vec<Bytes>, &'static str> {
    let body = body(payload, version).map_err(|_| "ERR DUMP payload version or checksum are wrong")?;
    let (mut from, mut sources) = (Reader(body), Vec::new());
    while let Some(kind) = from.byte() {
        match kind {
            LIBRARY => sources.push(from.string().ok_or("ERR failed loading the given functions payload")?),
            EARLY_LIBRARY => return Err("ERR Pre-GA function format not supported"),
            _ => return Err("ERR given type is not a function"),
        }
    }
    Ok(sources)
}

/// Puts version and checksum behind a payload.
fn sealed(mut payload: Vec<u8>) -> Bytes {
    payload.extend_from_slice(&VERSION.to_le_bytes());
    let checksum = checksum::crc64(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload.into()
}

/// Why a payload is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It was damaged, or comes from a later version.
    VersionOrChecksum,
    /// It does not hold a value.
    Format,
}

/// The value of a payload.
pub(crate) fn restore(payload: &Bytes, config: &Config, version: Version) -> Result<Value, Refused> {
    body(payload, version)?;
    // Redis reads on into the footer where the value is too short.
    read::value(payload, config, version).ok_or(Refused::Format)
}

/// What is before the footer, which must be right.
fn body(payload: &Bytes, version: Version) -> Result<&[u8], Refused> {
    let body = payload.len().checked_sub(FOOTER).ok_or(Refused::VersionOrChecksum)?;
    let written = u16::from_le_bytes([payload[body], payload[body + 1]]);
    let checksum = checksum::crc64(&payload[..body + 2]).to_le_bytes();
    if written > newest(version) || payload[body + 2..] != checksum {
        return Err(Refused::VersionOrChecksum);
    }
    Ok(&payload[..body])
}
