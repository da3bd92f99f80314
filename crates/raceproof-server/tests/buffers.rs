//! How much connections may keep waiting, and what `CLIENT LIST` and `INFO` tell of it.

mod support;

use std::time::Instant;

use raceproof_server::Clock;
use support::{PATIENCE, Running, Wire, start_with};

fn real_time() -> Running {
    start_with(|settings| settings.clock = Clock::REAL)
}

/// A number in the line of a client, by its name.
fn field(wire: &mut Wire, name: &str, field: &str) -> Option<usize> {
    let list = wire.ask("CLIENT LIST");
    let line = list.lines().find(|line| line.contains(&format!(" name={name} ")))?;
    let value = line.split(' ').find_map(|word| word.strip_prefix(field)?.strip_prefix('='));
    Some(value.expect("the field is there").parse().expect("a number"))
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn who_is_owed_more_than_the_hard_limit_gets_nothing() {
    let server = real_time();
    let (mut control, mut greedy) = (server.connect(), server.connect());
    control.ask(&format!("SET big {}", "x".repeat(60_000)));
    assert_eq!(control.ask("CONFIG SET client-output-buffer-limit \"normal 100000 0 0\""), "+OK");
    greedy.ask("CLIENT SETNAME greedy");
    // One reply within the limit.
    greedy.send(b"GET big\r\n");
    assert_eq!(greedy.reply().len(), 60_010);
    // All of them come in one turn: they are made, and none is sent.
    greedy.send(&b"GET big\r\n".repeat(10));
    assert_eq!(greedy.rest().len() % 60_010, 0, "nothing is cut");
    assert_eq!(field(&mut control, "greedy", "id"), None);
    greedy = server.connect();
    greedy.send(b"MGET big big big\r\nSET after 1\r\n");
    assert!(greedy.has_ended());
    assert_eq!(control.ask("EXISTS after"), ":0", "what came behind is not executed");
    // A transaction is executed to its end.
    greedy = server.connect();
    greedy.send(b"MULTI\r\nGET big\r\nGET big\r\nGET big\r\nSET after 1\r\nEXEC\r\n");
    greedy.rest();
    assert_eq!(control.ask("EXISTS after"), ":1");
}

#[test]
fn who_stays_above_the_soft_limit_is_hung_up_on_without_traffic() {
    let server = real_time();
    let (mut control, mut slow) = (server.connect(), server.connect());
    assert_eq!(control.ask("CONFIG SET client-output-buffer-limit \"normal 0 100000 1\""), "+OK");
    control.ask(&format!("SET big {}", "x".repeat(60_000)));
    slow.ask("CLIENT SETNAME slow");
    slow.send(&b"GET big\r\n".repeat(400));
    until("much waits", || field(&mut control, "slow", "omem").is_some_and(|bytes| bytes > 100_000));
    assert!(field(&mut control, "slow", "oll").is_some_and(|blocks| blocks > 4));
    // `CLIENT LIST` is the only traffic, and of somebody else.
    std::thread::sleep(std::time::Duration::from_millis(2500));
    assert_eq!(field(&mut control, "slow", "omem"), None);
}

#[test]
fn buffers_are_as_large_as_those_of_a_redis() {
    let server = real_time();
    let (mut control, mut other) = (server.connect(), server.connect());
    other.ask("CLIENT SETNAME other");
    control.ask("CONFIG SET maxmemory-clients 0");
    assert_eq!(field(&mut control, "other", "qbuf-free"), Some(20_474));
    other.send(b"*2\r\n$3\r\nGET\r\n$100000\r\nabc");
    until("it has arrived", || field(&mut control, "other", "qbuf") == Some(3));
    assert_eq!(field(&mut control, "other", "qbuf-free"), Some(100_002 - 3));
    assert_eq!(field(&mut control, "other", "argv-mem"), Some(3));
    assert!(field(&mut control, "other", "tot-mem").is_some_and(|bytes| bytes > 100_002));
    other.send(&[b'x'; 99_997]);
    other.send(b"\r\n");
    assert_eq!(other.told(), "$-1");
    other.ask("MULTI");
    other.ask("SET key value");
    assert_eq!(field(&mut control, "other", "multi-mem"), Some(3 + 3 + 5 + 3 * 8));
    // The reply buffer has shrunk, as nothing large was replied, and the other one goes when nothing comes.
    until("it shrinks", || field(&mut control, "other", "rbs") == Some(1024));
    until("it is given back", || field(&mut control, "other", "qbuf-free") == Some(0));
    assert_eq!(field(&mut control, "other", "tot-mem").map(|bytes| bytes < 3000), Some(true));
}

#[test]
fn the_largest_clients_go_when_all_take_too_much() {
    let server = real_time();
    let (mut control, mut large, mut spared) = (server.connect(), server.connect(), server.connect());
    large.ask("CLIENT SETNAME large");
    spared.ask("CLIENT SETNAME spared");
    spared.ask("CLIENT NO-EVICT on");
    assert_eq!(control.ask("CONFIG SET maxmemory-clients 3000000"), "+OK");
    large.send(format!("*1\r\n$2000000\r\n{}", "x".repeat(1_500_000)).as_bytes());
    until("it has arrived", || field(&mut control, "large", "qbuf") == Some(1_500_000));
    spared.send(format!("*1\r\n$2000000\r\n{}", "x".repeat(1_500_000)).as_bytes());
    assert!(large.has_ended());
    assert_eq!(field(&mut control, "spared", "qbuf").map(|bytes| bytes <= 1_500_000), Some(true));
    assert!(control.ask("INFO stats").contains("\r\nevicted_clients:1\r\n"));
    // A share of `maxmemory`.
    assert_eq!(control.ask("CONFIG SET maxmemory 10000000 maxmemory-clients 5%"), "+OK");
    let mut late = server.connect();
    late.send(format!("*1\r\n$600000\r\n{}", "x".repeat(550_000)).as_bytes());
    assert!(late.has_ended());
}

#[test]
fn what_goes_through_sockets_is_counted() {
    let server = real_time();
    let mut wire = server.connect();
    let number = |info: &str, name: &str| -> u64 {
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("the field");
        line.trim().parse().expect("a number")
    };
    let before = wire.ask("INFO stats");
    let other = server.connect().ask(&format!("ECHO {}", "x".repeat(5000)));
    assert_eq!(other.len(), 5007);
    let after = wire.ask("INFO stats");
    let grown = |name: &str| number(&after, name) - number(&before, name);
    assert!(grown("total_net_input_bytes") > 5000 && grown("total_net_output_bytes") > 5000);
    assert!(grown("total_reads_processed") >= 2 && grown("total_writes_processed") >= 2);
    assert_eq!(wire.ask("CONFIG RESETSTAT"), "+OK");
    assert!(number(&wire.ask("INFO stats"), "total_net_output_bytes") < 5000);
    let server_info = wire.ask("INFO server");
    assert_eq!(number(&server_info, "process_id"), u64::from(std::process::id()));
}

#[test]
fn the_peak_is_the_most_that_was_seen() {
    let server = real_time();
    let mut wire = server.connect();
    let memory = |wire: &mut Wire, name: &str| -> u64 {
        let info = wire.ask("INFO memory");
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("the field");
        line.trim().parse().expect("a number")
    };
    wire.ask("SETRANGE big 999999 x");
    let full = memory(&mut wire, "used_memory");
    wire.ask("FLUSHALL");
    assert!(memory(&mut wire, "used_memory") + 900_000 < full);
    assert_eq!(memory(&mut wire, "used_memory_peak"), full);
}

/// Equal commands give equal replies in every run, as long as the clock stands still.
#[test]
fn nothing_of_the_machine_is_told_where_the_clock_stands() {
    let server = support::start();
    let mut wire = server.connect();
    assert!(wire.ask("INFO server").contains("\r\nprocess_id:1\r\n"));
    assert!(wire.ask("INFO stats").contains("\r\ntotal_net_input_bytes:0\r\n"));
    assert!(wire.ask("CLIENT INFO").contains(" fd=8 "));
}
