//! Clients that are told of changes, and of each other: client-side caching, `MONITOR`, `CLIENT KILL`.

mod support;

use support::{START_MS, Wire, start};

/// A client that speaks RESP3 and tracks what it reads.
fn tracker(server: &support::Running) -> Wire {
    let mut client = server.connect();
    client.send(b"HELLO 3\r\n");
    client.reply();
    assert_eq!(client.ask("CLIENT TRACKING ON"), "+OK");
    client
}

#[test]
fn a_client_is_told_of_the_change_of_what_it_has_read() {
    let server = start();
    let (mut reader, mut writer) = (tracker(&server), server.connect());
    assert_eq!(writer.ask("SET a 1"), "+OK");
    assert_eq!(reader.ask("GET a"), "1");
    assert_eq!(writer.ask("SET a 2"), "+OK");
    assert_eq!(reader.reply(), b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n");
}

#[test]
fn a_client_is_told_when_what_it_has_read_expires() {
    let server = start();
    let (mut reader, mut writer) = (tracker(&server), server.connect());
    assert_eq!(writer.ask("SET a 1 PX 100"), "+OK");
    assert_eq!(reader.ask("GET a"), "1");
    assert_eq!(writer.ask("RACEPROOF CLOCK ADVANCE 101"), format!(":{}", START_MS + 101));
    assert_eq!(reader.reply(), b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n");
}

#[test]
fn who_monitors_sees_commands_with_the_time_of_the_universe() {
    let server = start();
    let (mut monitor, mut writer) = (server.connect(), server.connect());
    assert_eq!(monitor.ask("MONITOR"), "+OK");
    assert_eq!(writer.ask("SET a 1"), "+OK");
    let line = monitor.told();
    let time = format!("+{}.{:03}000 [0 127.0.0.1:", START_MS / 1000, START_MS % 1000);
    assert!(line.starts_with(&time) && line.ends_with("] \"SET\" \"a\" \"1\""), "{line}");
}

#[test]
fn a_client_that_is_killed_is_hung_up_on() {
    let server = start();
    let (mut waiting, mut other) = (server.connect(), server.connect());
    let id = waiting.ask("CLIENT ID")[1..].to_owned();
    waiting.send(b"BLPOP l 0\r\n");
    while !other.ask("INFO clients").contains("blocked_clients:1") {}
    assert_eq!(other.ask(&format!("CLIENT KILL ID {id}")), ":1");
    assert!(waiting.has_ended());
    assert_eq!(other.ask("RPUSH l a"), ":1", "nobody waits");
    let list = other.ask("CLIENT LIST");
    let address = list.split(' ').find_map(|field| field.strip_prefix("addr=")).expect("an address").to_owned();
    assert_eq!(other.ask(&format!("CLIENT KILL {address}")), "+OK");
    assert!(other.has_ended());
}
