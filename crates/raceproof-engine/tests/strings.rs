//! Strings, counters, LCS.

mod common;

use common::Server;

#[test]
fn set_and_get() {
    let mut server = Server::new();
    server.expect(&[
        ("GET k", "$-1"),
        ("SET k a", "+OK"),
        ("SET k b NX", "$-1"),
        ("SET k b XX GET", "$1|a"),
        ("SET n b XX", "$-1"),
        ("SET n b NX GET", "$-1"),
        ("GET n", "$1|b"),
        ("SET k c NX GET", "$1|b"),
        ("SET k c NX XX", "-ERR syntax error"),
        ("SET k c EX 1 KEEPTTL", "-ERR syntax error"),
        ("SET k c EX 1 PX 1", "-ERR syntax error"),
        ("SET k c EX", "-ERR syntax error"),
        ("SET k c EX 0", "-ERR invalid expire time in 'set' command"),
        ("SET k c EX 9223372036854775807", "-ERR invalid expire time in 'set' command"),
        ("SET k c PX 9223372036854775807", "-ERR invalid expire time in 'set' command"),
        ("SET k c EX x", "-ERR value is not an integer or out of range"),
        ("SETEX k -1 v", "-ERR invalid expire time in 'setex' command"),
        ("PSETEX k 0 v", "-ERR invalid expire time in 'psetex' command"),
        ("GETEX k EX 0", "-ERR invalid expire time in 'getex' command"),
        ("GETEX none EX 0", "$-1"),
        ("GETSET k d", "$1|b"),
        ("GETDEL k", "$1|d"),
        ("GETDEL k", "$-1"),
        ("SETNX k e", ":1"),
        ("SETNX k f", ":0"),
        ("MSET a 1 b 2", "+OK"),
        ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"),
        ("MSETNX c 1 a 9", ":0"),
        ("MSETNX c 1 d 9", ":1"),
        ("HSET h f v", ":1"),
        ("MGET a none h d", "*4|$1|1|$-1|$-1|$1|9"),
        ("SET h x GET", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SET h x", "+OK"),
    ]);
}

#[test]
fn parts_of_strings() {
    let mut server = Server::new();
    server.expect(&[
        ("APPEND k Hello", ":5"),
        ("APPEND k World", ":10"),
        ("STRLEN k", ":10"),
        ("STRLEN none", ":0"),
        ("GETRANGE k 0 4", "$5|Hello"),
        ("GETRANGE k -5 -1", "$5|World"),
        ("GETRANGE k -1 -5", "$0"),
        ("GETRANGE k 5 100", "$5|World"),
        ("GETRANGE k -9223372036854775808 9223372036854775807", "$10|HelloWorld"),
        ("SUBSTR k 9 9", "$1|d"),
        ("SETRANGE k 8 XYZ", ":11"),
        ("GET k", "$11|HelloWorXYZ"),
        ("SETRANGE n 2 a", ":3"),
        ("GETRANGE n 0 -1", "$3|\0\0a"),
        ("SETRANGE none 5 \"\"", ":0"),
        ("EXISTS none", ":0"),
        ("SETRANGE k -1 a", "-ERR offset is out of range"),
        ("SETRANGE k 536870912 a", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
        ("SETRANGE k 9223372036854775807 a", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
    ]);
}

#[test]
fn encodings() {
    let (embstr, raw) = ("y".repeat(44), "z".repeat(45));
    let mut server = Server::new();
    for (set, encoding) in [
        ("SET k 12345", "int"),
        ("SET k -9223372036854775808", "int"),
        ("SET k 9223372036854775808", "embstr"),
        ("SET k 012", "embstr"),
        (&format!("SET k {embstr}"), "embstr"),
        (&format!("SET k {raw}"), "raw"),
        ("SETRANGE k 0 1", "raw"),
        ("APPEND k 1", "raw"),
        ("SET k 3", "int"),
        ("INCRBYFLOAT k 1", "embstr"),
        ("INCR k", "int"),
    ] {
        server.run(set);
        assert_eq!(server.say("OBJECT ENCODING k"), format!("${}|{encoding}", encoding.len()), "{set}");
    }
    server.expect(&[("OBJECT REFCOUNT k", ":2147483647"), ("SET k 10000", "+OK"), ("OBJECT REFCOUNT k", ":1")]);
}

#[test]
fn counters() {
    let mut server = Server::new();
    server.expect(&[
        ("INCR k", ":1"),
        ("DECR k", ":0"),
        ("INCRBY k 9223372036854775807", ":9223372036854775807"),
        ("INCR k", "-ERR increment or decrement would overflow"),
        ("DECRBY k -9223372036854775808", "-ERR decrement would overflow"),
        ("INCRBY k 1.5", "-ERR value is not an integer or out of range"),
        ("SET k abc", "+OK"),
        ("INCR k", "-ERR value is not an integer or out of range"),
        ("INCRBYFLOAT k 1", "-ERR value is not a valid float"),
        ("SET k 3.0", "+OK"),
        ("INCRBYFLOAT k 1.1", "$3|4.1"),
        ("INCRBYFLOAT k -4.1", "$1|0"),
        ("INCRBYFLOAT k 5.0e3", "$4|5000"),
        ("INCRBYFLOAT k inf", "-ERR increment would produce NaN or Infinity"),
        ("INCRBYFLOAT k nan", "-ERR value is not a valid float"),
    ]);
}

#[test]
fn longest_common_subsequence() {
    let mut server = Server::new();
    server.expect(&[
        ("MSET a ohmytext b mynewtext", "+OK"),
        ("LCS a b", "$6|mytext"),
        ("LCS a b LEN", ":6"),
        ("LCS a b IDX", "*4|$7|matches|*2|*2|*2|:4|:7|*2|:5|:8|*2|*2|:2|:3|*2|:0|:1|$3|len|:6"),
        ("LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN", "*4|$7|matches|*1|*3|*2|:4|:7|*2|:5|:8|:4|$3|len|:6"),
        ("LCS a none", "$0"),
        ("LCS a b LEN IDX", "-ERR If you want both the length and indexes, please just use IDX."),
        ("LCS a b MINMATCHLEN", "-ERR syntax error"),
        ("HSET h f v", ":1"),
        ("LCS a h", "-ERR The specified keys must contain string values"),
    ]);
}

#[test]
fn footprints() {
    let mut server = Server::new();
    server.run("SET v 1 PX 1000");
    for (line, footprint) in [
        ("GET none", "db0=ir none=r"),
        ("GET v", "clock=r db0=ir v=r"),
        ("SET k 1", "db0=iw k=w"),
        ("SET k 2", "db0=ir k=w"),
        ("SET k 2 NX", "db0=ir k=ir"),
        ("INCR k", "db0=ir k=w"),
        ("SET k 1 EX 5", "clock=r db0=ir deadlines=iw k=w"),
        ("SET k 1", "clock=r db0=ir deadlines=iw k=w"),
        ("SET k 1 PXAT 1", "db0=iw deadlines=iw k=w"),
        ("GET k", "clock=r db0=iw deadlines=iw k=w"),
        ("MGET a b", "a=r b=r db0=ir"),
        ("SETEX v 5 x", "clock=r db0=ir deadlines=iw v=w"),
        ("SET v x KEEPTTL", "clock=r db0=ir v=w"),
        ("GETEX v PERSIST", "clock=r db0=ir deadlines=iw v=w"),
        ("GETEX v PERSIST", "db0=ir v=r"),
    ] {
        assert_eq!(server.touched(line), footprint, "{line}");
    }
}
