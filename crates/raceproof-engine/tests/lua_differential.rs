//! Scripts on the host and on a real redis-server: the replies must be the same bytes, in RESP2 and in RESP3.

mod lua_support;

use bytes::Bytes;
use lua_support::{Connection, Server, encode, run, texts};
use raceproof_engine::{Engine, LuaHost, Options, Outcome, Timestamp};

/// One script a line; `⏎`, `␍` and `␉` stand for a line feed, a carriage return and a tab.
const SCRIPTS: &str = include_str!("lua_support/scripts.txt");

const KEYS: [&str; 2] = ["one", "two"];
const ARGS: [&str; 2] = ["three", "4"];

/// Runs every script on the server and by `ours`; panics with all that differ.
fn differences(server: &mut Connection, resp3: bool, mut ours: impl FnMut(&str) -> Vec<u8>) {
    let (mut found, mut count) = (String::new(), 0);
    for script in SCRIPTS.lines().filter(|line| !line.is_empty()) {
        let source = script.replace('⏎', "\n").replace('␍', "\r").replace('␉', "\t");
        server.command(&[b"FLUSHALL"]);
        let theirs = server.eval(source.as_bytes(), &KEYS, &ARGS);
        let ours = ours(&source);
        if ours != theirs {
            count += 1;
            found += &format!("{script}\n  server {}\n  ours   {}\n", theirs.escape_ascii(), ours.escape_ascii());
        }
    }
    assert!(found.is_empty(), "{count} differ, RESP3 is {resp3}\n{found}");
}

#[test]
fn the_host_replies_as_redis_does() {
    let server = Server::start();
    let mut host = LuaHost::new();
    for resp3 in [false, true] {
        differences(&mut server.connect(resp3), resp3, |source| {
            encode(&run(&mut host, source.as_bytes(), &KEYS, &ARGS), resp3)
        });
    }
}

#[test]
fn the_engine_replies_as_redis_does() {
    let server = Server::start();
    let mut host = LuaHost::new();
    for resp3 in [false, true] {
        let mut engine = Engine::new(Options::default());
        let session = engine.connect();
        let mut out = Outcome::default();
        let mut execute = |command: &[Bytes]| {
            engine.execute(&mut host, session, command, Timestamp::from_ms(1_700_000_000_000), &mut out);
            encode(&out.reply, resp3)
        };
        execute(&texts(&["HELLO", if resp3 { "3" } else { "2" }]));
        differences(&mut server.connect(resp3), resp3, |source| {
            execute(&texts(&["FLUSHALL"]));
            execute(&texts(&["EVAL", source, "2", KEYS[0], KEYS[1], ARGS[0], ARGS[1]]))
        });
    }
}
