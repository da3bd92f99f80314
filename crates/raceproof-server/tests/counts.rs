//! What commands count, beside a real redis-server: changes, hits, misses, errors, and calls of each command.

mod support;

use std::collections::BTreeMap;

use raceproof_lab::RedisServer;
use support::Wire;

/// Commands, each after those before it, in groups that begin with an empty server.
const GROUPS: [&[&str]; 8] = [
    &[
        "SET a 1",
        "SET a 2 NX",
        "SET a 2 XX GET",
        "GET nope",
        "GETSET a 3",
        "GETDEL a",
        "GETDEL nope",
        "MSET a 1 b 2 c 3",
        "MSETNX a 1 d 3",
        "MSETNX e 1 f 3",
        "MGET a b nope",
        "APPEND a x",
        "SETRANGE a 0 zz",
        "SETBIT bits 7 1",
        "BITOP AND to bits nope",
        "BITOP OR to nope nope",
        "BITFIELD bits SET u8 0 5 INCRBY u8 0 1 GET u8 0",
        "BITFIELD bits OVERFLOW FAIL INCRBY u8 0 255 SET u8 0 1",
        "BITFIELD bits GET u8 0",
        "PFADD hll a b c",
        "PFADD hll a b c",
        "PFMERGE hll2 hll nope",
        "PFCOUNT hll",
        "DEL a b nope",
        "UNLINK c e nope",
        "RANDOMKEY",
        "RENAME bits bits2",
        "COPY bits2 copy",
        "COPY bits2 copy",
        "EXPIRE bits2 100",
        "PERSIST bits2",
        "TOUCH bits2 nope",
        "TYPE nope",
    ],
    &[
        "RPUSH l a b c d e f",
        "LPUSHX nope a",
        "LINSERT l BEFORE a z",
        "LTRIM l 0 -2",
        "LTRIM l 0 100",
        "RPUSH l x x x",
        "LREM l 2 x",
        "LPOP l 2",
        "RPOP l",
        "LMOVE l other LEFT RIGHT",
        "LMPOP 1 l LEFT COUNT 2",
        "BLMPOP 1 2 nope other LEFT COUNT 10",
        "RPUSH l c a b",
        "BLPOP l 1",
        "SORT l ALPHA STORE sorted",
        "SORT nope STORE sorted",
        "RPOP l 100",
    ],
    &[
        "SADD s 1 2 3 a b c",
        "SADD s 3",
        "SREM s a nope",
        "SMOVE s t b",
        "SMOVE s t nope",
        "SADD t c",
        "SMOVE s t c",
        "SINTERSTORE d s t",
        "SUNIONSTORE d s t nope",
        "SDIFFSTORE d t t",
        "SINTERCARD 2 s t",
        "SPOP s 0",
        "SPOP s 2",
        "SPOP s",
        "SPOP t 100",
    ],
    &[
        "HSET h a 1 b 2",
        "HSET h a 1 b 2 c 3",
        "HMSET h a 1",
        "HSETNX h a 1",
        "HINCRBY h a 1",
        "HDEL h a b nope",
        "ZADD z 1 a 2 b 3 c 4 d 5 e 6 f",
        "ZADD z 1 a 3 b 9 g",
        "ZADD z XX CH 5 a 6 nope",
        "ZINCRBY z 1 b",
        "ZREM z a nope b",
        "ZRANGESTORE zd z 0 -1",
        "ZRANGESTORE zd z 10 11",
        "ZUNIONSTORE zd 2 z nope",
        "ZREMRANGEBYRANK z 0 1",
        "ZADD z 1 a 2 b 3 c 4 d 5 e 6 f",
        "ZPOPMIN z 2",
        "ZPOPMAX z",
        "ZMPOP 1 z MIN COUNT 2",
        "BZMPOP 1 1 z MAX COUNT 10",
        "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania",
        "GEOSEARCHSTORE gs g FROMLONLAT 15 37 BYRADIUS 200 km ASC",
        "GEOSEARCHSTORE gs g FROMLONLAT 0 0 BYRADIUS 1 km ASC",
    ],
    &[
        "XADD x 5-1 a b",
        "XADD x 6-1 a b",
        "XADD x 7-1 a b",
        "XADD x 8-1 a b",
        "XDEL x 5-1 8-1 9-9",
        "XGROUP CREATE x g 0",
        "XREADGROUP GROUP g c COUNT 1 STREAMS x >",
        "XREADGROUP GROUP g d STREAMS x >",
        "XREADGROUP GROUP g d STREAMS x >",
        "XREADGROUP GROUP g c STREAMS x 0",
        "XCLAIM x g d 0 6-1 7-1",
        "XAUTOCLAIM x g e 0 0",
        "XACK x g 6-1 7-1 9-9",
        "XADD x 9-1 a b",
        "XREADGROUP GROUP g f NOACK STREAMS x >",
        "XTRIM x MAXLEN 1",
        "XREAD STREAMS x 0",
        "XRANGE nope - +",
    ],
    &[
        "MSET a 1 b 2 c 3",
        "FLUSHDB",
        "FLUSHDB",
        "SET a 1",
        "MOVE a 5",
        "SET b 2",
        "FLUSHALL",
        "SET a 1",
        "DEBUG RELOAD",
    ],
    &["CONFIG SET save \"3600 1\"", "SET a 1", "FLUSHALL", "SET a 1", "SAVE", "SET a 2", "CONFIG SET save \"\""],
    &[
        "RPUSH li a",
        "INCR li",
        "NOSUCH x",
        "GET",
        "SET a b zz",
        "EVAL \"return redis.call('nope')\" 0",
        "EVAL \"return redis.pcall('nope')\" 0",
        "EVAL \"return redis.pcall('nope').err\" 0",
        "EVAL \"return pcall(redis.call, 'nope')\" 0",
        "EVAL \"return redis.call('get')\" 0",
        "EVAL \"return redis.pcall('get').err\" 0",
        "EVAL \"return {redis.pcall('get')}\" 0",
        "EVAL \"return redis.pcall('subscribe', 'a').err\" 0",
        "EVAL \"return redis.call('incr', 'li')\" 0",
        "EVAL \"return redis.pcall('incr', 'li')\" 0",
        "EVAL \"return redis.pcall('incr', 'li').err\" 0",
        "EVAL \"redis.call('set', 'a', 1) redis.call('mset', 'a', 1, 'b', 2)\" 0",
        "EVAL \"return {err = 'MY'}\" 0",
        "EVAL \"return {1, {err = 'MY x'}}\" 0",
        "EVAL_RO \"return redis.pcall('set', 'a', 1).err\" 0",
        "CONFIG SET maxmemory 1",
        "SET a 1",
        "EVAL \"return redis.call('set', 'a', 1)\" 0",
        "EVAL \"return redis.pcall('set', 'a', 1)\" 0",
        "EVAL \"return redis.pcall('set', 'a', 1).err\" 0",
        "CONFIG SET maxmemory 0",
        "CONFIG SET min-replicas-to-write 1",
        "EVAL \"return redis.pcall('set', 'a', 1).err\" 0",
        "CONFIG SET min-replicas-to-write 0",
    ],
];

