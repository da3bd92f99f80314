//! Lists.

mod common;

use common::Server;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

#[test]
fn both_ends() {
    let mut server = Server::new();
    server.expect(&[
        ("RPUSH l a b", ":2"),
        ("LPUSH l c d", ":4"),
        ("LRANGE l 0 -1", "*4|$1|d|$1|c|$1|a|$1|b"),
        ("LRANGE l -3 1", "*1|$1|c"),
        ("LRANGE l 3 2", "*0"),
        ("LINDEX l -1", "$1|b"),
        ("LINDEX l 4", "$-1"),
        ("LLEN l", ":4"),
        ("OBJECT ENCODING l", "$9|quicklist"),
        ("LPOP l", "$1|d"),
        ("RPOP l 2", "*2|$1|b|$1|a"),
        ("LPOP l 0", "*0"),
        ("LPOP l -1", "-ERR value is out of range, must be positive"),
        ("RPOP l", "$1|c"),
        ("EXISTS l", ":0"),
        ("LPOP l", "$-1"),
        ("LPOP l 1", "*-1"),
        ("RPUSHX l a", ":0"),
        ("SET s x", "+OK"),
        ("RPUSH s a", WRONG_TYPE),
        ("LPOP s", WRONG_TYPE),
        ("RPUSH l a", ":1"),
        ("GET l", WRONG_TYPE),
        ("HGET l f", WRONG_TYPE),
        ("SADD l a", WRONG_TYPE),
        ("APPEND l a", WRONG_TYPE),
        ("TYPE l", "+list"),
    ]);
}

#[test]
fn the_middle() {
    let mut server = Server::new();
    server.expect(&[
        ("RPUSH l a b a c a", ":5"),
        ("LSET l 1 x", "+OK"),
        ("LSET l 5 x", "-ERR index out of range"),
        ("LSET none 0 x", "-ERR no such key"),
        ("LINSERT l BEFORE c y", ":6"),
        ("LINSERT l AFTER none y", ":-1"),
        ("LPOS l a", ":0"),
        ("LPOS l a RANK -1", ":5"),
        ("LPOS l a RANK 2 COUNT 0", "*2|:2|:5"),
        ("LPOS l a MAXLEN 2 COUNT 0", "*1|:0"),
        ("LPOS l none COUNT 0", "*0"),
        ("LREM l -2 a", ":2"),
        ("LRANGE l 0 -1", "*4|$1|a|$1|x|$1|y|$1|c"),
        ("LTRIM l 1 -2", "+OK"),
        ("LRANGE l 0 -1", "*2|$1|x|$1|y"),
        ("LTRIM l 5 9", "+OK"),
        ("EXISTS l", ":0"),
    ]);
}

#[test]
fn moves() {
    let mut server = Server::new();
    server.expect(&[
        ("RPUSH l a b c", ":3"),
        ("LMOVE l m LEFT RIGHT", "$1|a"),
        ("RPOPLPUSH l m", "$1|c"),
        ("LRANGE m 0 -1", "*2|$1|c|$1|a"),
        ("RPOPLPUSH m m", "$1|a"),
        ("LRANGE m 0 -1", "*2|$1|a|$1|c"),
        ("LMPOP 2 none m RIGHT COUNT 9", "*2|$1|m|*2|$1|c|$1|a"),
        ("LMPOP 1 m LEFT", "*-1"),
        ("SET s x", "+OK"),
        ("LMOVE l s LEFT LEFT", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("LRANGE l 0 -1", "*1|$1|b"),
    ]);
}

#[test]
fn a_list_is_read_and_written_as_a_whole() {
    let mut server = Server::new();
    for (line, footprint) in [
        ("RPUSH l a b", "db0=iw l=w"),
        ("RPUSH l c", "db0=ir l=w"),
        ("LLEN l", "db0=ir l=r"),
        ("LPOP l", "db0=ir l=w"),
        ("LMOVE l m LEFT LEFT", "db0=iw l=w m=w"),
        ("LPOP m", "db0=iw m=w"),
        ("LPOP none", "db0=ir none=r"),
    ] {
        assert_eq!(server.touched(line), footprint, "{line}");
    }
}

#[test]
fn sorting() {
    let mut server = Server::new();
    server.expect(&[
        ("RPUSH l 3 10 2", ":3"),
        ("SORT l", "*3|$1|2|$1|3|$2|10"),
        ("SORT l ALPHA DESC", "*3|$1|3|$1|2|$2|10"),
        ("SORT l LIMIT 1 1", "*1|$1|3"),
        ("SORT l BY nosort DESC", "*3|$1|2|$2|10|$1|3"),
        ("MSET w_3 1 w_10 2 w_2 3", "+OK"),
        ("HSET h_2 f two", ":1"),
        ("SORT l BY w_* GET # GET h_*->f", "*6|$1|3|$-1|$2|10|$-1|$1|2|$3|two"),
        ("SORT l STORE m", ":3"),
        ("TYPE m", "+list"),
        ("SORT_RO l STORE m", "-ERR syntax error"),
        ("RPUSH l x", ":4"),
        ("SORT l", "-ERR One or more scores can't be converted into double"),
        ("SORT none STORE m", ":0"),
        ("EXISTS m", ":0"),
        ("SORT w_3", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
    server.run("DEL l");
    server.run("RPUSH l 1");
    assert_eq!(server.touched("SORT l BY w_* GET h_*->f"), "db0=ir h_1.f=r h_1=ir l=r w_1=r");
}
