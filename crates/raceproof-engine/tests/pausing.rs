//! `CLIENT PAUSE` on a clock that the test holds. What is held and what is not is compared with a real server in
//! `differential.rs`; here is what takes time there, and what a pause of all commands holds.

mod common;

use common::{START_MS, Server};
use raceproof_engine::{Delivery, Outcome, Reply, SessionId, Timestamp};

/// What the sessions were sent by a run of the clock to a time.
fn timed_out(server: &mut Server, ms: i64) -> Vec<Delivery> {
    let mut out = Outcome::default();
    server.engine.time_out(&mut server.host, Timestamp::from_ms(START_MS + ms), &mut out);
    out.deliveries
}

fn held(server: &mut Server, line: &str) -> SessionId {
    let session = server.engine.connect();
    hold(server, session, line);
    session
}

fn hold(server: &mut Server, session: SessionId, line: &str) {
    server.run_on(session, line);
    assert!(server.out.waits && server.engine.waits(session) && server.engine.is_held(session), "{line}");
}

fn ok(session: SessionId) -> Delivery {
    Delivery::Reply(session, Reply::Simple("OK"))
}

fn number(session: SessionId, number: i64) -> Delivery {
    Delivery::Reply(session, Reply::Integer(number))
}

#[test]
fn a_pause_lasts_through_its_last_millisecond() {
    let mut server = Server::new();
    server.expect(&[("CLIENT PAUSE 100 WRITE", "+OK"), ("GET k", "$-1")]);
    let writer = held(&mut server, "SET k v");
    assert_eq!(server.engine.next_timeout_ms(), Some(START_MS + 100));
    assert_eq!(timed_out(&mut server, 100), []);
    server.expect(&[("GET k", "$-1")]);
    assert_eq!(timed_out(&mut server, 101), [ok(writer)]);
    assert_eq!((server.engine.next_timeout_ms(), server.engine.pause_end_ms()), (None, None));
    server.expect(&[("GET k", "$1|v"), ("SET k w", "+OK")]);
}

#[test]
fn held_commands_go_on_in_the_order_in_which_they_came() {
    let mut server = Server::new();
    server.run("CLIENT PAUSE 1000 WRITE");
    let [a, b, c] = ["APPEND k a", "APPEND k b", "APPEND k c"].map(|line| held(&mut server, line));
    assert!(server.say("INFO clients").contains("blocked_clients:3"));
    assert_eq!(server.say("CLIENT LIST").matches("flags=b").count(), 3);
    assert_eq!(server.effects("CLIENT UNPAUSE"), ["0 APPEND k a", "0 APPEND k b", "0 APPEND k c"]);
    assert_eq!(server.out.deliveries, [number(a, 1), number(b, 2), number(c, 3)]);
    assert_eq!((server.out.reply.clone(), server.out.waits), (Reply::Simple("OK"), false));
    server.expect(&[("GET k", "$3|abc")]);
}

#[test]
fn the_states_between_held_commands_are_what_a_crash_may_leave() {
    let mut server = Server::new();
    server.run("CLIENT PAUSE 1000 WRITE");
    for line in ["APPEND k a", "PUBLISH c m", "APPEND k b"] {
        held(&mut server, line);
    }
    server.out.with_between = true;
    server.run("CLIENT UNPAUSE");
    let between = std::mem::take(&mut server.out.between);
    let mut then = Server::new();
    let [first] = &between[..] else { panic!("{} states", between.len()) };
    then.engine = first.clone();
    assert_eq!(then.say_on(server.session, "GET k"), "$1|a");
    server.expect(&[("GET k", "$2|ab")]);
}

#[test]
fn a_pause_of_all_holds_its_own_end_and_what_is_no_command_is_answered() {
    let mut server = Server::new();
    let monitor = server.engine.connect();
    server.run_on(monitor, "MONITOR");
    server.expect(&[
        ("CLIENT PAUSE 100", "+OK"),
        ("NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: "),
        ("GET", "-ERR wrong number of arguments for 'get' command"),
        ("CLIENT PAUSE", "-ERR wrong number of arguments for 'client|pause' command"),
        ("EXEC x", "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"),
    ]);
    let own = server.session;
    hold(&mut server, own, "CLIENT UNPAUSE");
    for line in ["PING", "QUIT", "AUTH x", "HELLO 3", "MULTI", "INFO", "RESET", "SUBSCRIBE c"] {
        held(&mut server, line);
    }
    // Whoever monitors counts as a replica, and those are never paused.
    assert_eq!(server.say_on(monitor, "CLIENT UNPAUSE"), "+OK");
    let replies = server.out.deliveries.iter().filter(|delivery| matches!(delivery, Delivery::Reply(..))).count();
    let closed = server.out.deliveries.iter().filter(|delivery| matches!(delivery, Delivery::Close(_))).count();
    // To SUBSCRIBE the reply is a message.
    assert_eq!((replies, closed), (8, 1), "{:?}", server.out.deliveries);
}

