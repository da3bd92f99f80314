//! MULTI, EXEC, WATCH.

mod common;

use common::Server;

#[test]
fn queued_commands_run_together() {
    let mut server = Server::new();
    server.expect(&[
        ("MULTI", "+OK"),
        ("SET k 1", "+QUEUED"),
        ("INCR k", "+QUEUED"),
        ("HGET k f", "+QUEUED"),
        ("MULTI", "-ERR MULTI calls can not be nested"),
        ("WATCH k", "-ERR WATCH inside MULTI is not allowed"),
        ("EXEC", "*3|+OK|:2|-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("EXEC", "-ERR EXEC without MULTI"),
        ("DISCARD", "-ERR DISCARD without MULTI"),
        ("MULTI", "+OK"),
        ("SET k 9", "+QUEUED"),
        ("DISCARD", "+OK"),
        ("GET k", "$1|2"),
        ("MULTI", "+OK"),
        ("EXEC", "*0"),
    ]);
}

#[test]
fn a_command_that_cannot_be_queued_aborts() {
    for wrong in ["NOPE", "GET", "CONFIG NOPE"] {
        let mut server = Server::new();
        server.expect(&[("MULTI", "+OK"), ("SET k 1", "+QUEUED")]);
        assert!(server.say(wrong).starts_with("-ERR"));
        assert_eq!(server.footprint(), "users=ir", "whether its connection is open, and what its user may do");
        server.expect(&[("EXEC", "-EXECABORT Transaction discarded because of previous errors."), ("GET k", "$-1")]);
    }
}

/// What another session does to watched keys, and whether EXEC still runs.
#[test]
fn watch() {
    let table = [
        ("", "GET k", true),
        ("", "SET other 1", true),
        ("", "SET k 1", false),
        ("SET k 1", "SET k 1", false),
        ("SET k 1", "DEL k", false),
        ("", "DEL k", true),
        ("HSET k f 1", "HSET k f 1", false),
        ("HSET k f 1", "HDEL k g", true),
        ("HSET k f 1", "HDEL k f", false),
        ("SET k 1", "EXPIRE k 100", false),
        ("SET k 1", "PERSIST k", true),
        ("SET k 1", "FLUSHALL", false),
        ("", "FLUSHALL", true),
        ("SET k 1", "RENAME k j", false),
        ("SET j 1", "RENAME j k", false),
        ("SET k 1", "SWAPDB 0 1", false),
        ("", "SWAPDB 0 1", true),
        ("SET k 1", "MOVE k 1", false),
        ("SET k 1", "COPY k j", true),
        ("SET j 1", "COPY j k", false),
        ("SET k 1", "APPEND k 2", false),
        ("SET k 1", "GETEX k PERSIST", true),
        ("SET k 1 EX 9", "GETEX k PERSIST", false),
    ];
    for (before, other, runs) in table {
        let mut server = Server::new();
        if !before.is_empty() {
            server.run(before);
        }
        let peer = server.engine.connect();
        server.run("WATCH k");
        server.run_on(peer, other);
        server.run("MULTI");
        server.run("PING");
        let expected = if runs { "*1|+PONG" } else { "*-1" };
        assert_eq!(server.say("EXEC"), expected, "{before}; {other}");
        // The watched keys are forgotten either way.
        server.run_on(peer, "SET k 2");
        server.run("MULTI");
        assert_eq!(server.say("EXEC"), "*0");
    }
}

#[test]
fn watched_keys_expire() {
    // Expired at EXEC: aborted, although nobody removed the key.
    let mut server = Server::new();
    server.expect(&[("SET k 1 PX 10", "+OK"), ("WATCH k", "+OK"), ("MULTI", "+OK")]);
    server.now_ms += 11;
    assert_eq!(server.say("EXEC"), "*-1");
    assert_eq!(server.footprint(), "clock=r db0=ir k=r server=iw");

    // Expired already when it was watched: its removal is no change.
    for sweep in ["EXISTS k", "PING"] {
        let mut server = Server::new();
        let peer = server.engine.connect();
        server.run("SET k 1 PX 10");
        server.now_ms += 11;
        server.run("WATCH k");
        server.run_on(peer, sweep);
        server.expect(&[("MULTI", "+OK"), ("EXEC", "*0")]);
        // But what comes in its place is one.
        server.run("WATCH k");
        server.run_on(peer, "SET k 2");
        server.expect(&[("MULTI", "+OK"), ("EXEC", "*-1")]);
    }
}

#[test]
fn unwatch_and_discard_forget() {
    for forget in ["UNWATCH", "RESET"] {
        let mut server = Server::new();
        server.expect(&[("WATCH k", "+OK"), ("SET k 1", "+OK")]);
        server.run(forget);
        server.expect(&[("MULTI", "+OK"), ("EXEC", "*0")]);
    }
    let mut server = Server::new();
    server.expect(&[
        ("WATCH k", "+OK"),
        ("SET k 1", "+OK"),
        ("MULTI", "+OK"),
        ("DISCARD", "+OK"),
        ("MULTI", "+OK"),
        ("EXEC", "*0"),
    ]);
}

#[test]
fn closing_a_session_drops_its_transaction() {
    let mut server = Server::new();
    let peer = server.engine.connect();
    server.run_on(peer, "WATCH k");
    server.run_on(peer, "MULTI");
    server.engine.disconnect(peer);
    server.run("SET k 1");
    assert!(server.say_on(peer, "PING").starts_with("-ERR session"));
    let next = server.engine.connect();
    assert_eq!(server.say_on(next, "PING"), "+PONG");
    assert_ne!(server.say_on(next, "CLIENT ID"), ":2");
}

#[test]
fn the_footprint_is_that_of_what_ran() {
    let mut server = Server::new();
    server.run("WATCH w");
    assert_eq!(server.footprint(), "db0=ir w=r");
    server.run("MULTI");
    // Queueing touches nothing but what CLIENT LIST shows.
    assert_eq!(server.touched("SET k 1"), "server=iw");
    assert_eq!(server.touched("GET j"), "server=iw");
    assert_eq!(server.touched("EXEC"), "db0=iw j=r k=w server=iw w=r");
    let peer = server.engine.connect();
    server.run("WATCH w");
    server.run_on(peer, "SET w 1");
    server.run("MULTI");
    server.run("SET k 2");
    assert_eq!(server.touched("EXEC"), "db0=ir server=iw w=r");
}
