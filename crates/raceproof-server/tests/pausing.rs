//! `CLIENT PAUSE` over sockets: pipelines keep their order, beside a real server; and what a pause has to do with a clock that is
//! held, with settings and with universes.

mod support;

use std::thread::sleep;
use std::time::Duration;

use raceproof_lab::RedisServer;
use raceproof_server::Clock;
use support::{START_MS, Wire, start, start_with};

/// Longer than a held command of the real server is late: it looks ten times a second.
const OVER: Duration = Duration::from_millis(250);

fn replies(wire: &mut Wire, count: usize) -> Vec<String> {
    (0..count).map(|_| wire.told()).collect()
}

/// Waits until so many clients are held, as a client sees that a pause of writes does not hold.
fn await_held(wire: &mut Wire, count: usize) {
    while !wire.ask("INFO clients").contains(&format!("blocked_clients:{count}\r\n")) {
        sleep(Duration::from_millis(1));
    }
}

/// What three connections are told around a pause of writes that another one ends.
fn unpaused(mut connect: impl FnMut() -> Wire) -> Vec<String> {
    let (mut pauser, mut first, mut second, mut third) = (connect(), connect(), connect(), connect());
    let mut told = vec![pauser.ask("FLUSHALL"), pauser.ask("CLIENT PAUSE 100000 WRITE")];
    first.send(b"GET a\r\nAPPEND a 1\r\nSTRLEN a\r\nMULTI\r\nINCR n\r\nGET n\r\nEXEC\r\nPING\r\n");
    await_held(&mut pauser, 1);
    second.send(b"PING\r\nPUBLISH c m\r\nECHO end\r\n");
    await_held(&mut pauser, 2);
    third.send(b"BLPOP l 0\r\nECHO popped\r\n");
    await_held(&mut pauser, 3);
    told.extend([pauser.ask("EXISTS a n"), pauser.ask("CLIENT UNPAUSE")]);
    told.extend(replies(&mut first, 8));
    told.extend(replies(&mut second, 3));
    await_held(&mut pauser, 1);
    told.push(pauser.ask("RPUSH l x"));
    told.extend(replies(&mut third, 2));
    told
}

/// What connections are told around a pause that ends by itself.
fn passed(mut connect: impl FnMut() -> Wire) -> Vec<String> {
    let (mut pauser, mut other) = (connect(), connect());
    let mut told = vec![pauser.ask("FLUSHALL"), pauser.ask("SET k v PX 20"), pauser.ask("CLIENT PAUSE 60")];
    other.send(b"SET a 1\r\nNOSUCH\r\nGET a\r\n");
    pauser.send(b"CLIENT UNPAUSE\r\n");
    sleep(OVER);
    told.extend(replies(&mut other, 3));
    told.push(pauser.told());
    // Who of the two goes on first is open.
    told.push(pauser.ask("EXISTS a k"));
    told
}

#[test]
fn pipelines_are_held_and_go_on_as_those_of_a_real_server() {
    let real = RedisServer::builder().config("save", "").start().expect("redis-server is installed");
    let ours = start_with(|settings| settings.clock = Clock::REAL);
    let theirs = || Wire::unix(&real.socket());
    assert_eq!(unpaused(|| ours.connect()), unpaused(theirs));
    assert_eq!(passed(|| ours.connect()), passed(theirs));
}

#[test]
fn a_pause_ends_by_the_clock_of_its_universe() {
    let server = start();
    let (mut writer, mut holder) = (server.connect(), server.connect());
    assert_eq!(holder.ask("SET k v PX 10"), "+OK");
    assert_eq!(holder.ask("CLIENT PAUSE 100"), "+OK");
    writer.send(b"APPEND a x\r\nAPPEND a y\r\n");
    // The commands of the server itself are not held, nor are other universes.
    assert_eq!(holder.ask("RACEPROOF CLOCK ADVANCE 100"), format!(":{}", START_MS + 100));
    let mut other = server.connect();
    assert_eq!(other.ask("AUTH elsewhere x"), "+OK");
    assert_eq!(other.ask("APPEND a z"), ":1");
    let mut entering = server.connect();
    assert_eq!(entering.ask("RACEPROOF CLOCK ADVANCE 1"), format!(":{}", START_MS + 101));
    assert_eq!(replies(&mut writer, 2), [":1", ":2"]);
    assert_eq!(holder.ask("DBSIZE"), ":1", "what could not expire has expired since");
}

#[test]
fn settings_that_were_held_are_in_force_when_they_are_set() {
    let server = start();
    let mut client = server.connect();
    assert_eq!(client.ask("CLIENT PAUSE 100"), "+OK");
    client.send(b"CONFIG SET proto-max-bulk-len 1048576\r\n");
    let mut clock = server.connect();
    clock.ask("RACEPROOF CLOCK ADVANCE 101");
    assert_eq!(client.told(), "+OK");
    client.send(b"*2\r\n$4\r\nECHO\r\n$1048577\r\n");
    assert_eq!(client.told(), "-ERR Protocol error: invalid bulk length");
}

#[test]
fn a_client_that_ends_takes_its_held_command_with_it() {
    let server = start();
    let (mut writer, mut pauser) = (server.connect(), server.connect());
    assert_eq!(pauser.ask("CLIENT PAUSE 100 WRITE"), "+OK");
    writer.send(b"SET a 1\r\n");
    await_held(&mut pauser, 1);
    drop(writer);
    await_held(&mut pauser, 0);
    assert_eq!(pauser.ask("CLIENT UNPAUSE"), "+OK");
    assert_eq!(pauser.ask("EXISTS a"), ":0");
}

#[test]
fn a_client_that_takes_its_protocol_and_name_into_a_paused_universe_is_not_held() {
    let server = start();
    let (mut inside, mut comes) = (server.connect(), server.connect());
    assert_eq!(inside.ask("AUTH paused x"), "+OK");
    assert_eq!(inside.ask("CLIENT PAUSE 100"), "+OK");
    comes.ask("HELLO 3");
    assert_eq!(comes.ask("CLIENT SETNAME me"), "+OK");
    assert_eq!(comes.ask("AUTH paused x"), "+OK");
    comes.send(b"CLIENT GETNAME\r\n");
    inside.ask("RACEPROOF CLOCK ADVANCE 101");
    assert_eq!(comes.told(), "$2\r\nme");
    assert_eq!(comes.ask("GET nothing"), "_");
}
