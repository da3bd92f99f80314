//! Deadlines of hash fields, as Redis 7.4 has them.

mod common;

use common::{START_MS, Server};
use raceproof_engine::{Options, Timestamp, Version};

fn server() -> Server {
    Server::with(Options { version: Version::V7_4, sorted_replies: true, ..Options::default() })
}

#[test]
fn fields_live_and_die() {
    let mut server = server();
    server.expect(&[
        ("HSET h a 1 b 2 c 3", ":3"),
        ("HPEXPIRE h 10 FIELDS 2 a none", "*2|:1|:-2"),
        ("HPTTL h FIELDS 3 a b none", "*3|:10|:-1|:-2"),
        ("HTTL h FIELDS 1 a", "*1|:1"),
        ("HPEXPIRETIME h FIELDS 1 a", "*1|:1700000000010"),
        ("HEXPIRETIME h FIELDS 1 a", "*1|:1700000001"),
        ("OBJECT ENCODING h", "$10|listpackex"),
    ]);
    assert_eq!(server.engine.next_deadline_ms(), Some(START_MS + 10));
    server.now_ms += 10;
    server.expect(&[("HGET h a", "$1|1")]);
    server.now_ms += 1;
    assert_eq!(server.effects("HGET h b"), ["0 HDEL h a"]);
    server.expect(&[
        ("HGET h a", "$-1"),
        ("HLEN h", ":2"),
        ("HEXPIRE h 0 FIELDS 1 b", "*1|:2"),
        ("HKEYS h", "*1|$1|c"),
        ("HPEXPIRE h 5 FIELDS 1 c", "*1|:1"),
        ("RENAME h i", "+OK"),
        ("COPY i j DB 1", ":1"),
        ("SWAPDB 1 2", "+OK"),
    ]);
    assert_eq!(server.engine.next_deadline_ms(), Some(START_MS + 16));
    server.engine.expire_due(Timestamp::from_ms(START_MS + 17), &mut server.out);
    assert_eq!(server.last_effects(), ["0 HDEL i c", "2 HDEL j c"]);
    assert_eq!(server.engine.next_deadline_ms(), None);
    server.expect(&[("DBSIZE", ":0")]);
}

#[test]
fn setting_a_field_forgets_its_deadline_and_counting_keeps_it() {
    let mut server = server();
    server.expect(&[
        ("HSET h a 1 b 1", ":2"),
        ("HEXPIRE h 9 FIELDS 2 a b", "*2|:1|:1"),
        ("HINCRBY h a 1", ":2"),
        ("HSET h b 2", ":0"),
        ("HTTL h FIELDS 2 a b", "*2|:9|:-1"),
        ("HPERSIST h FIELDS 3 a b c", "*3|:1|:-1|:-2"),
        ("HEXPIRE h 9 XX FIELDS 1 a", "*1|:0"),
        ("HEXPIRE h 9 NX FIELDS 1 a", "*1|:1"),
        ("HEXPIRE h 5 GT FIELDS 1 a", "*1|:0"),
        ("HEXPIRE h 5 LT FIELDS 1 a", "*1|:1"),
        ("HDEL h a", ":1"),
    ]);
    assert_eq!(server.engine.next_deadline_ms(), None);
}

#[test]
fn malformed() {
    let mut server = server();
    server.expect(&[
        ("HEXPIRE none 9 FIELDS 1 a", "*1|:-2"),
        ("HTTL none FIELDS 2 a b", "*2|:-2|:-2"),
        ("HEXPIRE h 9 ZZ FIELDS 1 a", "-ERR Mandatory argument FIELDS is missing or not at the right position"),
        ("HEXPIRE h 9 FIELDS 2 a", "-ERR The `numfields` parameter must match the number of arguments"),
        ("HEXPIRE h 9 FIELDS 0 a", "-ERR Parameter `numFields` should be greater than 0"),
        ("HEXPIRE h -1 FIELDS 1 a", "-ERR invalid expire time, must be >= 0"),
        ("HEXPIRE h 9223372036854775807 FIELDS 1 a", "-ERR invalid expire time in 'hexpire' command"),
        ("SET s x", "+OK"),
        ("HEXPIRE s 9 FIELDS 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn effects_and_footprints() {
    let mut server = server();
    server.run("HSET h a 1 b 2 c 3");
    assert_eq!(server.effects("HEXPIRE h 5 FIELDS 1 a"), ["0 HPEXPIREAT h 1700000005000 FIELDS 1 a"]);
    // The first deadline of a field, and the end of the last one, write the hash: from then on whoever looks at it, at
    // whatever field, reads the clock, or no longer does.
    assert_eq!(server.footprint(), "clock=r db0=ir deadlines=iw h.a=w h=w");
    assert_eq!(server.effects("HEXPIRE h 0 FIELDS 1 c"), ["0 HDEL h c"]);
    assert_eq!(server.effects("HPERSIST h FIELDS 1 b"), [""; 0]);
    for (line, footprint) in [
        ("HGET h b", "clock=r db0=ir h.b=r h=ir"),
        ("HTTL h FIELDS 1 b", "clock=r db0=ir h.b=r h=ir"),
        ("HSET h b 3", "clock=r db0=ir h.b=w h=iw"),
        ("HSET h a 3", "clock=r db0=ir deadlines=iw h.a=w h=w"),
        ("HSET h a 3", "db0=ir h.a=w h=iw"),
    ] {
        assert_eq!(server.touched(line), footprint, "{line}");
    }
    server.run("HPEXPIRE h 1 FIELDS 2 a b");
    server.now_ms += 2;
    assert_eq!(server.touched("HGET h z"), "#h=iw #h=r clock=r db0=iw deadlines=iw h.a=w h.b=w h.z=r h=w");
}
