//! A server that goes down and comes back: what it has loaded, and what is gone.

mod common;

use common::Server;

/// The `run_id` that the server tells.
fn run_id(server: &mut Server) -> String {
    let info = server.say("INFO server");
    let line = info.split('|').find(|line| line.starts_with("run_id:")).expect("INFO server has a run_id");
    line.to_owned()
}

#[test]
fn a_restarted_server_has_the_kept_keys_and_nothing_else() {
    let mut server = Server::new();
    server.run("SET a 1");
    server.run("SET v 1 PX 100");
    let kept = server.engine.clone();
    server.run("SET a 2");
    server.run("CONFIG SET maxmemory 1000000");
    server.run("SCRIPT LOAD \"return 1\"");
    server.run("SELECT 3");
    server.run("SET b 1");
    let before = run_id(&mut server);
    assert!(!server.engine.same_data(&kept));

    server.engine = server.engine.restarted(Some(&kept));
    assert_eq!(server.say("GET a"), "-ERR session 0 is not connected", "connections are gone");
    server.session = server.engine.connect();
    server.expect(&[
        ("GET a", "$1|1"),
        ("PTTL v", ":100"),
        ("DBSIZE", ":2"),
        ("CONFIG GET maxmemory", "*2|$9|maxmemory|$1|0"),
        ("EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0", "-NOSCRIPT No matching script. Please use EVAL."),
    ]);
    assert!(server.engine.same_data(&kept));
    let after = run_id(&mut server);
    assert_ne!(before, after, "another process has another run_id");

    server.engine = server.engine.restarted(None);
    server.session = server.engine.connect();
    server.expect(&[("DBSIZE", ":0")]);
    assert_ne!(run_id(&mut server), after);
}

#[test]
fn a_server_that_is_configured_like_another_one() {
    let mut server = Server::new();
    for line in ["SET a 1", "CONFIG SET maxmemory 1000 maxmemory-policy noeviction", "CONFIG SET requirepass secret"] {
        server.run(line);
    }
    let configured = server.engine.clone();
    server.run("CONFIG SET hz 20 maxmemory 2000");
    server.engine = server.engine.restarted(Some(&configured));
    server.engine.configure_like(&configured);
    server.session = server.engine.connect();
    server.expect(&[("GET a", "-NOAUTH Authentication required."), ("AUTH secret", "+OK")]);
    server.expect(&[
        ("CONFIG GET maxmemory", "*2|$9|maxmemory|$4|1000"),
        ("CONFIG GET hz", "*2|$2|hz|$2|10"),
        ("GET a", "$1|1"),
    ]);
    let names: Vec<&str> = server.engine.settings().map(|(name, _)| name).collect();
    assert_eq!(names, ["maxmemory", "maxmemory-policy", "requirepass"]);
    let refused = server.say("SET b 1");
    assert!(refused.starts_with("-OOM "), "the memory in use is known: {refused}");
}

#[test]
fn the_keys_of_every_database_are_listed() {
    let mut server = Server::new();
    for line in ["SET b 1", "HSET a f 1", "SELECT 2", "SET c 1"] {
        server.run(line);
    }
    let mut keys: Vec<(u32, &[u8])> = server.engine.keys().collect();
    keys.sort_unstable();
    assert_eq!(keys, [(0, &b"a"[..]), (0, b"b"), (2, b"c")]);
}
