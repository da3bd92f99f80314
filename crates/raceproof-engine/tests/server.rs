//! Connections, settings, and what the server says of itself.

mod common;

use common::Server;
use raceproof_engine::{Options, Protocol, Reply};

#[test]
fn greetings() {
    let mut server = Server::new();
    server.expect(&[
        ("PING", "+PONG"),
        ("PING \"a b\"", "$3|a b"),
        ("PING a b", "-ERR wrong number of arguments for 'ping' command"),
        ("ECHO x", "$1|x"),
        ("HELLO 4", "-NOPROTO unsupported protocol version"),
        ("HELLO x", "-ERR Protocol version is not an integer or out of range"),
        ("HELLO 3 NOPE", "-ERR Syntax error in HELLO option 'NOPE'"),
        ("HELLO 3 AUTH a b", "-WRONGPASS invalid username-password pair or user is disabled."),
        ("AUTH default x", "+OK"),
        ("AUTH a b c", "-ERR syntax error"),
        ("CLIENT GETNAME", "$-1"),
        (
            "HELLO 3 AUTH default x SETNAME me",
            "%7|$6|server|$5|redis|$7|version|$6|7.0.15|$5|proto|:3|$2|id|:1|$4|mode|$10|standalone|$4|role|$6|master|$7|modules|*0",
        ),
        ("CLIENT GETNAME", "$2|me"),
        ("GET none", "_"),
        ("CLIENT SETNAME \"a b\"", "-ERR Client names cannot contain spaces, newlines or special characters."),
        ("SELECT 1", "+OK"),
        ("RESET", "+RESET"),
        ("GET none", "$-1"),
        ("CLIENT GETNAME", "$-1"),
        ("CLIENT ID", ":1"),
        ("CLIENT NOPE", "-ERR unknown subcommand 'NOPE'. Try CLIENT HELP."),
        ("WAIT 0 0", ":0"),
        ("TIME", "*2|$10|1700000000|$1|0"),
    ]);
    assert_eq!(server.touched("TIME"), "clock=r users=ir");
    let Reply::Verbatim(_, list) = server.run("CLIENT LIST") else { panic!("no text") };
    assert!(list.starts_with(b"id=1 addr="));
    server.run("QUIT");
    assert!(server.out.close);
}

#[test]
fn what_goes_on_behind_is_put_off_by_a_transaction() {
    let mut server = Server::new();
    server.expect(&[
        ("BGREWRITEAOF", "+Background append only file rewriting started"),
        ("BGSAVE", "+Background saving started"),
        ("MULTI", "+OK"),
        ("BGREWRITEAOF", "+QUEUED"),
        ("BGSAVE", "+QUEUED"),
        ("EXEC", "*2|+Background append only file rewriting scheduled|+Background saving scheduled"),
    ]);
}

#[test]
fn replies_can_be_turned_off() {
    let mut server = Server::new();
    let mut silent = |line| {
        server.run(line);
        server.out.silent
    };
    assert_eq!(
        ["PING", "CLIENT REPLY SKIP", "PING", "PING", "CLIENT REPLY OFF", "PING", "CLIENT REPLY ON", "PING"]
            .map(&mut silent),
        [false, true, true, false, true, true, false, false]
    );
}

#[test]
fn unknown_commands() {
    let mut server = Server::new();
    let long = "x".repeat(200);
    let quoted = "x".repeat(128);
    server.expect(&[
        ("NOPE", "-ERR unknown command 'NOPE', with args beginning with: "),
        ("NOPE a \"b c\"", "-ERR unknown command 'NOPE', with args beginning with: 'a' 'b c' "),
        (
            &format!("{long} {long} a"),
            &format!("-ERR unknown command '{quoted}', with args beginning with: '{quoted}' "),
        ),
        ("GET", "-ERR wrong number of arguments for 'get' command"),
        ("gEt a b", "-ERR wrong number of arguments for 'get' command"),
        ("CONFIG", "-ERR wrong number of arguments for 'config' command"),
        ("EXEC x", "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"),
        ("HTTL h FIELDS 1 f", "-ERR unknown command 'HTTL', with args beginning with: 'h' 'FIELDS' '1' 'f' "),
    ]);
}

#[test]
fn settings() {
    let mut server = Server::new();
    server.expect(&[
        ("CONFIG GET maxmemory-policy HZ nope", "*4|$16|maxmemory-policy|$10|noeviction|$2|HZ|$2|10"),
        ("CONFIG SET maxmemory 100mb timeout 5", "+OK"),
        ("CONFIG GET maxmemory", "*2|$9|maxmemory|$9|104857600"),
        (
            "CONFIG SET timeout 7 hz x",
            "-ERR CONFIG SET failed (possibly related to argument 'hz') - argument couldn't be parsed into an integer",
        ),
        ("CONFIG GET timeout", "*2|$7|timeout|$1|5"),
        ("CONFIG SET hz 1 HZ 2", "-ERR CONFIG SET failed (possibly related to argument 'HZ') - duplicate parameter"),
        (
            "CONFIG SET databases 1",
            "-ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config",
        ),
        ("CONFIG SET nope 1", "-ERR Unknown option or number of arguments for CONFIG SET - 'nope'"),
        (
            "CONFIG SET appendonly maybe",
            "-ERR CONFIG SET failed (possibly related to argument 'appendonly') - argument must be 'yes' or 'no'",
        ),
        ("CONFIG SET hz", "-ERR wrong number of arguments for 'config|set' command"),
        ("CONFIG SET hz 1 x", "-ERR syntax error"),
        ("CONFIG SET lua-time-limit 9", "+OK"),
        ("CONFIG GET busy-reply-threshold", "*2|$20|busy-reply-threshold|$1|9"),
        ("SET k 1", "+OK"),
        ("CONFIG SET maxmemory-policy allkeys-lfu", "+OK"),
        ("OBJECT FREQ k", ":0"),
        ("CONFIG SET maxmemory 0", "+OK"),
    ]);
    assert!(server.touched("CONFIG SET timeout 1").ends_with("server=w"));
    assert_eq!(server.touched("CONFIG GET timeout"), "server=r");
}

