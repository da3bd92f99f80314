//! `timeout`: who is idle for too long by the clock of their universe is hung up on.

mod support;

use std::time::{Duration, Instant};

use raceproof_server::Clock;
use support::{Wire, start, start_with};

fn ok(wire: &mut Wire, command: &str) {
    assert_eq!(wire.ask(command), "+OK", "{command}");
}

#[test]
fn who_is_idle_for_longer_than_the_timeout_is_hung_up_on() {
    let server = start();
    let (mut idle, mut busy) = (server.connect(), server.connect());
    ok(&mut idle, "SET a 1");
    ok(&mut busy, "CONFIG SET timeout 10");
    busy.ask("RACEPROOF CLOCK ADVANCE 10s");
    assert_eq!(idle.ask("GET a"), "$1\r\n1", "so long it may be");
    busy.ask("RACEPROOF CLOCK ADVANCE 10s");
    busy.ask("RACEPROOF CLOCK ADVANCE 1s");
    assert!(idle.has_ended());
    assert_eq!(busy.ask("GET a"), "$1\r\n1", "whoever moves the clock has just been heard");
}

#[test]
fn those_who_wait_subscribe_or_monitor_may_be_idle() {
    let server = start();
    let mut clock = server.connect();
    ok(&mut clock, "CONFIG SET timeout 5");
    let [mut waits, mut hears, mut monitors, mut elsewhere] = [(); 4].map(|()| server.connect());
    waits.send(b"BLPOP l 0\r\n");
    while !clock.ask("INFO clients").contains("blocked_clients:1") {}
    hears.ask("SUBSCRIBE c");
    ok(&mut monitors, "MONITOR");
    ok(&mut elsewhere, "AUTH elsewhere x");
    clock.ask("RACEPROOF CLOCK ADVANCE 1h");
    assert_eq!(clock.ask("RPUSH l x"), ":1");
    assert_eq!(waits.told(), "*2\r\n$1\r\nl\r\n$1\r\nx");
    assert_eq!(clock.ask("PUBLISH c m"), ":1");
    hears.told();
    monitors.told();
    assert_eq!(elsewhere.ask("PING"), "+PONG", "its universe has a clock of its own, and no timeout");
    // Having been served, it is one of many.
    clock.ask("RACEPROOF CLOCK ADVANCE 6s");
    assert!(waits.has_ended());
}

#[test]
fn a_clock_that_runs_hangs_up_by_itself() {
    let server = start_with(|settings| settings.clock = Clock::REAL);
    let mut idle = server.connect();
    ok(&mut idle, "CONFIG SET timeout 1");
    let begin = Instant::now();
    assert!(idle.has_ended());
    let after = begin.elapsed();
    assert!(after > Duration::from_secs(1) && after < Duration::from_secs(30), "{after:?}");
}

#[test]
fn a_timeout_reaches_back_and_a_clock_that_goes_back_gives_time() {
    let server = start();
    let (mut idle, mut other) = (server.connect(), server.connect());
    assert_eq!(idle.ask("PING"), "+PONG");
    other.ask("RACEPROOF CLOCK ADVANCE 1h");
    ok(&mut other, "CONFIG SET timeout 4000");
    assert_eq!(idle.ask("PING"), "+PONG");
    other.ask("RACEPROOF CLOCK SET 1700000000000");
    assert_eq!(idle.ask("PING"), "+PONG");
    other.ask("RACEPROOF CLOCK ADVANCE 1h");
    assert_eq!(other.ask("PING"), "+PONG");
    other.ask("RACEPROOF CLOCK ADVANCE 401s");
    assert!(idle.has_ended(), "an hour and 401 s have passed since it was heard");
    let mut late = server.connect();
    assert_eq!(late.ask("PING"), "+PONG");
    ok(&mut other, "CONFIG SET timeout 0");
    other.ask("RACEPROOF CLOCK ADVANCE 1h");
    other.ask("RACEPROOF CLOCK ADVANCE 1h");
    assert_eq!(late.ask("PING"), "+PONG");
}
