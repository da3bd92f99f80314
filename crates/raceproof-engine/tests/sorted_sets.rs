//! Sorted sets.

mod common;

use common::Server;

#[test]
fn adding() {
    let mut server = Server::new();
    server.expect(&[
        ("ZADD z 1 a 2 b", ":2"),
        ("ZADD z 1 a 3 b", ":0"),
        ("ZADD z CH 1 a 2 b 5 c", ":2"),
        ("ZADD z NX 9 a 4 d", ":1"),
        ("ZADD z XX 9 none", ":0"),
        ("ZADD z GT CH 1 b", ":0"),
        ("ZADD z LT CH 1 b", ":1"),
        ("ZADD z INCR 2 a", "$1|3"),
        ("ZADD z NX INCR 2 a", "$-1"),
        ("ZADD z NX GT 2 a", "-ERR GT, LT, and/or NX options at the same time are not compatible"),
        ("ZADD z INCR 2 a 3 b", "-ERR INCR option supports a single increment-element pair"),
        ("ZADD z x a", "-ERR value is not a valid float"),
        ("ZADD z nan a", "-ERR value is not a valid float"),
        ("ZADD z 1", "-ERR wrong number of arguments for 'zadd' command"),
        ("ZADD z 1 a 2", "-ERR syntax error"),
        ("ZINCRBY z 0.1 a", "$18|3.1000000000000001"),
        ("ZADD z inf e", ":1"),
        ("ZINCRBY z -inf e", "-ERR resulting score is not a number (NaN)"),
        ("ZSCORE z e", "$3|inf"),
        ("ZMSCORE z a none", "*2|$18|3.1000000000000001|$-1"),
        ("ZREM z a none", ":1"),
        ("ZCARD z", ":4"),
        ("TYPE z", "+zset"),
    ]);
    server.run("HELLO 3");
    server.expect(&[("ZSCORE z e", ",inf"), ("ZRANGE z 0 0 WITHSCORES", "*1|*2|$1|b|,1")]);
}

/// Small and large ones reply alike.
#[test]
fn ranges() {
    for most in ["128", "0"] {
        let mut server = Server::new();
        server.run(&format!("CONFIG SET zset-max-listpack-entries {most}"));
        server.expect(&[
            ("ZADD z 3 c 1 a 2 b 2 bb", ":4"),
            ("OBJECT ENCODING z", if most == "0" { "$8|skiplist" } else { "$8|listpack" }),
            ("ZRANGE z 0 -1", "*4|$1|a|$1|b|$2|bb|$1|c"),
            ("ZRANGE z 0 1 REV WITHSCORES", "*4|$1|c|$1|3|$2|bb|$1|2"),
            ("ZREVRANGE z -2 -1", "*2|$1|b|$1|a"),
            ("ZRANGE z (1 3 BYSCORE LIMIT 1 5", "*2|$2|bb|$1|c"),
            ("ZRANGEBYSCORE z -inf (2", "*1|$1|a"),
            ("ZREVRANGEBYSCORE z +inf 2 LIMIT 0 1", "*1|$1|c"),
            ("ZRANGEBYSCORE z 2 1", "*0"),
            ("ZCOUNT z (1 +inf", ":3"),
            ("ZRANK z bb", ":2"),
            ("ZREVRANK z bb", ":1"),
            ("ZRANK z none", "$-1"),
            (
                "ZRANGE z 0 1 LIMIT 0 1",
                "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ),
            ("ZRANGE z a b BYSCORE", "-ERR min or max is not a float"),
            ("ZRANGESTORE y z 1 2", ":2"),
            ("ZRANGE y 0 -1", "*2|$1|b|$2|bb"),
            ("ZADD l 0 a 0 b 0 c", ":3"),
            ("ZRANGEBYLEX l - [b", "*2|$1|a|$1|b"),
            ("ZRANGE l + (a BYLEX REV", "*2|$1|c|$1|b"),
            ("ZLEXCOUNT l (a +", ":2"),
            ("ZRANGEBYLEX l a b", "-ERR min or max not valid string range item"),
            ("ZREMRANGEBYLEX l [b +", ":2"),
            ("ZREMRANGEBYSCORE z 2 (3", ":2"),
            ("ZREMRANGEBYRANK z 0 0", ":1"),
            ("ZPOPMAX z", "*2|$1|c|$1|3"),
            ("EXISTS z", ":0"),
            ("ZPOPMIN z", "*0"),
            ("ZMPOP 2 z l MIN", "*2|$1|l|*1|*2|$1|a|$1|0"),
            ("ZMPOP 1 l MIN", "*-1"),
        ]);
    }
}

#[test]
fn algebra() {
    let mut server = Server::new();
    server.expect(&[
        ("ZADD a 1 x 2 y", ":2"),
        ("ZADD b 10 y 20 z", ":2"),
        ("SADD s y", ":1"),
        ("ZUNION 2 a b WITHSCORES", "*6|$1|x|$1|1|$1|y|$2|12|$1|z|$2|20"),
        ("ZUNION 2 a b WEIGHTS 2 1 AGGREGATE MAX WITHSCORES", "*6|$1|x|$1|2|$1|y|$2|10|$1|z|$2|20"),
        ("ZINTER 3 a b s WITHSCORES", "*2|$1|y|$2|13"),
        ("ZDIFF 2 a s", "*1|$1|x"),
        ("ZINTERCARD 2 a b LIMIT 5", ":1"),
        ("ZUNIONSTORE c 2 a b", ":3"),
        ("ZINTERSTORE c 2 a none", ":0"),
        ("EXISTS c", ":0"),
        ("ZUNION 0 a", "-ERR at least 1 input key is needed for 'zunion' command"),
        ("ZUNIONSTORE c 3 a b", "-ERR syntax error"),
        ("ZDIFF 2 a b WEIGHTS 1 1", "-ERR syntax error"),
    ]);
}

#[test]
fn a_sorted_set_grows_large_and_stays_so() {
    let mut server = Server::new();
    let long = "x".repeat(65);
    server.expect(&[
        ("ZADD z 1 a", ":1"),
        ("OBJECT ENCODING z", "$8|listpack"),
        (&format!("ZADD z 1 {long}"), ":1"),
        ("OBJECT ENCODING z", "$8|skiplist"),
        (&format!("ZREM z {long}"), ":1"),
        ("OBJECT ENCODING z", "$8|skiplist"),
        ("ZUNIONSTORE y 1 z", ":1"),
        ("OBJECT ENCODING y", "$8|listpack"),
    ]);
}

#[test]
fn footprints() {
    let mut server = Server::sorted();
    for (line, footprint) in [
        ("ZADD z 1 a", "#z=iw db0=iw z.a=w z=w"),
        ("ZADD z 1 a", "db0=ir z.a=r z=ir"),
        ("ZADD z 2 a", "db0=ir z.a=w z=iw"),
        ("ZADD z 1 b", "#z=iw db0=ir z.b=w z=iw"),
        ("ZINCRBY z 1 b", "db0=ir z.b=w z=iw"),
        ("ZSCORE z b", "db0=ir z.b=r z=ir"),
        ("ZCARD z", "#z=r db0=ir z=ir"),
        ("ZRANK z b", "db0=ir z=r"),
        ("ZRANGE z 0 -1", "db0=ir z=r"),
        ("ZREM z a", "#z=iw #z=r db0=ir z.a=w z=iw"),
        ("ZPOPMIN z", "db0=iw z=w"),
    ] {
        assert_eq!(server.touched(line), footprint, "{line}");
    }
}