#[test]
fn the_longer_and_the_stricter_of_two_pauses_hold() {
    let mut server = Server::new();
    server.expect(&[("CLIENT PAUSE 100 WRITE", "+OK"), ("CLIENT PAUSE 50 WRITE", "+OK")]);
    assert_eq!(server.engine.pause_end_ms(), Some(START_MS + 100));
    server.expect(&[("CLIENT PAUSE 200 WRITE", "+OK"), ("GET k", "$-1"), ("CLIENT PAUSE 0 ALL", "+OK")]);
    assert_eq!(server.engine.pause_end_ms(), Some(START_MS + 200));
    let reader = held(&mut server, "GET k");
    assert_eq!(timed_out(&mut server, 200), []);
    assert_eq!(timed_out(&mut server, 201), [Delivery::Reply(reader, Reply::Null)]);
    // By itself one of 0 ms, or of more than there is time, is over at once.
    server.now_ms += 201;
    server.expect(&[("CLIENT PAUSE 0", "+OK"), ("CLIENT PAUSE 9223372036854775807", "+OK"), ("SET k v", "+OK")]);
}

#[test]
fn what_may_write_is_held_by_a_pause_of_writes() {
    let scripts =
        ["EVAL \"GET k\" 0", "EVAL \"#!lua\nGET k\" 0", "EVALSHA x 0", "FCALL nosuch 0", "EVAL_RO \"#!lua\nGET k\" 0"];
    let commands =
        ["SET k v", "PUBLISH c m", "PFCOUNT k", "BLPOP l 0", "SORT l", "FLUSHALL", "FUNCTION FLUSH", "GETEX k"];
    for line in scripts.into_iter().chain(commands) {
        let mut server = Server::new();
        server.run("CLIENT PAUSE 100 WRITE");
        held(&mut server, line);
    }
    let mut server = Server::new();
    server.run("CLIENT PAUSE 100 WRITE");
    for line in [
        "EVAL_RO \"GET k\" 0",
        "EVAL \"#!lua flags=no-writes\nGET k\" 0",
        "SORT_RO l",
        "CONFIG SET timeout 0",
        "SELECT 1",
    ] {
        server.run(line);
        assert!(!server.out.waits, "{line}");
    }
}

#[test]
fn a_transaction_is_held_if_one_of_its_commands_is() {
    let mut server = Server::new();
    let [writes, reads, queues] = [(); 3].map(|()| server.engine.connect());
    for (session, line) in [(writes, "SET k v"), (reads, "GET k")] {
        server.run_on(session, "MULTI");
        assert_eq!(server.say_on(session, line), "+QUEUED");
    }
    server.run("CLIENT PAUSE 100 WRITE");
    hold(&mut server, writes, "EXEC");
    assert_eq!(server.say_on(reads, "EXEC"), "*1|$-1");
    server.run_on(queues, "MULTI");
    hold(&mut server, queues, "SET k w");
    assert_eq!(server.say("CLIENT UNPAUSE"), "+OK");
    let queued = Delivery::Reply(queues, Reply::Simple("QUEUED"));
    assert_eq!(server.out.deliveries, [Delivery::Reply(writes, Reply::Array(vec![Reply::Simple("OK")])), queued]);
    assert_eq!(server.say_on(queues, "EXEC"), "*1|+OK");
    // A transaction that has begun goes on when it pauses itself.
    server.expect(&[("MULTI", "+OK"), ("CLIENT PAUSE 100", "+QUEUED"), ("SET k x", "+QUEUED"), ("EXEC", "*2|+OK|+OK")]);
    held(&mut server, "GET k");
}

#[test]
fn no_key_expires_while_clients_are_paused() {
    let mut server = Server::new();
    server.run("SET k v PX 10");
    server.run("RPUSH l 1 2");
    server.run("PEXPIRE l 10");
    server.run("CLIENT PAUSE 100 WRITE");
    server.now_ms += 20;
    let readers =
        [("GET k", "$-1"), ("EXISTS k l", ":0"), ("LRANGE l 0 -1", "*0"), ("RANDOMKEY", "$-1"), ("TTL k", ":-2")];
    for (line, reply) in readers {
        assert_eq!(server.say(line), reply, "{line}");
        assert_eq!(server.last_effects(), [""; 0], "{line}");
        assert_eq!(server.say("DBSIZE"), ":2", "{line}");
    }
    server.engine.expire_due(Timestamp::from_ms(server.now_ms), &mut server.out);
    assert_eq!(server.last_effects(), [""; 0]);
    held(&mut server, "APPEND k x");
    let mut out = Outcome::default();
    server.engine.time_out(&mut server.host, Timestamp::from_ms(START_MS + 101), &mut out);
    server.out = out;
    assert_eq!(server.last_effects(), ["0 MULTI", "0 DEL k", "0 APPEND k x", "0 EXEC"]);
    server.now_ms = START_MS + 101;
    server.expect(&[("GET k", "$1|x"), ("DBSIZE", ":2"), ("LLEN l", ":0"), ("DBSIZE", ":1")]);
}

