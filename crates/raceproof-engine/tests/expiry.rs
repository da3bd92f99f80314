//! Deadlines: setting, showing and meeting them.

mod common;

use common::{START_MS, Server};
use raceproof_engine::Timestamp;

#[test]
fn a_key_lives_through_its_last_millisecond() {
    let mut server = Server::new();
    server.expect(&[("SET k v PX 10", "+OK"), ("PTTL k", ":10")]);
    assert_eq!(server.engine.next_deadline_ms(), Some(START_MS + 10));
    server.now_ms += 10;
    server.expect(&[("GET k", "$1|v"), ("PTTL k", ":0")]);
    server.now_ms += 1;
    server.expect(&[("DBSIZE", ":1"), ("KEYS *", "*0"), ("GET k", "$-1"), ("DBSIZE", ":0")]);
    assert_eq!(server.engine.next_deadline_ms(), None);
}

#[test]
fn a_deadline_that_has_come_removes_at_once() {
    let now = START_MS.to_string();
    let mut server = Server::new();
    for (line, exists) in [
        (format!("PEXPIREAT k {now}"), ":0"),
        ("EXPIRE k 0".into(), ":0"),
        ("PEXPIRE k -1".into(), ":0"),
        ("EXPIREAT k 1".into(), ":0"),
        ("PEXPIRE k 1".into(), ":1"),
    ] {
        server.expect(&[("SET k v", "+OK"), (&line, ":1"), ("EXISTS k", exists)]);
    }
    server.expect(&[
        (&format!("SET k v PXAT {now}"), "+OK"),
        ("GET k", "$1|v"),
        ("PTTL k", ":0"),
        (&format!("GETEX k PXAT {now}"), "$1|v"),
        ("EXISTS k", ":0"),
        ("SET k v PXAT 1", "+OK"),
        ("GET k", "$-1"),
    ]);
}

#[test]
fn showing_deadlines() {
    let mut server = Server::new();
    server.expect(&[
        ("TTL none", ":-2"),
        ("PEXPIRETIME none", ":-2"),
        ("SET k v", "+OK"),
        ("TTL k", ":-1"),
        ("EXPIRETIME k", ":-1"),
        ("PEXPIRE k 1499", ":1"),
        ("TTL k", ":1"),
        ("PTTL k", ":1499"),
        ("PEXPIRETIME k", ":1700000001499"),
        ("EXPIRETIME k", ":1700000001"),
        ("PEXPIRE k 1500", ":1"),
        ("TTL k", ":2"),
        ("PERSIST k", ":1"),
        ("PERSIST k", ":0"),
        ("PERSIST none", ":0"),
        ("SET k v EX 5", "+OK"),
        ("SET k w KEEPTTL", "+OK"),
        ("TTL k", ":5"),
        ("APPEND k x", ":2"),
        ("TTL k", ":5"),
        ("GETSET k v", "$2|wx"),
        ("TTL k", ":-1"),
        ("GETEX k EXAT 1700000009", "$1|v"),
        ("TTL k", ":9"),
        ("RENAME k j", "+OK"),
        ("TTL j", ":9"),
        ("COPY j k", ":1"),
        ("TTL k", ":9"),
        ("MOVE k 3", ":1"),
        ("SELECT 3", "+OK"),
        ("TTL k", ":9"),
    ]);
}

#[test]
fn conditions() {
    // The deadline before (0: none), the option, and whether EXPIRE k 100 takes effect.
    for (before, option, taken) in [
        (0, "NX", true),
        (0, "XX", false),
        (0, "GT", false),
        (0, "LT", true),
        (50, "NX", false),
        (50, "XX", true),
        (50, "GT", true),
        (50, "LT", false),
        (100, "GT", false),
        (100, "LT", false),
        (200, "xx LT", true),
        (200, "GT", false),
    ] {
        let mut server = Server::new();
        server.run("SET k v");
        if before > 0 {
            server.run(&format!("EXPIRE k {before}"));
        }
        let line = format!("EXPIRE k 100 {option}");
        assert_eq!(server.say(&line), if taken { ":1" } else { ":0" }, "{before} {line}");
    }
    let mut server = Server::new();
    server.expect(&[
        ("EXPIRE k 1 NX GT", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
        ("EXPIRE k 1 GT LT", "-ERR GT and LT options at the same time are not compatible"),
        ("EXPIRE k 1 AB", "-ERR Unsupported option AB"),
        ("EXPIRE k 9223372036854775807", "-ERR invalid expire time in 'expire' command"),
        ("PEXPIRE k 9223372036854775807", "-ERR invalid expire time in 'pexpire' command"),
        ("EXPIREAT k -9223372036854775808", "-ERR invalid expire time in 'expireat' command"),
        ("PEXPIREAT k 9223372036854775807", ":0"),
        ("EXPIRE k x", "-ERR value is not an integer or out of range"),
    ]);
}

#[test]
fn the_servers_own_cycle() {
    let mut server = Server::new();
    for line in ["SET a 1 PX 10", "SET b 1 PX 5", "SET c 1 PX 20", "SELECT 1", "SET d 1 PX 1"] {
        server.run(line);
    }
    assert_eq!(server.engine.next_deadline_ms(), Some(START_MS + 1));
    server.engine.expire_due(Timestamp::from_ms(START_MS + 10), &mut server.out);
    assert_eq!(server.last_effects(), ["1 DEL d", "0 DEL b"]);
    assert_eq!(server.footprint(), "1:d=w b=w clock=r db0=iw db1=iw deadlines=iw deadlines=r");
    server.engine.expire_due(Timestamp::from_ms(START_MS + 11), &mut server.out);
    assert_eq!(server.last_effects(), ["0 DEL a"]);
    assert_eq!(server.engine.next_deadline_ms(), Some(START_MS + 20));
}

#[test]
fn footprints() {
    let mut server = Server::new();
    server.run("SET k v");
    for (line, footprint) in [
        ("TTL k", "db0=ir k=ir"),
        ("PERSIST k", "db0=ir k=ir"),
        ("EXPIRE k 10", "clock=r db0=ir deadlines=iw k=w"),
        ("EXPIRE k 10 NX", "clock=r db0=ir k=ir"),
        ("EXPIRE none 10", "clock=r db0=ir none=ir"),
        ("TTL k", "clock=r db0=ir k=ir"),
        ("RENAME k j", "clock=r db0=iw deadlines=iw j=w k=w"),
        ("PERSIST j", "clock=r db0=ir deadlines=iw j=w"),
        ("PEXPIREAT j 1", "clock=r db0=iw j=w"),
        ("PEXPIREAT none 1", "db0=ir none=ir"),
    ] {
        assert_eq!(server.touched(line), footprint, "{line}");
    }
    server.run("SET v 1 PX 5");
    server.now_ms += 6;
    assert_eq!(server.touched("EXISTS v"), "clock=r db0=iw deadlines=iw v=w");
}
