//! Where among the events of a command those who track its keys are told, and other sequences of `CLIENT TRACKING`.

/// What a sequence is named for, and its steps.
pub(crate) const TABLE: &[(&str, &str)] = &[
    (
        "SET a 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SET a 1",
    ),
    (
        "SETEX a 100 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SETEX a 100 1",
    ),
    (
        "SETNX n 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SETNX n 1",
    ),
    (
        "GETSET a 2",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] GETSET a 2",
    ),
    (
        "GETDEL a",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] GETDEL a",
    ),
    (
        "GETEX a PX 100000",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] GETEX a PX 100000",
    ),
    (
        "GETEX a PERSIST",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] GETEX a PERSIST",
    ),
    (
        "APPEND a x",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] APPEND a x",
    ),
    (
        "SETRANGE a 1 x",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SETRANGE a 1 x",
    ),
    (
        "SETBIT a 1 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SETBIT a 1 1",
    ),
    (
        "BITFIELD a SET u8 0 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] BITFIELD a SET u8 0 1",
    ),
    (
        "BITOP NOT b a",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] BITOP NOT b a",
    ),
    (
        "INCRBY i 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] INCRBY i 1",
    ),
    (
        "INCRBYFLOAT i 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] INCRBYFLOAT i 1",
    ),
    (
        "MSET a 1 b 2",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] MSET a 1 b 2",
    ),
    (
        "MSETNX n 1 o 2",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] MSETNX n 1 o 2",
    ),
    (
        "DEL a b l",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] DEL a b l",
    ),
    (
        "UNLINK a b",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] UNLINK a b",
    ),
    (
        "EXPIRE a 100",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXPIRE a 100",
    ),
    (
        "EXPIREAT a 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXPIREAT a 1",
    ),
    (
        "PERSIST v",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] PERSIST v",
    ),
    (
        "RENAME a b",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] RENAME a b",
    ),
    (
        "RENAMENX a n",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] RENAMENX a n",
    ),
    (
        "RENAME l a",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] RENAME l a",
    ),
    (
        "COPY a n",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] COPY a n",
    ),
    (
        "COPY a b REPLACE",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] COPY a b REPLACE",
    ),
    (
        "MOVE a 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] MOVE a 1",
    ),
    (
        "HSET h f 2",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] HSET h f 2",
    ),
    (
        "HSET n f 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] HSET n f 1",
    ),
    (
        "HDEL h f",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] HDEL h f",
    ),
    (
        "HDEL h f g",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] HDEL h f g",
    ),
    (
        "HINCRBY h g 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] HINCRBY h g 1",
    ),
    (
        "HINCRBYFLOAT h g 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] HINCRBYFLOAT h g 1",
    ),
    (
        "HSETNX h n 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] HSETNX h n 1",
    ),
    (
        "HMSET h f 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] HMSET h f 1",
    ),
    (
        "LPUSH l x",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] LPUSH l x",
    ),
    (
        "RPUSH n x",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] RPUSH n x",
    ),
    (
        "LPUSHX l x",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] LPUSHX l x",
    ),
    (
        "LPOP l",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] LPOP l",
    ),
    (
        "RPOP one",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] RPOP one",
    ),
    (
        "LPOP l 5",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] LPOP l 5",
    ),
    (
        "LREM l 0 x",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] LREM l 0 x",
    ),
    (
        "LREM one 0 x",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] LREM one 0 x",
    ),
    (
        "LSET l 0 q",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] LSET l 0 q",
    ),
    (
        "LTRIM l 0 0",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] LTRIM l 0 0",
    ),
    (
        "LTRIM l 5 9",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] LTRIM l 5 9",
    ),
    (
        "LINSERT l BEFORE x q",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] LINSERT l BEFORE x q",
    ),
    (
        "LMOVE l m LEFT LEFT",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] LMOVE l m LEFT LEFT",
    ),
    (
        "LMOVE one m LEFT LEFT",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] LMOVE one m LEFT LEFT",
    ),
    (
        "LMOVE l l LEFT RIGHT",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] LMOVE l l LEFT RIGHT",
    ),
    (
        "RPOPLPUSH l m",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] RPOPLPUSH l m",
    ),
    (
        "RPOPLPUSH one n",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] RPOPLPUSH one n",
    ),
    (
        "LMPOP 2 n l LEFT",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] LMPOP 2 n l LEFT",
    ),
    (
        "LMPOP 1 one LEFT COUNT 5",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] LMPOP 1 one LEFT COUNT 5",
    ),
    (
        "BLPOP l 0",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] BLPOP l 0",
    ),
    (
        "BLPOP one 0",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] BLPOP one 0",
    ),
    (
        "BLMOVE one m LEFT LEFT 0",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] BLMOVE one m LEFT LEFT 0",
    ),
    (
        "BLMPOP 0 1 one LEFT",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] BLMPOP 0 1 one LEFT",
    ),
    (
        "SADD s q",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SADD s q",
    ),
    (
        "SADD n q",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SADD n q",
    ),
    (
        "SREM s x",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SREM s x",
    ),
    (
        "SREM sone x",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SREM sone x",
    ),
    (
        "SMOVE s t x",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SMOVE s t x",
    ),
    (
        "SMOVE sone t x",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SMOVE sone t x",
    ),
    (
        "SPOP sone",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SPOP sone",
    ),
    (
        "SPOP s 100",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SPOP s 100",
    ),
    (
        "SUNIONSTORE t s",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SUNIONSTORE t s",
    ),
    (
        "SINTERSTORE t s nosuch",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SINTERSTORE t s nosuch",
    ),
    (
        "SDIFFSTORE n s",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SDIFFSTORE n s",
    ),
    (
        "ZADD z 5 q",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZADD z 5 q",
    ),
    (
        "ZADD n 1 q",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZADD n 1 q",
    ),
    (
        "ZINCRBY z 1 x",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZINCRBY z 1 x",
    ),
    (
        "ZREM z x",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZREM z x",
    ),
    (
        "ZREM zone x",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZREM zone x",
    ),
    (
        "ZPOPMIN z",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZPOPMIN z",
    ),
    (
        "ZPOPMIN zone",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZPOPMIN zone",
    ),
    (
        "ZMPOP 1 zone MIN",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZMPOP 1 zone MIN",
    ),
    (
        "BZPOPMIN z 0",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] BZPOPMIN z 0",
    ),
    (
        "BZPOPMAX zone 0",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] BZPOPMAX zone 0",
    ),
    (
        "BZMPOP 0 1 zone MIN",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] BZMPOP 0 1 zone MIN",
    ),
    (
        "ZREMRANGEBYRANK z 0 0",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZREMRANGEBYRANK z 0 0",
    ),
    (
        "ZREMRANGEBYRANK zone 0 -1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZREMRANGEBYRANK zone 0 -1",
    ),
    (
        "ZREMRANGEBYSCORE z 1 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZREMRANGEBYSCORE z 1 1",
    ),
    (
        "ZRANGESTORE n z 0 -1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZRANGESTORE n z 0 -1",
    ),
    (
        "ZRANGESTORE y nosuch 0 -1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZRANGESTORE y nosuch 0 -1",
    ),
    (
        "ZUNIONSTORE y 1 z",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZUNIONSTORE y 1 z",
    ),
    (
        "ZINTERSTORE y 2 z nosuch",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZINTERSTORE y 2 z nosuch",
    ),
    (
        "ZDIFFSTORE y 2 z y",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] ZDIFFSTORE y 2 z y",
    ),
    (
        "GEOADD g 13 38 q",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] GEOADD g 13 38 q",
    ),
    (
        "GEOADD n 13 38 q",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] GEOADD n 13 38 q",
    ),
    (
        "GEOSEARCHSTORE y g FROMLONLAT 13 38 BYRADIUS 200 km",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] GEOSEARCHSTORE y g FROMLONLAT 13 38 BYRADIUS 200 km",
    ),
    (
        "GEORADIUS g 13 38 1 m STORE y",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] GEORADIUS g 13 38 1 m STORE y",
    ),
    (
        "SORT l ALPHA STORE m",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SORT l ALPHA STORE m",
    ),
    (
        "SORT nosuch STORE m",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SORT nosuch STORE m",
    ),
    (
        "PFADD p q",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] PFADD p q",
    ),
    (
        "PFADD n",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] PFADD n",
    ),
    (
        "PFMERGE n p",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] PFMERGE n p",
    ),
    (
        "PFMERGE p p",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] PFMERGE p p",
    ),
    (
        "XADD x 9-1 f v",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XADD x 9-1 f v",
    ),
    (
        "XADD n 9-1 f v",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XADD n 9-1 f v",
    ),
    (
        "XADD x MAXLEN 1 9-1 f v",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XADD x MAXLEN 1 9-1 f v",
    ),
    (
        "XDEL x 1-1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XDEL x 1-1",
    ),
    (
        "XTRIM x MAXLEN 0",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XTRIM x MAXLEN 0",
    ),
    (
        "XSETID x 20-1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XSETID x 20-1",
    ),
    (
        "XGROUP CREATE x gg 0",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XGROUP CREATE x gg 0",
    ),
    (
        "XGROUP CREATE n gg 0 MKSTREAM",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XGROUP CREATE n gg 0 MKSTREAM",
    ),
    (
        "XGROUP DESTROY x g1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XGROUP DESTROY x g1",
    ),
    (
        "XGROUP CREATECONSUMER x g1 c9",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XGROUP CREATECONSUMER x g1 c9",
    ),
    (
        "XGROUP DELCONSUMER x g1 c1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XGROUP DELCONSUMER x g1 c1",
    ),
    (
        "XGROUP SETID x g1 0",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XGROUP SETID x g1 0",
    ),
    (
        "XREADGROUP GROUP g1 c1 STREAMS x >",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XREADGROUP GROUP g1 c1 STREAMS x >",
    ),
    (
        "XREADGROUP GROUP g1 c8 STREAMS x >",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XREADGROUP GROUP g1 c8 STREAMS x >",
    ),
    (
        "XACK x g1 1-1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XACK x g1 1-1",
    ),
    (
        "XCLAIM x g1 c7 0 1-1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XCLAIM x g1 c7 0 1-1",
    ),
    (
        "XAUTOCLAIM x g1 c6 0 0",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] XAUTOCLAIM x g1 c6 0 0",
    ),
    (
        "SWAPDB 0 1",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] SWAPDB 0 1",
    ),
    (
        "FLUSHDB",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] FLUSHDB",
    ),
    (
        "FLUSHALL",
        "[0] CONFIG SET notify-keyspace-events KEAn\n[2] HELLO 3\n[1] HELLO 3\n[0] MSET a xx b 2 i 5\n[0] SET v 1 PX 100000\n[0] HSET h f 1 g 2\n[0] RPUSH l x y x\n[0] RPUSH m 1\n[0] RPUSH one x\n[0] SADD s x y\n[0] SADD t z\n[0] SADD sone x\n[0] ZADD z 1 x 2 y\n[0] ZADD zone 1 x\n[0] ZADD y 1 x\n[0] GEOADD g 13 38 a 13.1 38.1 b\n[0] PFADD p a b\n[0] XADD x 1-1 f v\n[0] XADD x 2-1 f v\n[0] XGROUP CREATE x g1 0\n[0] XREADGROUP GROUP g1 c1 COUNT 1 STREAMS x >\n[2] PSUBSCRIBE __key*__:*\n[2] CLIENT TRACKING ON\n[1] CLIENT TRACKING ON\n[1] PSUBSCRIBE __key*__:*\n[2] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] EXISTS a b i v h l m one s t sone z zone y g p x n o nosuch\n[1] FLUSHALL",
    ),
];
