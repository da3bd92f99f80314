//! Options, fields of replies and refusals that changed in 7.2 and 7.4.

use bytes::Bytes;
use raceproof_engine::{LuaHost, Options, Protocol, Reply, ScriptHost, Timestamp, Version};

use super::common::{self, START_MS, Server};
use super::server;

/// What else 7.2 and 7.4 brought, with the replies of 8.0.
pub(crate) const OTHERS: &[(&str, &str)] = &[
    ("ZADD z 1 a 2 b", ":2"),
    ("ZRANK z a WITHSCORE", "*2|:0|$1|1"),
    ("ZREVRANK z a withscore", "*2|:1|$1|1"),
    ("ZRANK z q WITHSCORE", "*-1"),
    ("ZRANK none q WITHSCORE", "*-1"),
    ("ZRANK z a", ":0"),
    ("ZRANK z a FOO", "-ERR syntax error"),
    ("ZRANK z a WITHSCORE x", "-ERR wrong number of arguments for 'zrank' command"),
    ("ZREVRANK z a WITHSCORE x", "-ERR wrong number of arguments for 'zrevrank' command"),
    ("SET s 1", "+OK"),
    ("ZRANK s a WITHSCORE", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("ZRANK s a FOO", "-ERR syntax error"),
    ("WAITAOF 0 0 0", "*2|:0|:0"),
    ("WAITAOF 1 0 0", "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."),
    ("WAITAOF -1 0 0", "-ERR value is out of range, value must between 0 and 1"),
    ("WAITAOF 2 0 0", "-ERR value is out of range, value must between 0 and 1"),
    ("WAITAOF 0 -1 0", "-ERR value is out of range, must be positive"),
    ("WAITAOF 0 0 -1", "-ERR timeout is negative"),
    ("WAITAOF x 0 0", "-ERR value is not an integer or out of range"),
    ("WAITAOF 0 x 0", "-ERR value is out of range, must be positive"),
    ("WAITAOF 0 0 x", "-ERR timeout is not an integer or out of range"),
    ("WAITAOF 0 0", "-ERR wrong number of arguments for 'waitaof' command"),
    ("MULTI", "+OK"),
    ("WAITAOF 0 1 0", "+QUEUED"),
    ("WAIT 1 0", "+QUEUED"),
    ("EXEC", "*2|*2|:0|:0|:0"),
    ("CONFIG SET appendonly yes", "+OK"),
    ("WAITAOF 1 0 0", "*2|:1|:0"),
    ("CONFIG SET appendonly no", "+OK"),
    ("REPLICAOF 127.0.0.1 1", "+OK"),
    (
        "WAITAOF 1 0 0",
        "-ERR WAITAOF cannot be used with replica instances. Please also note that writes to \
         replicas are just local and are not propagated.",
    ),
    (
        "WAIT 0 0",
        "-ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a \
         replica is configured to be writable (which is not the default) writes to replicas are just \
         local and are not propagated.",
    ),
    ("REPLICAOF NO ONE", "+OK"),
    ("HSET h a 1 b 2", ":2"),
    ("HSCAN h 0 NOVALUES", "*2|$1|0|*2|$1|a|$1|b"),
    ("HSCAN h 0 COUNT 1 novalues", "*2|$1|0|*2|$1|a|$1|b"),
    ("HSCAN h 0 MATCH", "-ERR syntax error"),
    ("HSCAN h 0 NOVALUES MATCH", "-ERR syntax error"),
    ("HSCAN h 0 MATCH NOVALUES", "*2|$1|0|*0"),
    ("HSCAN h 0 NOVALUES NOVALUES", "*2|$1|0|*2|$1|a|$1|b"),
    ("HSCAN none 0 NOVALUES", "*2|$1|0|*0"),
    ("HSCAN s 0 NOVALUES", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("SADD st a", ":1"),
    ("SSCAN st 0 NOVALUES", "-ERR NOVALUES option can only be used in HSCAN"),
    ("SSCAN none 0 NOVALUES", "*2|$1|0|*0"),
    ("ZSCAN z 0 NOVALUES", "-ERR NOVALUES option can only be used in HSCAN"),
    ("SCAN 0 NOVALUES", "-ERR NOVALUES option can only be used in HSCAN"),
    ("CLIENT KILL MAXAGE 0", "-ERR maxage should be greater than 0"),
    ("CLIENT KILL MAXAGE x", "-ERR maxage is not an integer or out of range"),
    ("CLIENT KILL MAXAGE -1", "-ERR maxage should be greater than 0"),
    ("CLIENT KILL MAXAGE 1000", ":0"),
    ("CLIENT KILL MAXAGE 10000000000000000000000", "-ERR maxage is not an integer or out of range"),
    ("XADD x 1-1 a 1", "$3|1-1"),
    ("XADD x 2-1 b 2", "$3|2-1"),
    ("XREAD STREAMS x +", "*1|*2|$1|x|*1|*2|$3|2-1|*2|$1|b|$1|2"),
    ("XREAD COUNT 5 STREAMS x +", "*1|*2|$1|x|*1|*2|$3|2-1|*2|$1|b|$1|2"),
    ("XREAD STREAMS none +", "*-1"),
    ("XREAD STREAMS x none + +", "*1|*2|$1|x|*1|*2|$3|2-1|*2|$1|b|$1|2"),
    ("XREAD STREAMS s +", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    (
        "XREAD STREAMS x y 1",
        "-ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be \
         specified.",
    ),
    (
        "XREADGROUP GROUP g c STREAMS x y 1",
        "-ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be \
         specified.",
    ),
    ("XGROUP CREATE x g 0", "+OK"),
    (
        "XREADGROUP GROUP g c STREAMS x +",
        "-ERR The + ID is meaningless in the context of XREADGROUP: you want to read the history of \
         this consumer by specifying a proper ID, or use the > ID to get new messages. The + ID \
         would just return an empty result set.",
    ),
    ("XREADGROUP GROUP g c COUNT 1 STREAMS x >", "*1|*2|$1|x|*1|*2|$3|1-1|*2|$1|a|$1|1"),
    ("XCLAIM x g d 0 9-9", "*0"),
    ("XAUTOCLAIM x g e 1000000 0", "*3|$3|0-0|*0|*0"),
    (
        "XINFO GROUPS x",
        "*1|*12|$4|name|$1|g|$9|consumers|:3|$7|pending|:1|$17|last-delivered-id|$3|1-1|$12|\
         entries-read|:1|$3|lag|:1",
    ),
    ("XDEL x 2-1", ":1"),
    ("XREAD STREAMS x +", "*1|*2|$1|x|*1|*2|$3|1-1|*2|$1|a|$1|1"),
    ("XDEL x 1-1", ":1"),
    ("XREAD STREAMS x +", "*-1"),
    ("CLUSTER MYSHARDID", "-ERR This instance has cluster support disabled"),
    ("COMMAND GETKEYS get", "-ERR Invalid number of arguments specified for command"),
    ("COMMAND GETKEYS ping", "-ERR The command has no key arguments"),
    ("COMMAND GETKEYS", "-ERR wrong number of arguments for 'command|getkeys' command"),
    (
        "COMMAND INFO waitaof",
        "*1|*10|$7|waitaof|:4|*1|+blocking|:0|:0|:0|*3|+@slow|+@blocking|+@connection|*2|$25|\
         request_policy:all_shards|$23|response_policy:agg_min|*0|*0",
    ),
    (
        "COMMAND INFO wait",
        "*1|*10|$4|wait|:3|*1|+blocking|:0|:0|:0|*3|+@slow|+@blocking|+@connection|*2|$25|\
         request_policy:all_shards|$23|response_policy:agg_min|*0|*0",
    ),
    ("ACL SETUSER bob on nopass +get +exec ~a", "+OK"),
    ("ACL DRYRUN bob set a 1", "$52|User bob has no permissions to run the 'set' command"),
    ("ACL DRYRUN bob get b", "$49|User bob has no permissions to access the 'b' key"),
    ("ACL DRYRUN bob get a", "+OK"),
    ("AUTH bob x", "+OK"),
    ("SET a 1", "-NOPERM User bob has no permissions to run the 'set' command"),
    ("GET b", "-NOPERM No permissions to access a key"),
    ("CLIENT ID", "-NOPERM User bob has no permissions to run the 'client|id' command"),
    ("AUTH default x", "+OK"),
    ("ACL SETUSER bob +publish", "+OK"),
    ("AUTH bob x", "+OK"),
    ("PUBLISH ch x", "-NOPERM No permissions to access a channel"),
    ("AUTH default x", "+OK"),
    ("ACL DELUSER bob", ":1"),
    ("ZADD f 0.1 a 1e300 b 1e20 c 1e7 d 12345678901234567 e 1e18 f 9.5e18 g -1e8 h 1.5e-5 i 1e-7 j 0.001234 k", ":11"),
    ("ZADD f -0.1 l -0 m 5e-324 n 1.7976931348623157e308 o inf p 12345.000001 q 4611686018427387905 r", ":7"),
    ("ZADD f 9223372036854775807 s -9223372036854775808 t 1.1e-5 u 0.00001234567 v -1.5e10 w -123.456 x", ":6"),
    (
        "ZRANGE f 0 -1 WITHSCORES",
        "*48|$1|t|$20|-9223372036854776000|$1|w|$12|-15000000000|$1|h|$10|-100000000|$1|x|$8|\
         -123.456|$1|l|$4|-0.1|$1|m|$1|0|$1|n|$6|5e-324|$1|j|$4|1e-7|$1|u|$8|0.000011|$1|v|$11|\
         1.234567e-5|$1|i|$8|0.000015|$1|k|$8|0.001234|$1|a|$3|0.1|$1|q|$12|12345.000001|$1|d|$8|\
         10000000|$1|e|$17|12345678901234568|$1|f|$19|1000000000000000000|$1|r|$19|\
         4611686018427387904|$1|s|$19|9223372036854776000|$1|g|$7|9.5e+18|$1|c|$5|1e+20|$1|b|$6|\
         1e+300|$1|o|$23|1.7976931348623157e+308|$1|p|$3|inf",
    ),
    ("ZSCORE f b", "$6|1e+300"),
    ("ZSCAN f 0 MATCH v", "*2|$1|0|*2|$1|v|$11|1.234567e-5"),
    ("ZSCAN f 0 MATCH s", "*2|$1|0|*2|$1|s|$19|9223372036854776000"),
    ("ZINCRBY f 0.2 a", "$19|0.30000000000000004"),
    ("GEOADD geo 13.361389 38.115556 P", ":1"),
    ("GEOPOS geo P none", "*2|*2|$18|13.361389338970184|$16|38.1155563954963|*-1"),
    (
        "GEOSEARCH geo FROMMEMBER P BYRADIUS 200 km WITHDIST WITHCOORD",
        "*1|*3|$1|P|$6|0.0000|*2|$18|13.361389338970184|$16|38.1155563954963",
    ),
    (
        "ACL LIST",
        "*1|$51|user default on nopass \
         sanitize-payload ~* &* +@all",
    ),
    ("ACL SETUSER eve", "+OK"),
    (
        "ACL GETUSER eve",
        "*12|$5|flags|*2|$3|off|$16|sanitize-payload|$9|passwords|*0|$8|commands|$5|-@all|$4|keys|$0|\
         |$8|channels|$0||$9|selectors|*0",
    ),
    ("ACL SETUSER eve skip-sanitize-payload", "+OK"),
    (
        "ACL LIST",
        "*2|$51|user default on nopass \
         sanitize-payload ~* &* +@all|$54|user eve off skip-sanitize-payload resetchannels -@all",
    ),
    ("ACL DELUSER eve", ":1"),
    ("BITCOUNT none a b", "-ERR value is not an integer or out of range"),
    ("BITCOUNT none 0", "-ERR syntax error"),
    ("BITCOUNT none a", "-ERR syntax error"),
    ("BITCOUNT none 0 b FOO", "-ERR value is not an integer or out of range"),
    ("BITCOUNT none 0 1 FOO", "-ERR syntax error"),
    ("BITCOUNT none 0 1 BIT x", "-ERR syntax error"),
    ("BITCOUNT none 0 1", ":0"),
    ("BITPOS none 0 a", "-ERR value is not an integer or out of range"),
    ("BITPOS none 1 a b", "-ERR value is not an integer or out of range"),
    ("BITPOS none 1 0 1 FOO", "-ERR syntax error"),
    ("BITPOS none 1 0 a FOO", "-ERR syntax error"),
    ("BITPOS none 1 0 1 BIT x", "-ERR syntax error"),
    ("BITPOS none 1 0", ":-1"),
    ("BITCOUNT z a b", "-ERR value is not an integer or out of range"),
    ("BITPOS z 1 a", "-ERR value is not an integer or out of range"),
];

#[test]
fn options_and_refusals_of_later_versions() {
    server(Version::V8_0).expect(OTHERS);
}

#[test]
fn what_came_later_is_unknown_before() {
    let mut server = server(Version::V7_0);
    server.expect(&[
        ("ZADD z 1 a", ":1"),
        ("ZRANK z a WITHSCORE", "-ERR wrong number of arguments for 'zrank' command"),
        ("ZINCRBY z -0.9 a", "$20|0.099999999999999978"),
        ("GEOADD geo 13.361389 38.115556 P", ":1"),
        ("GEOPOS geo P", "*1|*2|$20|13.36138933897018433|$20|38.11555639549629859"),
        ("ACL LIST", "*1|$34|user default on nopass ~* &* +@all"),
        ("BITCOUNT none a b", ":0"),
        ("BITPOS none 1 a b", ":-1"),
        ("HSET h a 1", ":1"),
        ("HSCAN h 0 NOVALUES", "-ERR syntax error"),
        ("CLIENT KILL MAXAGE 1", "-ERR syntax error"),
        ("XADD x 1-1 a 1", "$3|1-1"),
        ("XREAD STREAMS x +", "-ERR Invalid stream ID specified as stream command argument"),
        ("XGROUP CREATE x g $", "+OK"),
        ("XREADGROUP GROUP g c STREAMS x >", "*-1"),
        ("XCLAIM x g c 0 9-9", "*0"),
        ("XINFO CONSUMERS x g", "*0"),
        ("COMMAND GETKEYS ping", "-ERR wrong number of arguments for 'command|getkeys' command"),
        ("COMMAND INFO wait waitaof", WAIT_OF_7_0),
        ("ACL SETUSER bob on nopass +get ~a", "+OK"),
        ("ACL DRYRUN bob get b", "$50|This user has no permissions to access the 'b' key"),
        ("AUTH bob x", "+OK"),
        ("GET b", "-NOPERM this user has no permissions to access one of the keys used as arguments"),
    ]);
}

const WAIT_OF_7_0: &str = "*2|*10|$4|wait|:3|*1|+noscript|:0|:0|:0|*2|+@slow|+@connection|*2|$25|request_policy:all_shards|\
                           $23|response_policy:agg_min|*0|*0|$-1";

/// `idle` and `inactive` of the consumers, by name, as a redis-server 8.0.2 tells them.
#[test]
fn consumers_are_seen_when_they_ask_and_active_when_they_get_something() {
    fn told(server: &mut Server, times: &[(&str, i64, i64)]) {
        let consumers = server.say("XINFO CONSUMERS x g");
        for (name, idle_ms, inactive_ms) in times {
            let known = format!("$4|name|${}|{name}|$7|pending|", name.len());
            let of_it = consumers.split_once(&known).expect("the consumer is known").1;
            let times = format!("$4|idle|:{idle_ms}|$8|inactive|:{inactive_ms}");
            assert!(of_it.split_once('|').expect("times").1.starts_with(&times), "{name}: {consumers}");
        }
        server.now_ms += 100;
    }
    let mut server = server(Version::V7_2);
    server.expect(&[("XADD x 1-1 a 1", "$3|1-1"), ("XADD x 1-2 a 1", "$3|1-2"), ("XGROUP CREATE x g 0", "+OK")]);
    server.run("XREADGROUP GROUP g c COUNT 1 STREAMS x >");
    told(&mut server, &[("c", 0, 0)]);
    server.run("XREADGROUP GROUP g c STREAMS x 0");
    server.run("XREADGROUP GROUP g noack COUNT 1 NOACK STREAMS x >");
    server.run("XREADGROUP GROUP g late STREAMS x >");
    told(&mut server, &[("c", 0, 100), ("noack", 0, -1), ("late", 0, -1)]);
    server.run("XCLAIM x g k 100000 1-1");
    server.run("XAUTOCLAIM x g auto 100000 0");
    told(&mut server, &[("c", 100, 200), ("k", 0, -1), ("auto", 0, -1)]);
    server.run("XCLAIM x g k 0 1-1 JUSTID");
    told(&mut server, &[("c", 200, 300), ("k", 0, 0)]);
    server.run("XAUTOCLAIM x g auto 0 0");
    told(&mut server, &[("k", 100, 100), ("auto", 0, 0)]);
    // It is in what `DUMP` gives, and in the forms before: there a consumer is as active as it was seen.
    let Reply::Bulk(payload) = server.run("DUMP x") else { panic!("a payload") };
    assert_eq!(restore(&mut server, "x", &payload), "+OK");
    told(&mut server, &[("auto", 100, 100), ("noack", 400, -1)]);
    let full = server.say("XINFO STREAM x FULL");
    let at = START_MS + 400;
    assert!(full.contains(&format!("$9|seen-time|:{at}|$11|active-time|:{at}|$9|pel-count|:1")), "{full}");
    let mut before = self::server(Version::V7_0);
    assert_eq!(restore(&mut before, "x", &payload), "-ERR Bad data format");
    before.expect(&[("XADD x 1-1 a 1", "$3|1-1"), ("XGROUP CREATE x g 0", "+OK")]);
    before.run("XREADGROUP GROUP g c STREAMS x >");
    let Reply::Bulk(payload) = before.run("DUMP x") else { panic!("a payload") };
    assert_eq!(restore(&mut server, "x", &payload), "+OK");
    told(&mut server, &[("c", 600, 600)]);
}

/// Executes a command given as bytes, and gives its reply as [`Server::say`] does.
fn execute(server: &mut Server, host: &mut dyn ScriptHost, args: &[&[u8]]) -> String {
    let args: Vec<Bytes> = args.iter().map(|arg| Bytes::copy_from_slice(arg)).collect();
    let now = Timestamp::from_ms(server.now_ms);
    server.engine.execute(host, server.session, &args, now, &mut server.out);
    common::encoded(&server.out.reply, Protocol::Resp2)
}

fn restore(server: &mut Server, key: &str, payload: &[u8]) -> String {
    execute(server, &mut common::Lines, &[b"RESTORE", key.as_bytes(), b"0", payload, b"REPLACE"])
}

/// A set and a stream whose consumer got nothing yet, as a redis-server 8.0.2 dumped them.
#[test]
fn payloads_of_later_versions_are_taken_by_later_versions() {
    let set = b"\x14\x0f\x0f\0\0\0\x03\0\x81b\x02\x81a\x02\x07\x01\xff\x0c\0\xe1\xb4\x93\xea\x81\xb9mf";
    let stream = b"\x15\x01\x10\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\x1c\x1c\0\0\0\n\0\x01\x01\0\x01\x01\x01\x81a\x02\0\
        \x01\x02\x01\0\x01\0\x01\x01\x01\x04\x01\xff\x01\x01\x01\x01\x01\0\0\x01\x01\x01g\0\0\x81\xff\xff\xff\xff\xff\xff\
        \xff\xff\0\x01\x01c\xd5\xb8E\xfd\xa1\x01\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\x0c\0\x8c\x81\xfd\x98\xaa\xb26}";
    for version in [Version::V7_0, Version::V7_2] {
        for payload in [&set[..], &stream[..]] {
            let refused = restore(&mut server(version), "k", payload);
            assert_eq!(refused, "-ERR DUMP payload version or checksum are wrong", "{version:?}");
        }
    }
    for version in [Version::V7_4, Version::V8_0, Version::V8_4] {
        let mut server = server(version);
        server.now_ms = 1_795_250_000_085;
        assert_eq!(restore(&mut server, "s", set), "+OK");
        assert_eq!(restore(&mut server, "x", stream), "+OK");
        server.expect(&[("SMEMBERS s", "*3|$1|7|$1|a|$1|b"), ("XLEN x", ":1")]);
        let consumers = server.say("XINFO CONSUMERS x g");
        assert!(consumers.ends_with("$8|inactive|:-1"), "{consumers}");
    }
}

#[test]
fn scripts_of_later_versions_may_call_what_would_wait() {
    let replies = |version, source: &str| {
        let mut server = server(version);
        let mut host = LuaHost::new().with_version(version);
        server.expect(&[("RPUSH l a b", ":2"), ("ACL SETUSER bob on nopass +eval +get ~a", "+OK")]);
        if source.contains("zz") {
            server.run("AUTH bob x");
        }
        execute(&mut server, &mut host, &[b"EVAL", source.as_bytes(), b"0"])
    };
    for (source, later, first) in [
        ("return{redis.call('blpop','none',0)}", "*1|$-1", "-ERR This Redis command is not allowed from script"),
        ("return{redis.call('blpop','l',0)}", "*1|*2|$1|l|$1|a", "-ERR This Redis command is not allowed from script"),
        ("return{redis.call('wait',1,0)}", "*1|:0", "-ERR This Redis command is not allowed from script"),
        ("return{redis.call('waitaof',0,1,0)}", "*1|*2|:0|:0", "-ERR Unknown Redis command called from script"),
        (
            "return{redis.call('xread','block',0,'streams','n','$')}",
            "*1|$-1",
            "-ERR xread command is not allowed with BLOCK option from scripts",
        ),
        ("return redis.REDIS_VERSION", "$5|8.0.2", "$6|7.0.15"),
        ("redis.call('zadd','z',0.1,'m') return redis.call('zscore','z','m')", "$3|0.1", "$19|0.10000000000000001"),
        ("return redis.REDIS_VERSION_NUM", ":524290", ":458767"),
        (
            "return redis.call('get','zz')",
            "-ERR ACL failure in script: No permissions to access a key",
            "-ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
        ),
        (
            "return redis.call('set','zz','1')",
            "-ERR ACL failure in script: User bob has no permissions to run the 'set' command",
            "-ERR The user executing the script can't run this command or subcommand",
        ),
    ] {
        assert!(replies(Version::V8_0, source).starts_with(later), "{source}: {}", replies(Version::V8_0, source));
        assert!(replies(Version::V7_0, source).starts_with(first), "{source}: {}", replies(Version::V7_0, source));
    }
}

#[test]
fn refusals_are_numbered_and_dated() {
    let mut server = server(Version::V7_2);
    server.run("AUTH nobody x");
    server.now_ms += 1500;
    server.run("AUTH nobody y");
    server.run("AUTH other y");
    let log = server.say("ACL LOG");
    let entry = |id: i64, created_ms: i64| {
        format!("$8|entry-id|:{id}|$17|timestamp-created|:{created_ms}|$22|timestamp-last-updated|:{}", START_MS + 1500)
    };
    assert!(log.contains(&entry(0, START_MS)) && log.contains(&entry(1, START_MS + 1500)), "{log}");
    server.expect(&[("ACL LOG RESET", "+OK")]);
    server.run("AUTH nobody x");
    assert!(server.say("ACL LOG").contains(&entry(2, START_MS + 1500)));
    let mut before = self::server(Version::V7_0);
    before.run("AUTH nobody x");
    assert!(!before.say("ACL LOG").contains("entry-id"));
}

#[test]
fn clients_are_closed_by_their_age() {
    let mut server = Server::with(Options { version: Version::V7_4, statistics: true, ..Options::default() });
    let old = server.engine.connect();
    server.run_on(old, "PING");
    server.now_ms += 10_000;
    let young = server.engine.connect();
    server.run_on(young, "PING");
    server.expect(&[("CLIENT KILL MAXAGE 11", ":0"), ("CLIENT KILL MAXAGE 10", ":1"), ("CLIENT KILL MAXAGE 10", ":0")]);
}
