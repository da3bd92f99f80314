//! Scripts on the host and on a real redis-server: the replies must be the same bytes, in RESP2 and in RESP3.

mod lua_support;

use lua_support::{Connection, Server, encode, run};
use raceproof_engine::LuaHost;

/// One script a line; `⏎`, `␍` and `␉` stand for a line feed, a carriage return and a tab.
const SCRIPTS: &str = include_str!("lua_support/scripts.txt");

const KEYS: [&str; 2] = ["one", "two"];
const ARGS: [&str; 2] = ["three", "4"];

fn differences(host: &mut LuaHost, server: &mut Connection, resp3: bool) -> Vec<String> {
    let mut found = Vec::new();
    for script in SCRIPTS.lines().filter(|line| !line.is_empty() && !line.starts_with("## ")) {
        let source = script.replace('⏎', "\n").replace('␍', "\r").replace('␉', "\t");
        server.command(&[b"FLUSHALL"]);
        let theirs = server.eval(source.as_bytes(), &KEYS, &ARGS);
        let ours = encode(&run(host, source.as_bytes(), &KEYS, &ARGS), resp3);
        if ours != theirs {
            found.push(format!("{script}\n  server {}\n  host   {}", theirs.escape_ascii(), ours.escape_ascii()));
        }
    }
    found
}

#[test]
fn replies_are_those_of_redis() {
    let server = Server::start();
    let mut host = LuaHost::new();
    for resp3 in [false, true] {
        let found = differences(&mut host, &mut server.connect(resp3), resp3);
        assert!(found.is_empty(), "{} differ, RESP3 is {resp3}\n{}", found.len(), found.join("\n"));
    }
}