#[test]
fn info_shows_what_clients_read() {
    let mut server = Server::new();
    server.run("SET k v EX 5");
    let Reply::Verbatim(_, text) = server.run("INFO") else { panic!("no text") };
    let text = String::from_utf8_lossy(&text);
    for line in
        ["redis_version:7.0.15", "role:master", "loading:0", "cluster_enabled:0", "db0:keys=1,expires=1,avg_ttl=0"]
    {
        assert!(text.contains(&format!("{line}\r\n")), "{line}");
    }
    server.expect(&[("INFO cluster", "$30|# Cluster|cluster_enabled:0"), ("INFO nope", "$0")]);
    let footprint = server.touched("INFO");
    assert!(footprint.contains("clock=r db0=r") && footprint.contains("server=r"));
}

#[test]
fn the_command_table() {
    let mut server = Server::new();
    server.expect(&[
        ("COMMAND GETKEYS MSET a 1 b 2", "*2|$1|a|$1|b"),
        ("COMMAND GETKEYS EVAL x 2 a b c", "*2|$1|a|$1|b"),
        ("COMMAND GETKEYS PING x", "-ERR The command has no key arguments"),
        ("COMMAND GETKEYS NOPE x", "-ERR Invalid command specified"),
        ("COMMAND INFO nope", "*1|$-1"),
        ("COMMAND LIST FILTERBY PATTERN hs*", "*4|$4|hset|$6|hsetnx|$7|hstrlen|$5|hscan"),
        (
            "COMMAND INFO rename",
            "*1|*10|$6|rename|:3|*1|+write|:1|:2|:1|*3|+@keyspace|+@write|+@slow|*0|*2|\
             *6|$5|flags|*3|+RW|+access|+delete|$12|begin_search|*4|$4|type|$5|index|$4|spec|*2|$5|index|:1|\
             $9|find_keys|*4|$4|type|$5|range|$4|spec|*6|$7|lastkey|:0|$7|keystep|:1|$5|limit|:0|\
             *6|$5|flags|*2|+OW|+update|$12|begin_search|*4|$4|type|$5|index|$4|spec|*2|$5|index|:2|\
             $9|find_keys|*4|$4|type|$5|range|$4|spec|*6|$7|lastkey|:0|$7|keystep|:1|$5|limit|:0|*0",
        ),
    ]);
    let Reply::Array(all) = server.run("COMMAND") else { panic!("no array") };
    assert_eq!(server.run("COMMAND COUNT"), Reply::Integer(all.len() as i64));
}

#[test]
fn replies_in_both_protocols() {
    let text = || Reply::Bulk("a".into());
    for (reply, resp2, resp3) in [
        (Reply::Simple("OK"), "+OK", "+OK"),
        (Reply::Integer(-5), ":-5", ":-5"),
        (Reply::Null, "$-1", "_"),
        (Reply::NullArray, "*-1", "_"),
        (Reply::Map(vec![(text(), Reply::Integer(1))]), "*2|$1|a|:1", "%1|$1|a|:1"),
        (Reply::Set(vec![text()]), "*1|$1|a", "~1|$1|a"),
        (Reply::Push(vec![text()]), "*1|$1|a", ">1|$1|a"),
        (Reply::Double(0.1), "$19|0.10000000000000001", ",0.10000000000000001"),
        (Reply::Double(f64::NEG_INFINITY), "$4|-inf", ",-inf"),
        (Reply::Boolean(true), ":1", "#t"),
        (Reply::Verbatim(*b"txt", "a".into()), "$1|a", "=5|txt:a"),
        (Reply::BigNumber("123".into()), "$3|123", "(123"),
    ] {
        assert_eq!(common::encoded(&reply, Protocol::Resp2), resp2);
        assert_eq!(common::encoded(&reply, Protocol::Resp3), resp3);
    }
}

#[test]
fn equal_inputs_give_equal_outputs() {
    let run = || {
        let mut server = Server::with(Options { seed: 7, ..Options::default() });
        for index in 0..50 {
            server.run(&format!("SET key{index} {index}"));
            server.run(&format!("HSET hash field{index} {index}"));
        }
        ["RANDOMKEY", "HRANDFIELD hash 5", "KEYS *", "SCAN 0", "INFO server"].map(|line| server.say(line))
    };
    assert_eq!(run(), run());
    let mut server = Server::new();
    server.run("SET k 1");
    let mut copy = server.engine.clone();
    server.run("SET k 2");
    let now = raceproof_engine::Timestamp::from_ms(server.now_ms);
    copy.execute(&mut common::Lines, server.session, &["GET".into(), "k".into()], now, &mut server.out);
    assert_eq!(server.out.reply, Reply::Bulk("1".into()));
}
