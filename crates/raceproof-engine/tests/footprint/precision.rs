//! Pairs whose relation is known.

use bytes::Bytes;
use raceproof_engine::Options;

use crate::support::driver::{self, Driver};
use crate::support::sequence::{parse_command, resolve};

/// What a pair must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// Exploration must not run both orders.
    Independent,
    /// Exploration has to run both orders.
    Dependent,
}

use Relation::{Dependent, Independent};

/// Commands that make the state (divided by `;`), two commands, and their relation.
pub(crate) const TABLE: &[(&str, &str, &str, Relation)] = &[
    ("SET a 1", "GET a", "GET a", Independent),
    // What is held has an order; what is not held does not notice.
    ("CLIENT PAUSE 100 WRITE", "SET a 1", "SET b 1", Dependent),
    ("CLIENT PAUSE 100 WRITE", "SET a 1", "GET b", Independent),
    ("CLIENT PAUSE 100 WRITE", "SET a 1", "CLIENT UNPAUSE", Dependent),
    ("CLIENT PAUSE 100 WRITE", "CLIENT UNPAUSE", "GET b", Dependent),
    ("", "CLIENT PAUSE 100 WRITE", "PING", Dependent),
    ("", "CLIENT UNPAUSE", "GET b", Independent),
    ("CLIENT PAUSE 0 WRITE", "SET a 1", "SET b 1", Independent),
    // The string shrinks by as much as the deadline takes, but there is a table of deadlines now.
    ("CONFIG SET maxmemory 100mb;SET c 1.0000000000000000000001", "PSETEX c 100000 1", "GETBIT a 0", Dependent),
    ("", "BLPOP l 0", "BLPOP m 0", Independent),
    ("", "BLPOP l 0", "RPUSH m 1", Independent),
    ("", "BLPOP l 0", "BLPOP l 0", Dependent),
    ("", "BLPOP l m 0", "BLPOP m 0", Dependent),
    ("", "BLPOP l 0", "RPUSH l 1", Dependent),
    ("", "BZPOPMIN z 0", "ZADD z 1 a", Dependent),
    ("XADD x 1 f v", "XREAD BLOCK 0 STREAMS x $", "XADD x 2 f v", Dependent),
    ("RPUSH l 1", "BLPOP l 0", "BLPOP m 0", Independent),
    ("SET a 1", "GET a", "SET b 1", Independent),
    ("", "GET a", "SET b 1", Independent),
    ("", "SET a 1", "SET b 1", Independent),
    ("", "INCR a", "INCR b", Independent),
    ("SET a 1;SET b 1", "INCR a", "INCR b", Independent),
    ("HSET h x 1", "HSET h f 1", "HSET h g 1", Independent),
    ("HSET h f 1 g 1 x 1", "HSET h f 2", "HSET h g 2", Independent),
    ("HSET h f 1 g 1 x 1", "HGET h f", "HSET h g 2", Independent),
    ("HSET h x 1", "HGET h f", "HSET h g 2", Independent),
    ("HSET h f 1 g 1", "HINCRBY h f 1", "HINCRBY h g 1", Independent),
    ("HSET h f 1 g 1", "HEXISTS h f", "HSET h g 2", Independent),
    ("HSET h f 1 g 1", "HGETALL h", "HGETALL h", Independent),
    ("HSET h f 1 g 1", "HLEN h", "HSET h f 2", Independent),
    ("HSET h f 1 g 1", "HGETALL h", "HKEYS h", Independent),
    ("SET a 1;HSET h f 1", "EXISTS a", "HSET h f 2", Independent),
    ("SET a 1 PX 1000", "GET a", "GET a", Independent),
    ("SET a 1 PX 1000;SET b 1", "GET a", "SET b 2", Independent),
    ("SET a 1;SET b 1", "MGET a", "MSET b 2", Independent),
    ("SET a 1;SET b 1", "PEXPIRE a 1000", "PEXPIRE b 1000", Independent),
    ("SET a 1", "DBSIZE", "SET a 2", Independent),
    ("SET a 1", "KEYS *", "SET a 2", Independent),
    ("SET a 1", "KEYS *", "DBSIZE", Independent),
    ("SET a 1", "PING", "SET a 2", Independent),
    ("SET a 1", "WATCH a", "GET a", Independent),
    ("SET a 1", "WATCH a", "SET b 1", Independent),
    ("SET a 1;SET b 1", "DEL a", "GET b", Independent),
    ("SET a 1;SET b 1", "DEL a", "DEL b", Independent),
    ("SET a 1;SELECT 1;SET a 1", "SET a 2", "COPY b c DB 1", Independent),
    ("SADD s x", "SADD s f", "SADD s g", Independent),
    ("SADD s x", "SADD s 1", "SADD s g", Independent),
    ("SADD s x f", "SADD s f", "SADD s f", Independent),
    ("SADD s x f", "SISMEMBER s f", "SREM s x", Independent),
    ("SADD s x f", "SADD s f", "SREM s x", Independent),
    ("SADD s x f", "SCARD s", "SADD s f", Independent),
    ("SADD s x;SADD t x", "SMOVE s t y", "SADD t z", Independent),
    ("SADD s x;SADD t x", "SINTER s t", "SUNION s t", Independent),
    ("SADD s x f", "TYPE s", "SADD s g", Independent),
    ("SADD s x f", "SRANDMEMBER s 2", "SRANDMEMBER s 5", Independent),
    ("ZADD z 1 x", "ZADD z 1 f", "ZADD z 1 g", Independent),
    ("ZADD z 1 f 1 g", "ZINCRBY z 1 f", "ZINCRBY z 1 g", Independent),
    ("ZADD z 1 f 1 g", "ZSCORE z f", "ZADD z 5 g", Independent),
    ("ZADD z 1 f 1 g", "ZCARD z", "ZADD z 5 g", Independent),
    ("ZADD z 1 f 1 g", "ZADD z GT 0 f", "ZSCORE z f", Independent),
    ("ZADD z 1 f 1 g", "ZRANK z f", "ZRANGE z 0 -1", Independent),
    ("RPUSH l x", "LLEN l", "LRANGE l 0 -1", Independent),
    ("RPUSH l x", "RPUSH l y", "RPUSH m y", Independent),
    ("RPUSH l x", "LPOP m", "RPUSH l y", Independent),
    ("RPUSH l x", "LPUSH l y", "RPUSH l y", Dependent),
    ("RPUSH l x y", "LPOP l", "RPOP l", Dependent),
    ("", "RPUSH l x", "LPOP l", Dependent),
    ("RPUSH l x", "LMOVE l m LEFT RIGHT", "LLEN m", Dependent),
    ("XADD x 1-1 f v", "XLEN x", "XRANGE x - +", Independent),
    ("XADD x 1-1 f v", "XADD x 2-1 f v", "XADD w 2-1 f v", Independent),
    ("XADD x 1-1 f v", "XADD x 2-1 f v", "XADD x 3-1 f v", Dependent),
    ("XADD x 1-1 f v;XGROUP CREATE x g 0", "XREADGROUP GROUP g a STREAMS x >", "XPENDING x g", Dependent),
    ("", "SADD s f", "SADD s g", Dependent),
    ("SADD s x", "SADD s f", "SADD s f", Dependent),
    ("SADD s x", "SMEMBERS s", "SADD s f", Dependent),
    ("SADD s x", "SCARD s", "SADD s f", Dependent),
    ("SADD s x f", "SREM s x", "SREM s f", Dependent),
    ("SADD s x f", "SPOP s", "SISMEMBER s x", Dependent),
    ("SADD s x f", "SRANDMEMBER s", "SRANDMEMBER s", Dependent),
    ("SADD s x;SADD t y", "SUNIONSTORE u s t", "SADD t z", Dependent),
    ("ZADD z 1 f 1 g", "ZRANK z f", "ZADD z 5 g", Dependent),
    ("ZADD z 1 f 1 g", "ZADD z 1 h", "ZCARD z", Dependent),
    ("ZADD z 1 f 1 g", "ZPOPMIN z", "ZSCORE z g", Dependent),
    ("ZADD z 1 f 1 g", "ZREM z f", "ZREM z g", Dependent),
    ("ZADD z 1 f 1 g", "ZADD z 2 f", "ZADD z 3 f", Dependent),
    ("SET a 1", "GET a", "SET a 2", Dependent),
    ("SET a 1", "SET a 2", "SET a 2", Dependent),
    ("SET a 1", "INCR a", "INCR a", Dependent),
    ("SET a 1", "EXISTS a", "DEL a", Dependent),
    ("", "EXISTS a", "SET a 1", Dependent),
    ("", "SETNX a 1", "SETNX a 2", Dependent),
    ("HSET h f 1 g 1", "HGETALL h", "HSET h f 2", Dependent),
    ("HSET h f 1 g 1", "HSET h f 2", "HSET h f 3", Dependent),
    ("HSET h f 1 g 1", "HDEL h f", "HDEL h g", Dependent),
    ("HSET h f 1", "HLEN h", "HSET h g 2", Dependent),
    ("HSET h f 1", "DEL h", "HSET h f 2", Dependent),
    ("HSET h f 1", "PEXPIRE h 1000", "HDEL h f", Dependent),
    ("", "DBSIZE", "SET a 1", Dependent),
    ("", "KEYS *", "SET a 1", Dependent),
    ("SET a 1", "DBSIZE", "DEL a", Dependent),
    ("SET a 1", "SCAN 0", "DEL a", Dependent),
    ("SET a 1", "FLUSHALL", "GET a", Dependent),
    ("SET a 1", "FLUSHDB", "SET b 1", Dependent),
    ("SET a 1", "SWAPDB 0 1", "GET a", Dependent),
    ("SET a 1", "RENAME a b", "EXISTS b", Dependent),
    ("SET a 1", "RENAME a b", "GET a", Dependent),
    ("SET a 1", "MOVE a 1", "GET a", Dependent),
    ("SET a 1", "WATCH a", "SET a 1", Dependent),
    ("SET a 1", "PTTL a", "PEXPIRE a 1000", Dependent),
    ("SET a 1 PX 1000", "PERSIST a", "PTTL a", Dependent),
    ("", "SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "SCRIPT FLUSH", Dependent),
    ("SET a 1;SET b 1", "RANDOMKEY", "RANDOMKEY", Dependent),
    ("", "PUBLISH x 1", "PUBLISH x 2", Independent),
    ("", "SUBSCRIBE x", "SUBSCRIBE x", Independent),
    ("", "PSUBSCRIBE x", "PSUBSCRIBE y", Independent),
    ("", "SUBSCRIBE x", "PUBLISH y 1", Independent),
    ("", "SUBSCRIBE x", "PUBLISH x 1", Dependent),
    ("", "PSUBSCRIBE x*", "PUBLISH x 1", Dependent),
    ("", "SSUBSCRIBE x", "PUBLISH x 1", Independent),
    ("CONFIG SET notify-keyspace-events KEA", "SET a 1", "SET b 1", Independent),
    ("CONFIG SET notify-keyspace-events KEA;PSUBSCRIBE __key*", "SET a 1", "SET b 1", Dependent),
    ("CONFIG SET notify-keyspace-events KEA", "SUBSCRIBE __keyevent@0__:set", "SET b 1", Dependent),
    ("CONFIG SET notify-keyspace-events KEA", "SUBSCRIBE __keyspace@0__:a", "SET b 1", Independent),
    ("", "SSUBSCRIBE x", "SPUBLISH x 1", Dependent),
    ("SUBSCRIBE x", "PUBLISH x 1", "PUBLISH x 2", Dependent),
    ("SUBSCRIBE x y", "PUBLISH x 1", "PUBLISH y 2", Dependent),
    ("SUBSCRIBE x", "PUBLISH x 1", "PUBLISH y 2", Independent),
    ("SUBSCRIBE x", "PUBLISH x 1", "SET a 1", Independent),
    ("", "SUBSCRIBE x", "PUBSUB CHANNELS", Dependent),
    ("", "SUBSCRIBE x", "PUBSUB NUMSUB y", Independent),
    ("", "SUBSCRIBE x", "CLIENT LIST", Dependent),
    ("", "PSUBSCRIBE x", "PUBSUB NUMPAT", Dependent),
    ("", "SSUBSCRIBE x", "PUBSUB SHARDCHANNELS", Dependent),
    ("", "CLIENT TRACKING ON", "CLIENT TRACKING ON", Dependent),
    ("", "CLIENT TRACKING ON", "GET a", Dependent),
    ("CLIENT TRACKING ON", "CLIENT TRACKING ON", "CLIENT TRACKING ON", Dependent),
    ("CLIENT TRACKING ON", "CLIENT TRACKING ON", "SET a 1", Dependent),
    ("CLIENT TRACKING ON", "CLIENT TRACKING ON BCAST", "SET a 1", Dependent),
    ("CLIENT TRACKING ON", "SET a 1", "SET b 1", Independent),
    ("CLIENT TRACKING ON", "SET a 1", "GET b", Independent),
    ("CLIENT TRACKING ON", "GET a", "GET a", Independent),
    ("CLIENT TRACKING ON", "GET a", "INFO stats", Independent),
    ("CLIENT TRACKING ON;GET a", "SET a 1", "INFO stats", Dependent),
    ("CLIENT TRACKING ON;GET a", "SET a 1", "GET b", Independent),
    ("HELLO 3;CLIENT TRACKING ON;MGET a b", "SET a 1", "SET b 1", Dependent),
    ("CLIENT TRACKING ON BCAST PREFIX x", "SET a 1", "SET b 1", Independent),
];

/// Says what is wrong with a pair, if its relation is another one in either order.
pub(crate) fn wrong((setup, first, second, relation): &(&str, &str, &str, Relation)) -> Option<String> {
    let mut start = Driver::new(Options { sorted_replies: true, ..Options::default() });
    let mut host = driver::host();
    let words = |line: &str| -> Vec<Bytes> { resolve(&parse_command(line), 0) };
    for line in setup.split(';').filter(|line| !line.is_empty()) {
        start.run(&mut host, 2, &words(line), 1000);
    }
    for (sessions, order) in [([0, 1], [first, second]), ([1, 0], [second, first])] {
        let mut driver = start.clone();
        let one = driver.run(&mut host, sessions[0], &words(order[0]), 1000);
        let two = driver.run(&mut host, sessions[1], &words(order[1]), 1000);
        let conflict = one.footprint.conflicts(&two.footprint);
        if conflict != (*relation == Dependent) {
            return Some(format!(
                "[{setup}] {} then {} must be {relation:?}, but touch\n  {:?}\n  {:?}",
                order[0], order[1], one.footprint, two.footprint
            ));
        }
    }
    None
}
