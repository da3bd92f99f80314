//! What leaves a trace in `OBJECT IDLETIME` and `OBJECT FREQ`, and which.

use crate::{NOW_MS, ask, engine, number, run_at, say, server::Server};

/// Commands on `k`, after those that make it.
const ACCESSES: &[(&str, &[&str])] = &[
    (
        "SET k v",
        &[
            "GET k",
            "STRLEN k",
            "GETRANGE k 0 1",
            "GETBIT k 1",
            "BITCOUNT k",
            "BITPOS k 1",
            "MGET k k",
            "GETEX k",
            "GETEX k EX 100",
        ],
    ),
    (
        "SET k v",
        &[
            "SET k w",
            "SETNX k w",
            "SETEX k 100 w",
            "SET k w XX",
            "SET k w NX",
            "SET k w GET",
            "SET k w KEEPTTL",
            "GETSET k w",
            "MSET k w",
            "MSETNX k w",
            "APPEND k w",
            "SETRANGE k 1 w",
            "SETBIT k 3 1",
        ],
    ),
    // The server shares small integers, and with them their counters.
    ("SET k 1000000", &["INCR k", "DECRBY k 3", "INCRBYFLOAT k 1.5"]),
    (
        "SET k v",
        &[
            "EXISTS k",
            "TOUCH k",
            "TYPE k",
            "TTL k",
            "PTTL k",
            "EXPIRETIME k",
            "OBJECT ENCODING k",
            "OBJECT REFCOUNT k",
            "MEMORY USAGE k",
            "DUMP k",
            "EXPIRE k 100",
            "PERSIST k",
            "SCAN 0",
            "SCAN 0 TYPE string",
            "KEYS *",
            "RANDOMKEY",
            "DBSIZE",
            "WATCH k",
            "UNWATCH",
            "DEBUG DIGEST-VALUE k",
        ],
    ),
    (
        "SET k v",
        &[
            "COPY k j",
            "RENAME k k",
            "SORT k BY nosort",
            "LCS k j",
            "PFCOUNT j",
            "BITOP NOT j k",
            "MULTI",
            "GET k",
            "EXEC",
            "EVAL return~redis.call('get','k') 0",
        ],
    ),
    (
        "RPUSH k a b c",
        &[
            "LRANGE k 0 -1",
            "LLEN k",
            "LINDEX k 0",
            "LPOS k a",
            "LPUSH k z",
            "RPUSHX k y",
            "LPOP k",
            "LSET k 0 w",
            "LINSERT k BEFORE w x",
            "LREM k 1 w",
            "LTRIM k 0 5",
            "LMOVE k k LEFT RIGHT",
            "LMPOP 1 k LEFT",
            "SORT k ALPHA",
            "BLPOP k 1",
        ],
    ),
    (
        "HSET k f v g w h 1",
        &[
            "HGET k f",
            "HMGET k f g",
            "HGETALL k",
            "HLEN k",
            "HEXISTS k f",
            "HKEYS k",
            "HVALS k",
            "HSTRLEN k f",
            "HSET k f w",
            "HSETNX k f x",
            "HINCRBY k h 1",
            "HINCRBYFLOAT k h 1.5",
            "HDEL k g",
            "HSCAN k 0",
            "HRANDFIELD k",
        ],
    ),
    (
        "SADD k a b c",
        &[
            "SISMEMBER k a",
            "SMISMEMBER k a b",
            "SMEMBERS k",
            "SCARD k",
            "SADD k d",
            "SREM k d",
            "SINTER k",
            "SINTERCARD 1 k",
            "SUNION k k",
            "SDIFF k j",
            "SRANDMEMBER k",
            "SSCAN k 0",
            "SMOVE k j c",
            "SPOP k",
            "SUNIONSTORE j k",
        ],
    ),
    (
        "ZADD k 1 a 2 b 3 c",
        &[
            "ZSCORE k a",
            "ZMSCORE k a b",
            "ZRANK k a",
            "ZRANGE k 0 -1",
            "ZRANGEBYSCORE k 0 2",
            "ZCARD k",
            "ZCOUNT k 0 5",
            "ZLEXCOUNT k - +",
            "ZADD k 4 d",
            "ZINCRBY k 1 a",
            "ZREM k d",
            "ZPOPMIN k",
            "ZSCAN k 0",
            "ZRANDMEMBER k",
            "ZUNION 1 k",
            "ZRANGESTORE j k 0 -1",
            "ZREMRANGEBYRANK k 0 0",
        ],
    ),
    (
        "XADD k 1-1 f v",
        &[
            "XLEN k",
            "XRANGE k - +",
            "XADD k 2-1 f v",
            "XREAD STREAMS k 0",
            "XDEL k 1-1",
            "XTRIM k MAXLEN 5",
            "XINFO STREAM k",
            "XGROUP CREATE k g 0",
            "XREADGROUP GROUP g c STREAMS k >",
            "XPENDING k g",
            "XACK k g 2-1",
            "XSETID k 5-1",
        ],
    ),
    ("PFADD k a b", &["PFADD k c", "PFCOUNT k", "PFMERGE k j"]),
    (
        "GEOADD k 1 1 a 2 2 b",
        &["GEOPOS k a", "GEODIST k a b", "GEOHASH k a", "GEOSEARCH k FROMMEMBER a BYRADIUS 1 km", "GEOADD k 3 3 c"],
    ),
];