#[test]
fn a_transaction_that_has_paused_removes_the_expired_keys_that_it_writes() {
    let mut server = Server::new();
    server.run("SET k v PX 10");
    server.now_ms += 20;
    server.expect(&[("MULTI", "+OK"), ("CLIENT PAUSE 100 WRITE", "+QUEUED"), ("APPEND k x", "+QUEUED")]);
    assert_eq!(server.effects("EXEC"), ["0 MULTI", "0 DEL k", "0 APPEND k x", "0 EXEC"]);
    server.expect(&[("GET k", "$1|x"), ("TTL k", ":-1")]);
}

#[test]
fn nothing_is_evicted_while_clients_are_paused() {
    let mut server = Server::new();
    server.run("SET k v");
    server.run("CONFIG SET maxmemory-policy allkeys-random");
    server.run("CLIENT PAUSE 100 WRITE");
    server.run("CONFIG SET maxmemory 1");
    server.expect(&[("GET k", "$1|v"), ("DBSIZE", ":1")]);
    assert_eq!(server.engine.evictable().count(), 0);
    server.expect(&[("CLIENT UNPAUSE", "+OK"), ("DBSIZE", ":0")]);
}

#[test]
fn waits_end_in_time_and_those_that_are_held_begin_later() {
    let mut server = Server::new();
    let early = server.engine.connect();
    server.run_on(early, "BLPOP l 0.01");
    server.run("CLIENT PAUSE 100 WRITE");
    let late = held(&mut server, "BLPOP l 0.05");
    assert_eq!(timed_out(&mut server, 11), [Delivery::Reply(early, Reply::NullArray)]);
    assert_eq!(timed_out(&mut server, 101), []);
    assert!(server.engine.waits(late) && !server.engine.is_held(late));
    assert_eq!(timed_out(&mut server, 151), []);
    assert_eq!(timed_out(&mut server, 152), [Delivery::Reply(late, Reply::NullArray)]);
}

#[test]
fn a_held_command_may_pause_those_behind_it() {
    let mut server = Server::new();
    server.run("CLIENT PAUSE 10");
    let pauses = held(&mut server, "CLIENT PAUSE 50 WRITE");
    let writes = held(&mut server, "SET k v");
    let reads = held(&mut server, "GET k");
    assert_eq!(timed_out(&mut server, 11), [ok(pauses), Delivery::Reply(reads, Reply::Null)]);
    assert_eq!(server.engine.pause_end_ms(), Some(START_MS + 61));
    assert_eq!(timed_out(&mut server, 62), [ok(writes)]);
}

#[test]
fn a_pause_that_is_over_is_ended_by_whoever_comes_first() {
    let mut server = Server::new();
    server.run("CLIENT PAUSE 10");
    let writes = held(&mut server, "SET k v");
    server.now_ms += 11;
    server.expect(&[("GET k", "$1|v")]);
    assert_eq!(server.out.deliveries, [ok(writes)]);
    assert_eq!(server.last_effects(), ["0 SET k v"]);
}

#[test]
fn what_is_held_for_a_session_that_ends_is_not_executed() {
    let mut server = Server::new();
    server.run("CLIENT PAUSE 100 WRITE");
    let killed = held(&mut server, "SET k killed");
    let closed = held(&mut server, "SET k closed");
    let gives_up = held(&mut server, "SET k up");
    let id = server.engine.client_id(killed);
    assert_eq!(server.say(&format!("CLIENT KILL ID {id}")), ":1");
    assert_eq!(server.out.deliveries, [Delivery::NoReply(killed), Delivery::Close(killed)]);
    server.engine.disconnect(closed);
    let mut out = Outcome::default();
    server.engine.give_up(gives_up, &mut out);
    assert!(!server.engine.waits(gives_up));
    assert!(server.say("INFO clients").contains("blocked_clients:0"));
    assert_eq!(server.effects("CLIENT UNPAUSE"), [""; 0]);
    server.expect(&[("GET k", "$-1")]);
}

#[test]
fn replies_to_held_commands_are_withheld_as_client_reply_asks() {
    let mut server = Server::new();
    let quiet = server.engine.connect();
    server.run("CLIENT PAUSE 100 WRITE");
    server.run_on(quiet, "CLIENT REPLY SKIP");
    hold(&mut server, quiet, "SET k v");
    server.run("CLIENT UNPAUSE");
    assert_eq!(server.out.deliveries, [Delivery::NoReply(quiet)]);
    assert_eq!(server.say_on(quiet, "GET k"), "$1|v");
    assert!(!server.out.silent);
}

#[test]
fn nobody_unblocks_a_held_command() {
    let mut server = Server::new();
    server.run("CLIENT PAUSE 100 WRITE");
    let writes = held(&mut server, "SET k v");
    let id = server.engine.client_id(writes);
    server.expect(&[(&format!("CLIENT UNBLOCK {id}"), ":0"), (&format!("CLIENT UNBLOCK {id} ERROR"), ":0")]);
    assert!(server.engine.is_held(writes));
}

#[test]
fn a_restart_ends_a_pause() {
    let mut server = Server::new();
    server.run("CLIENT PAUSE 100");
    let kept = server.engine.clone();
    server.engine = kept.restarted(Some(&kept));
    server.session = server.engine.connect();
    server.expect(&[("SET k v", "+OK")]);
}
