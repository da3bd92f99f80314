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

/// A connection that has become a replica, with its header and its snapshot read.
fn replica_of(server: &support::Running) -> support::Wire {
    let mut replica = server.connect();
    assert_eq!(replica.ask("REPLCONF listening-port 7777 capa psync2"), "+OK");
    replica.send(b"PSYNC ? -1\r\n");
    let header = replica.line();
    assert!(header.starts_with("+FULLRESYNC "), "{header}");
    let len: usize = replica.line().strip_prefix('$').and_then(|len| len.parse().ok()).expect("a length");
    replica.bytes(len);
    replica
}

/// The offset that the stream has come to.
fn offset(wire: &mut support::Wire) -> i64 {
    let info = wire.ask("INFO replication");
    let line = info.lines().find_map(|line| line.strip_prefix("master_repl_offset:")).expect("the field");
    line.trim().parse().expect("a number")
}

#[test]
fn wait_counts_the_replicas_that_have_acknowledged() {
    let server = start();
    let mut wire = server.connect();
    assert_eq!(wire.ask("WAIT 0 0"), ":0");
    let mut replica = replica_of(&server);
    assert_eq!(wire.ask("SET a 1"), "+OK");
    for _ in 0..2 {
        replica.told();
    }
    let written = offset(&mut wire);
    wire.send(b"WAIT 1 0\r\n");
    assert_eq!(replica.told(), "*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*");
    replica.send(format!("REPLCONF ACK {}\r\n", written - 1).as_bytes());
    let mut other = server.connect();
    assert!(other.ask("INFO clients").contains("blocked_clients:1"));
    replica.send(format!("REPLCONF ACK {written}\r\n").as_bytes());
    assert_eq!(wire.told(), ":1");
    assert_eq!(wire.ask("SET b 1"), "+OK");
    wire.send(b"WAIT 1 500\r\n");
    while !other.ask("INFO clients").contains("blocked_clients:1") {}
    assert_eq!(other.ask("RACEPROOF CLOCK ADVANCE 501ms"), format!(":{}", START_MS + 501));
    assert_eq!(wire.told(), ":0", "nobody has it");
    let role = other.ask("ROLE");
    assert!(role.contains("127.0.0.1\r\n$4\r\n7777\r\n"), "{role}");
    let info = other.ask("INFO replication");
    assert!(info.contains("connected_slaves:1\r\nslave0:ip=127.0.0.1,port=7777,state=online,"), "{info}");
    assert_eq!(other.ask("CLIENT LIST TYPE replica").lines().filter(|line| line.contains("flags=S")).count(), 1);
    assert_eq!(other.ask("CLIENT KILL TYPE replica"), ":1");
    assert!(other.ask("INFO replication").contains("connected_slaves:0"));
}

#[test]
fn a_replica_that_comes_back_goes_on_where_it_was() {
    let server = start();
    let mut wire = server.connect();
    let replica = replica_of(&server);
    assert_eq!(wire.ask("SET a 1"), "+OK");
    let (from, info) = (offset(&mut wire), wire.ask("INFO replication"));
    let history = info.lines().find_map(|line| line.strip_prefix("master_replid:")).expect("the field").to_owned();
    drop(replica);
    while !wire.ask("INFO replication").contains("connected_slaves:0") {}
    assert_eq!(wire.ask("SET b 2"), "+OK");
    let mut back = server.connect();
    assert_eq!(back.ask("REPLCONF capa psync2"), "+OK");
    back.send(format!("PSYNC {history} {}\r\n", from + 1).as_bytes());
    assert_eq!(back.line(), format!("+CONTINUE {history}"));
    assert_eq!(back.told(), "*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n2");
    let info = wire.ask("INFO stats");
    assert!(info.contains("sync_full:0") && info.contains("sync_partial_ok:0"), "the clock stands still");
    // Another history, or bytes that are not there any more.
    let mut stranger = server.connect();
    stranger.send(format!("PSYNC {} {}\r\n", "0".repeat(40), from + 1).as_bytes());
    assert!(stranger.line().starts_with("+FULLRESYNC "));
    let mut late = server.connect();
    late.send(format!("PSYNC {history} {}\r\n", from + 1000).as_bytes());
    assert!(late.line().starts_with("+FULLRESYNC "));
    // What was lost is in nobody's history.
    assert_eq!(wire.ask("RACEPROOF CRASH"), "+OK");
    let mut after = server.connect();
    after.send(format!("PSYNC {history} {}\r\n", from + 1).as_bytes());
    assert!(after.line().starts_with("+FULLRESYNC "));
}

#[test]
fn messages_are_sent_on_and_replicas_touch_no_keys() {
    let server = start();
    let mut wire = server.connect();
    let mut replica = replica_of(&server);
    assert_eq!(wire.ask("PUBLISH channel message"), ":0");
    assert_eq!(replica.told(), "*2\r\n$6\r\nSELECT\r\n$1\r\n0");
    assert_eq!(replica.told(), "*3\r\n$7\r\nPUBLISH\r\n$7\r\nchannel\r\n$7\r\nmessage");
    assert_eq!(replica.ask("GET a"), "-ERR Replica can't interact with the keyspace");
    assert_eq!(replica.ask("REPLCONF wrong 1"), "-ERR Unrecognized REPLCONF option: wrong");
}

#[test]
fn writes_need_as_many_replicas_as_are_wanted() {
    let server = start();
    let mut wire = server.connect();
    assert_eq!(wire.ask("CONFIG SET min-replicas-to-write 1 min-replicas-max-lag 10"), "+OK");
    let refusal = "-NOREPLICAS Not enough good replicas to write.";
    assert_eq!(wire.ask("SET a 1"), refusal);
    let mut replica = replica_of(&server);
    replica.send(b"REPLCONF ACK 0\r\n");
    while wire.ask("SET a 1") == refusal {}
    assert!(wire.ask("INFO replication").contains("\r\nmin_slaves_good_slaves:1\r\n"));
    assert_eq!(wire.ask("RACEPROOF CLOCK ADVANCE 11s"), format!(":{}", START_MS + 11_000));
    assert_eq!(wire.ask("SET a 1"), refusal, "it was not heard of for too long");
}

#[test]
fn a_replica_that_takes_nothing_is_hung_up_on() {
    let server = start_with(|settings| settings.clock = Clock::REAL);
    let mut wire = server.connect();
    // A snapshot beyond the limit does not count.
    for key in 0..40 {
        wire.ask(&format!(
            "SET k{key} {}",
            (0..30_000).map(|n| char::from(b'a' + (n * 7 % 26) as u8)).collect::<String>()
        ));
    }
    assert_eq!(
        wire.ask("CONFIG SET repl-backlog-size 16384 client-output-buffer-limit \"replica 1000000 0 0\""),
        "+OK"
    );
    let mut replica = server.connect();
    replica.send(b"SYNC\r\n");
    while !wire.ask("INFO replication").contains("connected_slaves:1") {}
    for _ in 0..2000 {
        wire.ask(&format!("SET k {}", "x".repeat(30_000)));
    }
    assert!(wire.ask("INFO replication").contains("connected_slaves:0"));
    assert!(!replica.rest().is_empty());
}
