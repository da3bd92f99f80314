//! Hashes.

mod common;

use common::Server;

#[test]
fn fields() {
    let mut server = Server::new();
    server.expect(&[
        ("HSET h a 1 b 2 a 3", ":2"),
        ("HSET h a", "-ERR wrong number of arguments for 'hset' command"),
        ("HSET h a 1 b", "-ERR wrong number of arguments for 'hset' command"),
        ("HMSET h a 4", "+OK"),
        ("HMSET h a 4 b", "-ERR wrong number of arguments for 'hmset' command"),
        ("HSETNX h a 5", ":0"),
        ("HSETNX h c 5", ":1"),
        ("HGET h a", "$1|4"),
        ("HGET h none", "$-1"),
        ("HGET none a", "$-1"),
        ("HMGET h a none c", "*3|$1|4|$-1|$1|5"),
        ("HGETALL h", "*6|$1|a|$1|4|$1|b|$1|2|$1|c|$1|5"),
        ("HKEYS h", "*3|$1|a|$1|b|$1|c"),
        ("HVALS h", "*3|$1|4|$1|2|$1|5"),
        ("HLEN h", ":3"),
        ("HEXISTS h a", ":1"),
        ("HSTRLEN h c", ":1"),
        ("HDEL h a none c", ":2"),
        ("HDEL h b b", ":1"),
        ("EXISTS h", ":0"),
        ("HLEN h", ":0"),
        ("HGETALL h", "*0"),
        ("SET s x", "+OK"),
        ("HSET s f v", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HGET s f", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("GET h", "$-1"),
    ]);
}

#[test]
fn counters() {
    let mut server = Server::new();
    server.expect(&[
        ("HINCRBY h n 5", ":5"),
        ("HINCRBY h n x", "-ERR value is not an integer or out of range"),
        ("HSET h s abc m 9223372036854775807", ":2"),
        ("HINCRBY h s 1", "-ERR hash value is not an integer"),
        ("HINCRBY h m 1", "-ERR increment or decrement would overflow"),
        ("HINCRBYFLOAT h n 0.1", "$3|5.1"),
        ("HINCRBYFLOAT h s 1", "-ERR hash value is not a float"),
        ("HINCRBYFLOAT h n inf", "-ERR value is NaN or Infinity"),
        ("HINCRBYFLOAT h n x", "-ERR value is not a valid float"),
    ]);
}

/// A small hash keeps insertion order, a field that is set again its place; sorted replies ignore both.
#[test]
fn order() {
    for (mut server, expected) in [(Server::new(), "*3|$1|c|$1|a|$1|b"), (Server::sorted(), "*3|$1|a|$1|b|$1|c")] {
        server.expect(&[("HSET h c 1 a 2", ":2"), ("HSET h b 3 c 4", ":1"), ("HKEYS h", expected)]);
    }
}

#[test]
fn a_hash_grows_large_and_stays_so() {
    let mut server = Server::new();
    let long = "x".repeat(65);
    server.expect(&[
        ("HSET h a 1", ":1"),
        ("OBJECT ENCODING h", "$8|listpack"),
        (&format!("HSETNX h a {long}"), ":0"),
        ("OBJECT ENCODING h", "$8|listpack"),
        (&format!("HSET h b {long}"), ":1"),
        ("OBJECT ENCODING h", "$9|hashtable"),
        ("HDEL h b", ":1"),
        ("OBJECT ENCODING h", "$9|hashtable"),
        ("HGETALL h", "*2|$1|a|$1|1"),
        ("COPY h i", ":1"),
        ("OBJECT ENCODING i", "$9|hashtable"),
        ("CONFIG SET hash-max-ziplist-entries 2", "+OK"),
        ("HSET j a 1 b 2", ":2"),
        ("OBJECT ENCODING j", "$8|listpack"),
        ("HSET j c 3", ":1"),
        ("OBJECT ENCODING j", "$9|hashtable"),
    ]);
}

#[test]
fn random_fields() {
    let mut server = Server::new();
    server.expect(&[
        ("HRANDFIELD none", "$-1"),
        ("HRANDFIELD none 5", "*0"),
        ("HSET h a 1", ":1"),
        ("HRANDFIELD h", "$1|a"),
        ("HRANDFIELD h 5", "*1|$1|a"),
        ("HRANDFIELD h -2", "*2|$1|a|$1|a"),
        ("HRANDFIELD h -2 WITHVALUES", "*4|$1|a|$1|1|$1|a|$1|1"),
        ("HRANDFIELD h 0", "*0"),
        ("HRANDFIELD h x", "-ERR value is not an integer or out of range"),
        ("HRANDFIELD h 1 x", "-ERR syntax error"),
        ("HRANDFIELD h 9223372036854775807 WITHVALUES", "-ERR value is out of range"),
    ]);
    server.run("HELLO 3");
    server.expect(&[("HRANDFIELD h 1 WITHVALUES", "*1|*2|$1|a|$1|1"), ("HGETALL h", "%1|$1|a|$1|1")]);
    assert_eq!(server.touched("HRANDFIELD h"), "db0=ir h=r random=w");
}

#[test]
fn footprints() {
    let mut server = Server::sorted();
    for (line, footprint) in [
        ("HSET h a 1", "#h=iw db0=iw h.a=w h=w"),
        ("HSET h a 2", "db0=ir h.a=w h=iw"),
        ("HSET h b 2", "#h=iw db0=ir h.b=w h=iw"),
        ("HSETNX h b 2", "db0=ir h.b=r h=ir"),
        ("HGET h a", "db0=ir h.a=r h=ir"),
        ("HMGET h a z", "db0=ir h.a=r h.z=r h=ir"),
        ("HGETALL h", "db0=ir h=r"),
        ("HLEN h", "#h=r db0=ir h=ir"),
        ("HINCRBY h a 1", "db0=ir h.a=w h=iw"),
        ("EXISTS h", "db0=ir h=ir"),
        ("TYPE h", "db0=ir h=ir"),
        ("TTL h", "db0=ir h=ir"),
        ("HDEL h z", "db0=ir h.z=r h=ir"),
        ("HDEL h a", "#h=iw #h=r db0=ir h.a=w h=iw"),
        ("GET h", "db0=ir h=r"),
        ("HDEL h b", "#h=iw #h=r db0=iw h.b=w h=w"),
    ] {
        assert_eq!(server.touched(line), footprint, "{line}");
    }
    server.run("SET s x");
    assert_eq!(server.touched("HGET s f"), "db0=ir s=r");
}
