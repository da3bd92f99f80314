//! Sequences that once got other replies from the engine than from redis-server, and the edges that random sequences
//! meet too rarely. They are always run.

/// Each with a name; one step a line, as the test prints them: `[session] command`, `(wait 2 ms)`. `@ms+1` is the start
/// of the sequence plus 1 ms, `@s-1` its second minus one.
pub(crate) const TABLE: &[(&str, &str)] = &[
    (
        "a key lives through the whole of its last millisecond",
        "
        [0] SET a 1 PXAT @ms+1
        [0] GET a
        [0] PTTL a
        (wait 1 ms)
        [0] PTTL a
        [0] GET a
        [0] PTTL a
        (wait 1 ms)
        [0] GET a
        [0] DBSIZE
        [0] SET a 1 PXAT @ms+0
        [0] GET a
        [0] SET b 1
        [0] PEXPIREAT b @ms+0
        [0] EXISTS b
        ",
    ),
    (
        "deadlines of the past: EXPIRE deletes, SET stores what is never seen, GETEX deletes",
        "
        [0] SET a 1 PXAT 1
        [0] DBSIZE
        [0] KEYS *
        [0] DBSIZE
        [0] GET a
        [0] DBSIZE
        [0] SET a 1
        [0] EXPIRE a -1
        [0] EXISTS a
        [0] SET a 1
        [0] GETEX a PXAT 1
        [0] EXISTS a
        [0] SET a 1 EX 0
        [0] SET a 1 PXAT 0
        [0] GETEX a EXAT 0
        ",
    ),
    (
        "expired keys count until they are touched",
        "
        [0] MSET a 1 b 2 c 3 h 4
        [0] PEXPIRE a 1
        [0] PEXPIRE b 1
        [0] PEXPIRE c 1
        (wait 3 ms)
        [0] DBSIZE
        [0] INFO KEYSPACE
        [0] RENAME a d
        [0] DBSIZE
        [0] SET b 1 NX
        [0] TTL b
        [0] DBSIZE
        [0] SCAN 0
        [0] DBSIZE
        [0] INFO KEYSPACE
        ",
    ),
    (
        "what expires while it is watched aborts, what had expired before does not",
        "
        [0] SET a 1 PXAT @ms+1
        [1] SET b 1 PXAT 1
        [0] WATCH a
        [1] WATCH b
        (wait 3 ms)
        [0] MULTI
        [0] PING
        [0] EXEC
        [1] GET b
        [1] MULTI
        [1] PING
        [1] EXEC
        ",
    ),
    (
        "the last moments of time",
        "
        [0] SET a 1
        [0] PEXPIREAT a 9223372036854775807
        [0] PEXPIRETIME a
        [0] EXPIRETIME a
        [0] TTL a
        [0] EXPIRE a 9223372036854775807
        [0] EXPIREAT a 9223372036854775
        [0] EXPIRETIME a
        [0] PEXPIRE a 9223372036854775807
        [0] SET a 1 EX 9223372036854775807
        [0] SET a 1 PX 9223372036854775807
        [0] GETEX a EX 9223372036854776
        ",
    ),
    (
        "EXPIRE with conditions",
        "
        [0] SET a 1
        [0] EXPIRE a 100 GT
        [0] EXPIRE a 100 XX
        [0] EXPIRE a 100 LT
        [0] EXPIREAT a @s+50 GT
        [0] EXPIREAT a @s+500 GT
        [0] EXPIREAT a @s+500 GT
        [0] EXPIREAT a @s+500 LT
        [0] EXPIREAT a @s+400 LT
        [0] EXPIRE a 100 NX
        [0] EXPIRE a 100 GT LT
        [0] EXPIRE a 100 NX XX
        [0] EXPIRE a 100 xx gt
        [0] EXPIRE a -1 GT
        [0] EXPIRE a -1 LT
        [0] EXISTS a
        ",
    ),
    (
        "EXEC with an argument ends the transaction and forgets the watched keys",
        "
        [0] EXEC x
        [0] MULTI
        [0] SET a 1
        [0] EXEC x
        [0] EXEC
        [0] WATCH a
        [1] SET a 2
        [0] EXEC x
        [0] MULTI
        [0] GET a
        [0] EXEC
        ",
    ),
    (
        "errors inside a transaction",
        "
        [0] MULTI
        [0] SET a x
        [0] INCR a
        [0] HSET a f v
        [0] EXEC
        [0] MULTI
        [0] NOSUCH
        [0] SET a y
        [0] EXEC
        [0] MULTI
        [0] MULTI
        [0] WATCH a
        [0] DISCARD
        [0] DISCARD
        [0] GET a
        ",
    ),
    (
        "a transaction aborts on any change of what it watches, in any database",
        "
        [0] SET a 1
        [0] WATCH a
        [1] SET a 1
        [0] MULTI
        [0] EXEC
        [0] WATCH a
        [1] SELECT 1
        [1] SET a 1
        [1] SWAPDB 0 1
        [0] MULTI
        [0] EXEC
        [0] WATCH nosuch
        [1] FLUSHALL
        [0] MULTI
        [0] EXEC
        [0] WATCH a
        [1] SELECT 0
        [1] SET a 1
        [1] DEL a
        [0] MULTI
        [0] EXEC
        [0] SET a 1
        [0] WATCH a
        [0] APPEND a 2
        [0] UNWATCH
        [0] MULTI
        [0] EXEC
        ",
    ),
    (
        "nothing but the empty pattern matches the empty name",
        "
        [0] SET \"\" 1
        [0] KEYS *
        [0] KEYS **
        [0] KEYS \"\"
        [0] SCAN 0 MATCH *
        [0] SCAN 0 MATCH **
        [0] SCAN 0 MATCH \"\"
        ",
    ),
    (
        "where hashes leave the listpack",
        "
        [0] HSET h f exactly-sixty-four-bytes-long-the-most-that-a-listpack-entry-has
        [0] OBJECT ENCODING h
        [0] HSET h f exactly-sixty-five-bytes-long-one-more-than-a-listpack-entry-has!
        [0] OBJECT ENCODING h
        [0] HSET h f short
        [0] OBJECT ENCODING h
        [0] CONFIG SET hash-max-listpack-entries 2
        [0] HSET a f 1 g 2
        [0] OBJECT ENCODING a
        [0] HSET a i 3
        [0] OBJECT ENCODING a
        [0] HDEL a i
        [0] OBJECT ENCODING a
        [0] COPY a b
        [0] OBJECT ENCODING b
        [0] HSET c 1 1
        [0] HINCRBY c 2 1
        [0] HSETNX c 3 1
        [0] OBJECT ENCODING c
        ",
    ),
    (
        "a hash that leaves the listpack in a transaction that leaves the database",
        "
        [0] HINCRBY h f 1
        [2] MULTI
        [2] HSET h g xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        [2] HGETALL h
        [2] SELECT 1
        [2] EXEC
        ",
    ),
    (
        "small hashes keep the order in which fields came",
        "
        [0] HSET h z 1 a 2 m 3
        [0] HSET h a 9
        [0] HGETALL h
        [0] HDEL h z
        [0] HSET h z 4
        [0] HKEYS h
        [0] HVALS h
        [0] HSCAN h 0
        [0] HSCAN h 99 MATCH z COUNT 1
        [0] HRANDFIELD h 10 WITHVALUES
        [1] HELLO 3
        [1] HGETALL h
        [1] HRANDFIELD h 10 WITHVALUES
        [1] HSCAN h 0
        ",
    ),
    (
        "where integers end",
        "
        [0] SET a 9223372036854775807
        [0] INCR a
        [0] SET a -9223372036854775808
        [0] DECR a
        [0] DECRBY a -9223372036854775808
        [0] INCRBY a 9223372036854775807
        [0] SET a 9223372036854775808
        [0] INCR a
        [0] SET a \" 1\"
        [0] INCR a
        [0] SET a 01
        [0] INCR a
        [0] HSET h f 9223372036854775807
        [0] HINCRBY h f 1
        [0] HINCRBY h f -9223372036854775808
        ",
    ),
    (
        "floats are long doubles and print without an exponent",
        "
        [0] SET a 0.1
        [0] INCRBYFLOAT a 0.2
        [0] INCRBYFLOAT a 1e17
        [0] INCRBYFLOAT a 1e300
        [0] INCRBYFLOAT a 1e5000
        [0] INCRBYFLOAT a inf
        [0] INCRBYFLOAT a nan
        [0] SET a 3.0e3
        [0] INCRBYFLOAT a 200
        [0] SET a 5e-324
        [0] INCRBYFLOAT a 5e-324
        [0] HSET h f 10.50
        [0] HINCRBYFLOAT h f 0.1
        [0] HINCRBYFLOAT h f -5
        [0] HINCRBYFLOAT h f 0x1p3
        [0] HINCRBYFLOAT h f abc
        ",
    ),
    (
        "COMMAND GETKEYS counts keys as C's atoi does",
        "
        [0] COMMAND GETKEYS EVAL x 1.5 a
        [0] COMMAND GETKEYS EVAL x -9223372036854775808 a
        [0] COMMAND GETKEYS EVAL x 4294967297 a
        [0] COMMAND GETKEYS EVAL x \" 1\" a
        [0] COMMAND GETKEYS EVAL x abc a
        [0] COMMAND GETKEYS EVAL x 2 a
        ",
    ),
    (
        "an empty size is zero",
        "
        [0] CONFIG SET maxmemory \"\"
        [0] CONFIG GET maxmemory
        [0] CONFIG SET maxmemory x
        ",
    ),
    (
        "a script sees one moment",
        "
        [0] EVAL \"local t = redis.call('TIME') redis.call('SET', KEYS[1], 1, 'PX', 1) local n = 0 repeat n = n + 1 until n > 300000 return redis.call('GET', KEYS[1])\" 1 a
        (wait 2 ms)
        [0] GET a
        [0] EVAL \"redis.call('SET', KEYS[1], 1) redis.call('PEXPIRE', KEYS[1], 0) return redis.call('EXISTS', KEYS[1])\" 1 a
        ",
    ),
    (
        "a script chooses what is propagated",
        "
        [0] EVAL \"redis.set_repl(redis.REPL_NONE) redis.call('SET', KEYS[1], 1) redis.set_repl(redis.REPL_ALL) return redis.call('INCR', KEYS[1])\" 1 a
        [0] EVAL \"redis.set_repl(redis.REPL_AOF) redis.call('SET', KEYS[1], 1) return redis.call('INCR', KEYS[1])\" 1 a
        [0] EVAL \"return redis.set_repl(99)\" 0
        [0] SET a 2
        ",
    ),
    (
        "what is propagated instead of what was sent",
        "
        [0] SET a 1 EX 100
        [0] SET a 1.5 PX 100000 GET
        [0] SETEX b 100 x
        [0] PSETEX b 100000 x
        [0] INCRBYFLOAT a 1
        [0] GETEX a EXAT @s+100
        [0] GETEX a PERSIST
        [0] GETEX a PERSIST
        [0] PERSIST b
        [0] EXPIRE b 100
        [0] EXPIRE b -1
        [0] HINCRBYFLOAT h f 1.5
        [0] GETDEL a
        [0] GETSET a 1
        [0] MSETNX a 1 c 2
        [0] MOVE a 1
        [0] COPY b nosuch
        [0] RENAME nosuch a
        [0] DEL nosuch
        [0] SETRANGE nosuch 0 \"\"
        [0] MULTI
        [0] EXEC
        [0] MULTI
        [0] SET a 1
        [0] EXEC
        [0] MULTI
        [0] SELECT 1
        [0] SET a 1
        [0] SELECT 2
        [0] SET b 1
        [0] EXEC
        [0] FLUSHDB ASYNC
        [0] FLUSHALL
        [0] SWAPDB 0 1
        [0] SCRIPT LOAD \"return 1\"
        [0] SCRIPT FLUSH
        ",
    ),
    (
        "the lowest rank of LPOS has no opposite",
        "
        [0] LPOS l a RANK -9223372036854775808
        [0] RPUSH l a b a a
        [0] LPOS l a RANK -9223372036854775808
        [0] LPOS l a RANK -9223372036854775808 COUNT 0
        [0] LPOS l a RANK -9223372036854775807 COUNT 0
        [0] LPOS l a RANK 9223372036854775807
        ",
    ),
    (
        "a listpack knows no negative zero, and whole scores have all their digits in a scan of one",
        "
        [0] ZADD z -0 a 1e17 b -1e17 c 1.5 d 4611686018427387904 e 4611686018427389000 f
        [0] ZRANGE z 0 -1 WITHSCORES
        [0] ZSCAN z 0
        [0] ZINCRBY z -0 g
        [0] ZSCORE z g
        [0] ZUNIONSTORE y 1 z WEIGHTS -1
        [0] ZRANGE y 0 -1 WITHSCORES
        [0] CONFIG SET zset-max-listpack-entries 0
        [0] ZADD y -0 h
        [0] ZRANGE y 0 -1 WITHSCORES
        [0] ZADD x -0 i
        [0] ZSCORE x i
        [0] ZADD x 1e17 j
        [0] ZSCAN x 0
        ",
    ),
    (
        "a constant BY stops SORT from sorting, whatever comes after it",
        "
        [0] RPUSH l 3 1 2
        [0] SORT l BY nosort BY weight_*
        [0] SORT l BY weight_* BY nosort DESC LIMIT 0 2
        [0] SADD s 3 1 2
        [0] SORT s BY nosort BY weight_* STORE m
        [0] LRANGE m 0 -1
        ",
    ),
    (
        "SORT makes a skip list of a small sorted set",
        "
        [0] ZADD z 2 1 1 2
        [0] OBJECT ENCODING z
        [0] SORT_RO z
        [0] OBJECT ENCODING z
        ",
    ),
    (
        "a difference may leave a table of nothing but integers",
        "
        [0] SADD s 1 2 3 4 5 6 7 x
        [0] SADD t x
        [0] SADD u y
        [0] SDIFFSTORE v s t
        [0] OBJECT ENCODING v
        [0] SDIFFSTORE v s t u u u u u u u u
        [0] OBJECT ENCODING v
        ",
    ),
    (
        "a large pop leaves a set of integers",
        "
        [0] SADD s 1 2 3 4 5 6 7 8
        [0] CONFIG SET set-max-intset-entries 4
        [0] SADD s 9
        [0] SREM s 9
        [0] OBJECT ENCODING s
        [0] SPOP s 3
        [0] OBJECT ENCODING s
        [0] SPOP s 4
        [0] OBJECT ENCODING s
        ",
    ),
    (
        "keys that have expired when a result is stored over them",
        "
        [0] SADD s a
        [0] SET k v PX 1
        [0] SET l v PX 1
        (wait 3 ms)
        [0] SINTERSTORE k s nosuch
        [0] SUNIONSTORE l s
        [0] TTL l
        ",
    ),
    (
        "COMMAND GETKEYS of counted and of sorted keys",
        "
        [0] COMMAND GETKEYS ZUNIONSTORE a 0 a
        [0] COMMAND GETKEYS ZUNIONSTORE a 2 b c WEIGHTS 1 2
        [0] COMMAND GETKEYS ZUNIONSTORE a 2x b c
        [0] COMMAND GETKEYS SORT a BY x GET y STORE b LIMIT 0 1 STORE c
        [0] COMMAND GETKEYS SORT a STORE
        [0] COMMAND GETKEYS SORT_RO a BY x
        [0] COMMAND GETKEYS LMPOP 2 a b LEFT
        [0] COMMAND GETKEYS EVAL x 0
        ",
    ),
    (
        "quitting drops what was queued and watched",
        "
        [1] WATCH a
        [1] MULTI
        [1] SET a 1
        [1] QUIT
        [0] EXISTS a
        ",
    ),
    (
        "events before, within and after replies",
        "
        [0] HELLO 3
        [0] CONFIG SET notify-keyspace-events KEAmn
        [0] PSUBSCRIBE __key*__:*
        [0] ZADD z 1 a 2 b
        [0] ZPOPMIN z 5
        [0] RPUSH l a b
        [0] LMOVE l m LEFT RIGHT
        [0] BLPOP l 0
        [0] SADD s a
        [0] SPOP s
        [0] SET k v GET
        [0] SET k v PX 100000 GET
        [0] MGET k nosuch k nosuch
        [0] XGROUP CREATE x g $ MKSTREAM
        [0] XADD x 1-1 f v
        [0] XREADGROUP GROUP g c STREAMS x >
        [0] XAUTOCLAIM x g d 0 0
        [0] XREAD STREAMS nosuch x nosuch 0 0 0
        [0] SINTERSTORE s nosuch s
        [0] SORT m BY w_* GET # GET v_*
        [0] RENAME m k
        [0] COPY k k2
        [0] MOVE k2 1
        [0] EVAL \"redis.call('SET', KEYS[1], 1) return redis.call('DEL', KEYS[1])\" 1 k
        [0] MULTI
        [0] SET k 1
        [0] DEL k
        [0] EXEC
        ",
    ),
    (
        "who waits listens as well",
        "
        [0] CONFIG SET notify-keyspace-events KEA
        [1] HELLO 3
        [1] PSUBSCRIBE __key*__:*
        [1] BLPOP l 0
        [0] RPUSH l a
        [1] BZPOPMIN z 0
        [0] ZADD z 1 a
        [1] BLMOVE l m LEFT LEFT 0
        [0] RPUSH l a b
        ",
    ),
    (
        "messages in subscribed mode, without replies, in transactions",
        "
        [0] SUBSCRIBE x y
        [0] PING
        [0] PING hello
        [0] GET a
        [0] EXEC
        [1] HELLO 3
        [1] PSUBSCRIBE x* *
        [1] MULTI
        [1] CLIENT REPLY OFF
        [1] PUBLISH x 1
        [1] CLIENT REPLY ON
        [1] PUBLISH x 2
        [1] EXEC
        [1] CLIENT REPLY SKIP
        [1] SUBSCRIBE z
        [1] CLIENT REPLY OFF
        [1] PUBLISH z 3
        [1] RESET
        [0] UNSUBSCRIBE
        [0] UNSUBSCRIBE
        [2] MULTI
        [2] SSUBSCRIBE x
        [2] SUBSCRIBE x
        [2] SPUBLISH x 1
        [2] EXEC
        ",
    ),
];
