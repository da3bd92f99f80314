//! Keys and databases.

mod common;

use std::collections::BTreeSet;

use common::Server;
use raceproof_engine::Reply;

#[test]
fn names_and_types() {
    let mut server = Server::new();
    server.expect(&[
        ("SET k v", "+OK"),
        ("HSET h f v", ":1"),
        ("TYPE k", "+string"),
        ("TYPE h", "+hash"),
        ("TYPE none", "+none"),
        ("EXISTS k k none", ":2"),
        ("TOUCH k none", ":1"),
        ("RENAME none x", "-ERR no such key"),
        ("RENAME k k", "+OK"),
        ("RENAMENX k k", ":0"),
        ("RENAMENX k h", ":0"),
        ("RENAME k h", "+OK"),
        ("TYPE h", "+string"),
        ("COPY h h", "-ERR source and destination objects are the same"),
        ("COPY h i", ":1"),
        ("COPY h i", ":0"),
        ("COPY h i REPLACE", ":1"),
        ("COPY none i REPLACE", ":0"),
        ("COPY h h DB 2", ":1"),
        ("COPY h i DB 99", "-ERR DB index is out of range"),
        ("COPY h i DB", "-ERR syntax error"),
        ("DEL h i none", ":2"),
        ("UNLINK h", ":0"),
        ("OBJECT ENCODING none", "$-1"),
        ("OBJECT FOO none", "-ERR unknown subcommand 'FOO'. Try OBJECT HELP."),
        ("OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command"),
    ]);
}

#[test]
fn databases() {
    let mut server = Server::new();
    server.expect(&[
        ("SET k 0", "+OK"),
        ("SELECT 16", "-ERR DB index is out of range"),
        ("SELECT x", "-ERR value is not an integer or out of range"),
        ("SELECT 99999999999", "-ERR value is out of range, value must between -2147483648 and 2147483647"),
        ("MOVE k 0", "-ERR source and destination objects are the same"),
        ("MOVE k 1", ":1"),
        ("MOVE k 1", ":0"),
        ("SELECT 1", "+OK"),
        ("GET k", "$1|0"),
        ("SET l 1 EX 9", "+OK"),
        ("SWAPDB 1 3", "+OK"),
        ("DBSIZE", ":0"),
        ("SELECT 3", "+OK"),
        ("TTL l", ":9"),
        ("SWAPDB a 1", "-ERR invalid first DB index"),
        ("SWAPDB 1 a", "-ERR invalid second DB index"),
        ("SWAPDB 1 16", "-ERR DB index is out of range"),
        ("FLUSHDB x", "-ERR syntax error"),
        ("FLUSHDB ASYNC", "+OK"),
        ("DBSIZE", ":0"),
    ]);
    assert_eq!(server.engine.next_deadline_ms(), None);
}

#[test]
fn patterns() {
    let mut server = Server::sorted();
    server.expect(&[
        ("MSET hello 1 hallo 1 hxllo 1 h*llo 1", "+OK"),
        ("KEYS h?llo", "*4|$5|h*llo|$5|hallo|$5|hello|$5|hxllo"),
        ("KEYS h[ae]llo", "*2|$5|hallo|$5|hello"),
        ("KEYS h[^a-e]llo", "*2|$5|h*llo|$5|hxllo"),
        ("KEYS h\\*llo", "*1|$5|h*llo"),
        ("SCAN 0 MATCH he*", "*2|$1|0|*1|$5|hello"),
        ("SCAN 0 TYPE hash", "*2|$1|0|*0"),
        ("SCAN 0 COUNT 0", "-ERR syntax error"),
        ("SCAN 0 COUNT x", "-ERR value is not an integer or out of range"),
        ("SCAN x", "-ERR invalid cursor"),
        ("HSCAN none 0 FOO", "*2|$1|0|*0"),
        ("HSET h b 1 a 2", ":2"),
        ("HSCAN h 0", "*2|$1|0|*4|$1|a|$1|2|$1|b|$1|1"),
        ("HSCAN h 0 MATCH b", "*2|$1|0|*2|$1|b|$1|1"),
        ("HSCAN h 0 TYPE hash", "-ERR syntax error"),
    ]);
}

/// Goes through a whole scan, changing the table between the calls.
fn scan(server: &mut Server, command: &str, step: usize, mut meanwhile: impl FnMut(&mut Server, usize)) -> Vec<String> {
    let (mut seen, mut cursor, mut calls) = (Vec::new(), "0".to_owned(), 0);
    loop {
        let Reply::Array(parts) = server.run(&format!("{command} {cursor} COUNT 7")) else { panic!("no array") };
        let [Reply::Bulk(next), Reply::Array(names)] = &parts[..] else { panic!("{parts:?}") };
        for name in names.iter().step_by(step) {
            let Reply::Bulk(name) = name else { panic!("{name:?}") };
            seen.push(String::from_utf8_lossy(name).into_owned());
        }
        cursor = String::from_utf8_lossy(next).into_owned();
        if cursor == "0" {
            return seen;
        }
        assert!(cursor.parse::<u64>().expect("a number") <= 1 << 53, "a cursor that a double cannot hold");
        calls += 1;
        meanwhile(server, calls);
    }
}

#[test]
fn scans_return_what_is_there_throughout() {
    for (command, set, remove, step) in [("SCAN", "SET", "DEL", 1), ("HSCAN h", "HSET h", "HDEL h", 2)] {
        let mut server = Server::new();
        server.run("CONFIG SET hash-max-listpack-entries 8");
        for index in 0..100 {
            server.run(&format!("{set} stays{index} 1"));
            server.run(&format!("{set} goes{index} 1"));
        }
        let seen = scan(&mut server, command, step, |server, call| {
            server.run(&format!("{remove} goes{call}"));
            server.run(&format!("{remove} goes{}", 99 - call));
            server.run(&format!("{set} comes{call} 1"));
        });
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "{command}: a name came twice");
        for index in 0..100 {
            assert!(distinct.contains(&format!("stays{index}")), "{command}: stays{index} is missing");
        }
    }
}

#[test]
fn random_keys() {
    let mut server = Server::new();
    server.expect(&[("RANDOMKEY", "$-1"), ("SET k v PX 1", "+OK"), ("RANDOMKEY", "$1|k")]);
    server.now_ms += 2;
    server.expect(&[("RANDOMKEY", "$-1"), ("DBSIZE", ":0")]);
    server.run("MSET a 1 b 1 c 1");
    let drawn: BTreeSet<String> = (0..100).map(|_| server.say("RANDOMKEY")).collect();
    assert_eq!(drawn.len(), 3);
}

#[test]
fn footprints() {
    let mut server = Server::new();
    server.run("MSET k v j v");
    for (line, footprint) in [
        ("DBSIZE", "clock=r db0=r"),
        ("KEYS *", "clock=r db0=r"),
        ("SCAN 0", "clock=r db0=r"),
        ("SCAN 0 MATCH k TYPE hash", "clock=r db0=r k=ir"),
        ("DEL none", "db0=ir none=ir"),
        ("RENAME k l", "db0=iw k=w l=w"),
        ("COPY l m DB 1", "1:m=w db0=ir db1=iw l=r"),
        ("MOVE l 1", "1:l=w db0=iw db1=iw l=w"),
        ("SWAPDB 0 1", "db0=w db1=w deadlines=iw"),
        ("FLUSHDB", "db0=w"),
    ] {
        assert_eq!(server.touched(line), footprint, "{line}");
    }
    assert!(server.touched("FLUSHALL").contains("db15=w"));
    assert!(server.touched("RANDOMKEY").starts_with("clock=r db0=r"));
}
