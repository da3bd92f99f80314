//! The whole observable state of an engine, read through commands.

use std::fmt::Write as _;

use bytes::Bytes;
use raceproof_engine::Reply;

use super::driver::{Driver, NoScripts};
use super::show;

/// How many databases are looked at: those that the pools of random commands name.
const DATABASES: [&str; 4] = ["0", "1", "2", "15"];

/// Every key with its type, value and deadline, at a time (ms since the Unix epoch), as lines.
///
/// Whether a collection is small or a table is left out: it depends on the order in which members came and went, and only
/// `OBJECT ENCODING` tells. So is what `DBSIZE` says before the dump has touched (and so removed) the expired keys.
///
/// Of the groups of streams, this is what is propagated: which consumers there are with nothing pending, and how often
/// and when something was delivered, is in [`dump_with_readers`] only.
pub(crate) fn dump(driver: &Driver, now_ms: i64) -> Vec<String> {
    dump_keys(driver, now_ms, false)
}

/// [`dump`] with all that is known of the readers of streams.
pub(crate) fn dump_with_readers(driver: &Driver, now_ms: i64) -> Vec<String> {
    dump_keys(driver, now_ms, true)
}

fn dump_keys(driver: &Driver, now_ms: i64, readers: bool) -> Vec<String> {
    let mut driver = driver.clone();
    let session = driver.sessions.len();
    let id = driver.engine.connect();
    driver.sessions.push(id);
    let mut ask = |words: &[&[u8]]| {
        let args: Vec<Bytes> = words.iter().map(|word| Bytes::copy_from_slice(word)).collect();
        driver.run(&mut NoScripts, session, &args, now_ms).reply
    };
    let libraries = ask(&[b"FUNCTION", b"LIST", b"WITHCODE"]);
    let mut lines = vec![format!("libraries {libraries:?}")];
    for db in DATABASES {
        ask(&[b"SELECT", db.as_bytes()]);
        let mut keys = bulks(&ask(&[b"KEYS", b"*"]));
        keys.sort();
        for key in keys {
            let kind = ask(&[b"TYPE", &key]);
            let deadline = ask(&[b"PEXPIRETIME", &key]);
            let mut value = shown(&mut ask, &key, &kind);
            if readers && kind == Reply::Simple("stream") {
                write!(value, " {:?}", ask(&[b"XINFO", b"STREAM", &key, b"FULL", b"COUNT", b"0"]))
                    .expect("writing to a string");
            }
            lines.push(format!("{db} {} {kind:?} {deadline:?} {value}", show::word(&key)));
        }
    }
    lines
}

/// What a key holds, in the order that the type gives it or else sorted.
fn shown(ask: &mut dyn FnMut(&[&[u8]]) -> Reply, key: &[u8], kind: &Reply) -> String {
    match kind {
        Reply::Simple("hash") => {
            let mut fields: Vec<Vec<Bytes>> =
                bulks(&ask(&[b"HGETALL", key])).chunks(2).map(<[Bytes]>::to_vec).collect();
            fields.sort();
            let shown = fields.iter().map(|pair| {
                // An error before Redis 7.4.
                let deadline = ask(&[b"HPEXPIRETIME", key, b"FIELDS", b"1", &pair[0]]);
                let deadline = if let Reply::Array(times) = deadline { times } else { Vec::new() };
                format!("{} {deadline:?}", show::command(pair))
            });
            shown.collect::<Vec<_>>().join(", ")
        }
        Reply::Simple("list") => show::command(&bulks(&ask(&[b"LRANGE", key, b"0", b"-1"]))),
        Reply::Simple("set") => {
            let mut members = bulks(&ask(&[b"SMEMBERS", key]));
            members.sort();
            show::command(&members)
        }
        // The score of every member in both of the places where it is kept.
        Reply::Simple("zset") => {
            let places = bulks(&ask(&[b"ZRANGE", key, b"0", b"-1"]));
            let shown = places.iter().map(|member| (show::word(member), ask(&[b"ZSCORE", key, member])));
            format!("{:?} {:?}", shown.collect::<Vec<_>>(), ask(&[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"]))
        }
        Reply::Simple("stream") => {
            let entries = ask(&[b"XRANGE", key, b"-", b"+"]);
            // How entries are spread over nodes depends on settings, which are not propagated.
            let Reply::Map(mut info) = ask(&[b"XINFO", b"STREAM", key]) else { panic!("a stream has no information") };
            info.retain(|(name, _)| !bulks(name)[0].starts_with(b"radix-tree"));
            let mut text = format!("{entries:?} {info:?}");
            for group in rows(&ask(&[b"XINFO", b"GROUPS", key])) {
                let [name, _, _, last_id, ..] = &group[..] else { panic!("a group is {group:?}") };
                let name = &bulks(name)[0];
                let pending = ask(&[b"XPENDING", key, name, b"-", b"+", b"1000000"]);
                let pending: Vec<Vec<Bytes>> =
                    rows(&pending).iter().map(|entry| entry.iter().flat_map(bulks).collect()).collect();
                write!(text, " {name:?} {last_id:?} {pending:?}").expect("writing to a string");
            }
            text
        }
        _ => format!("{:?}", ask(&[b"GET", key])),
    }
}

/// The elements of each element of an array, or the values of each map.
fn rows(reply: &Reply) -> Vec<Vec<Reply>> {
    let Reply::Array(elements) = reply else { return Vec::new() };
    let row = |element: &Reply| match element {
        Reply::Map(pairs) => pairs.iter().map(|(_, value)| value.clone()).collect(),
        Reply::Array(elements) => elements.clone(),
        other => vec![other.clone()],
    };
    elements.iter().map(row).collect()
}

/// The bulk strings in an array, map or set, in order.
fn bulks(reply: &Reply) -> Vec<Bytes> {
    match reply {
        Reply::Array(elements) | Reply::Set(elements) => elements.iter().flat_map(bulks).collect(),
        Reply::Map(pairs) => pairs.iter().flat_map(|(key, value)| [bulks(key), bulks(value)].concat()).collect(),
        Reply::Bulk(bytes) => vec![bytes.clone()],
        _ => Vec::new(),
    }
}
