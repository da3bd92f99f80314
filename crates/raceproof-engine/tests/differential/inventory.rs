//! Which commands there are: those of the real server, but for a list of exceptions; and what is counted of them.

use bytes::Bytes;
use raceproof_engine::Options;

use crate::resp::{Value, parse};
use crate::server::{Connection, Server};
use crate::support::driver::{self, Driver};

/// What the engine leaves out, and why.
const LEFT_OUT: &[(&str, &str)] = &[("psync", "replication"), ("replconf", "replication"), ("sync", "replication")];

fn words(value: &Value) -> Vec<String> {
    let texts = value.elements().expect("an array").iter().filter_map(Value::bulk);
    texts.map(|text| String::from_utf8_lossy(text).into_owned()).collect()
}

fn ask(driver: &mut Driver, words: &[&str]) -> Value {
    let args: Vec<Bytes> = words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
    let reply = driver.run(&mut driver::host(), 0, &args, 1_700_000_000_000).reply;
    parse(&driver.bytes(0, &reply)).expect("the engine encodes whole replies").0
}

#[test]
fn the_engine_has_the_commands_of_redis_server() {
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut driver = Driver::new(Options::default());
    let real = words(&server.connect().request(&["COMMAND", "LIST"]));
    let ours = words(&ask(&mut driver, &["COMMAND", "LIST"]));
    let left_out = |name: &&String| {
        let mut left_out = LEFT_OUT.iter().map(|(name, _)| name);
        left_out.any(|known| known == name || name.starts_with(&format!("{known}|")))
    };
    let mut missing: Vec<&String> = real.iter().filter(|name| !ours.contains(name) && !left_out(name)).collect();
    missing.sort();
    assert!(missing.is_empty(), "redis-server has {missing:?}");
    let invented: Vec<&String> = ours.iter().filter(|name| !real.contains(name)).collect();
    assert!(invented.is_empty(), "redis-server does not have {invented:?}");
    let stale: Vec<_> = LEFT_OUT.iter().filter(|(name, _)| ours.iter().any(|ours| ours == name)).collect();
    assert!(stale.is_empty(), "not left out: {stale:?}");
}

/// `since` and `group` of a command and its subcommands.
fn documented(name: &str, document: &Value, into: &mut Vec<(String, String, String)>) {
    let elements = document.elements().expect("a map");
    let field =
        |wanted: &str| elements.chunks(2).find(|pair| pair[0].bulk() == Some(wanted.as_bytes())).map(|pair| &pair[1]);
    let text =
        |value: Option<&Value>| String::from_utf8_lossy(value.and_then(Value::bulk).unwrap_or_default()).into_owned();
    into.push((name.to_owned(), text(field("since")), text(field("group"))));
    for pair in field("subcommands").and_then(Value::elements).unwrap_or_default().chunks(2) {
        documented(&text(Some(&pair[0])), &pair[1], into);
    }
}

#[test]
fn what_is_documented_is_what_redis_server_says() {
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let all = |value: &Value| {
        let mut documents = Vec::new();
        for pair in value.elements().expect("a map").chunks(2) {
            documented(&String::from_utf8_lossy(pair[0].bulk().expect("a name")), &pair[1], &mut documents);
        }
        documents
    };
    let real = all(&server.connect().request(&["COMMAND", "DOCS"]));
    let ours = all(&ask(&mut Driver::new(Options::default()), &["COMMAND", "DOCS"]));
    assert!(ours.len() > 100);
    let wrong: Vec<_> = ours.iter().filter(|document| !real.contains(document)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Commands that hit and miss, fail, are refused, and run in scripts and transactions.
const COUNTED: &[&[&str]] = &[
    &["SET", "a", "1"],
    &["GET", "a"],
    &["GET", "nosuch"],
    &["GETEX", "a"],
    &["GETDEL", "nosuch"],
    &["INCR", "a"],
    &["EXISTS", "a", "nosuch"],
    &["TTL", "a"],
    &["TYPE", "nosuch"],
    &["HGET", "a", "f"],
    &["LPUSH", "a", "x"],
    &["GET"],
    &["NOSUCH"],
    &["PING", "a", "b"],
    &["MULTI"],
    &["GET", "a"],
    &["INCR", "a", "b"],
    &["EXEC"],
    &["MULTI"],
    &["GET", "a"],
    &["HGET", "a", "f"],
    &["EXEC"],
    &["EVAL", "return redis.call('GET', 'a')", "0"],
    &["EVAL", "return redis.call('HGET', 'a', 'f')", "0"],
    &["EVAL", "return redis.pcall('HGET', 'a', 'f')", "0"],
    &["EVAL", "redis.pcall('HGET', 'a', 'f') return 1", "0"],
    &["EVAL", "return {err = 'MY own'}", "0"],
    &["EVAL", "error('x')", "0"],
    &["SET", "b", "1", "PXAT", "1"],
    &["GET", "b"],
    &["SAVE"],
    &["SET", "c", "1"],
];

/// The lines of `INFO` that follow from the commands alone, sorted, without times.
fn counts(info: &Value) -> Vec<String> {
    const FIELDS: [&str; 6] = [
        "total_commands_processed:",
        "expired_keys:",
        "keyspace_hits:",
        "keyspace_misses:",
        "total_error_replies:",
        "rdb_changes_since_last_save:",
    ];
    let text = String::from_utf8_lossy(info.bulk().expect("a text")).into_owned();
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| {
            let counted = FIELDS.iter().any(|field| line.starts_with(field));
            counted || line.starts_with("cmdstat_") || line.starts_with("errorstat_")
        })
        .map(|line| {
            let parts = line.split(',').filter(|part| !part.starts_with("usec"));
            parts.collect::<Vec<_>>().join(",")
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn what_is_counted_is_what_redis_server_counts() {
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut connection: Connection = server.connect();
    let mut driver = Driver::new(Options { statistics: true, ..Options::default() });
    let reset = ["CONFIG", "RESETSTAT"];
    connection.request(&reset);
    ask(&mut driver, &reset);
    for words in COUNTED {
        connection.request(words);
        ask(&mut driver, words);
    }
    let (real, ours) = (connection.request(&["INFO", "ALL"]), ask(&mut driver, &["INFO", "ALL"]));
    assert_eq!(counts(&ours), counts(&real));
}

#[test]
fn libraries_go_both_ways() {
    const LIBRARY: &str =
        "#!lua name=long\nredis.register_function('first', function(keys) return redis.call('GET', keys[1]) end)";
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut connection = server.connect();
    let mut driver = Driver::new(Options::default());
    let load = ["FUNCTION", "LOAD", LIBRARY];
    assert_eq!(ask(&mut driver, &load), connection.request(&load));
    let dump = ["FUNCTION", "DUMP"];
    let (real, ours) = (connection.request(&dump), ask(&mut driver, &dump));
    assert_eq!(ours, real);
    let payload = Bytes::copy_from_slice(ours.bulk().expect("a payload"));
    let restore = |policy: &'static str| {
        vec![Bytes::from_static(b"FUNCTION"), Bytes::from_static(b"RESTORE"), payload.clone(), policy.into()]
    };
    for policy in ["APPEND", "REPLACE", "FLUSH"] {
        connection.send(&[restore(policy)]);
        let real = connection.receive().1;
        let reply = driver.run(&mut driver::host(), 0, &restore(policy), 1_700_000_000_000).reply;
        assert_eq!(parse(&driver.bytes(0, &reply)).expect("a whole reply").0, real);
        assert_eq!(ask(&mut driver, &["FUNCTION", "LIST"]), connection.request(&["FUNCTION", "LIST"]));
    }
}
