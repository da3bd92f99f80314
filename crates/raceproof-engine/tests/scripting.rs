//! What surrounds scripts. (The language of these tests' host is that of `common::Lines`.)

mod common;

use common::Server;

#[test]
fn the_cache() {
    let mut server = Server::new();
    let sha1 = "c6b4ae88a3dfd6cbae2ea3bcc7b8ab8ac53e9e5f";
    server.expect(&[
        (&format!("EVALSHA {sha1} 0"), "-NOSCRIPT No matching script. Please use EVAL."),
        ("EVALSHA short 0", "-NOSCRIPT No matching script. Please use EVAL."),
        ("EVAL \"syntax error\" 0", "-ERR Error compiling script"),
        ("SCRIPT LOAD \"syntax error\"", "-ERR Error compiling script"),
    ]);
    let loaded = server.say("SCRIPT LOAD PING");
    assert_eq!(server.footprint(), "scripts=w");
    let sha1 = loaded.strip_prefix("$40|").expect("a SHA1").to_owned();
    assert_eq!(server.touched("SCRIPT LOAD PING"), "scripts=r");
    server.expect(&[
        (&format!("EVALSHA {sha1} 0"), "+PONG"),
        (&format!("EVALSHA {} 0", sha1.to_uppercase()), "+PONG"),
        (&format!("SCRIPT EXISTS {sha1} x"), "*2|:1|:0"),
        ("EVAL ECHO 1", "-ERR Number of keys can't be greater than number of args"),
        ("EVAL ECHO -1", "-ERR Number of keys can't be negative"),
        ("EVAL ECHO x", "-ERR value is not an integer or out of range"),
        ("FLUSHALL", "+OK"),
        (&format!("SCRIPT EXISTS {sha1}"), "*1|:1"),
        ("SCRIPT FLUSH x", "-ERR SCRIPT FLUSH only support SYNC|ASYNC option"),
        ("SCRIPT FLUSH SYNC", "+OK"),
        (&format!("SCRIPT EXISTS {sha1}"), "*1|:0"),
        ("SCRIPT KILL", "-NOTBUSY No scripts in execution right now."),
    ]);
}

#[test]
fn what_scripts_may_not_do() {
    let mut server = Server::new();
    for line in ["MULTI", "EVAL PING 0", "WATCH k", "HELLO 3", "CONFIG GET hz", "SCRIPT LOAD PING"] {
        let refusal = "-ERR This Redis command is not allowed from script";
        assert_eq!(server.say(&format!("EVAL \"{line}\" 0")), refusal, "{line}");
    }
    let read_only = "-ERR Write commands are not allowed from read-only scripts.";
    server.expect(&[
        ("EVAL NOPE 0", "-ERR Unknown Redis command called from script"),
        ("EVAL \"OBJECT NOPE\" 0", "-ERR Unknown Redis command called from script"),
        ("EVAL GET 0", "-ERR Wrong number of args calling Redis command from script"),
        ("EVAL_RO \"SET k v\" 0", read_only),
        ("EVAL_RO \"GET k\" 0", "$-1"),
        ("EVAL \"#!lua flags=no-writes\nSET k v\" 0", read_only),
        ("EVAL \"#!lua flags=no-writes,allow-oom\nGET k\" 0", "$-1"),
        ("EVAL \"#!lua\nSET k v\" 0", "+OK"),
        ("EVAL_RO \"#!lua\nGET k\" 0", "-ERR Can not execute a script with write flag using *_ro command."),
        ("EVAL #!lua 0", "-ERR Invalid script shebang"),
        ("EVAL \"#!js\nGET k\" 0", "-ERR Unexpected engine in script shebang: #!js"),
        ("EVAL \"#!lua flags=x\nGET k\" 0", "-ERR Unexpected flag in script shebang: x"),
        ("EVAL \"#!lua name=x\nGET k\" 0", "-ERR Unknown lua shebang option: name=x"),
    ]);
}

#[test]
fn scripts_are_one_step() {
    let mut server = Server::new();
    server.expect(&[
        ("EVAL \"SET KEY ARG;GET KEY\" 1 k v", "$1|v"),
        ("EVAL \"SELECT 1;SET k w\" 0", "+OK"),
        ("GET k", "$1|v"),
        ("HSET h f v", ":1"),
    ]);
    assert_eq!(server.touched("EVAL \"GET a;SET k 1;HGET h f\" 0"), "a=r db0=ir h.f=r h=ir k=w scripts=w");
    assert_eq!(server.touched("EVAL \"GET a;SET k 1;HGET h f\" 0"), "a=r db0=ir h.f=r h=ir k=w scripts=r");
    // Reply shapes follow the script, not the session.
    server.run("EVAL \"resp3;HRANDFIELD h 1 WITHVALUES\" 0");
    assert_eq!(common::encoded(&server.out.reply, raceproof_engine::Protocol::Resp2), "*1|*2|$1|f|$1|v");
}
