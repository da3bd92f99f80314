//! The whole observable state of an engine, read through commands.

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
pub(crate) fn dump(driver: &Driver, now_ms: i64) -> Vec<String> {
    let mut driver = driver.clone();
    let session = driver.sessions.len();
    let id = driver.engine.connect();
    driver.sessions.push(id);
    let mut ask = |words: &[&[u8]]| {
        let args: Vec<Bytes> = words.iter().map(|word| Bytes::copy_from_slice(word)).collect();
        driver.run(&mut NoScripts, session, &args, now_ms).reply
    };
    let mut lines = Vec::new();
    for db in DATABASES {
        ask(&[b"SELECT", db.as_bytes()]);
        let mut keys = bulks(&ask(&[b"KEYS", b"*"]));
        keys.sort();
        for key in keys {
            let kind = ask(&[b"TYPE", &key]);
            let deadline = ask(&[b"PEXPIRETIME", &key]);
            let value = shown(&mut ask, &key, &kind);
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
        _ => format!("{:?}", ask(&[b"GET", key])),
    }
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
