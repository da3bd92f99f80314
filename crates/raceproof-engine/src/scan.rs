//! What the scans have in common.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{
    Reply, Version,
    failure::{Failure, INVALID_CURSOR, NOT_AN_INTEGER, SYNTAX},
    glob,
    key::{Key, Placed},
    number::{parse_cursor, parse_integer},
    tree::Tree,
};

/// The options of a scan.
#[derive(Debug)]
pub(crate) struct ScanOptions {
    /// How many elements to look at.
    pub(crate) count: usize,
    pattern: Option<Bytes>,
    /// `TYPE`, of `SCAN` only.
    pub(crate) kind: Option<Bytes>,
    /// `NOVALUES`, of `HSCAN` only, from 7.4 on.
    pub(crate) no_values: bool,
}

/// What is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    Keys,
    Fields,
    Members,
}

impl ScanOptions {
    pub(crate) fn parse(args: &[Bytes], scanned: Scanned, version: Version) -> Result<Self, Failure> {
        let mut options = Self { count: 10, pattern: None, kind: None, no_values: false };
        let mut left = args;
        while let [name, rest @ ..] = left {
            if version >= Version::V7_4 && name.eq_ignore_ascii_case(b"novalues") {
                if scanned != Scanned::Fields {
                    return Err(Failure::Constant("ERR NOVALUES option can only be used in HSCAN"));
                }
                options.no_values = true;
                left = rest;
                continue;
            }
            let [value, rest @ ..] = rest else { return Err(SYNTAX) };
            left = rest;
            if name.eq_ignore_ascii_case(b"count") {
                let count = parse_integer(value).ok_or(NOT_AN_INTEGER)?;
                options.count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or(SYNTAX)?;
            } else if name.eq_ignore_ascii_case(b"match") {
                options.pattern = (value != "*").then(|| value.clone());
            } else if scanned == Scanned::Keys && name.eq_ignore_ascii_case(b"type") {
                options.kind = Some(value.clone());
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(options)
    }

    pub(crate) fn admits(&self, name: &[u8]) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| glob::matches(pattern, name, false))
    }
}

pub(crate) fn cursor(text: &[u8]) -> Result<u64, Failure> {
    parse_cursor(text).ok_or(INVALID_CURSOR)
}

/// The next part of a table from a cursor on, and the cursor at which the scan goes on, 0 at the end. Names that share
/// a position are returned together, since the cursor cannot tell them apart.
pub(crate) fn next_part<V>(table: &BTreeMap<Key, V>, cursor: u64, count: usize) -> (Vec<(&Key, &V)>, u64) {
    part(table.range(Key::first_at(cursor)..), count)
}

/// [`next_part`] of a table that knows ranks.
pub(crate) fn next_of<V>(table: &Tree<Key, V>, cursor: u64, count: usize) -> (Vec<(&Key, &V)>, u64) {
    let first = Key::first_at(cursor);
    part(table.iter_from(table.partition_point(|key| *key < first)), count)
}

/// The next part of what comes from a cursor on.
pub(crate) fn part<'a, K: Placed, V>(
    entries: impl Iterator<Item = (K, &'a V)>,
    count: usize,
) -> (Vec<(K, &'a V)>, u64) {
    let mut part: Vec<(K, &V)> = Vec::new();
    for (key, value) in entries {
        if part.len() >= count && part.last().is_none_or(|(last, _)| last.position() != key.position()) {
            return (part, key.position());
        }
        part.push((key, value));
    }
    (part, 0)
}

pub(crate) fn reply(cursor: u64, elements: Vec<Reply>) -> Reply {
    Reply::Array(vec![Reply::Bulk(cursor.to_string().into()), Reply::Array(elements)])
}
