//! Commands that wait, on a clock that the test holds. Who is served when and with what is compared with a real server in
//! `differential.rs`; here is what takes time there.

mod common;

use common::{START_MS, Server};
use raceproof_engine::{Delivery, Outcome, Reply, SessionId, Timestamp};

/// What the sessions were sent by a run of the clock to a time.
fn timed_out(server: &mut Server, ms: i64) -> Vec<Delivery> {
    let mut out = Outcome::default();
    server.engine.time_out(&mut server.host, Timestamp::from_ms(START_MS + ms), &mut out);
    out.deliveries
}

fn waits(server: &mut Server, line: &str) -> SessionId {
    let session = server.engine.connect();
    server.run_on(session, line);
    assert!(server.out.waits && server.engine.waits(session), "{line}");
    session
}

#[test]
fn a_wait_lasts_through_its_last_millisecond() {
    let mut server = Server::new();
    let pop = waits(&mut server, "BLPOP l 0.1");
    let read = waits(&mut server, "XREAD BLOCK 100 STREAMS x $");
    let replicas = waits(&mut server, "WAIT 1 99");
    let moved = waits(&mut server, "BLMOVE l m LEFT LEFT 0.0995");
    waits(&mut server, "BLPOP l 0");
    assert_eq!(server.engine.next_timeout_ms(), Some(START_MS + 99));
    assert_eq!(timed_out(&mut server, 99), []);
    assert_eq!(timed_out(&mut server, 100), [Delivery::Reply(replicas, Reply::Integer(0))]);
    let late = |session| Delivery::Reply(session, Reply::NullArray);
    assert_eq!(timed_out(&mut server, 101), [late(pop), late(read), late(moved)]);
    assert_eq!(server.engine.next_timeout_ms(), None);
    assert_eq!(timed_out(&mut server, 1_000_000_000), []);
}

#[test]
fn the_earliest_deadline_is_first_whoever_began_first() {
    let mut server = Server::new();
    let second = waits(&mut server, "BLPOP l 2");
    let first = waits(&mut server, "BLPOP l 1");
    let late = |session| Delivery::Reply(session, Reply::NullArray);
    assert_eq!(timed_out(&mut server, 5000), [late(first), late(second)]);
}

#[test]
fn another_client_ends_a_wait() {
    let mut server = Server::new();
    let pop = server.engine.connect();
    let id = server.say_on(pop, "CLIENT ID");
    let number = id.trim_start_matches(':');
    server.run_on(pop, "BLPOP l 0");
    assert!(server.say("INFO clients").contains("blocked_clients:1"));
    assert!(server.say("CLIENT LIST").contains("flags=b"));
    server.expect(&[(&format!("CLIENT UNBLOCK {number}"), ":1")]);
    assert_eq!(server.out.deliveries, [Delivery::Reply(pop, Reply::NullArray)]);
    server.expect(&[(&format!("CLIENT UNBLOCK {number}"), ":0")]);
    server.run_on(pop, "BZPOPMIN z 0");
    server.expect(&[(&format!("CLIENT UNBLOCK {number} ERROR"), ":1")]);
    let refused = Reply::Error("UNBLOCKED client unblocked via CLIENT UNBLOCK".into());
    assert_eq!(server.out.deliveries, [Delivery::Reply(pop, refused)]);
    server.expect(&[
        ("CLIENT UNBLOCK x", "-ERR value is not an integer or out of range"),
        ("CLIENT UNBLOCK 1 NOW", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"),
        ("CLIENT UNBLOCK 999", ":0"),
    ]);
}

#[test]
fn who_is_gone_is_not_served() {
    let mut server = Server::new();
    let gone = waits(&mut server, "BLPOP l 0");
    let next = waits(&mut server, "BLPOP l 0");
    server.engine.disconnect(gone);
    server.run("RPUSH l 1 2");
    assert_eq!(server.out.deliveries.len(), 1);
    assert_eq!(server.out.deliveries[0].session(), next);
    server.expect(&[("LRANGE l 0 -1", "*1|$1|2")]);
}

#[test]
fn a_session_that_waits_executes_nothing_and_may_want_no_reply() {
    let mut server = Server::new();
    let session = server.engine.connect();
    server.run_on(session, "CLIENT REPLY SKIP");
    server.run_on(session, "BLPOP l 0");
    assert!(server.out.waits);
    assert_eq!(server.say_on(session, "PING"), format!("-ERR session {} waits for a reply", session.0));
    server.run("RPUSH l 1");
    assert_eq!(server.out.deliveries, [Delivery::NoReply(session)]);
    assert_eq!(server.say_on(session, "PING"), "+PONG");
}

#[test]
fn a_key_that_expires_ends_the_wait_of_a_group() {
    let mut server = Server::new();
    server.run("XGROUP CREATE x g $ MKSTREAM");
    let reader = waits(&mut server, "XREADGROUP GROUP g c BLOCK 0 STREAMS x >");
    server.run("PEXPIRE x 10");
    let mut out = Outcome::default();
    server.engine.expire_due(Timestamp::from_ms(START_MS + 11), &mut out);
    let gone = Reply::Error("UNBLOCKED the stream key no longer exists".into());
    assert_eq!(out.deliveries, [Delivery::Reply(reader, gone)]);
}

#[test]
fn a_snapshot_knows_who_waits() {
    let mut server = Server::new();
    let (first, second) = (waits(&mut server, "BLPOP l 0"), waits(&mut server, "BLPOP l 0"));
    let state = |server: &Server, sessions: &[SessionId]| {
        let mut bytes = Vec::new();
        server.engine.state(sessions, &mut bytes);
        bytes
    };
    let kept = server.engine.clone();
    let before = state(&server, &[first, second]);
    assert_ne!(before, state(&server, &[second, first]), "the queue has an order");
    server.run("RPUSH l 1");
    assert_ne!(before, state(&server, &[first, second]));
    server.engine.clone_from(&kept);
    assert_eq!(before, state(&server, &[first, second]));
    server.run("RPUSH l 1");
    assert_eq!(server.out.deliveries[0].session(), first);
}