/// What is compared of `INFO`: how many, by name; of calls, how many there were, were refused, and failed.
fn counts(wire: &mut Wire) -> BTreeMap<String, String> {
    let compared = |name: &str| {
        matches!(name, "rdb_changes_since_last_save" | "keyspace_hits" | "keyspace_misses" | "total_error_replies")
            || name.starts_with("errorstat_")
            || name.starts_with("cmdstat_")
    };
    let info = wire.ask("INFO everything");
    let fields = info.split("\r\n").filter_map(|line| line.split_once(':')).filter(|(name, _)| compared(name));
    let timeless =
        |value: &str| value.split(',').filter(|part| !part.starts_with("usec")).collect::<Vec<_>>().join(",");
    fields.map(|(name, value)| (name.to_owned(), timeless(value))).collect()
}

#[test]
fn commands_count_what_they_count_in_redis() {
    let builder = RedisServer::builder().config("save", "").config("enable-debug-command", "yes");
    let real = builder.start().expect("redis-server is installed");
    let ours = support::start();
    let (mut real, mut ours) = (Wire::unix(&real.socket()), ours.connect());
    ours.ask("CONFIG SET save \"\"");
    let mut different = Vec::new();
    for group in GROUPS {
        for wire in [&mut real, &mut ours] {
            for command in ["FLUSHALL", "SCRIPT FLUSH", "DEBUG RELOAD", "CONFIG RESETSTAT"] {
                wire.ask(command);
            }
        }
        for command in group {
            let counted = [&mut real, &mut ours].map(|wire| {
                wire.ask(command);
                counts(wire)
            });
            if counted[0] != counted[1] {
                let [theirs, mine] = counted;
                let of = |all: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
                    all.iter()
                        .filter(|(name, value)| other.get(*name) != Some(value))
                        .fold(String::new(), |text, (name, value)| text + name + ":" + value + " ")
                };
                different.push(format!("{command}\n  server {}\n  ours   {}", of(&theirs, &mine), of(&mine, &theirs)));
                break;
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}