/// Under a policy that counts, with a factor that makes every access count, the counter after each command is the server's.
#[test]
fn every_command_counts_as_many_accesses_as_on_the_server() {
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut connection = server.connect();
    let mut wrong = Vec::new();
    let settings = "CONFIG SET maxmemory-policy allkeys-lfu lfu-log-factor 0 lfu-decay-time 0";
    let mut driver = engine();
    assert_eq!(ask(&mut connection, settings), say(&mut driver, settings));
    for (make, commands) in ACCESSES {
        for line in ["FLUSHALL", "SET j other", make] {
            ask(&mut connection, line);
            say(&mut driver, line);
        }
        for command in *commands {
            let before = (ask(&mut connection, "OBJECT FREQ k"), say(&mut driver, "OBJECT FREQ k"));
            ask(&mut connection, command);
            say(&mut driver, command);
            let after = (ask(&mut connection, "OBJECT FREQ k"), say(&mut driver, "OBJECT FREQ k"));
            if command.starts_with("MULTI") || (command == &"GET k" && after.0.contains("QUEUED")) {
                continue;
            }
            if after.0 != after.1 {
                wrong.push(format!("{command}: {before:?} -> {after:?}"));
                // So that one difference is not told for every command that follows.
                for line in ["FLUSHALL", "SET j other", make] {
                    ask(&mut connection, line);
                    say(&mut driver, line);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "[there, here]\n{}", wrong.join("\n"));
}

/// A key that was idle for long is idle no longer after what counts as an access, and otherwise as idle as before.
#[test]
fn what_counts_as_an_access_ends_idleness_as_on_the_server() {
    const IDLE_S: i64 = 5000;
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut connection = server.connect();
    let (mut wrong, mut idle) = (Vec::new(), 0);
    let mut driver = engine();
    for command in
        ACCESSES[..4].iter().flat_map(|(make, commands)| commands.iter().filter(|_| make.starts_with("SET k v")))
    {
        let restore = format!("RESTORE k 0 $dump IDLETIME {IDLE_S} REPLACE");
        let mut seen = Vec::new();
        for line in [restore.as_str(), command, "OBJECT IDLETIME k"] {
            seen = vec![ask(&mut connection, line), say(&mut driver, line)];
        }
        // Whole seconds of the server's coarse clock: a few more may pass.
        let stays = |seconds: i64| (IDLE_S..IDLE_S + 30).contains(&seconds);
        let (there, here) = (number(&seen[0]), number(&seen[1]));
        idle += usize::from(stays(there));
        if stays(there) != stays(here) || (!stays(here) && here != 0) {
            wrong.push(format!("{command}: idle for {there} s there, {here} s here"));
        }
    }
    assert!(idle >= 8, "only {idle} commands leave a key idle");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn replies_depend_on_the_policy_and_restored_values_are_kept() {
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut connection = server.connect();
    let mut driver = engine();
    for line in [
        "SET k v",
        "OBJECT FREQ k",
        "OBJECT FREQ nosuch",
        "OBJECT IDLETIME nosuch",
        "RESTORE r 0 $dump IDLETIME -1",
        "RESTORE r 0 $dump FREQ 256",
        "RESTORE r 0 $dump FREQ 5 IDLETIME 1",
        "RESTORE r 0 $dump FREQ 100",
        "CONFIG SET maxmemory-policy volatile-lfu lfu-decay-time 0",
        "OBJECT IDLETIME k",
        "RESTORE r 0 $dump FREQ 100 REPLACE",
        "OBJECT FREQ r",
        "RESTORE r 0 $dump FREQ 255 REPLACE",
        "GET r",
        "OBJECT FREQ r",
        "RESTORE r 0 $dump REPLACE",
        "OBJECT FREQ r",
        "RESTORE r 0 $dump IDLETIME 77 REPLACE",
        "OBJECT FREQ r",
        "SET new v",
        "OBJECT FREQ new",
        "RENAME r s",
        "OBJECT FREQ s",
        "CONFIG SET maxmemory-policy noeviction",
        "OBJECT FREQ k",
    ] {
        assert_eq!(ask(&mut connection, line), say(&mut driver, line), "{line}");
    }
}

#[test]
fn idle_time_passes_with_the_clock_and_counters_shrink_with_it() {
    let mut driver = engine();
    run_at(&mut driver, "SET k v", NOW_MS);
    let mut idle = |line: &str, after_ms: i64| {
        let reply = run_at(&mut driver, line, NOW_MS + after_ms).reply;
        number(&String::from_utf8_lossy(&driver.bytes(0, &reply)))
    };
    assert_eq!(idle("OBJECT IDLETIME k", 90_000), 90);
    assert_eq!(idle("EXISTS k", 95_000), 1);
    assert_eq!(idle("OBJECT IDLETIME k", 100_000), 100);
    assert_eq!(idle("TOUCH k", 110_000), 1);
    assert_eq!(idle("OBJECT IDLETIME k", 111_000), 1);
    run_at(&mut driver, "CONFIG SET maxmemory-policy allkeys-lfu lfu-log-factor 0", NOW_MS);
    run_at(&mut driver, "RESTORE k 0 $dump FREQ 50 REPLACE", NOW_MS);
    let mut count = |after_ms: i64| {
        let reply = run_at(&mut driver, "OBJECT FREQ k", NOW_MS + after_ms).reply;
        number(&String::from_utf8_lossy(&driver.bytes(0, &reply)))
    };
    assert_eq!((count(0), count(600_000), count(6_000_000)), (50, 40, 0));
}

#[test]
fn without_the_option_nothing_is_remembered_and_reads_touch_nothing_more() {
    let mut driver = crate::Driver::new(raceproof_engine::Options::default());
    say(&mut driver, "SET k v");
    let outcome = run_at(&mut driver, "GET k", NOW_MS);
    assert!(outcome.footprint.iter().all(|(object, access)| {
        *object != raceproof_engine::Object::Memory && *object != raceproof_engine::Object::Clock && !access.writes()
    }));
    assert_eq!(number(&say(&mut driver, "OBJECT IDLETIME k")), 0);
    let reply = run_at(&mut driver, "OBJECT IDLETIME k", NOW_MS + 100_000).reply;
    assert_eq!(number(&String::from_utf8_lossy(&driver.bytes(0, &reply))), 0);
}
