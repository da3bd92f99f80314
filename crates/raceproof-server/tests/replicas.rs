//! Who is a replica of a universe.

mod support;

use raceproof_lab::RedisServer;
use raceproof_server::Clock;
use support::{START_MS, start, start_with};

#[test]
fn who_says_sync_gets_every_effect() {
    let server = start();
    let (mut replica, mut wire) = (server.connect(), server.connect());
    replica.send(b"SYNC\r\n");
    let header = replica.line();
    let len: usize = header.strip_prefix('$').and_then(|len| len.parse().ok()).expect("a length");
    assert!(replica.bytes(len).starts_with(b"REDIS0010"));
    assert_eq!(wire.ask("SET a 1 EX 10"), "+OK");
    assert_eq!(wire.ask("GET a"), "$1\r\n1");
    assert_eq!(replica.told(), "*2\r\n$6\r\nSELECT\r\n$1\r\n0");
    let deadline = START_MS + 10_000;
    assert_eq!(replica.told(), format!("*5\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n$4\r\nPXAT\r\n$13\r\n{deadline}"));
    assert_eq!(wire.ask("MULTI"), "+OK");
    for command in ["SELECT 2", "INCR n", "INCR n"] {
        assert_eq!(wire.ask(command), "+QUEUED");
    }
    wire.ask("EXEC");
    for told in [
        "*2\r\n$6\r\nSELECT\r\n$1\r\n2",
        "*1\r\n$5\r\nMULTI",
        "*2\r\n$4\r\nINCR\r\n$1\r\nn",
        "*2\r\n$4\r\nINCR\r\n$1\r\nn",
        "*1\r\n$4\r\nEXEC",
    ] {
        assert_eq!(replica.told(), told);
    }
}

/// Everything that is in a few databases, by commands that a replica answers as well.
const LOOKS: [&str; 8] = [
    "SELECT 0",
    "SMEMBERS set",
    "HGETALL hash",
    "ZRANGE zset 0 -1 WITHSCORES",
    "LRANGE list 0 -1",
    "XRANGE stream - +",
    "PEXPIRETIME set",
    "GET later",
];

#[test]
fn a_redis_server_can_be_a_replica() {
    let server = start_with(|settings| settings.clock = Clock::REAL);
    let mut wire = server.connect();
    for command in [
        "SADD set 1 2 3",
        "HSET hash f v g w",
        "ZADD zset 1 a 2.5 b",
        "RPUSH list a b c",
        "XADD stream 1-1 f v",
        "XGROUP CREATE stream g 0",
        "PEXPIREAT set 4000000000000",
        "FUNCTION LOAD \"#!lua name=l\\nredis.register_function{function_name='f', callback=function() return 7 end, flags={'no-writes'}}\"",
    ] {
        assert!(!wire.ask(command).starts_with('-'), "{command}");
    }
    let real = RedisServer::builder().config("save", "").tcp().start().expect("redis-server is installed");
    let port = real.tcp_port().expect("it listens on TCP");
    let mut replica = support::Wire::tcp(std::net::SocketAddr::from(([127, 0, 0, 1], port)));
    assert_eq!(replica.ask(&format!("REPLICAOF 127.0.0.1 {}", server.address.port())), "+OK");
    let begun = std::time::Instant::now();
    while !replica.ask("INFO replication").contains("master_link_status:up") {
        assert!(begun.elapsed() < support::PATIENCE, "{}", real.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(!wire.ask("SET later 1 EX 1000").starts_with('-'));
    while replica.ask("GET later") == "$-1" {
        assert!(begun.elapsed() < support::PATIENCE, "the command arrives");
    }
    for look in LOOKS {
        assert_eq!(replica.ask(look), wire.ask(look), "{look}");
    }
    assert_eq!(replica.ask("FCALL_RO f 0"), ":7");
    assert_eq!(replica.ask("XPENDING stream g"), wire.ask("XPENDING stream g"));
}
